"""Costs of engines, converters and forks: one query of the resource model for each, cached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sephw.explore.model import Interconnect
from sephw.ir import Folding, Operator, Tensor
from sephw.ir.resources import Resources
from sephw.ops import Fork, WidthConverter
from sephw.passes.insert_forks import fork_folding, fork_of, fork_sizes, link_name
from sephw.passes.insert_width_converters import conversions, converter_of
from sephw.passes.stream_weights import Placed, buffers_around
from sephw.resources.engines import Cost, Estimator
from sephw.technologies import Technology

# Depth in beats of a FIFO where nothing waits; only the difference to a deeper one counts.
_SHALLOW = 4
# No engine has a longer pipeline, except adder graphs.
_LONGEST_PIPELINE = 32


@dataclass(frozen=True, eq=False)
class CostCache:
    """Results of earlier queries. The keys are identities: operators have no value to compare."""

    costs: dict[tuple[int, Folding, tuple[int, ...], bool], Cost] = field(default_factory=dict)
    pipelines: dict[tuple[int, Folding], int] = field(default_factory=dict)
    converters: dict[tuple[Tensor, int, int], WidthConverter] = field(default_factory=dict)
    forks: dict[tuple[Tensor, int], Fork] = field(default_factory=dict)
    tiles: dict[tuple[int, Folding], tuple[Placed, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Costs:
    """The costs of one search.

    ``wires_ns``: the delay of wires that is added to the slowest engine's, see
    `sephw.resources.wires`. ``occupancy``: integers in FIFOs between a tensor's producer and its
    reader, by tensor (a fork's copies by themselves), wherever on the way that is: converters come
    and go. ``solved``: nodes whose adder graph is solved, so that its size is known.
    ``least_frame_cycles``: a lower bound of the frame interval, which reduces the FIFOs of faster
    engines.
    """

    estimator: Estimator
    technology: Technology
    wires_ns: float = 0.0
    occupancy: Mapping[str, int] = field(default_factory=dict)
    solved: frozenset[str] = frozenset()
    least_frame_cycles: int = 1
    cache: CostCache = field(default_factory=CostCache)

    def with_feedback(self, occupancy: Mapping[str, int], solved: frozenset[str]) -> Costs:
        """The same costs with other FIFO occupancies and more solved nodes."""
        return replace(self, occupancy=occupancy, solved=self.solved | solved)

    def at_frame_interval(self, cycles: int) -> Costs:
        """The same costs with a lower bound of ``cycles`` for the frame interval."""
        return replace(self, least_frame_cycles=cycles)

    def engine(
        self,
        operator: Operator,
        folding: Folding,
        *,
        node: str = "",
        extra_beats: tuple[int, ...] = (),
    ) -> Cost:
        """The cost of ``node``'s engine; ``extra_beats``: FIFO beats by output, beyond those in
        flight.

        The caller keeps the operator alive as long as these costs.
        """
        streams = operator.output_streams(folding)
        extra = extra_beats or (0,) * len(streams)
        depths = tuple(
            in_flight(operator, folding, port, self.least_frame_cycles, self.cache.pipelines)
            + extra[port]
            for port in range(len(streams))
        )
        solve = operator.variant(folding).solves_graph and node in self.solved
        return self._cached_cost(operator, folding, depths, solve)

    def converters(self, tensor: Tensor, made: int, read: int, name: str) -> Interconnect:
        """The width converters between ``made`` and ``read`` lanes on ``tensor``, as the pass
        inserts them.

        The FIFO occupancy of the stream counts in the last FIFO, also where there is no converter.
        ``name``: the tensor that is converted, a fork's copy where there is one.
        """
        result = Interconnect(Resources(), 1)
        for lanes_in, lanes_out in conversions(made, read):
            operator = self._converter(tensor, lanes_in, lanes_out)
            cost = self.engine(operator, operator.folding)
            result = result.with_engine(cost, operator.frame_cycles(operator.folding))
        beats = -(-self.occupancy.get(name, 0) // read)
        return replace(result, resources=result.resources + self.fifo(tensor, read, beats))

    def tile_buffers(self, operator: Operator, folding: Folding) -> tuple[Placed, ...]:
        """The buffers around ``operator`` where ``folding`` has tiles of several pixels."""
        key = (id(operator), folding)
        if key not in self.cache.tiles:
            self.cache.tiles[key] = buffers_around(operator, folding, known=False)
        return self.cache.tiles[key]

    def fifo(self, tensor: Tensor, lanes: int, beats: int) -> Resources:
        """The resources that ``beats`` more in a FIFO of ``lanes`` take."""
        if beats == 0:
            return Resources()
        operator = self._converter(tensor, lanes, lanes)
        deep, shallow = (
            self._cached_cost(operator, operator.folding, (depth,), False).resources
            for depth in (_SHALLOW + beats, _SHALLOW)
        )
        return deep.minus(shallow)

    def forks(self, tensor: Tensor, lanes: int, readers: int) -> Interconnect:
        """The forks behind ``tensor`` for ``readers``, with the converters to them.

        ``lanes`` are those that ``tensor`` is made with.
        """
        sizes = fork_sizes(readers)
        if not sizes:
            return Interconnect(Resources(), 1)
        folding = fork_folding(tensor, lanes)
        result = self.converters(tensor, lanes, folding.simd, tensor.name)
        for number, count in enumerate(sizes):
            if number:
                link = self.occupancy.get(link_name(tensor, number - 1), 0)
                fifo = self.fifo(tensor, folding.simd, -(-link // folding.simd))
                result = replace(result, resources=result.resources + fifo)
            key = (tensor, count)
            if key not in self.cache.forks:
                self.cache.forks[key] = fork_of(tensor, count)
            operator = self.cache.forks[key]
            cost = self.engine(operator, folding)
            result = result.with_engine(cost, operator.frame_cycles(folding))
        return result

    def _converter(self, tensor: Tensor, lanes_in: int, lanes_out: int) -> WidthConverter:
        key = (tensor, lanes_in, lanes_out)
        if key not in self.cache.converters:
            self.cache.converters[key] = converter_of(tensor, lanes_in, lanes_out)
        return self.cache.converters[key]

    def _cached_cost(
        self, operator: Operator, folding: Folding, depths: tuple[int, ...], solve: bool
    ) -> Cost:
        key = (id(operator), folding, depths, solve)
        known = self.cache.costs
        if key not in known:
            known[key] = self.estimator(operator, folding, depths, self.technology, solve=solve)
        return known[key]


def in_flight(
    operator: Operator,
    folding: Folding,
    port: int,
    least_frame_cycles: int = 1,
    pipelines: dict[tuple[int, Folding], int] | None = None,
) -> int:
    """The least FIFO depth of output ``port`` at an even rate: the beats with credits outstanding.

    ``least_frame_cycles`` is a lower bound of the frame interval. A credit is outstanding from the
    issue until the cycle after the beat is read.
    """
    words = operator.output_streams(folding)[port].words
    cycles = max(operator.frame_cycles(folding), least_frame_cycles)
    if operator.variant(folding).solves_graph:
        pipeline = guessed_latency(operator, folding)
    elif words * _LONGEST_PIPELINE <= cycles:
        return 1
    else:
        # Schedules are long arrays: built once each.
        known = {} if pipelines is None else pipelines
        key = (id(operator), folding)
        if key not in known:
            known[key] = operator.schedule(folding).latency_cycles
        pipeline = known[key]
    return -(-(pipeline + 1) * words // cycles)


def guessed_latency(operator: Operator, folding: Folding) -> int:
    """Estimated cycles from issue to output of an unsolved adder graph, with one beat per issue."""
    interval = operator.frame_cycles(folding) // operator.output_streams(folding)[0].words
    return operator.variant(folding).guessed_latency_cycles(folding, interval)
