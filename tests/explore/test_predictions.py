"""What the search predicts of a choice of foldings is what `lower` builds, engine by engine."""

import hashlib
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from fake_estimates import Guess
from hypothesis import given, settings
from hypothesis import strategies as st
from small_graphs import GraphBuilder

from sephw.explore.choices import Effort, build_problem
from sephw.explore.costs import Costs
from sephw.explore.model import frame_cycles, total
from sephw.ir import Graph, Saving
from sephw.ir.resources import Resources
from sephw.ops import Concat, Fork, WidthConverter
from sephw.passes import FoldingFile, LoweringStage, lower
from sephw.sim.periodic import frame_interval
from sephw.technologies import ECP5

# Prime and composite, so that lanes divide each other and do not.
CHANNELS = (2, 3, 4, 6, 8, 9)
DEPTH = 2


def random_network(seed: int) -> Graph:
    """A few convolutions, joins and concats of 3×3 maps, whose tensors are read up to eight times.

    Some inner tensors are graph outputs as well, and the image may be read more than once.
    """
    rng = np.random.default_rng(seed)
    b = GraphBuilder("random", seed=seed)
    maps = [b.input("image", 3, 3, int(rng.choice(CHANNELS)))]
    hub = int(rng.integers(0, 4))
    for i in range(int(rng.integers(3, 9))):
        popular = maps[min(hub, len(maps) - 1)]
        source = popular if rng.random() < 0.6 else str(rng.choice(maps))
        inputs, name = b.tensors[source].channels, f"m{i}"
        groups = int(rng.choice([g for g in (1, 2, 3) if inputs % g == 0]))
        channels = groups * int(rng.integers(1, 5))
        size, pattern = int(rng.choice([1, 3])), int(rng.integers(0, 2))
        sums = b.conv(f"c{i}", source, channels, size, pattern=pattern, groups=groups)
        if f"{source}_window3" in b.tensors:
            # A window by this name is made once; other sizes of groups have one of their own.
            b.tensors[f"w{i}"] = replace(b.tensors.pop(f"{source}_window3"), name=f"w{i}")
            b.nodes[-2] = replace(b.nodes[-2], name=f"w{i}_node", outputs=(f"w{i}",))
            b.nodes[-1] = replace(b.nodes[-1], inputs=(f"w{i}",))
        same = [m for m in maps[1:] if b.tensors[m].channels == channels]
        skips = [str(rng.choice(same))] if same and rng.random() < 0.7 else []
        maps.append(b.join(name, sums, *skips, shift=7))
        others = [m for m in maps[1:-1] if rng.random() < 0.2][:2]
        if others:
            parts = (name, *others)
            widths = tuple(b.tensors[m].channels for m in parts)
            dtype = b.tensors[name].dtype
            operator = Concat(height=3, width=3, channels=widths, dtype=dtype)
            maps.append(b.add(f"t{i}", operator, *parts))
    read = {t for node in b.nodes for t in node.inputs}
    made = [node.outputs[0] for node in b.nodes]
    loose = [t for t in made if t not in read]
    kept = [t for t in maps[1:] if t in read and rng.random() < 0.2]
    graph = Graph("random", tuple(b.nodes), b.tensors, ("image",), (*loose, *kept))
    graph.validate()
    return graph


def seen(operator, folding, fifo_depths, technology, *, solve=False, fifos_in_blocks=False):
    """All that a resource model can see of an engine but its FIFO, as a number of LUTs.

    Sums of such numbers are equal where the engines are, but for odds of 1 to 10^12.
    """
    depths = [DEPTH] * len(fifo_depths)
    parts = operator.structure(folding, depths, solve=False)
    # Tiles take the place of groups; that counters of such periods are in another order is nothing.
    parts = replace(parts, counters=tuple(sorted(parts.counters)))
    products = "lut" if Saving.DSP_BLOCKS in folding.engine.saves else "dsp"
    text = f"{operator.cost_kind(folding)} {products} {parts}"
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:5], "big")
    engine = operator.variant(folding)
    in_dsp = Saving.DSP_BLOCKS not in engine.saves
    multiplies = bool(engine.alternatives(operator, Saving.DSP_BLOCKS))
    return Guess(Resources(lut=number, dsp=int(in_dsp and multiplies)), 100.0)


