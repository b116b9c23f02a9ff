"""A node as far as its timing goes, without solving its adder graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sephw.explore.costs import SOLVED_FAMILIES, guessed_latency
from sephw.ir import (
    Case,
    Folding,
    HlsInstance,
    Integers,
    IntType,
    Memory,
    Node,
    Operator,
    RtlInstance,
    Schedule,
    Shape,
    Stream,
    Structure,
)


@dataclass(frozen=True, eq=False)
class Unsolved(Operator):
    """``real`` with a guessed pipeline: ``schedule`` needs no solved graph, all else is its own."""

    kind = "unsolved"

    real: Operator
    planned: Schedule

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return self.real.input_shapes

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return self.real.input_types

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return self.real.output_shapes

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return self.real.output_types

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        return self.real.reference(*inputs)

    def legal_foldings(self) -> tuple[Folding, ...]:
        return self.real.legal_foldings()

    def further_foldings(self) -> tuple[Folding, ...]:
        return self.real.further_foldings()

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return self.real.input_streams(folding)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        return self.real.output_streams(folding)

    def frame_cycles(self, folding: Folding) -> int:
        return self.real.frame_cycles(folding)

    def schedule(self, folding: Folding) -> Schedule:
        return self.planned

    def memory(self, folding: Folding) -> Memory:
        return self.real.memory(folding)

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        return self.real.structure(folding, fifo_depths, solve=solve)

    def hls(self, folding: Folding) -> HlsInstance:
        return self.real.hls(folding)

    def rtl(self, folding: Folding) -> RtlInstance:
        return self.real.rtl(folding)

    @classmethod
    def cases(cls) -> Iterator[Case]:
        return iter(())


def unsolved(node: Node) -> Node:
    """``node`` with a guessed pipeline where only solving an adder graph would tell it."""
    operator, folding = node.operator, node.folding
    if folding.family not in SOLVED_FAMILIES:
        return node
    beats = operator.output_streams(folding)[0].words
    each = np.ones(beats, np.uint8)
    planned = Schedule(
        reads=(each,),
        writes=(each,),
        latency_cycles=guessed_latency(operator, folding),
        interval_cycles=operator.frame_cycles(folding) // beats,
    )
    return replace(node, operator=Unsolved(operator, planned))
