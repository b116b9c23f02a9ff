"""What engines, converters and forks cost, asked of the resource model once each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sephw.explore.model import Between
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
    """Costs of one search.

    ``wires_ns``: what wires add to the slowest engine, see `sephw.resources.wires`.
    ``waiting``: integers that wait between a tensor's maker and its reader, by tensor (a fork's
    copies by themselves), wherever that is: converters come and go. ``solved``: nodes whose
    adder graph is solved, so that its size need not be guessed. ``pace_cycles``: a frame takes no
    less, so that the FIFOs of faster engines hold less than at their own pace.
    """

    estimator: Estimator
    technology: Technology
    wires_ns: float = 0.0
    waiting: Mapping[str, int] = field(default_factory=dict)
    solved: frozenset[str] = frozenset()
    pace_cycles: int = 1
    memory: CostCache = field(default_factory=CostCache)

    def learn(self, waiting: Mapping[str, int], solved: frozenset[str]) -> Costs:
        """The same costs with other FIFOs, and with more known of adder graphs."""
        return replace(self, waiting=waiting, solved=self.solved | solved)

    def at_pace(self, cycles: int) -> Costs:
        """The same costs of engines of which none makes more than a frame in ``cycles``."""
        return replace(self, pace_cycles=cycles)

    def engine(
        self,
        operator: Operator,
        folding: Folding,
        *,
        node: str = "",
        extra_beats: tuple[int, ...] = (),
    ) -> Cost:
        """Cost of an engine, of ``node``; ``extra_beats`` by output, beside those in flight.

        The caller keeps the operator alive as long as these costs.
        """
        streams = operator.output_streams(folding)
        extra = extra_beats or (0,) * len(streams)
        depths = tuple(
            in_flight(operator, folding, port, self.pace_cycles, self.memory.pipelines)
            + extra[port]
            for port in range(len(streams))
        )
        solve = operator.variant(folding).solves_graph and node in self.solved
        return self._asked(operator, folding, depths, solve)

    def converters(self, tensor: Tensor, made: int, read: int, name: str) -> Between:
        """What stands between ``made`` and ``read`` lanes on ``tensor``, as the pass inserts it.

        What waits there is in the last FIFO, counted here also where there is no converter.
        ``name``: of the tensor that is converted, a fork's copy where there is one.
        """
        result = Between(Resources(), 1)
        for lanes_in, lanes_out in conversions(made, read):
            operator = self._converter(tensor, lanes_in, lanes_out)
            cost = self.engine(operator, operator.folding)
            result = result.with_engine(cost, operator.frame_cycles(operator.folding))
        beats = -(-self.waiting.get(name, 0) // read)
        return replace(result, resources=result.resources + self.fifo(tensor, read, beats))

    def tile_buffers(self, operator: Operator, folding: Folding) -> tuple[Placed, ...]:
        """The buffers around ``operator`` where ``folding`` has tiles of several pixels."""
        key = (id(operator), folding)
        if key not in self.memory.tiles:
            self.memory.tiles[key] = buffers_around(operator, folding, known=False)
        return self.memory.tiles[key]

    def fifo(self, tensor: Tensor, lanes: int, beats: int) -> Resources:
        """What ``beats`` more in a FIFO of ``lanes`` cost."""
        if beats == 0:
            return Resources()
        operator = self._converter(tensor, lanes, lanes)
        deep, shallow = (
            self._asked(operator, operator.folding, (depth,), False).resources
            for depth in (_SHALLOW + beats, _SHALLOW)
        )
        return deep.less(shallow)

    def forks(self, tensor: Tensor, lanes: int, readers: int) -> Between:
        """Forks behind ``tensor`` for so many readers; ``lanes`` it is made with.

        Converters to the forks are counted as well.
        """
        sizes = fork_sizes(readers)
        if not sizes:
            return Between(Resources(), 1)
        folding = fork_folding(tensor, lanes)
        result = self.converters(tensor, lanes, folding.simd, tensor.name)
        for number, count in enumerate(sizes):
            if number:
                link = self.waiting.get(link_name(tensor, number - 1), 0)
                fifo = self.fifo(tensor, folding.simd, -(-link // folding.simd))
                result = replace(result, resources=result.resources + fifo)
            key = (tensor, count)
            if key not in self.memory.forks:
                self.memory.forks[key] = fork_of(tensor, count)
            operator = self.memory.forks[key]
            cost = self.engine(operator, folding)
            result = result.with_engine(cost, operator.frame_cycles(folding))
        return result

    def _converter(self, tensor: Tensor, lanes_in: int, lanes_out: int) -> WidthConverter:
        key = (tensor, lanes_in, lanes_out)
        if key not in self.memory.converters:
            self.memory.converters[key] = converter_of(tensor, lanes_in, lanes_out)
        return self.memory.converters[key]

    def _asked(
        self, operator: Operator, folding: Folding, depths: tuple[int, ...], solve: bool
    ) -> Cost:
        key = (id(operator), folding, depths, solve)
        known = self.memory.costs
        if key not in known:
            known[key] = self.estimator(operator, folding, depths, self.technology, solve=solve)
        return known[key]


def in_flight(
    operator: Operator,
    folding: Folding,
    port: int,
    pace_cycles: int = 1,
    pipelines: dict[tuple[int, Folding], int] | None = None,
) -> int:
    """Beats of output ``port`` whose credits are out at an even pace: the least depth.

    ``pace_cycles``: a frame takes no less, wherever the engine is faster. A credit is out from the
    issue until the cycle after the beat is read.
    """
    words = operator.output_streams(folding)[port].words
    cycles = max(operator.frame_cycles(folding), pace_cycles)
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
    """Cycles from issue to output of an adder graph that is not solved; a beat is an issue."""
    interval = operator.frame_cycles(folding) // operator.output_streams(folding)[0].words
    return operator.variant(folding).guessed_latency_cycles(folding, interval)
