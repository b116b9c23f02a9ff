"""Sizes of the adders of a constant matrix: counted in a solved graph, or estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sephw.adder_graph import AdderGraph
from sephw.adder_graph.pipeline import Pipeline, schedule
from sephw.ir import AdderPart, Integers, IntType

# Registers that a tool turns into a shift register.
SHORTEST_CHAIN = 3


@dataclass(frozen=True)
class AdderSizes:
    """Sizes of an adder graph's two forms.

    ``parts``: adders by width, that in which both operands have bits. ``register_bits``: sums
    and delays of the bit-parallel form; ``delay_bits``: those that a shift register could hold,
    that is in chains of three and more of which only the end is read, ``delay_chains`` how many.
    ``digit_registers``, ``digit_delays``, ``digit_chains``: likewise of the digit-serial form, in
    digits; ``shift_bits``: what its shifts hold.
    """

    adders: int
    parts: tuple[AdderPart, ...]
    register_bits: int
    delay_bits: int
    delay_chains: int
    digit_registers: int
    digit_delays: int
    digit_chains: int
    shift_bits: int
    negations: int
    depth: int


def measure(graph: AdderGraph) -> AdderSizes:
    """Sizes of a solved graph."""
    plan = schedule(graph)
    inputs = len(graph.inputs)
    bits = [interval.bits for interval in graph.intervals]
    widths: Counter[int] = Counter()
    shifts: set[tuple[int, int, int]] = set()
    chains = _chains(graph, plan)
    for index, adder in enumerate(graph.adders):
        node = inputs + index
        # Below the shifted operand the other one passes, unless it is to be subtracted.
        low = adder.right_shift if adder.subtract else max(adder.left_shift, adder.right_shift)
        widths[max(1, bits[node] - low)] += 1
        stage = plan.stages[node] - 1
        for source, shift in ((adder.left, adder.left_shift), (adder.right, adder.right_shift)):
            if shift:
                shifts.add((source, stage - plan.stages[source], shift))
    for output in graph.outputs:
        if output.node is not None and output.shift:
            delay = plan.latency_cycles - plan.stages[output.node]
            shifts.add((output.node, delay, output.shift))
    return AdderSizes(
        adders=len(graph.adders),
        parts=tuple(AdderPart(count, width) for width, count in sorted(widths.items())),
        register_bits=_registers(graph, plan, bits),
        delay_bits=sum(bits[node] * length for node, length in chains),
        delay_chains=sum(bits[node] for node, _ in chains),
        digit_registers=plan.digit_registers(graph),
        digit_delays=sum(length for _, length in chains),
        digit_chains=len(chains),
        shift_bits=sum(shift for _, _, shift in shifts),
        # Equal ones are made once.
        negations=len({(o.node, o.shift) for o in graph.outputs if o.negate}),
        depth=graph.depth,
    )


def constant_output_bits(graph: AdderGraph, out_bits: int) -> int:
    """Bits of all outputs, ``out_bits`` each, that the bit-parallel form shows to be constant.

    Below a shift, above a sum without a sign; those of an output that is subtracted from 0 are not
    seen.
    """
    changing = 0
    for output in graph.outputs:
        if output.node is None:
            continue
        interval = graph.intervals[output.node]
        if output.negate:
            changing += out_bits
        elif interval.signed:
            changing += out_bits - output.shift
        else:
            changing += min(out_bits - output.shift, interval.bits)
    return len(graph.outputs) * out_bits - changing


def _chains(graph: AdderGraph, plan: Pipeline) -> list[tuple[int, int]]:
    """(node, registers) of every chain of three registers and more that is read at its end only."""
    inputs = len(graph.inputs)
    read: list[set[int]] = [set() for _ in range(graph.nodes)]
    for index, adder in enumerate(graph.adders):
        for source in (adder.left, adder.right):
            read[source].add(plan.stages[inputs + index] - 1)
    for output in graph.outputs:
        if output.node is not None:
            read[output.node].add(plan.latency_cycles)
    chains = []
    for node, times in enumerate(read):
        # Sums, and inputs in the window's register, stand in a register from the first.
        before = plan.stages[node] - 1
        for time in sorted(times):
            if time - before >= SHORTEST_CHAIN:
                chains.append((node, time - before))
            before = time
    return chains


def _registers(graph: AdderGraph, plan: Pipeline, bits: Sequence[int]) -> int:
    """Flip-flops of sums and delays; a low bit that an adder only passes on is kept once."""
    inputs = len(graph.inputs)
    # Of each node's low bits: of which node and bit they are copies.
    origins: list[list[tuple[int, int]]] = [
        [(node, bit) for bit in range(bits[node])] for node in range(inputs)
    ]
    held: set[tuple[int, int, int]] = set()
    for node in range(graph.nodes):
        stage = plan.stages[node]
        if node >= inputs:
            adder = graph.adders[node - inputs]
            own = [(node, bit) for bit in range(bits[node])]
            passed = None
            if adder.right_shift > adder.left_shift == 0:
                passed = adder.left
            elif adder.left_shift > adder.right_shift == 0 and not adder.subtract:
                passed = adder.right
            if passed is not None:
                low = min(max(adder.left_shift, adder.right_shift), bits[passed], bits[node])
                own[:low] = origins[passed][:low]
            origins.append(own)
        first = stage if node >= inputs else stage + 1
        for time in range(first, plan.last[node] + 1):
            held.update((source, bit, time) for source, bit in origins[node])
    return len(held)


def signed_digits(matrix: Integers) -> int:
    """Nonzero digits of all coefficients in canonical signed-digit form."""
    magnitude = np.abs(matrix)
    # The canonical form of x has a digit wherever 3x and x differ.
    return int(np.bitwise_count((3 * magnitude) ^ magnitude).sum())


# Fitted by `python -m benchmarks.characterize_graphs`: of the logarithm, the factors of 1, r, i,
# r², i², r·i, d, where r and i are the logarithms of a group's outputs and inputs, d that of the
# signed digits per coefficient; for patterns (±1) and for coefficients of several digits.
_ADDERS = (
    (-0.587, 0.0514, 1.3288, 0.1726, -0.0502, -0.016, 0.0),
    (-0.5065, 0.643, 1.4006, 0.0275, -0.1118, 0.0542, 0.9999),
)
# Registers in digits per adder; in bits per adder bit.
_DIGITS = (
    (0.5074, 0.8072, -0.3379, -0.182, 0.0217, 0.0211, 0.0),
    (0.0798, -0.0623, 0.0928, 0.092, -0.0038, -0.097, 0.2639),
)
_BITS = (
    (-0.9567, 0.7822, -0.3099, -0.1883, 0.0022, 0.0365, 0.0, -0.3336, 0.8711),
    (0.1043, -0.1408, 0.3008, 0.11, -0.0657, -0.0764, 0.259, -0.0367, -0.0067),
)
# Bits that shifts hold, per adder, and a little.
_SHIFTS = (
    (-4.0389, 2.9715, -0.2962, -0.427, 0.0103, -0.1775, 0.0),
    (1.0095, 0.147, -0.8437, -0.0469, 0.1412, 0.0194, 0.3757),
)
_SHIFT_OFFSET = 0.02
# Of an adder's width: input bits, output bits, 1. Of the depth: 1, logarithms to base 2 of a
# group's inputs and outputs.
_WIDTH = ((0.8992, 0.1187, 1.7992), (0.6451, 0.4185, -0.4737))
_DEPTH = ((0.37, 1.21, 0.4), (-1.22, 1.23, 1.46))
# Share of delays in chains that a shift register could hold.
_LONG = 0.5
# Outputs and inputs of the largest layers that were solved for it. Above them adders grow with
# outputs to a power, and with inputs.
_MOST_OUTPUTS, _MOST_INPUTS, _GROWTH = 32, (400, 32), 0.9


def predict(matrix: Integers, groups: int, input_type: IntType, output_type: IntType) -> AdderSizes:
    """Estimated sizes of the graph of a matrix (outputs, inputs of a group), without solving it."""
    outputs, inputs = matrix.shape
    rows = outputs // groups
    digits = signed_digits(matrix)
    if not digits:
        return AdderSizes(0, (), 0, 0, 0, 0, 0, 0, 0, 0, 0)
    density = digits / matrix.size
    several = int(np.abs(matrix).max() > 1)
    known = min(rows, _MOST_OUTPUTS), min(inputs, _MOST_INPUTS[several])
    r, i, d = np.log([*known, density])
    terms = (1.0, r, i, r * r, i * i, r * i, d)

    def grown(factors: Sequence[float], *more: float) -> float:
        return float(np.exp(np.dot(factors, (*terms, *more))))

    adders = grown(_ADDERS[several]) * groups * (rows / known[0]) ** _GROWTH * inputs / known[1]
    # Each digit but the first of a sum takes an adder at the most.
    count = max(0, round(min(adders, digits - np.count_nonzero(matrix.any(axis=1)))))
    width = float(np.dot(_WIDTH[several], (input_type.bits, output_type.bits, 1)))
    bits = grown(_BITS[several], np.log(input_type.bits), np.log(output_type.bits)) * count * width
    depth = np.dot(_DEPTH[several], (1, np.log2(max(2, inputs)), np.log2(max(2, rows))))
    sums = count * width
    delays = max(0.0, bits - sums)
    digit_registers = max(1.0, grown(_DIGITS[several])) * count
    shifts = max(0.0, grown(_SHIFTS[several]) - _SHIFT_OFFSET) * count
    return AdderSizes(
        adders=count,
        parts=(AdderPart(count, max(1, round(width))),) if count else (),
        register_bits=round(max(bits, sums)),
        delay_bits=round(delays * _LONG),
        delay_chains=round(delays * _LONG / 4),
        digit_registers=round(digit_registers),
        digit_delays=round((digit_registers - count) * _LONG),
        digit_chains=round((digit_registers - count) * _LONG / 4),
        shift_bits=round(shifts),
        negations=0,
        depth=max(1, round(float(depth))),
    )
