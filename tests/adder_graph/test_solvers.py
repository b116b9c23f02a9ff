"""Every solver's graph equals its matrix, within depth, deterministic, cached, in parallel."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from adder_matrices import UINT8, patterns, problem, problems, small_integers
from hypothesis import given, settings
from hypothesis import strategies as st

from sephw.adder_graph import (
    Adder,
    AdderGraph,
    Interval,
    MatrixProblem,
    Output,
    SolverOptions,
    check,
    merge,
    schedule,
    solve,
    solve_many,
)
from sephw.errors import SephwError, UsageError

FRESH = SolverOptions(use_cache=False, restarts=1)


def brute_force(adders: AdderGraph, vector: list[int]) -> list[int]:
    """The graph with Python integers only, node by node; also asserts the nodes' intervals."""
    values = list(vector)
    for adder in adders.adders:
        left = values[adder.left] * 2**adder.left_shift
        right = values[adder.right] * 2**adder.right_shift
        values.append(left - right if adder.subtract else left + right)
    for value, interval in zip(values, adders.intervals, strict=True):
        assert interval.low <= value <= interval.high
    return [
        0 if o.node is None else (-1 if o.negate else 1) * values[o.node] * 2**o.shift
        for o in adders.outputs
    ]


@pytest.mark.parametrize("solver", ["greedy", "da4ml", "best"])
@pytest.mark.parametrize("case", problems(), ids=lambda p: p.name)
def test_graph_equals_matrix(case: MatrixProblem, solver: str) -> None:
    graph = solve(case, replace(FRESH, solver=solver))
    rng = np.random.default_rng(0)
    low = [i.low for i in case.inputs]
    high = [i.high for i in case.inputs]
    for vector in (low, high, *rng.integers(low, np.array(high) + 1, (5, len(low))).tolist()):
        expected = [
            sum(w * x for w, x in zip(r, vector, strict=True)) for r in case.matrix.tolist()
        ]
        assert brute_force(graph, vector) == expected
    assert np.array_equal(graph.matrix, case.matrix)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 12), st.sampled_from([1, 3, 6, 9])
)
def test_any_matrix(seed: int, outputs: int, inputs: int, bits: int) -> None:
    matrix = (
        patterns(outputs, inputs, seed)
        if bits == 1
        else small_integers(seed, outputs, inputs, bits)
    )
    graph = solve(problem("any", matrix), FRESH)
    assert np.array_equal(graph.matrix, matrix)
    vectors = np.random.default_rng(seed).integers(0, 256, (4, inputs))
    assert np.array_equal(graph.evaluate(vectors), vectors @ matrix.T)


def test_intervals_are_exact() -> None:
    """Both ends of each node's interval are reached by some input."""
    graph = solve(problem("exact", patterns(4, 6, 0), Interval(-2, 3)), FRESH)
    corners = np.array(np.meshgrid(*[[-2, 3]] * 6)).reshape(6, -1).T
    values = corners @ graph.coefficients.T
    assert [i.low for i in graph.intervals] == values.min(axis=0).tolist()
    assert [i.high for i in graph.intervals] == values.max(axis=0).tolist()


@pytest.mark.parametrize(
    ("low", "high", "bits", "signed"),
    [
        (0, 255, 8, False),
        (0, 0, 1, False),
        (-1, 0, 1, True),
        (-128, 127, 8, True),
        (-129, 0, 9, True),
        (-1, 255, 9, True),
        (0, 256, 9, False),
    ],
)
def test_widths(low: int, high: int, bits: int, signed: bool) -> None:
    assert (Interval(low, high).bits, Interval(low, high).signed) == (bits, signed)


@pytest.mark.parametrize("seed", range(3))
def test_adders_per_mac(seed: int) -> None:
    """Random 16 -> 16 channels, 3x3: at most 0.23 adders per 1-bit MAC, da4ml's count or less."""
    case = problem("16 to 16", patterns(16, 144, seed))
    graph = solve(case, replace(FRESH, restarts=2))
    assert len(graph.adders) <= 0.23 * case.matrix.size
    assert graph.negations == 0
    assert len(graph.adders) <= len(solve(case, replace(FRESH, solver="da4ml")).adders)


