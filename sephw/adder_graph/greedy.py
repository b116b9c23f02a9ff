"""The greedy solver: several forms of the matrix, each with shared subexpressions; the best
wins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sephw.adder_graph.builder import AdderGraphBuilder, ShiftedNode
from sephw.adder_graph.eliminate import Eliminator, Progress
from sephw.adder_graph.forms import MatrixForm, digit_count, direct, majority, star, tree
from sephw.adder_graph.graph import AdderGraph, Integers, Interval
from sephw.errors import SephwError

# Part of the cache key: raise it with every change that can change a graph.
GREEDY_VERSION = 1

_Maker = Callable[[np.random.Generator | None], MatrixForm]
# Digits times positions that all attempts on one matrix may handle, and the most attempts.
_WORK_DIGITS = 60_000
_MOST_RESTARTS = 12
# Rows of ±1 from which only differences from one base are tried.
_STAR_ROWS = 12


@dataclass(frozen=True)
class _Found:
    graph: AdderGraph
    maker: int

    @property
    def rank(self) -> tuple[int, int]:
        return len(self.graph.adders), self.graph.depth


def solve_greedy(
    matrix: Integers,
    inputs: tuple[Interval, ...],
    *,
    restarts: int | None = None,
    max_depth: int | None = None,
    progress: Progress | None = None,
) -> AdderGraph:
    """Find a graph with few adders for int64 (outputs, inputs).

    Every form is tried once, then the two best ``restarts`` times more with other tie breaks (None:
    by size, 12 for small matrices). Equal arguments give equal graphs. ``progress`` is called with
    0..1. Raises SephwError where ``max_depth`` is less than any adder tree needs.
    """
    distinct, sources = _distinct(matrix)
    # Pairs are counted for every distance between positions, so wide entries take longer.
    positions = int(np.abs(distinct).max(initial=1)).bit_length()
    work = int(digit_count(distinct).sum()) * positions
    least = least_depth(matrix)
    if max_depth is not None and least > max_depth:
        raise SephwError(
            f"adder graph: depth {max_depth} cannot be reached, the fullest row of the "
            f"{len(matrix)}×{matrix.shape[1]} matrix needs {least}; allow a depth of {least}"
        )
    if restarts is None:
        restarts = max(1, min(_MOST_RESTARTS, _WORK_DIGITS // max(work, 1)))
    makers = _makers(distinct)
    attempts = len(makers) + restarts
    found: list[_Found] = []

    def attempt(number: int, maker: int, generator: np.random.Generator | None) -> None:
        def inner(fraction: float) -> None:
            if progress is not None:
                progress((number + fraction) / attempts)

        form = makers[maker](generator)
        outputs = _share(distinct, form, generator, max_depth, inner)
        if outputs is not None:
            builder, rows = outputs
            terms = [None if s is None else rows[s[0]].times(s[1], s[2]) for s in sources]
            found.append(_Found(builder.finish(inputs, terms), maker))

    for number in range(len(makers)):
        attempt(number, number, None)
    if not found:
        # Too deep for a difference: plain rows reach every depth that is reachable.
        makers = [lambda _: direct(distinct)]
        attempt(0, 0, None)
    merit = sorted(found, key=lambda f: f.rank)[:2]
    for number in range(restarts):
        maker = merit[number % len(merit)].maker
        attempt(len(makers) + number, maker, np.random.default_rng(number))
    if progress is not None:
        progress(1.0)
    return min(found, key=lambda f: f.rank).graph


def least_depth(matrix: Integers) -> int:
    """The depth of the fullest row's own balanced adder tree over signed digits."""
    counts = digit_count(matrix)
    return max(int(counts.max(initial=1)) - 1, 0).bit_length()


def _makers(matrix: Integers) -> list[_Maker]:
    """The forms to try; the last one keeps any reachable depth."""
    makers: list[_Maker] = []
    rows = len(matrix)
    if rows > 2 and (np.abs(matrix) == 1).all():
        makers.append(lambda g: star(matrix, majority(matrix, g)))
        if rows >= _STAR_ROWS:
            # Trees and plain rows were 1-5 % and 40 % behind from here on.
            return makers
        makers.append(lambda g: tree(matrix, majority(matrix, g), rows, g))
    if rows > 1:
        makers.append(lambda g: tree(matrix, None, 2, g))
        makers.append(lambda g: tree(matrix, None, rows, g))
    return [*makers, lambda _: direct(matrix)]


def _distinct(matrix: Integers) -> tuple[Integers, list[tuple[int, int, bool] | None]]:
    """Rows that differ by more than sign and shift, and each row's (row, shift, negate)."""
    rows: dict[bytes, int] = {}
    kept: list[Integers] = []
    sources: list[tuple[int, int, bool] | None] = []
    for row in matrix:
        if not row.any():
            sources.append(None)
            continue
        together = int(np.bitwise_or.reduce(row))
        shift = (together & -together).bit_length() - 1
        odd = row >> shift
        # The direction in which the row was first seen stands for both.
        number, negate = rows.get(odd.tobytes()), False
        if number is None:
            number, negate = rows.get((-odd).tobytes()), True
        if number is None:
            number, negate = len(kept), False
            rows[odd.tobytes()] = number
            kept.append(odd)
        sources.append((number, shift, negate))
    return np.array(kept, np.int64).reshape(len(kept), matrix.shape[1]), sources


def _share(
    matrix: Integers,
    form: MatrixForm,
    generator: np.random.Generator | None,
    max_depth: int | None,
    progress: Progress,
) -> tuple[AdderGraphBuilder, dict[int, ShiftedNode]] | None:
    """One attempt; None where the form cannot keep ``max_depth``."""
    builder = AdderGraphBuilder(matrix.shape[1])
    limit = None if max_depth is None else max_depth - form.height
    if limit is not None and (limit < 0 or least_depth(form.weights) > limit):
        return None
    columns = [ShiftedNode(node) for node in range(matrix.shape[1])]
    eliminator = Eliminator(builder, columns, form.weights, max_depth=limit, generator=generator)
    deltas = eliminator.run(progress)
    rows: dict[int, ShiftedNode] = {}
    for step in form.steps:
        delta = None if step.delta is None else deltas[step.delta]
        parts = [] if delta is None else [delta.times(step.shift, False)]
        if step.parent is not None:
            parts.append(rows[step.parent].times(0, step.negate))
        total = builder.sum(parts)
        assert total is not None, "a row of the form is neither zero nor a copy of zero"
        rows[step.row] = total
    return builder, rows
