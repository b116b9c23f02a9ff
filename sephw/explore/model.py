"""The choice problem without hardware: groups of options, lanes between them, the optimum.

A mixed-integer linear program, solved by HiGHS to a gap of 0. One binary per option says that it
is taken. What stands between two groups (width converters) depends on the lanes of both ends: for
each pair of lane counts one flow, whose sums are the options with these lanes; with one option
taken on each side the flow is 1 for their pair and 0 elsewhere, so it needs no integrality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.explore.quiet import quiet
from sephw.ir import Folding
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.resources.engines import Cost

Vector = NDArray[np.float64]
Lanes = tuple[int, ...]
# Nodes of the search tree after which a solution that is not proved yet is taken as it is: unlike
# seconds, they give the same result on a busy machine. Seconds are a last resort.
SOLVE_NODES = 20_000
# Variables up to which that holds: nodes of larger problems take longer, so they get fewer.
SOLVE_SIZE = 5_000
SOLVE_SECONDS = 900.0
_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2


class NoAnswerError(SephwError):
    """The solver's effort ended before a solution or a proof of infeasibility."""


def solve_nodes(size: int) -> int:
    """The node limit of the search tree for a problem of ``size`` variables."""
    return int(SOLVE_NODES * min(1.0, SOLVE_SIZE / size) ** 3)


def vector(resources: Resources) -> Vector:
    """(lut, ff, bram, dsp)."""
    return np.array([getattr(resources, name) for name in RESOURCE_KINDS], float)


@dataclass(frozen=True)
class Option:
    """One way to fold a group.

    ``cycles`` per frame; ``inputs`` and ``outputs`` are the lanes of its outer ports.
    ``traffic_bits``: bits of weights from external memory per frame, with those that the memory
    could give while buffers do not read.
    """

    foldings: tuple[tuple[str, Folding], ...]
    resources: Resources
    cycles: int
    fmax_mhz: float
    inputs: Lanes
    outputs: Lanes
    traffic_bits: int = 0


@dataclass(frozen=True)
class Group:
    """Nodes that are folded together: one, or a follower and its reader."""

    name: str
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Interconnect:
    """The width converters and forks on a stream: their resources, cycles per frame and clock."""

    resources: Resources
    cycles: int
    fmax_mhz: float = float("inf")

    def with_engine(self, cost: Cost, cycles: int) -> Interconnect:
        """The interconnect with one more engine."""
        return Interconnect(
            self.resources + cost.resources,
            max(self.cycles, cycles),
            min(self.fmax_mhz, cost.fmax_mhz),
        )


@dataclass(frozen=True)
class Edge:
    """A stream from output ``port`` of group ``source`` to input ``reads`` of group ``target``.

    ``between``: the interconnect of every possible (lanes of the source, lanes of the target).
    """

    source: int
    port: int
    target: int
    reads: int
    between: Mapping[tuple[int, int], Interconnect]


@dataclass(frozen=True)
class Problem:
    """Groups of options, and the streams between the groups.

    ``least_cycles``: a lower bound of the frame interval, by streams that no choice changes;
    ``base``: resources used in any case. ``bandwidth_bits``: of the external memory for weights,
    per cycle; a frame takes no less than its traffic does. ``most_traffic_bits``: the upper bound
    of a frame's traffic. ``wires_ns``: the delay of wires that is added to the slowest engine's,
    see `sephw.resources.wires`.
    """

    groups: tuple[Group, ...]
    edges: tuple[Edge, ...]
    least_cycles: int = 1
    base: Resources = field(default_factory=Resources)
    bandwidth_bits: int | None = None
    wires_ns: float = 0.0
    most_traffic_bits: int | None = None


@dataclass(frozen=True)
class Solution:
    """An option per group, by index into the problem's groups; ``proven``: no better one exists."""

    selected: tuple[int, ...]
    resources: Resources
    cycles: int
    proven: bool


