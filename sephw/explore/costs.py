"""What engines, converters and forks cost, asked of the resource model once each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import gcd
from typing import Protocol

from sephw.explore.model import Between
from sephw.ir import Family, Folding, Operator, Tensor
from sephw.ir.resources import Resources
from sephw.ops import Fork, WidthConverter
from sephw.ops.fork import MAX_COPIES
from sephw.targets import Technology


class Cost(Protocol):
    """What an estimator says of one engine."""

    @property
    def resources(self) -> Resources:
        """Logic and blocks, the output FIFOs included."""

    @property
    def fmax_mhz(self) -> float:
        """Highest clock."""


# (operator, folding, FIFO depth of each output in beats, technology)
Estimator = Callable[[Operator, Folding, Sequence[int], Technology], Cost]
# What a converter makes of `t` is `t>` here: one key for all lanes.
CONVERTED = ">"
# No engine has a longer pipeline, except adder graphs.
_LONGEST_PIPELINE = 32
# Pipeline of an adder graph beside a level per halving of its inputs; a guess, it is not solved.
_GRAPH_STAGES = 7


@dataclass(frozen=True, eq=False)
class Costs:
    """Costs of one search. ``waiting``: integers that wait in a tensor's FIFO, by tensor."""

    estimator: Estimator
    technology: Technology
    waiting: Mapping[str, int] = field(default_factory=dict)
    _known: dict[tuple[int, Folding, tuple[int, ...]], Cost] = field(default_factory=dict)
    _pipelines: dict[tuple[int, Folding], int] = field(default_factory=dict)
    # Keeps operators alive whose identity is a key.
    _operators: dict[int, Operator] = field(default_factory=dict)

    def learn(self, waiting: Mapping[str, int]) -> Costs:
        """The same costs with other FIFOs."""
        return Costs(
            self.estimator, self.technology, waiting,
            self._known, self._pipelines, self._operators,
        )  # fmt: skip

    def engine(self, operator: Operator, folding: Folding, outputs: Sequence[str]) -> Cost:
        """Cost of an engine that makes the tensors ``outputs``."""
        streams = operator.output_streams(folding)
        depths = tuple(
            in_flight(operator, folding, port, self._pipelines)
            + -(-self.waiting.get(name, 0) // stream.lanes)
            for port, (name, stream) in enumerate(zip(outputs, streams, strict=True))
        )
        key = (id(operator), folding, depths)
        if key not in self._known:
            self._operators[id(operator)] = operator
            self._known[key] = self.estimator(operator, folding, depths, self.technology)
        return self._known[key]

    def converters(self, tensor: Tensor, made: int, read: int, name: str) -> Between:
        """What stands between ``made`` and ``read`` lanes on ``tensor``, as the pass inserts it.

        ``name``: of the tensor that is converted, a fork's copy where there is one.
        """
        result = Between(Resources(), 1)
        common = gcd(made, read)
        ways = ((made, read),) if common in (made, read) else ((made, common), (common, read))
        for lanes_in, lanes_out in ways if made != read else ():
            operator = WidthConverter(
                height=tensor.height, width=tensor.width, channels=tensor.channels,
                dtype=tensor.dtype, lanes_in=lanes_in, lanes_out=lanes_out,
            )  # fmt: skip
            result = self._with(result, operator, operator.folding, (f"{name}{CONVERTED}",))
        return result

    def forks(self, tensor: Tensor, lanes: int, copies: Sequence[int]) -> Between:
        """Forks behind ``tensor``, of so many copies each, at ``lanes``; converters to them too."""
        common = gcd(tensor.channels, lanes)
        result = self.converters(tensor, lanes, common, tensor.name)
        folding = Folding(pe=common, simd=common)
        first = 0
        for place, count in enumerate(copies):
            operator = Fork(
                height=tensor.height, width=tensor.width, channels=tensor.channels,
                dtype=tensor.dtype, copies=count,
            )  # fmt: skip
            leaves = count - (place < len(copies) - 1)
            names = [f"{tensor.name}_copy{first + i}" for i in range(leaves)]
            names += [f"{tensor.name}_more{place}"] * (count - leaves)
            first += leaves
            result = self._with(result, operator, folding, names)
        return result

    def _with(
        self, before: Between, operator: Operator, folding: Folding, outputs: Sequence[str]
    ) -> Between:
        cost = self.engine(operator, folding, outputs)
        return Between(
            before.resources + cost.resources,
            max(before.cycles, operator.frame_cycles(folding)),
            min(before.fmax_mhz, cost.fmax_mhz),
        )


def fork_copies(readers: int) -> tuple[int, ...]:
    """Copies of each fork, one behind the other, for so many readers; () for one."""
    copies: list[int] = []
    while readers > 1:
        last = readers <= MAX_COPIES
        copies.append(readers if last else MAX_COPIES)
        readers -= readers if last else MAX_COPIES - 1
    return tuple(copies)


def in_flight(
    operator: Operator,
    folding: Folding,
    port: int,
    pipelines: dict[tuple[int, Folding], int] | None = None,
) -> int:
    """Beats of output ``port`` that the pipeline holds at full pace, and one: the least depth."""
    words, cycles = operator.output_streams(folding)[port].words, operator.frame_cycles(folding)
    if folding.family is not Family.SELECT:
        pipeline = _GRAPH_STAGES + folding.simd.bit_length()
    elif words * _LONGEST_PIPELINE <= cycles:
        return 2
    else:
        # Schedules are long arrays: built once each.
        known = {} if pipelines is None else pipelines
        key = (id(operator), folding)
        if key not in known:
            known[key] = operator.schedule(folding).latency_cycles
        pipeline = known[key]
    return max(2, -(-pipeline * words // cycles) + 1)
