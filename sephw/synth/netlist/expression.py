"""Truth tables as short Verilog expressions, which a simulator evaluates fast."""

from __future__ import annotations

from functools import lru_cache

_Form = tuple[int, str]  # how many operators, and the text with input k as "{k}"


def expression(table: int, inputs: int) -> str:
    """Verilog, one bit wide, of a truth table of at most 6 inputs; input k stands as ``{k}``."""
    return _best(table, tuple(range(inputs)))[1]


@lru_cache(maxsize=1 << 18)
def _best(table: int, inputs: tuple[int, ...]) -> _Form:
    """The cheapest form that splits off one input after the other."""
    ones = _ones(len(inputs))
    if table in (0, ones):
        return 0, "1'b1" if table else "1'b0"
    forms = []
    for at, name in enumerate(inputs):
        low, high = halves(table, len(inputs), at)
        rest = (*inputs[:at], *inputs[at + 1 :])
        if low == high:  # the input does not matter
            return _best(low, rest)
        forms.append(_join(low, high, f"{{{name}}}", rest))
    return min(forms)


def _join(low: int, high: int, name: str, rest: tuple[int, ...]) -> _Form:
    """``high`` where the input ``name`` is 1, else ``low``: both are tables over ``rest``."""
    ones = _ones(len(rest))
    if (low, high) == (0, ones):
        return 0, name
    if (low, high) == (ones, 0):
        return 1, f"~{name}"
    cost_low, text_low = _best(low, rest)
    cost_high, text_high = _best(high, rest)
    if low == 0:
        return cost_high + 1, f"({name} & {text_high})"
    if high == ones:
        return cost_low + 1, f"({name} | {text_low})"
    if high == 0:
        return cost_low + 2, f"(~{name} & {text_low})"
    if low == ones:
        return cost_high + 2, f"(~{name} | {text_high})"
    if low ^ high == ones:
        return cost_low + 1, f"({name} ^ {text_low})"
    return cost_low + cost_high + 3, f"({name} ? {text_high} : {text_low})"


def halves(table: int, inputs: int, at: int) -> tuple[int, int]:
    """The table over the other inputs where input ``at`` is 0, and where it is 1."""
    parts = [0, 0]
    for row in range(1 << inputs):
        without = row >> (at + 1) << at | row & ((1 << at) - 1)
        parts[row >> at & 1] |= (table >> row & 1) << without
    return parts[0], parts[1]


def _ones(inputs: int) -> int:
    return (1 << (1 << inputs)) - 1
