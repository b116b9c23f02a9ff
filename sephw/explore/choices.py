"""Builds the choice problem of an unfolded graph: groups of nodes, their options, their streams."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

from sephw.explore.costs import Costs
from sephw.explore.model import (
    Edge,
    Group,
    Interconnect,
    Option,
    Problem,
    non_dominated,
)
from sephw.ir import Folding, Graph, Node, Operator, Saving
from sephw.ir.resources import Resources
from sephw.ops.convolution import streaming
from sephw.passes.insert_forks import Reads, fork_folding, reads_of_copies
from sephw.passes.insert_width_converters import input_lanes

# Weights, in bits, up to which adder graphs of a layer are looked at: 8-bit 64 → 64 channels take
# about 10 seconds to solve, once; twice as many take 40.
ADDER_GRAPH_BITS = 40_000
# An engine's estimated clock over the one asked for, from which on its adders may share registers:
# wires of a full device take as long as an engine by itself.
CLOCK_RESERVE = 1.6
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """The scope of the search.

    ``adder_graph_bits``: the most weight bits of a layer for an adder graph. ``streams``: weights
    may come from external memory. ``clock_mhz``: the goal's, or None; much faster engines get fewer
    registers, and with ``fewer_registers`` also those whose clock is then much lower, where the
    goal gives none.
    """

    adder_graph_bits: int = ADDER_GRAPH_BITS
    streams: bool = False
    clock_mhz: float | None = None
    fewer_registers: bool = False


def build_problem(
    graph: Graph,
    costs: Costs,
    effort: Effort,
    base: Resources,
    bandwidth_bits: int | None = None,
) -> Problem:
    """Every way to fold ``graph``: an option per group and legal folding, converters by lanes.

    A node that follows its one reader (a sliding window) is one group with it. Forks are counted
    with the node that makes the tensor; the graph input brings a pixel a beat. ``base``: taken
    beside the engines. ``bandwidth_bits``: per cycle, of an external memory that weights may be
    streamed from; None: none are.
    """
    effort = replace(effort, streams=bandwidth_bits is not None)
    names = reads_of_copies(graph)
    members = _members(graph, names)
    group_of = {node.name: g for g, nodes in enumerate(members) for node in nodes}
    groups = [
        Group(nodes[-1].name, _options(graph, names, nodes, costs, effort)) for nodes in members
    ]
    edges = []
    for nodes in members:
        for reads, (node, place, tensor) in enumerate(_outer_inputs(nodes)):
            maker = graph.producer(tensor)
            if maker is None:
                continue
            source, port = group_of[maker.name], maker.outputs.index(tensor)
            made = sorted({o.outputs[port] for o in groups[source].options})
            read = sorted({o.inputs[reads] for o in groups[group_of[node.name]].options})
            name = names.inputs[node.name, place]
            between = {
                (m, r): costs.converters(graph.tensors[tensor], m, r, name)
                for m in made
                for r in read
            }
            edges.append(Edge(source, port, group_of[node.name], reads, between))
    for name in graph.inputs:
        image = graph.tensors[name]
        base += costs.forks(image, input_lanes(image), names.readers[name]).resources
    least = max((graph.tensors[t].height * graph.tensors[t].width for t in graph.inputs), default=1)
    return Problem(
        tuple(groups), tuple(edges), least, base, bandwidth_bits, wires_ns=costs.wires_ns
    )


def _members(graph: Graph, names: Reads) -> list[tuple[Node, ...]]:
    """Each reader with the followers before it; graph order. A follower of a follower is alone."""
    followers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        readers = graph.consumers(node.outputs[0])
        alone = names.readers[node.outputs[0]] == 1 == len(readers) and len(node.inputs) == 1
        follows = alone and node.operator.follows_reader
        if follows and not readers[0].operator.follows_reader:
            followers.setdefault(readers[0].name, []).append(node)
    led = {node.name for nodes in followers.values() for node in nodes}
    return [(*followers.get(n.name, ()), n) for n in graph.nodes if n.name not in led]


def _outer_inputs(nodes: tuple[Node, ...]) -> list[tuple[Node, int, str]]:
    """(node, input, tensor) in the order of an option's inputs.

    A follower's input stands for what it makes.
    """
    ahead = {node.outputs[0]: node for node in nodes[:-1]}
    *_, reader = nodes
    return [
        (ahead[t], 0, ahead[t].inputs[0]) if t in ahead else (reader, place, t)
        for place, t in enumerate(reader.inputs)
    ]


def _options(
    graph: Graph, names: Reads, nodes: tuple[Node, ...], costs: Costs, effort: Effort
) -> tuple[Option, ...]:
    """Every folding of the reader with every one of its followers; needless ones left out."""
    *followers, reader = nodes
    found = [
        _slowed(_option(graph, names, reader, f, costs), f, effort)
        for f in _foldings(reader, costs, effort)
    ]
    for follower in followers:
        port = reader.inputs.index(follower.outputs[0])
        tensor = graph.tensors[follower.outputs[0]]
        ahead = [
            _option(graph, names, follower, f, costs) for f in _foldings(follower, costs, effort)
        ]
        joined = []
        for option in found:
            wanted = option.inputs[port]
            # Other lanes than those of a reader that takes part of a window at a time would make
            # whole rows of windows wait: it reads in bursts, the window engine keeps its pace.
            partly = not reader.operator.variant(dict(option.foldings)[reader.name]).whole_window
            same = [first for first in ahead if first.outputs[0] == wanted]
            for first in same if partly and same else ahead:
                between = costs.converters(
                    tensor, first.outputs[0], option.inputs[port], tensor.name
                )
                joined.append(_chain(first, between, option, port))
        found = list(non_dominated(joined, by_cycles=True))
    return non_dominated(found, by_cycles=True)


def _slowed(option: Option, folding: Folding, effort: Effort) -> Option:
    """Where no clock is asked for, engines of fewer registers are for clocks far below theirs."""
    if Saving.REGISTERS not in folding.engine.saves or not effort.fewer_registers:
        return option
    return replace(option, fmax_mhz=option.fmax_mhz / CLOCK_RESERVE)


def _chain(first: Option, between: Interconnect, then: Option, port: int) -> Option:
    """``first`` before input ``port`` of ``then``; its inputs take that one's place."""
    return Option(
        foldings=(*first.foldings, *then.foldings),
        resources=first.resources + between.resources + then.resources,
        cycles=max(first.cycles, between.cycles, then.cycles),
        fmax_mhz=min(first.fmax_mhz, between.fmax_mhz, then.fmax_mhz),
        inputs=(*then.inputs[:port], *first.inputs, *then.inputs[port + 1 :]),
        outputs=then.outputs,
        traffic_bits=first.traffic_bits + then.traffic_bits,
    )