class Asked(dict):
    """Integers that wait, by name: none; and which names were asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def get(self, name, default=None):
        self.names.add(name)
        return default


def lowered(graph: Graph, foldings, until: LoweringStage, bandwidth: int | None = None) -> Graph:
    return lower(graph, FoldingFile(foldings), weight_bandwidth_bits=bandwidth, until=until)


def check(seed: int, bandwidth: int | None) -> Counter[str]:
    """Compare one choice; kinds of the engines that were built."""
    graph = random_network(seed)
    occupancy = Asked()
    costs = Costs(seen, ECP5, occupancy=occupancy)
    effort = Effort(adder_graph_bits=200, clock_mhz=20.0)
    problem = build_problem(graph, costs, effort, Resources(), bandwidth)
    rng = np.random.default_rng(seed)
    selected = [int(rng.integers(len(group.options))) for group in problem.groups]
    foldings = dict(
        pair
        for group, k in zip(problem.groups, selected, strict=True)
        for pair in group.options[k].foldings
    )
    assert sorted(foldings) == sorted(node.name for node in graph.nodes)
    built = lowered(graph, foldings, LoweringStage.WEIGHT_STREAMS, bandwidth)
    costs_built = [
        seen(n.operator, n.folding, [DEPTH] * len(n.outputs), None).resources for n in built.nodes
    ]
    assert total(problem, selected) == sum(costs_built, Resources())
    # A source whose last beat comes a cycle late for the frame takes the pattern's next one.
    outputs = {built.stream(name).words for name in built.outputs}
    engines = max(n.operator.frame_cycles(n.folding) for n in built.nodes)
    if bandwidth is None:
        assert max(frame_cycles(problem, selected), *outputs) == frame_interval(built)[1]
    assert engines <= max(frame_cycles(problem, selected), *outputs)
    converted = lowered(graph, foldings, LoweringStage.WIDTH_CONVERTERS)
    assert occupancy.names == names_read(converted)
    return Counter(node.operator.kind for node in built.nodes) + special(built)


def names_read(graph: Graph) -> set[str]:
    """What engines and forks read, before converters."""
    names = set()
    for node in graph.nodes:
        for name in node.inputs if not isinstance(node.operator, WidthConverter) else ():
            maker = graph.producer(name)
            while maker is not None and isinstance(maker.operator, WidthConverter):
                (name,) = maker.inputs
                maker = graph.producer(name)
            names.add(name)
    return names


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**9))
def test_every_engine_of_a_choice_is_predicted(seed):
    check(seed, None)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**9))
def test_every_engine_with_streamed_weights_is_predicted(seed):
    check(seed, 16)


def test_the_networks_have_what_is_compared():
    """Else the tests above say nothing of chains of forks, pairs of converters and buffers."""
    wanted = {"fork", "width_converter", "tile_buffer", "streamed_conv", "concat"}
    wanted |= {"fork behind a fork", "converter behind a converter", "fork of the image"}
    kinds: Counter[str] = Counter()
    for seed in range(100):
        kinds += check(seed, 16)
        if wanted <= set(kinds):
            break
    assert wanted <= set(kinds)


def special(graph: Graph) -> Counter[str]:
    """How often what is rare occurs."""
    found: Counter[str] = Counter()
    for node in graph.nodes:
        makers = [graph.producer(name) for name in node.inputs]
        pair = [n.operator for n in (node, makers[0]) if n is not None]
        found["fork behind a fork"] += len(pair) == 2 and all(isinstance(o, Fork) for o in pair)
        found["converter behind a converter"] += len(pair) == 2 and all(
            isinstance(o, WidthConverter) for o in pair
        )
        found["fork of the image"] += isinstance(node.operator, Fork) and makers == [None]
    return found


@pytest.mark.parametrize("made", range(1, 13))
@pytest.mark.parametrize("read", range(1, 13))
def test_converters_meet_at_the_greatest_common_divisor(made, read):
    from sephw.passes.insert_width_converters import conversions

    steps = conversions(made, read)
    lanes = [made, *(behind for _, behind in steps)]
    assert lanes[-1] == read
    assert [before for before, _ in steps] == lanes[:-1]
    assert len(steps) <= 2 and math.gcd(made, read) in lanes
