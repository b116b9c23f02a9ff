"""From a matrix to an adder graph: one interface over the solvers, cached and parallel."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from sephw.adder_graph import files
from sephw.adder_graph.da4ml_solver import da4ml_version, solve_da4ml
from sephw.adder_graph.exact import check
from sephw.adder_graph.graph import AdderGraph, Integers, Interval
from sephw.adder_graph.greedy import GREEDY_VERSION, solve_greedy
from sephw.errors import SephwError, UsageError
from sephw.lifetime.guard import die_with_parent

Solver = Literal["greedy", "da4ml", "best"]
SOLVERS: tuple[Solver, ...] = ("greedy", "da4ml", "best")
# Matrices with fewer non-zeros are solved faster than a process starts.
_PARALLEL_NONZEROS = 4000


@dataclass(frozen=True)
class SolverOptions:
    """Options of the solvers.

    ``best`` takes the smaller graph of both solvers. ``max_depth`` bounds the additions on a path;
    None: no bound. ``restarts``: further attempts of the greedy solver, None for a number by size.
    ``cache``: the cache folder, None for the user's; without ``use_cache`` nothing is read from it
    or written to it. ``jobs``: processes, None for all cores.
    """

    solver: Solver = "greedy"
    max_depth: int | None = None
    restarts: int | None = None
    use_cache: bool = True
    cache: Path | None = None
    jobs: int | None = None

    def __post_init__(self) -> None:
        if self.solver not in SOLVERS:
            raise UsageError(f"unknown solver '{self.solver}'; solvers are {', '.join(SOLVERS)}")
        if self.max_depth is not None and self.max_depth < 0:
            raise UsageError(f"max_depth is {self.max_depth}; give 0 or more")
        if self.restarts is not None and self.restarts < 0:
            raise UsageError(f"restarts is {self.restarts}; give 0 or more")
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"jobs is {self.jobs}; give 1 or more")


@dataclass(frozen=True)
class MatrixProblem:
    """One matrix int64 (outputs, inputs) and the interval of each input."""

    name: str
    matrix: Integers
    inputs: tuple[Interval, ...]

    def __post_init__(self) -> None:
        matrix = np.asarray(self.matrix)
        if matrix.ndim != 2 or matrix.dtype.kind not in "iu" or 0 in matrix.shape:
            raise SephwError(
                f"adder graph '{self.name}': the matrix is {matrix.dtype} of shape "
                f"{matrix.shape}; give integers (outputs, inputs)"
            )
        if matrix.shape[1] != len(self.inputs):
            raise SephwError(
                f"adder graph '{self.name}': the matrix has {matrix.shape[1]} inputs, "
                f"{len(self.inputs)} intervals are given; give one for each"
            )
        if int(np.abs(matrix.astype(np.int64)).max()) >= 1 << 20:
            raise SephwError(
                f"adder graph '{self.name}': entry {int(np.abs(matrix).max())} is too large; "
                "entries of up to 20 bits are supported"
            )
        object.__setattr__(self, "matrix", np.ascontiguousarray(matrix, np.int64))


# Called with the problem's name and the part that is done, 0..1.
ProblemProgress = Callable[[str, float], None]


def solve(
    problem: MatrixProblem,
    options: SolverOptions | None = None,
    progress: Callable[[float], None] | None = None,
) -> AdderGraph:
    """Solve one problem, or read its graph from the cache; it is checked against the matrix each
    time.

    Raises SephwError where the depth cannot be reached, da4ml is needed and missing, or a graph
    does not compute its matrix.
    """
    options = options or SolverOptions()
    key = _key(problem, options)
    graph = files.load(options.cache, key, problem.inputs) if options.use_cache else None
    if graph is not None:
        try:
            check(graph, problem.matrix)
            if progress is not None:
                progress(1.0)
            return graph
        except SephwError:
            # A damaged file of the cache; the new graph replaces it.
            pass
    graph = _run(problem, options, progress)
    check(graph, problem.matrix)
    if options.use_cache:
        files.save(options.cache, key, graph)
    return graph


def solve_many(
    problems: Sequence[MatrixProblem],
    options: SolverOptions | None = None,
    progress: ProblemProgress | None = None,
) -> tuple[AdderGraph, ...]:
    """Solve several problems in parallel processes, large ones first.

    The result does not depend on the number of processes. Child processes import the calling
    program's main module, as multiprocessing does: guard it with ``if __name__ == "__main__"``.
    """
    options = options or SolverOptions()
    jobs = min(options.jobs or os.cpu_count() or 1, len(problems))
    sizes = [int(np.count_nonzero(p.matrix)) for p in problems]
    if jobs <= 1 or sum(sizes) < _PARALLEL_NONZEROS:
        return tuple(
            solve(p, options, None if progress is None else _named(progress, p.name))
            for p in problems
        )
    order = sorted(range(len(problems)), key=lambda k: -sizes[k])
    graphs: dict[int, AdderGraph] = {}
    # Spawned, not forked: the caller may run threads (torch, OpenMP).
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=die_with_parent) as pool:
        futures = {pool.submit(solve, problems[k], options): k for k in order}
        for future in as_completed(futures):
            number = futures[future]
            graphs[number] = future.result()
            if progress is not None:
                progress(problems[number].name, 1.0)
    return tuple(graphs[k] for k in range(len(problems)))


def _named(progress: ProblemProgress, name: str) -> Callable[[float], None]:
    return lambda fraction: progress(name, fraction)


def _key(problem: MatrixProblem, options: SolverOptions) -> str:
    uses_da4ml = options.solver != "greedy"
    versions = (GREEDY_VERSION, da4ml_version() if uses_da4ml else None)
    return files.cache_key(
        problem.matrix,
        problem.inputs if uses_da4ml else None,
        options.solver,
        (*versions, options.max_depth, options.restarts),
    )


def _run(
    problem: MatrixProblem, options: SolverOptions, progress: Callable[[float], None] | None
) -> AdderGraph:
    graphs: list[AdderGraph] = []
    if options.solver in ("greedy", "best"):
        graphs.append(
            solve_greedy(
                problem.matrix,
                problem.inputs,
                restarts=options.restarts,
                max_depth=options.max_depth,
                progress=progress,
            )
        )
    if options.solver in ("da4ml", "best"):
        try:
            graphs.append(solve_da4ml(problem.matrix, problem.inputs, max_depth=options.max_depth))
        except SephwError:
            if options.solver == "da4ml":
                raise
    return min(graphs, key=lambda graph: (len(graph.adders), graph.depth))