@pytest.mark.parametrize("depth", [8, 9, 10])
def test_depth_bound(depth: int) -> None:
    graph = solve(problem("deep", patterns(16, 144, 1)), replace(FRESH, max_depth=depth))
    assert graph.depth <= depth


@pytest.mark.parametrize("case", problems(), ids=lambda p: p.name)
def test_least_depth_is_reached(case: MatrixProblem) -> None:
    free = solve(case, FRESH)
    for depth in range(free.depth, -1, -1):
        try:
            graph = solve(case, replace(FRESH, max_depth=depth))
        except SephwError as error:
            assert f"allow a depth of {depth + 1}" in str(error)
            return
        assert graph.depth <= depth
        assert np.array_equal(graph.matrix, case.matrix)


def test_depth_out_of_reach() -> None:
    with pytest.raises(SephwError) as caught:
        solve(problem("deep", patterns(3, 9, 0)), replace(FRESH, max_depth=3))
    assert str(caught.value) == (
        "adder graph: depth 3 cannot be reached, the fullest row of the 3×9 matrix needs 4; "
        "allow a depth of 4"
    )


def test_equal_in_every_process(tmp_path: Path) -> None:
    """Two processes, one process, and the cache give the same graphs; progress reaches 1."""
    cases = [problem(f"group {k}", patterns(16, 72, k)) for k in range(4)]
    done: dict[str, float] = {}
    options = SolverOptions(restarts=1, cache=tmp_path, jobs=2)
    parallel = solve_many(cases, options, lambda name, part: done.update({name: part}))
    assert done == {case.name: 1.0 for case in cases}
    assert parallel == tuple(solve(case, FRESH) for case in cases)
    files = sorted(tmp_path.rglob("*.json"))
    assert len(files) == 4
    before = [file.stat().st_mtime_ns for file in files]
    assert solve_many(cases, options) == parallel
    assert [file.stat().st_mtime_ns for file in files] == before


@pytest.mark.parametrize("damage", ["wrong sign", "cut short", "not JSON", "wrong node"])
def test_damaged_cache_is_solved_anew(tmp_path: Path, damage: str) -> None:
    case = problem("cached", patterns(3, 9, 0))
    options = SolverOptions(restarts=0, cache=tmp_path)
    graph = solve(case, options)
    (file,) = tmp_path.rglob("*.json")
    whole = file.read_text()
    held = json.loads(whole)
    if damage == "wrong sign":
        held["adders"][0][4] ^= 1
    if damage == "wrong node":
        held["adders"][0][0] = 10_000
    text = {"cut short": whole[:40], "not JSON": "\0"}.get(damage, json.dumps(held))
    file.write_text(text)
    assert solve(case, options) == graph
    assert file.read_text() == whole


def test_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "adder_graphs").write_text("a file where the folder should be")
    case = problem("uncached", patterns(3, 9, 0))
    assert np.array_equal(
        solve(case, SolverOptions(restarts=0, cache=tmp_path)).matrix, case.matrix
    )


