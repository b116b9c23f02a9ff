"""Ways to write a matrix as sparse rows: each row alone, or as a neighbour row plus a difference.

A row of ±1 differs from a neighbour n by 0 or ±2: row = ±(n + 2·Δ) with Δ in {−1, 0, 1}, and a
well chosen neighbour leaves few non-zeros. The neighbour may be another row or a base that is not
an output. With one base b for all rows, Δ has the sign of b everywhere; choosing b and the rows'
signs so that they disagree in few places leaves about 40 % of the digits of 16 random rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sephw.adder_graph.eliminate import signed_digits
from sephw.adder_graph.graph import Integers


@dataclass(frozen=True)
class RowStep:
    """row = parent + (delta << shift), the parent negated where ``negate``; no parent: row = delta.

    ``delta``: index of a row of ``MatrixForm.weights``, or None for no difference at all.
    """

    row: int
    parent: int | None
    negate: bool
    delta: int | None
    shift: int


@dataclass(frozen=True)
class MatrixForm:
    """``weights`` int64 (deltas, inputs) and the steps, parents first, that rebuild the rows.

    Rows of the matrix come first; a base, if any, is row number ``outputs``.
    """

    name: str
    weights: Integers
    steps: tuple[RowStep, ...]

    @property
    def height(self) -> int:
        """The longest chain of additions after a delta."""
        levels: dict[int, int] = {}
        for step in self.steps:
            levels[step.row] = 0 if step.parent is None else levels[step.parent] + 1
        return max(levels.values(), default=0)


def digit_count(weights: Integers) -> Integers:
    """Non-zero signed digits of each row of int64 (rows, columns)."""
    plus, minus = signed_digits(weights)
    return (plus | minus).sum(axis=(0, 2), dtype=np.int64)


def majority(matrix: Integers, generator: np.random.Generator | None) -> Integers:
    """A ±1 row that agrees with many entries of ±rows (alternating maximisation, 2 ways)."""
    rows = len(matrix)
    signs = np.ones(rows, np.int64) if generator is None else 2 * generator.integers(0, 2, rows) - 1
    base = np.where(signs @ matrix >= 0, 1, -1)
    while True:
        turned = np.where(matrix @ base >= 0, 1, -1)
        if np.array_equal(turned, signs):
            return base.astype(np.int64)
        signs = turned
        base = np.where(signs @ matrix >= 0, 1, -1)


def direct(matrix: Integers) -> MatrixForm:
    """Each row by itself."""
    steps = tuple(RowStep(row, None, False, row, 0) for row in range(len(matrix)))
    return MatrixForm("direct", matrix, steps)


def star(matrix: Integers, base: Integers) -> MatrixForm:
    """Each row as a difference from one base."""
    parents: list[tuple[int, int | None]] = [(len(matrix), None)]
    parents += [(row, len(matrix)) for row in range(len(matrix))]
    return _differences("star", np.vstack([matrix, base[None, :]]), parents)


def tree(
    matrix: Integers, base: Integers | None, height: int, generator: np.random.Generator | None
) -> MatrixForm:
    """Each row as a difference from a near one, by Prim's method; ``height`` bounds the chains."""
    rows = matrix if base is None else np.vstack([matrix, base[None, :]])
    count = len(rows)
    if base is not None:
        root = count - 1
    else:
        root = 0 if generator is None else int(generator.integers(count))
    near = np.empty((count, count), np.int64)
    for row in range(count):
        minus = digit_count(rows - rows[row])
        plus = digit_count(rows + rows[row])
        near[row] = np.minimum(minus, plus)
    alone = digit_count(rows)
    order: list[tuple[int, int | None]] = [(root, None)]
    level = {root: 0}
    cost = near[root].astype(float)
    parent = np.full(count, root)
    jitter = np.zeros(count) if generator is None else generator.random(count) * 0.9
    while len(order) < count:
        open_rows = [r for r in range(count) if r not in level]
        row = min(open_rows, key=lambda r: (cost[r] + jitter[r], r))
        above = int(parent[row])
        if cost[row] + 1 >= alone[row]:
            order.append((row, None))
            level[row] = 0
        else:
            order.append((row, above))
            level[row] = level[above] + 1
        if level[row] < height:
            closer = near[row] < cost
            cost[closer] = near[row][closer]
            parent[closer] = row
    return _differences("tree", rows, order)


def _differences(name: str, rows: Integers, order: list[tuple[int, int | None]]) -> MatrixForm:
    weights: list[Integers] = []
    steps: list[RowStep] = []
    for row, parent in order:
        negate, delta = False, rows[row]
        if parent is not None:
            negate = bool(
                digit_count((rows[row] + rows[parent])[None])[0]
                < digit_count((rows[row] - rows[parent])[None])[0]
            )
            delta = rows[row] + rows[parent] if negate else rows[row] - rows[parent]
        if not delta.any():
            steps.append(RowStep(row, parent, negate, None, 0))
            continue
        shift = int(np.bitwise_or.reduce(delta))
        shift = (shift & -shift).bit_length() - 1
        steps.append(RowStep(row, parent, negate, len(weights), shift))
        weights.append(delta >> shift)
    return MatrixForm(name, np.array(weights, np.int64), tuple(steps))