def solve(
    problem: Problem,
    limits: Resources | None,
    weights: Sequence[float],
    *,
    first: bool = False,
    least_traffic: bool = False,
) -> Solution | None:
    """The options with the least Σ weights · (lut, ff, bram, dsp) within ``limits``.

    ``first``: any options within the limits will do; ``least_traffic``: those with the least
    traffic. None where there are none, proved. Raises
    NoAnswerError where the effort ends without either.
    """
    if any(not group.options for group in problem.groups):
        return None
    if any(not edge.between for edge in problem.edges):
        return None
    from scipy.optimize import (  # type: ignore[import-untyped]
        Bounds,
        LinearConstraint,
        milp,
    )
    from scipy.sparse import coo_array  # type: ignore[import-untyped]

    layout = _Layout.from_problem(problem)
    matrix, low, high = layout.rows()
    counts = layout.resources()
    upper = np.ones(layout.size)
    if limits is not None:
        # Divided by the limit: rows of like size. A limit of 0 is a bound on the variables.
        bound = vector(limits) - vector(problem.base)
        if (bound < 0).any():
            return None
        for row, most in zip(counts, bound, strict=True):
            if most > 0:
                matrix.append((np.flatnonzero(row), row[row != 0] / most))
                low.append(-np.inf)
                high.append(1.0)
        upper[(counts[bound <= 0] > 0).any(axis=0)] = 0.0
    traffic = layout.traffic()
    if problem.most_traffic_bits is not None and traffic.any():
        moved = np.flatnonzero(traffic)
        matrix.append((moved, traffic[moved] / max(1, problem.most_traffic_bits)))
        low.append(-np.inf)
        high.append(1.0)
    lines = np.repeat(np.arange(len(matrix)), [len(columns) for columns, _ in matrix])
    values = np.concatenate([v for _, v in matrix])
    columns = np.concatenate([c for c, _ in matrix])
    sparse = coo_array((values, (lines, columns)), shape=(len(matrix), layout.size)).tocsr()
    integrality = np.zeros(layout.size)
    integrality[: layout.options] = 1
    costs = traffic if least_traffic else np.asarray(weights, float) @ counts
    scale = max(float(costs.max(initial=0.0)), 1e-12)
    with quiet():
        result = milp(
            costs / scale * 1000.0,
            integrality=integrality,
            bounds=Bounds(np.zeros(layout.size), upper),
            constraints=LinearConstraint(sparse, np.array(low), np.array(high)),
            options={
                "mip_rel_gap": 1e9 if first else 0.0,
                "node_limit": solve_nodes(layout.size),
                "time_limit": SOLVE_SECONDS,
            },
        )
    if result.status == _INFEASIBLE:
        return None
    if result.x is None:
        nodes = solve_nodes(layout.size)
        raise NoAnswerError(
            f"folding search: no answer after {nodes:,} nodes ({result.message}); "
            "give a slower --fps or a larger device"
        )
    selected = layout.read(result.x)
    return Solution(
        selected,
        total(problem, selected),
        frame_cycles(problem, selected),
        proven=result.status == _OPTIMAL,
    )


def total(problem: Problem, selected: Sequence[int]) -> Resources:
    """The resources of the selected options and of their interconnect."""
    result = problem.base
    for group, k in zip(problem.groups, selected, strict=True):
        result += group.options[k].resources
    for edge in problem.edges:
        result += _between(problem, edge, selected).resources
    return result


def frame_cycles(problem: Problem, selected: Sequence[int]) -> int:
    """The frame interval in cycles with the selected options."""
    cycles = [group.options[k].cycles for group, k in zip(problem.groups, selected, strict=True)]
    cycles += [_between(problem, edge, selected).cycles for edge in problem.edges]
    return max(problem.least_cycles, traffic_cycles(problem, selected), *cycles)


