"""How large the adders of a constant matrix are: counted in a solved graph, or estimated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sephw.adder_graph import AdderGraph
from sephw.adder_graph.pipeline import Pipeline, schedule
from sephw.ir import AdderPart, Integers, IntType


@dataclass(frozen=True)
class AdderSizes:
    """Sizes of an adder graph's two forms.

    ``parts``: adders by width, that in which both operands have bits. ``register_bits``: sums
    and delays of the bit-parallel form; ``delay_bits``: those in chains of two delays and more,
    ``delay_chains`` how many. ``digit_registers``: sums and delays of the digit-serial form, in
    digits; ``shift_bits``: what its shifts hold.
    """

    adders: int
    parts: tuple[AdderPart, ...]
    register_bits: int
    delay_bits: int
    delay_chains: int
    digit_registers: int
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
    chains = [node for node in range(graph.nodes) if plan.delays(node) > 1]
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
        delay_bits=sum(bits[node] * plan.delays(node) for node in chains),
        delay_chains=sum(bits[node] for node in chains),
        digit_registers=plan.digit_registers(graph),
        shift_bits=sum(shift for _, _, shift in shifts),
        negations=graph.negations,
        depth=graph.depth,
    )


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


def predict(matrix: Integers, groups: int, input_type: IntType, output_type: IntType) -> AdderSizes:
    """Sizes expected of the graph of a matrix (outputs, inputs of a group), without solving it."""
    outputs, inputs = matrix.shape
    rows = outputs // groups
    digits = signed_digits(matrix)
    # Fitted to solved layers by `python -m benchmarks.characterize`, see docs/resources.md.
    density = max(1.0, digits / max(1, rows * inputs * groups))
    adders = 0.0
    if digits:
        per_group = digits / groups
        adders = groups * per_group * _share(rows, inputs, density)
    width = 0.5 * (input_type.bits + output_type.bits)
    depth = max(1, round(np.log2(max(2, inputs * density)) * 1.25))
    delays = adders * 0.9
    count = max(0, round(adders))
    return AdderSizes(
        adders=count,
        parts=(AdderPart(count, round(width)),) if count else (),
        register_bits=round((adders + delays) * width),
        delay_bits=round(delays * width),
        delay_chains=round(delays * width / 3),
        digit_registers=round(adders + delays),
        shift_bits=round(adders * (1.0 if density > 1 else 0.1)),
        negations=outputs // 4,
        depth=depth,
    )


def _share(rows: int, inputs: int, density: float) -> float:
    """Adders per signed digit."""
    return 0.95 / (1 + 0.12 * np.log2(max(2, rows)) * np.log2(max(2, inputs * density)))
