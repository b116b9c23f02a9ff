"""The search on small graphs against folding them every way, with forks and converters."""

import sys
from dataclasses import replace
from itertools import product
from types import SimpleNamespace

import pytest
from fake_estimates import Guess, by_lanes, with_fifos
from small_graphs import GraphBuilder, chain

from sephw.errors import SephwError
from sephw.explore import Goal, Margins, pareto, search
from sephw.explore.choices import Effort
from sephw.explore.final_graph import final_graph
from sephw.explore.text import table
from sephw.ir import USUAL, Folding, Graph, Saving
from sephw.ir.resources import Resources
from sephw.ops import BitParallel, Multipliers, Select, WeightPlace
from sephw.ops.convolution import FoldedConvolution
from sephw.passes import FoldingFile, LoweringStage, lower, read_folding_file
from sephw.resources import network_mhz
from sephw.sim.timing import simulate
from sephw.technologies import ECP5, Device, Size

ALL = Margins(1.0, 1.0, 1.0, 1.0)
ROOMY = Resources(10**6, 10**6, 10**6, 10**6)


def residual() -> Graph:
    """A 1×1 convolution that is read twice: by a 3×3 pattern convolution, and by the join."""
    b = GraphBuilder("residual", seed=3)
    x = b.input("image", 3, 3, 2)
    first = b.join("first", b.conv("point", x, 2))
    pattern = b.conv("pattern", first, 2, 3, pattern=1)
    return b.build(x, b.join("last", pattern, first, shift=7))


def device(limits: Resources) -> Device:
    return Device(ECP5, Size("test", "test", limits))


def options(graph: Graph, families: bool) -> list[list[tuple[str, Folding]]]:
    """Of every node all that the search may choose; multipliers in logic where there are any."""
    result = []
    for node in graph.nodes:
        operator = node.operator
        foldings = [*operator.legal_foldings(), *operator.further_foldings()]
        if not families:
            foldings = [f for f in foldings if not f.engine.whole_window]
        multiplied = [
            replace(f, engine=Select(multipliers=Multipliers.LUT))
            for f in foldings
            if operator.kind in ("conv8", "join") and not f.engine.whole_window
        ]
        result.append([(node.name, f) for f in (*foldings, *multiplied)])
    return result


def _levels(folding: Folding) -> int:
    return folding.engine.encode().get("adder_levels", 1)


def every_folding(graph: Graph, *, families: bool):
    """(frame cycles, resources, slowest clock, foldings) of each folding, from the folded graphs.

    A window has the lanes of a reader of family select.
    """
    for chosen in product(*options(graph, families)):
        foldings = dict(chosen)
        partly = not foldings["pattern_node"].engine.whole_window
        window = next(f for name, f in chosen if "window" in name)
        if partly and window.pe != foldings["pattern_node"].simd:
            continue
        folded = lower(graph, FoldingFile(foldings), until=LoweringStage.WIDTH_CONVERTERS)
        guesses = [by_lanes(n.operator, n.folding, [2], ECP5) for n in folded.nodes]
        cycles = max(n.operator.frame_cycles(n.folding) for n in folded.nodes)
        image = graph.tensors[graph.inputs[0]]
        total = sum((g.resources for g in guesses), Resources())
        clock = min(g.fmax_mhz for g in guesses)
        yield max(cycles, image.height * image.width), total, clock, foldings


@pytest.fixture(scope="module")
def whole_chain():
    return list(every_folding(chain(4), families=True))


@pytest.fixture(scope="module")
def whole_residual():
    return list(every_folding(residual(), families=False))


LIMITS = [
    ROOMY,
    Resources(900, 1800, 8, 12),
    Resources(620, 1500, 4, 4),
    Resources(480, 1200, 3, 0),
]


@pytest.mark.parametrize("limits", LIMITS, ids=lambda r: f"{r.lut} LUT")
def test_chain_of_all_families_is_as_fast_as_any_folding_that_fits(whole_chain, limits):
    check(chain(4), whole_chain, limits, Effort())


