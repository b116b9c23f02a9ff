"""How large the adders of a constant matrix are: counted in a solved graph, or estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sephw.adder_graph import AdderGraph
from sephw.adder_graph.pipeline import schedule
from sephw.ir import Integers, IntType


@dataclass(frozen=True)
class AdderSizes:
    """Sizes of an adder graph's two forms.

    ``adder_bits``: sum of the widths in which both operands have bits. ``register_bits``: sums
    and delays of the bit-parallel form; ``delay_bits``: the delays of them. ``digit_registers``:
    sums and delays of the digit-serial form, in digits; ``shift_bits``: what its shifts hold.
    """

    adders: int
    adder_bits: int
    register_bits: int
    delay_bits: int
    digit_registers: int
    shift_bits: int
    negations: int
    depth: int


def measure(graph: AdderGraph) -> AdderSizes:
    """Sizes of a solved graph."""
    plan = schedule(graph)
    inputs = len(graph.inputs)
    bits = [interval.bits for interval in graph.intervals]
    adder_bits = 0
    shifts: set[tuple[int, int, int]] = set()
    for index, adder in enumerate(graph.adders):
        node = inputs + index
        # Below the shifted operand the other one passes, unless it is to be subtracted.
        low = adder.right_shift if adder.subtract else max(adder.left_shift, adder.right_shift)
        adder_bits += max(1, bits[node] - low)
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
        adder_bits=adder_bits,
        register_bits=plan.register_bits(graph),
        delay_bits=sum(width * plan.delays(node) for node, width in enumerate(bits)),
        digit_registers=plan.digit_registers(graph),
        shift_bits=sum(shift for _, _, shift in shifts),
        negations=graph.negations,
        depth=graph.depth,
    )


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
        adder_bits=round(adders * width),
        register_bits=round((adders + delays) * width),
        delay_bits=round(delays * width),
        digit_registers=round(adders + delays),
        shift_bits=round(adders * (1.0 if density > 1 else 0.1)),
        negations=outputs // 4,
        depth=depth,
    )


def _share(rows: int, inputs: int, density: float) -> float:
    """Adders per signed digit."""
    return 0.95 / (1 + 0.12 * np.log2(max(2, rows)) * np.log2(max(2, inputs * density)))
