"""The choice problem: the solver against trying every combination."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest

from sephw.explore.choose import better, choose, clocks, cost, fastest
from sephw.explore.found import Goal, Margins
from sephw.explore.model import (
    Edge,
    Group,
    Interconnect,
    NoAnswerError,
    Option,
    Problem,
    candidate_cycles,
    frame_cycles,
    non_dominated,
    restrict,
    solve,
    solve_nodes,
    total,
)
from sephw.ir.resources import Resources
from sephw.technologies import ECP5, Device, Size

ALL = Margins(1.0, 1.0, 1.0, 1.0)
LANES = (1, 2, 4)


def random_problem(seed: int) -> Problem:
    """A tree of four groups; a fork from the first to the second and the third."""
    rng = np.random.default_rng(seed)

    def resources(top: int) -> Resources:
        lut, ff, bram, dsp = rng.integers(0, top, 4).tolist()
        return Resources(lut, ff, bram // 8, dsp // 8)

    def option(inputs: int) -> Option:
        reads = tuple(int(rng.choice(LANES)) for _ in range(inputs))
        cycles, clock = int(rng.integers(1, 12)) * 8, float(rng.choice([90, 100, 140]))
        return Option((), resources(100), cycles, clock, reads, (int(rng.choice(LANES)),))

    groups = tuple(
        Group(f"g{i}", tuple(option(inputs) for _ in range(int(rng.integers(2, 5)))))
        for i, inputs in enumerate((0, 1, 1, 2))
    )
    pairs = list(product(LANES, LANES))
    edges = tuple(
        Edge(
            source,
            0,
            target,
            reads,
            {pair: Interconnect(resources(40), int(rng.integers(1, 12)) * 6) for pair in pairs},
        )
        for source, target, reads in ((0, 1, 0), (0, 2, 0), (1, 3, 0), (2, 3, 1))
    )
    return Problem(groups, edges, least_cycles=10, base=Resources(3, 4, 0, 1))


def every(problem: Problem):
    for selected in product(*(range(len(g.options)) for g in problem.groups)):
        clock = min(g.options[k].fmax_mhz for g, k in zip(problem.groups, selected, strict=True))
        yield selected, total(problem, selected), frame_cycles(problem, selected), clock


LIMITS = [
    Resources(1000, 1000, 100, 100),
    Resources(190, 230, 14, 14),
    Resources(260, 200, 0, 20),
    Resources(150, 150, 9, 9),
]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("limits", LIMITS, ids=lambda r: f"{r.lut} LUT")
def test_least_resources_are_those_of_the_best_combination(seed, limits):
    problem = random_problem(seed)
    weights = (1.0, 0.25, 3.0, 2.0)
    costs = [
        float(np.dot(weights, (r.lut, r.ff, r.bram, r.dsp)))
        for _, r, _, _ in every(problem)
        if r.fits(limits)
    ]
    solution = solve(problem, limits, weights)
    if not costs:
        assert solution is None
        assert solve(problem, limits, weights, first=True) is None
        return
    assert solution is not None and solution.proven
    found = solution.resources
    assert found == total(problem, solution.selected)
    assert found.fits(limits)
    assert np.dot(weights, (found.lut, found.ff, found.bram, found.dsp)) == pytest.approx(
        min(costs), abs=1e-9
    )
    some = solve(problem, limits, weights, first=True)
    assert some is not None and some.resources.fits(limits)


def device(limits: Resources) -> Device:
    return Device(ECP5, Size("test", "test", limits))


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("limits", LIMITS[:2], ids=lambda r: f"{r.lut} LUT")
@pytest.mark.parametrize("clock", [None, 100.0])
def test_most_frames_per_second_are_those_of_the_best_combination(seed, limits, clock):
    problem = random_problem(seed)
    goal = Goal(device(limits), clock_mhz=clock, margins=ALL)
    rates = {
        step: max(
            (step * 1e6 / n for _, r, n, mhz in every(problem) if r.fits(limits) and mhz >= step),
            default=None,
        )
        for step in clocks(problem, goal)
    }
    best = max((rate for rate in rates.values() if rate is not None), default=None)
    for near in (None, candidate_cycles(problem)[0], candidate_cycles(problem)[-1]):
        choice = choose(problem, goal, near)
        if best is None:
            assert choice is None
            continue
        assert choice is not None and choice.solution.proven
        assert choice.frames_per_second == best
        # Among the equally fast ones it is the smallest.
        least = min(
            cost(r, goal)
            for _, r, n, mhz in every(problem)
            if r.fits(limits) and n <= choice.solution.cycles and mhz >= choice.clock_mhz
        )
        assert cost(choice.solution.resources, goal) == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("minimize", ["logic", "bram", "share"])
def test_a_frame_rate_is_reached_with_the_least(seed, minimize):
    problem = random_problem(seed)
    limits = LIMITS[0]
    goal = Goal(device(limits), clock_mhz=90.0, fps=90e6 / 60, minimize=minimize, margins=ALL)
    costs = [cost(r, goal) for _, r, n, _ in every(problem) if r.fits(limits) and n <= 60]
    choice = choose(problem, goal)
    if not costs:
        assert choice is None
        return
    assert choice is not None
    assert choice.solution.cycles <= 60
    assert cost(choice.solution.resources, goal) == pytest.approx(min(costs), abs=1e-9)


def test_logic_is_the_luts_and_flip_flops_by_their_limits():
    small = Resources(lut=100, ff=200, bram=10, dsp=10)
    goal = Goal(device(small), minimize="logic", margins=ALL)
    # A tenth of the LUTs costs as much as a tenth of the flip-flops; all blocks less than one.
    assert cost(Resources(lut=10), goal) == pytest.approx(cost(Resources(ff=20), goal))
    assert cost(Resources(bram=10, dsp=10), goal) < cost(Resources(ff=1), goal)


BANDWIDTH = 5


def streaming_problem(seed: int) -> Problem:
    """The same with traffic: options that take fewer block RAMs and stream instead."""
    problem = random_problem(seed)
    rng = np.random.default_rng(100 + seed)
    groups = []
    for group in problem.groups:
        traffic = int(rng.integers(1, 400))
        streamed = tuple(
            replace(o, resources=replace(o.resources, bram=0), traffic_bits=traffic)
            for o in group.options
        )
        groups.append(replace(group, options=(*group.options, *streamed)))
    return replace(problem, groups=tuple(groups), bandwidth_bits=BANDWIDTH)


def every_streamed(problem: Problem):
    """As ``every``; a frame takes as long as its traffic."""
    for selected, resources, _, clock in every(problem):
        pairs = list(zip(problem.groups, selected, strict=True))
        bits = sum(g.options[k].traffic_bits for g, k in pairs)
        engines = frame_cycles(replace(problem, bandwidth_bits=None), selected)
        yield resources, max(engines, -(-bits // BANDWIDTH)), clock


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("bram", [0, 6, 14, 100])
@pytest.mark.parametrize("clock", [None, 90.0])
def test_streaming_is_as_fast_as_the_best_combination(seed, bram, clock):
    problem = streaming_problem(seed)
    limits = Resources(260, 260, bram, 30)
    goal = Goal(device(limits), clock_mhz=clock, margins=ALL, weight_bandwidth_bits=BANDWIDTH)
    found = [(n, r, mhz) for r, n, mhz in every_streamed(problem) if r.fits(limits)]
    best = max(
        (s * 1e6 / n for s in clocks(problem, goal) for n, _, mhz in found if mhz >= s),
        default=None,
    )
    choice = choose(problem, goal)
    if best is None:
        assert choice is None
        return
    assert choice is not None and choice.solution.proven
    assert choice.frames_per_second == best
    cycles = choice.solution.cycles
    least = min(cost(r, goal) for n, r, mhz in found if n <= cycles and mhz >= choice.clock_mhz)
    assert cost(choice.solution.resources, goal) == pytest.approx(least, abs=1e-9)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("cycles", [40, 70, 120])
def test_a_frame_rate_is_reached_with_streams_and_the_least(seed, cycles):
    problem = streaming_problem(seed)
    limits = Resources(260, 260, 6, 30)
    goal = Goal(device(limits), clock_mhz=90.0, fps=90e6 / cycles, margins=ALL, minimize="bram")
    costs = [cost(r, goal) for r, n, _ in every_streamed(problem) if r.fits(limits) and n <= cycles]
    choice = choose(problem, goal)
    if not costs:
        assert choice is None
        return
    assert choice is not None and choice.solution.cycles <= cycles
    assert cost(choice.solution.resources, goal) == pytest.approx(min(costs), abs=1e-9)


def test_the_clock_is_a_limit_too():
    problem = random_problem(0)
    goal = Goal(device(LIMITS[0]), clock_mhz=140.0, margins=ALL)
    wanted = [n for _, r, n, mhz in every(problem) if r.fits(LIMITS[0]) and mhz >= 140.0]
    solution = fastest(problem, goal, 140.0, 10**6)
    assert (solution.cycles if solution else None) == (min(wanted) if wanted else None)


def test_options_that_are_left_out_are_never_better():
    for seed in range(6):
        problem = random_problem(seed)
        for group in problem.groups:
            kept = non_dominated(group.options, by_cycles=True)
            for option in group.options:
                assert any(
                    o.resources.fits(option.resources)
                    and o.cycles <= option.cycles
                    and o.fmax_mhz >= option.fmax_mhz
                    and (o.inputs, o.outputs) == (option.inputs, option.outputs)
                    for o in kept
                )


def test_restricting_leaves_what_is_fast_enough():
    problem = random_problem(3)
    part = restrict(problem, 40, 100.0)
    assert all(o.cycles <= 40 and o.fmax_mhz >= 100 for g in part.groups for o in g.options)
    assert all(b.cycles <= 40 for e in part.edges for b in e.between.values())


def test_every_interval_is_a_candidate():
    problem = random_problem(5)
    assert {n for _, _, n, _ in every(problem)} <= set(candidate_cycles(problem))


def test_the_base_alone_can_be_too_much():
    assert solve(random_problem(1), Resources(2, 1000, 100, 100), (1, 0, 0, 0)) is None


def test_faster_comes_before_smaller():
    problem = random_problem(2)
    goal = Goal(device(LIMITS[0]), clock_mhz=90.0, margins=ALL)
    best = choose(problem, goal)
    slow = choose(problem, Goal(device(LIMITS[0]), clock_mhz=90.0, fps=1.0, margins=ALL))
    assert best is not None and slow is not None
    assert best.frames_per_second > slow.frames_per_second
    assert better(best, slow, goal) and not better(slow, best, goal)


def test_large_problems_get_fewer_nodes():
    assert [solve_nodes(n) for n in (1, 5_000, 10_000, 50_000)] == [20_000, 20_000, 2_500, 20]


def test_an_effort_that_ends_without_an_answer_says_so(monkeypatch):
    def nothing(*_, **options):
        assert options["options"]["node_limit"] == 20_000
        return SimpleNamespace(status=1, x=None, message="Node limit reached.")

    monkeypatch.setattr("scipy.optimize.milp", nothing)
    option = Option((), Resources(lut=1), 1, 100.0, (), ())
    with pytest.raises(NoAnswerError) as error:
        solve(Problem((Group("only", (option,)),), ()), None, (1.0, 0.0, 0.0, 0.0))
    assert str(error.value) == (
        "folding search: no answer after 20,000 nodes (Node limit reached.); give a slower --fps "
        "or a larger device"
    )