@pytest.mark.parametrize("limits", LIMITS, ids=lambda r: f"{r.lut} LUT")
def test_residual_with_forks_is_as_fast_as_any_folding_that_fits(whole_residual, limits):
    check(residual(), whole_residual, limits, Effort(adder_graph_bits=0))


def check(graph: Graph, every, limits: Resources, effort: Effort) -> None:
    fitting = [(n, r.lut) for n, r, mhz, _ in every if r.fits(limits) and mhz >= 110]
    assert fitting
    goal = Goal(device(limits), clock_mhz=110.0, margins=ALL)
    found = search(graph, goal, estimator=by_lanes, effort=effort)
    assert (found.frame_cycles, found.estimated.lut) == min(fitting)
    assert found.proven_optimal and found.rounds == 1
    assert found.modelled == found.estimated
    assert found.frames_per_second == 110e6 / found.frame_cycles


@pytest.mark.parametrize("cycles", [87, 120, 300])
def test_a_frame_rate_is_reached_with_the_least_logic(whole_residual, cycles):
    fitting = [r.lut for n, r, mhz, _ in whole_residual if n <= cycles and mhz >= 150]
    goal = Goal(device(ROOMY), clock_mhz=150.0, fps=150e6 / cycles, margins=ALL)
    found = search(residual(), goal, estimator=by_lanes, effort=Effort(adder_graph_bits=0))
    assert found.estimated.lut == min(fitting)
    assert found.frame_cycles <= cycles


WIRES_NS = 0.15


@pytest.mark.parametrize("error", [0.0, 0.2])
@pytest.mark.parametrize("share", [1.0, 0.97, 0.8, 0.45, 0.2])
def test_a_frame_rate_is_reached_at_an_estimated_clock_with_its_wires(whole_residual, share, error):
    rates = [
        ((1 - error) * network_mhz(mhz, r.lut, WIRES_NS) * 1e6 / n, r.lut)
        for n, r, mhz, _ in whole_residual
    ]
    fps = share * max(rates)[0] * (1 - 1e-9)
    goal = Goal(device(ROOMY), fps=fps, margins=ALL, minimize="lut", clock_error=error)
    effort = Effort(adder_graph_bits=0)
    found = search(residual(), goal, estimator=by_lanes, effort=effort, wires_ns=WIRES_NS)
    assert found.estimated.lut == min(lut for rate, lut in rates if rate >= fps)
    assert found.proven_optimal and found.frames_per_second * (1 - error) >= fps
    assert found.clock_mhz == found.fmax_mhz
    with pytest.raises(
        SephwError, match=r"^residual: .* frames/s on chip are beyond every folding; "
    ):
        search(
            residual(),
            replace(goal, fps=1.01 * fps / share),
            estimator=by_lanes,
            effort=effort,
            wires_ns=WIRES_NS,
        )


def test_fifos_that_the_problem_did_not_count_slow_a_design_too():
    """LUTs of FIFOs in the graph that is built have wires as well."""
    graph, effort, wires = residual(), Effort(adder_graph_bits=0), 1.0
    everything = {"estimator": fifos_in_luts, "effort": effort, "wires_ns": wires}
    best = search(graph, Goal(device(ROOMY), margins=ALL), **everything).frames_per_second
    retried = 0
    for share in (0.98, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4):
        goal = Goal(device(ROOMY), fps=share * best, margins=ALL)
        found = search(graph, goal, **everything)
        assert found.frames_per_second >= goal.fps
        retried += found.rounds > 1
    assert retried