def _foldings(node: Node, costs: Costs, effort: Effort) -> list[Folding]:
    """Every legal folding, and the options of its engine that save what may be short."""
    operator = node.operator
    bits = operator.work.weights_1bit + 8 * operator.work.weights_8bit
    requested = 0.0 if effort.fewer_registers else effort.clock_mhz
    found = []
    for folding in (*operator.legal_foldings(), *operator.further_foldings()):
        if operator.variant(folding).solves_graph and bits > effort.adder_graph_bits:
            continue
        found.append(folding)
        if requested is not None:
            for fewer in _alternatives(operator, folding, Saving.REGISTERS):
                reached = costs.engine(operator, fewer, node=node.name).fmax_mhz
                if CLOCK_RESERVE * requested <= reached < inf:
                    found.append(fewer)
        if costs.engine(operator, folding, node=node.name).resources.dsp:
            found += _alternatives(operator, folding, Saving.DSP_BLOCKS)
    if effort.streams:
        streamed = [_alternatives(operator, f, Saving.WEIGHT_MEMORY) for f in found]
        # First what takes least beside the engine, of all of them.
        for rank in range(max(map(len, streamed), default=0)):
            found += [foldings[rank] for foldings in streamed if rank < len(foldings)]
    return found


def _alternatives(operator: Operator, folding: Folding, saving: Saving) -> list[Folding]:
    """``folding`` with the options of its engine that are tried to save ``saving``."""
    engines = operator.variant(folding).alternatives(operator, saving)
    return [replace(folding, engine=engine) for engine in engines]


def _option(graph: Graph, names: Reads, node: Node, folding: Folding, costs: Costs) -> Option:
    """One node at ``folding``, with the forks behind it and converters from the graph inputs."""
    cost = costs.engine(node.operator, folding, node=node.name)
    around = Interconnect(cost.resources, node.operator.frame_cycles(folding), cost.fmax_mhz)
    for buffer, place in costs.tile_buffers(node.operator, folding):
        around = around.with_engine(costs.engine(buffer, place), buffer.frame_cycles(place))
    outputs = []
    streams = node.operator.output_streams(folding)
    for name, stream in zip(node.outputs, streams, strict=True):
        lanes = stream.lanes
        if names.readers[name] > 1:
            tensor = graph.tensors[name]
            around = _combined(around, costs.forks(tensor, lanes, names.readers[name]))
            lanes = fork_folding(tensor, lanes).pe
        outputs.append(lanes)
    inputs = tuple(s.lanes for s in node.operator.input_streams(folding))
    for number, (name, lanes) in enumerate(zip(node.inputs, inputs, strict=True)):
        if name in graph.inputs:
            tensor = graph.tensors[name]
            read = names.inputs[node.name, number]
            around = _combined(around, costs.converters(tensor, input_lanes(tensor), lanes, read))
    streamed = streaming(node.operator, folding)
    return Option(
        ((node.name, folding),),
        around.resources,
        around.cycles,
        around.fmax_mhz,
        inputs,
        tuple(outputs),
        streamed.demand_bits(folding) if streamed else 0,
    )


def _combined(one: Interconnect, other: Interconnect) -> Interconnect:
    return Interconnect(
        one.resources + other.resources,
        max(one.cycles, other.cycles),
        min(one.fmax_mhz, other.fmax_mhz),
    )