def traffic_cycles(problem: Problem, selected: Sequence[int]) -> int:
    """The cycles in which the external memory delivers the weights of a frame."""
    pairs = zip(problem.groups, selected, strict=True)
    traffic = sum(group.options[k].traffic_bits for group, k in pairs)
    return -(-traffic // problem.bandwidth_bits) if problem.bandwidth_bits else 0


def _between(problem: Problem, edge: Edge, selected: Sequence[int]) -> Interconnect:
    source = problem.groups[edge.source].options[selected[edge.source]].outputs[edge.port]
    target = problem.groups[edge.target].options[selected[edge.target]].inputs[edge.reads]
    return edge.between[source, target]


def candidate_cycles(problem: Problem) -> tuple[int, ...]:
    """All possible frame intervals in ascending order, without the external memory's limit."""
    found = {option.cycles for group in problem.groups for option in group.options}
    found |= {b.cycles for edge in problem.edges for b in edge.between.values()}
    least = max([problem.least_cycles, *(min(o.cycles for o in g.options) for g in problem.groups)])
    return tuple(sorted({max(cycles, least) for cycles in found}))


def restrict(problem: Problem, most_cycles: int, least_mhz: float = 0.0) -> Problem:
    """The problem with only fast enough options, less the dominated ones.

    Its traffic is at most what the memory delivers in ``most_cycles``. An option is dominated by
    another of the same lanes that takes no more of any resource.
    """
    groups = tuple(
        Group(
            g.name,
            non_dominated(
                [o for o in g.options if o.cycles <= most_cycles and o.fmax_mhz >= least_mhz]
            ),
        )
        for g in problem.groups
    )
    edges = []
    for edge in problem.edges:
        ends = _ends(groups, edge)
        edges.append(
            Edge(
                edge.source,
                edge.port,
                edge.target,
                edge.reads,
                {
                    pair: b
                    for pair, b in edge.between.items()
                    if pair[0] in ends[0]
                    and pair[1] in ends[1]
                    and b.cycles <= most_cycles
                    and b.fmax_mhz >= least_mhz
                },
            )
        )
    bandwidth = problem.bandwidth_bits
    return replace(
        problem,
        groups=groups,
        edges=tuple(edges),
        most_traffic_bits=None if bandwidth is None else bandwidth * most_cycles,
    )


def non_dominated(options: Sequence[Option], *, by_cycles: bool = False) -> tuple[Option, ...]:
    """The options that no other one of the same lanes equals or beats in every figure.

    ``by_cycles``: cycles and clock are figures as well.
    """
    kept: list[Option] = []
    beaten: dict[tuple[Lanes, Lanes], list[Vector]] = {}

    def figures(option: Option) -> Vector:
        counts = np.append(vector(option.resources), option.traffic_bits)
        return np.append(counts, [option.cycles, -option.fmax_mhz]) if by_cycles else counts

    # Sums never fall along this order, so an option is beaten only by one before it.
    for option in sorted(options, key=lambda o: (figures(o).sum(), o.cycles)):
        mine = figures(option)
        others = beaten.setdefault((option.inputs, option.outputs), [])
        if not any((other <= mine).all() for other in others):
            others.append(mine)
            kept.append(option)
    return tuple(kept)


def _ends(groups: Sequence[Group], edge: Edge) -> tuple[list[int], list[int]]:
    """Lane counts that occur at the source and at the target of ``edge``."""
    made = sorted({o.outputs[edge.port] for o in groups[edge.source].options})
    read = sorted({o.inputs[edge.reads] for o in groups[edge.target].options})
    return made, read


@dataclass(frozen=True)
class _Layout:
    """The order of the variables: the options of all groups, then the flows of all edges."""

    problem: Problem
    starts: tuple[int, ...]
    options: int
    flows: tuple[tuple[int, tuple[int, int]], ...]

    @classmethod
    def from_problem(cls, problem: Problem) -> _Layout:
        counts = [len(group.options) for group in problem.groups]
        starts = tuple(int(n) for n in np.cumsum([0, *counts[:-1]]))
        flows = tuple((i, pair) for i, e in enumerate(problem.edges) for pair in sorted(e.between))
        return cls(problem, starts, sum(counts), flows)

    @property
    def size(self) -> int:
        return self.options + len(self.flows)

    def rows(self) -> tuple[list[tuple[NDArray[np.int64], Vector]], list[float], list[float]]:
        """Constraints (columns, factors) with bounds: one option a group, flows meet options."""
        rows: list[tuple[NDArray[np.int64], Vector]] = []
        low: list[float] = []
        for group, start in zip(self.problem.groups, self.starts, strict=True):
            rows.append((np.arange(start, start + len(group.options)), np.ones(len(group.options))))
            low.append(1.0)
        for i, edge in enumerate(self.problem.edges):
            flows = [(self.options + j, pair) for j, (e, pair) in enumerate(self.flows) if e == i]
            for end, lanes in enumerate(_ends(self.problem.groups, edge)):
                for n in lanes:
                    ours = [v for v, pair in flows if pair[end] == n]
                    theirs = self._with_lanes(edge, end, n)
                    rows.append(
                        (
                            np.array([*ours, *theirs], np.int64),
                            np.array([1.0] * len(ours) + [-1.0] * len(theirs)),
                        )
                    )
                    low.append(0.0)
        return rows, low, list(low)

    def _with_lanes(self, edge: Edge, end: int, lanes: int) -> list[int]:
        group = (edge.source, edge.target)[end]
        options = self.problem.groups[group].options
        ports = (
            [o.outputs[edge.port] for o in options]
            if end == 0
            else [o.inputs[edge.reads] for o in options]
        )
        return [self.starts[group] + k for k, n in enumerate(ports) if n == lanes]

    def resources(self) -> Vector:
        """(4, variables)."""
        options = [vector(o.resources) for g in self.problem.groups for o in g.options]
        flows = [vector(self.problem.edges[i].between[p].resources) for i, p in self.flows]
        return np.array([*options, *flows], float).T

    def traffic(self) -> Vector:
        """(variables,): bits a frame."""
        bits = [float(o.traffic_bits) for g in self.problem.groups for o in g.options]
        return np.array([*bits, *[0.0] * len(self.flows)])

    def read(self, x: Vector) -> tuple[int, ...]:
        return tuple(
            int(np.argmax(x[start : start + len(group.options)]))
            for group, start in zip(self.problem.groups, self.starts, strict=True)
        )
