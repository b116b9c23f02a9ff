"""da4ml's solver behind the same interface. It is an optional dependency, imported on demand."""

from __future__ import annotations

from typing import Any

import numpy as np

from sephw.adder_graph.builder import AdderGraphBuilder, ShiftedNode
from sephw.adder_graph.graph import AdderGraph, Integers, Interval
from sephw.errors import SephwError


def da4ml_version() -> str:
    """The version of the installed da4ml. Raises SephwError where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("da4ml")
    except PackageNotFoundError:
        raise SephwError(
            "solver 'da4ml': the package is not installed; "
            "install it with 'pip install da4ml' or use the solver 'greedy'"
        ) from None


def solve_da4ml(
    matrix: Integers, inputs: tuple[Interval, ...], *, max_depth: int | None = None
) -> AdderGraph:
    """Solve int64 (outputs, inputs) with da4ml; its graph is checked for depth but not changed.

    Raises SephwError where da4ml is missing, or finds nothing within ``max_depth``.
    """
    da4ml_version()
    from da4ml.cmvm import solve  # type: ignore[import-untyped, import-not-found, unused-ignore]

    # Unit steps of 8 bits: da4ml balances by operand widths, so it wants the real intervals.
    intervals = [(float(i.low), float(i.high), 1.0) for i in inputs]
    # da4ml's bound is relative to the least depth it sees; −1 leaves it free.
    for bound in (-1,) if max_depth is None else (-1, 4, 3, 2, 1, 0):
        pipeline: Any = solve(
            np.ascontiguousarray(matrix.T, np.float32), hard_dc=bound, qintervals=intervals
        )
        graph = _convert(pipeline, len(matrix[0]), inputs)
        if max_depth is None or graph.depth <= max_depth:
            return graph
    raise SephwError(
        f"solver 'da4ml': no graph of depth {max_depth} found, the flattest has {graph.depth}; "
        f"allow a depth of {graph.depth} or use the solver 'greedy'"
    )


def _convert(pipeline: Any, count: int, inputs: tuple[Interval, ...]) -> AdderGraph:
    builder = AdderGraphBuilder(count)
    values: list[ShiftedNode | None] = [ShiftedNode(node) for node in range(count)]
    for stage in pipeline.solutions:
        values = _stage(builder, stage, values)
    lowest = min((t.shift for t in values if t is not None), default=0)
    if lowest < 0:
        raise SephwError("solver 'da4ml': its graph has fractions; use the solver 'greedy'")
    return builder.finish(inputs, values)


def _stage(
    builder: AdderGraphBuilder, stage: Any, values: list[ShiftedNode | None]
) -> list[ShiftedNode | None]:
    """One combinational stage: copies of inputs (−1), sums (0) and differences (1)."""
    made: list[ShiftedNode | None] = []
    for op in stage.ops:
        if op.opcode == -1:
            value = values[op.id0]
            made.append(value and value.times(int(stage.inp_shifts[op.id0]), False))
        elif op.opcode in (0, 1):
            left, right = made[op.id0], made[op.id1]
            right = right and right.times(int(op.data), op.opcode == 1)
            if left is None or right is None:
                made.append(left or right)
            else:
                made.append(builder.add(left, right))
        else:
            raise SephwError(
                f"solver 'da4ml': operation {op.opcode} is not an addition; use the solver 'greedy'"
            )
    return [
        None if index < 0 or (term := made[index]) is None else term.times(int(shift), bool(negate))
        for index, shift, negate in zip(
            stage.out_idxs, stage.out_shifts, stage.out_negs, strict=True
        )
    ]