def test_graphs_that_come_out_slower_than_chosen_are_made_faster(monkeypatch):
    def slower(*arguments):
        final = final_graph(*arguments)
        return replace(final, frame_cycles=final.frame_cycles * 5 // 4)

    everything = {"estimator": by_lanes, "effort": Effort(adder_graph_bits=0)}
    goal = Goal(device(ROOMY), fps=110e6 / 300, clock_mhz=110.0, margins=ALL)
    # Exactly as fast as a folding is, so that it no longer suffices.
    goal = replace(goal, fps=search(residual(), goal, **everything).frames_per_second)
    # The package's `search` is the function of that name.
    monkeypatch.setattr(sys.modules["sephw.explore.search"], "final_graph", slower)
    found = search(residual(), goal, **everything)
    assert found.frames_per_second >= goal.fps and found.rounds > 1


def fifos_in_luts(operator, folding, depths, technology, *, solve=False, fifos_in_blocks=False):
    """`by_lanes`, and 4 LUTs for every bit in a FIFO."""
    guess = by_lanes(operator, folding, depths, technology)
    streams = operator.output_streams(folding)
    bits = sum(stream.width_bits * depth for stream, depth in zip(streams, depths, strict=True))
    return Guess(guess.resources + Resources(lut=4 * bits), guess.fmax_mhz)


def test_the_best_clock_is_found_where_none_is_asked_for(whole_residual):
    # Engines of 8 lanes and more reach 120 MHz only, the others 200.
    limits = LIMITS[1]
    best = max(mhz / n for n, r, mhz, _ in whole_residual if r.fits(limits))
    goal = Goal(device(limits), margins=ALL)
    found = search(residual(), goal, estimator=by_lanes, effort=Effort(adder_graph_bits=0))
    assert found.frames_per_second == pytest.approx(best * 1e6, rel=1e-12)
    assert found.clock_mhz == found.fmax_mhz


def test_pareto_set_is_that_of_all_foldings(whole_residual):
    limits = LIMITS[1]
    goal = Goal(device(limits), clock_mhz=110.0, margins=ALL)
    points = {(n, r.lut) for n, r, mhz, _ in whole_residual if r.fits(limits) and mhz >= 110}
    wanted = sorted(
        p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)
    )
    # The 1×1 convolutions have adder families as well; they are larger here, and never win.
    found = pareto(residual(), goal, points=100, estimator=by_lanes)
    assert [(one.frame_cycles, one.estimated.lut) for one in found] == wanted
    assert len(wanted) > 3


def test_fewer_points_keep_the_fastest_and_the_smallest():
    goal = Goal(device(ROOMY), clock_mhz=110.0, margins=ALL)
    some = pareto(residual(), goal, points=3, estimator=by_lanes)
    found = pareto(residual(), goal, points=100, estimator=by_lanes)
    assert 1 < len(some) <= 3 < len(found)
    assert some[0].frame_cycles == found[0].frame_cycles
    assert some[-1].estimated.lut == found[-1].estimated.lut


def test_fifos_of_the_folded_graph_are_within_the_limits():
    graph = residual()
    loose = search(graph, Goal(device(ROOMY), clock_mhz=110.0, margins=ALL), estimator=with_fifos)
    limits = Resources(loose.estimated.lut - 150, 10**6, 10**6, 10**6)
    found = search(graph, Goal(device(limits), clock_mhz=110.0, margins=ALL), estimator=with_fifos)
    assert found.estimated.lut <= limits.lut
    assert found.frame_cycles > loose.frame_cycles
    # The estimate is that of the graph an export makes of the folding.
    folded = lower(graph, FoldingFile(found.folding.nodes))
    depths = {name: tensor.fifo_depth for name, tensor in folded.tensors.items()}
    again = sum(
        (
            with_fifos(n.operator, n.folding, [depths[t] for t in n.outputs], ECP5).resources
            for n in folded.nodes
        ),
        Resources(),
    )
    assert again == found.estimated
    assert simulate(folded).frame_interval_cycles == found.frame_cycles


def fifos_anywhere(operator, folding, depths, technology, *, solve=False, fifos_in_blocks=False):
    """`by_lanes`, and 2 LUTs for every bit in a FIFO, or a block RAM for every FIFO."""
    guess = by_lanes(operator, folding, depths, technology)
    streams = operator.output_streams(folding)
    bits = sum(stream.width_bits * depth for stream, depth in zip(streams, depths, strict=True))
    fifos = Resources(bram=len(streams)) if fifos_in_blocks else Resources(lut=2 * bits)
    return Guess(guess.resources + fifos, guess.fmax_mhz)