def test_progress_rises_to_one() -> None:
    seen: list[float] = []
    solve(problem("slow", patterns(16, 144, 0)), replace(FRESH, restarts=2), seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 5


def test_check_names_the_difference() -> None:
    case = problem("checked", patterns(2, 3, 0))
    graph = solve(case, FRESH)
    wrong = case.matrix.copy()
    wrong[1, 2] = 9
    with pytest.raises(SephwError) as caught:
        check(graph, wrong)
    assert str(caught.value) == (
        f"adder graph: output 1 takes input 2 times {case.matrix[1, 2]}, the matrix says 9; "
        "solve it again for this matrix"
    )


def test_merged_groups() -> None:
    """Groups side by side: a block-diagonal matrix, all outputs in one stage."""
    blocks = [patterns(3, 9, 0), patterns(2, 5, 1), np.array([[0], [1]], np.int64)]
    graph = merge([solve(problem("block", b), FRESH) for b in blocks])
    expected = np.zeros((7, 15), np.int64)
    expected[:3, :9], expected[3:5, 9:14], expected[5:, 14:] = blocks
    assert np.array_equal(graph.matrix, expected)
    vectors = np.random.default_rng(0).integers(0, 256, (8, 15))
    assert np.array_equal(graph.evaluate(vectors), vectors @ expected.T)


@pytest.mark.parametrize("case", problems(), ids=lambda p: p.name)
def test_stages(case: MatrixProblem) -> None:
    """Every reader finds its operands in the stage before its own; registers are few."""
    graph = solve(case, FRESH)
    plan = schedule(graph)
    first = len(graph.inputs)
    for index, adder in enumerate(graph.adders):
        stage = plan.stages[first + index]
        for source in (adder.left, adder.right):
            assert plan.stages[source] < stage <= plan.last[source] + 1
    for output in graph.outputs:
        if output.node is not None:
            assert plan.last[output.node] == plan.latency_cycles == graph.depth
    assert plan.stages[:first] == (0,) * first
    # Not more than without moving anything.
    bits = [i.bits for i in graph.intervals]
    ends = list(graph.depths)
    for index, adder in enumerate(graph.adders):
        for source in (adder.left, adder.right):
            ends[source] = max(ends[source], graph.depths[first + index] - 1)
    for output in graph.outputs:
        if output.node is not None:
            ends[output.node] = graph.depth
    early = sum(
        b * (e - d + (node >= first))
        for node, (b, e, d) in enumerate(zip(bits, ends, graph.depths, strict=True))
    )
    assert plan.register_bits(graph) <= early


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: SolverOptions(solver="magic"),
            "unknown solver 'magic'; solvers are greedy, da4ml, best",
        ),
        (lambda: SolverOptions(max_depth=-1), "max_depth is -1; give 0 or more"),
        (lambda: SolverOptions(restarts=-2), "restarts is -2; give 0 or more"),
        (lambda: SolverOptions(jobs=0), "jobs is 0; give 1 or more"),
    ],
)
def test_option_errors(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: MatrixProblem("p", np.zeros((2, 2)), (UINT8,) * 2),
            "adder graph 'p': the matrix is float64 of shape (2, 2); give integers "
            "(outputs, inputs)",
        ),
        (
            lambda: MatrixProblem("p", np.ones((2, 2), np.int64), (UINT8,)),
            "adder graph 'p': the matrix has 2 inputs, 1 intervals are given; give one for each",
        ),
        (
            lambda: MatrixProblem("p", np.full((1, 1), 1 << 20), (UINT8,)),
            "adder graph 'p': entry 1048576 is too large; entries of up to 20 bits are supported",
        ),
        (lambda: Interval(3, 2), "interval 3..2 is empty; give the low end first"),
        (
            lambda: AdderGraph((UINT8,), (Adder(0, 0, 1, 0, False),), ()),
            "adder graph: adder 0 reads nodes 0 and 1, but only nodes 0..0 stand before it",
        ),
        (
            lambda: AdderGraph((UINT8,), (Adder(0, 0, 0, -1, False),), ()),
            "adder graph: adder 0 shifts right; only left shifts exist",
        ),
        (
            lambda: AdderGraph((UINT8,), (), (Output(3),)),
            "adder graph: output 0 reads node 3; the graph has nodes 0..0",
        ),
        (
            lambda: AdderGraph((UINT8,), (), (Output(0, -1),)),
            "adder graph: output 0 shifts right; only left shifts exist",
        ),
    ],
)
def test_graph_errors(make: Callable[[], object], message: str) -> None:
    with pytest.raises(SephwError) as caught:
        make()
    assert str(caught.value) == message


def test_missing_da4ml(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(SephwError) as caught:
        solve(problem("p", patterns(2, 3, 0)), replace(FRESH, solver="da4ml"))
    assert str(caught.value) == (
        "solver 'da4ml': the package is not installed; "
        "install it with 'pip install da4ml' or use the solver 'greedy'"
    )