def test_slower_designs_may_need_their_fifos_in_blocks_as_well():
    graph = residual()
    roomy = Goal(device(ROOMY), clock_mhz=110.0, margins=ALL)
    smallest = pareto(graph, roomy, points=100, estimator=fifos_anywhere)[-1]
    # Less than any design takes whose FIFOs are in LUTs.
    limits = Resources(smallest.estimated.lut * 15 // 16, 10**6, 1000, 10**6)
    goal = replace(roomy, device=device(limits))
    found = pareto(graph, goal, points=100, estimator=fifos_anywhere)
    assert len(found) > 1
    assert all(point.estimated.lut <= limits.lut for point in found)


def test_what_is_reserved_is_left_free():
    free = search(residual(), Goal(device(ROOMY), clock_mhz=110.0, margins=ALL), estimator=by_lanes)
    limits = Resources(free.estimated.lut + 149, 10**6, 10**6, 10**6)
    goal = Goal(device(limits), clock_mhz=110.0, margins=ALL, reserved=Resources(lut=150))
    found = search(residual(), goal, estimator=by_lanes)
    engines = sum((node.resources.lut for node in found.nodes), found.between.lut)
    assert found.estimated.lut == engines + 150 <= limits.lut
    assert found.frame_cycles > free.frame_cycles


def test_the_same_search_gives_the_same_folding():
    goal = Goal(device(LIMITS[1]), margins=ALL)
    one, other = (search(residual(), goal, estimator=with_fifos) for _ in range(2))
    assert one.as_dict() == other.as_dict()


def test_the_folding_file_brings_the_same_graph_back(tmp_path):
    found = search(chain(4), Goal(device(LIMITS[1]), margins=ALL), estimator=by_lanes)
    found.folding.write(tmp_path / "folding.json")
    read = read_folding_file(tmp_path / "folding.json")
    assert read == found.folding
    folded = lower(
        chain(4),
        FoldingFile(read.nodes, read.frame_cycles),
        until=LoweringStage.WIDTH_CONVERTERS,
    )
    assert [n.folding for n in folded.nodes] == [n.folding for n in found.graph.nodes]


def test_adder_graphs_are_solved_only_where_they_are_chosen():
    solved = []

    def counting(operator, folding, fifo_depths, technology, *, solve=False, **_):
        if solve:
            solved.append(operator.kind)
        return by_lanes(operator, folding, fifo_depths, technology)

    goal = Goal(device(ROOMY), clock_mhz=110.0, fps=110e6 / 21, margins=ALL)
    found = search(chain(4), goal, estimator=counting)
    # 21 cycles for 16 pixels: only the adder graph is that fast, behind a whole window.
    assert found.nodes[1].folding.engine == BitParallel()
    assert set(solved) == {"pattern_conv"}
    slow = Goal(device(ROOMY), clock_mhz=110.0, fps=110e6 / 5000, margins=ALL)
    solved.clear()
    assert search(chain(4), slow, estimator=counting).nodes[1].folding.engine == USUAL
    assert solved == []


def test_fewer_registers_are_tried_where_nothing_fits_without_a_clock():
    def estimator(operator, folding, fifo_depths, technology, *, solve=False, **_):
        guess = by_lanes(operator, folding, fifo_depths, technology)
        registers = 0 if operator.kind != "pattern_conv" else 1000 // _levels(folding)
        return Guess(replace(guess.resources, ff=registers), guess.fmax_mhz)

    effort = Effort(adder_graph_bits=0)
    small = device(replace(ROOMY, ff=600))
    found = search(chain(4), Goal(small, margins=ALL), estimator=estimator, effort=effort)
    assert _levels(found.nodes[1].folding) == 2 and found.estimated.ff == 500
    # With room for all registers none is left out.
    roomy = search(chain(4), Goal(device(ROOMY), margins=ALL), estimator=estimator, effort=effort)
    assert _levels(roomy.nodes[1].folding) == 1
    # 200 MHz without wires are less than 1.6 times 150.
    goal = Goal(small, clock_mhz=150.0, margins=ALL)
    with pytest.raises(SephwError, match="needs at least 1,000 FF, 600 available"):
        search(chain(4), goal, estimator=estimator, effort=effort)


def placed(graph: Graph, foldings: dict[str, Folding], layers: dict[str, int]):
    """(bits a frame, cycles, resources, weight bits on chip) of each place of the layers' weights.

    ``layers``: weight bits of each. Streamed ones serve one pixel, a row of three, or all nine.
    """
    nodes = {node.name: node.operator for node in graph.nodes}
    for sizes in product((0, 1, 3, 9), repeat=len(layers)):
        moved, cycles, total, kept = 0, 0, Resources(), 0
        for (name, bits), tile in zip(layers.items(), sizes, strict=True):
            if tile == 0:
                kept += bits
                continue
            operator, words = nodes[name], nodes[name].out_channels // foldings[name].pe
            blocks = 9 // tile * words
            moved += 9 // tile * bits if tile == 1 else 9 // tile * bits * (blocks + 1) // blocks
            if tile == 1:
                continue
            streams = Select(weights=WeightPlace.STREAM, tile_pixels=tile)
            streamed = replace(foldings[name], engine=streams)
            for buffer in operator.tile_buffers(streamed):
                (place,) = buffer.legal_foldings()
                cycles = max(cycles, buffer.frame_cycles(place))
                total += by_lanes(buffer, place, [2], ECP5).resources
        yield moved, cycles, total, kept


def test_streaming_is_as_fast_as_any_folding_that_fits():
    """Every folding, place of the weights and tile; a weight in memory takes a block RAM a bit."""
    graph, bandwidth = residual(), 3
    # 2·2 weights of 8 bits and 2·18 patterns of 1, on 9 pixels.
    traffic = {"point_node": 9 * 4 * 8, "pattern_node": 9 * 36}
    bits = {"point_node": 32, "pattern_node": 36}
    best = {}
    for cycles, resources, _, foldings in every_folding(graph, families=False):
        for moved, tile_cycles, buffers, kept in placed(graph, foldings, bits):
            bram = resources.bram + kept
            interval = max(cycles, tile_cycles, -(-moved // bandwidth))
            point = (interval, (resources + buffers).lut)
            best[bram] = min(best.get(bram, point), point)

    def estimator(operator, folding, fifo_depths, technology, *, solve=False, **_):
        kind = operator.cost_kind(folding).partition(":")[0]
        options = operator.variant(folding)
        stored = isinstance(options, Select) and replace(options, weights=WeightPlace.CHIP)
        plain = replace(folding, engine=stored or options)
        named = SimpleNamespace(kind=kind)
        guess = by_lanes(named, plain, fifo_depths, technology)
        weights = (
            operator.memory(folding).weight_bits if isinstance(operator, FoldedConvolution) else 0
        )
        return Guess(guess.resources + Resources(bram=weights), guess.fmax_mhz)

    seen, tiles = set(), set()
    for bram in (5, 20, 37, 40, 60, 72, 90):
        fitting = [point for used, point in best.items() if used <= bram]
        limits = replace(ROOMY, bram=bram)
        goal = Goal(
            device(limits),
            clock_mhz=110.0,
            margins=ALL,
            weight_bandwidth_bits=bandwidth,
            minimize="lut",
        )
        found = search(graph, goal, estimator=estimator, effort=Effort(adder_graph_bits=0))
        assert (found.frame_cycles, found.estimated.lut) == min(fitting)
        assert found.modelled == found.estimated and found.proven_optimal
        away = {
            n.name: n.folding.engine.tile
            for n in found.nodes
            if Saving.WEIGHT_MEMORY in n.folding.engine.saves
        }
        assert found.weight_traffic_bits == {n: traffic[n] // tile for n, tile in away.items()}
        shown = table(found)
        for tile in set(away.values()) - {1}:
            assert f"select, streamed, tiles of {tile} " in shown
        assert ("tile buffers" in shown) == any(tile > 1 for tile in away.values())
        seen.add(len(away))
        tiles |= set(away.values())
    assert seen == {0, 1, 2} and len(tiles) > 1
