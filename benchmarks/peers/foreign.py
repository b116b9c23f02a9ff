"""An engine of another project as a node of our graph, to be simulated by the same testbench."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from sephw.ir import (
    Case,
    Folding,
    Graph,
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
    Tensor,
)

_FOLDING = Folding(1, 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Foreign(Operator):
    """A module with one stream in and one out. It has values and cycles in simulation only."""

    kind: ClassVar[str] = "foreign"

    module: str
    size: int
    in_channels: int
    out_channels: int
    input_dtype: IntType
    output_dtype: IntType
    in_lanes: int
    out_lanes: int
    generated: tuple[tuple[str, str], ...]

    @property
    def input_shapes(self) -> tuple[Shape, ...]:
        return ((self.size, self.size, self.in_channels),)

    @property
    def input_types(self) -> tuple[IntType, ...]:
        return (self.input_dtype,)

    @property
    def output_shapes(self) -> tuple[Shape, ...]:
        return ((self.size, self.size, self.out_channels),)

    @property
    def output_types(self) -> tuple[IntType, ...]:
        return (self.output_dtype,)

    def legal_foldings(self) -> tuple[Folding, ...]:
        return (_FOLDING,)

    def input_streams(self, folding: Folding) -> tuple[Stream, ...]:
        words = self.size * self.size * self.in_channels // self.in_lanes
        return (Stream(self.input_dtype, self.in_lanes, words),)

    def output_streams(self, folding: Folding) -> tuple[Stream, ...]:
        words = self.size * self.size * self.out_channels // self.out_lanes
        return (Stream(self.output_dtype, self.out_lanes, words),)

    def rtl(self, folding: Folding) -> RtlInstance:
        return RtlInstance(self.module, parameters=(), generated=self.generated)

    def reference(self, *inputs: Integers) -> tuple[Integers, ...]:
        self._unknown()

    def schedule(self, folding: Folding) -> Schedule:
        self._unknown()

    def memory(self, folding: Folding) -> Memory:
        self._unknown()

    def structure(
        self, folding: Folding, fifo_depths: Sequence[int], *, solve: bool = True
    ) -> Structure:
        self._unknown()

    def hls(self, folding: Folding) -> HlsInstance:
        self._unknown()

    @classmethod
    def cases(cls) -> Iterator[Case]:
        return iter(())

    def _unknown(self) -> NoReturn:
        raise NotImplementedError(f"'{self.module}' is another project's")


def graph_of(peer: Foreign) -> Graph:
    """A graph of nothing else: tensors 'image' and 'sums'."""
    tensors = {
        "image": Tensor("image", *peer.input_shapes[0], peer.input_dtype),
        "sums": Tensor("sums", *peer.output_shapes[0], peer.output_dtype),
    }
    node = Node("peer", "peer", peer, ("image",), ("sums",), _FOLDING)
    return Graph("peers", (node,), tensors, ("image",), ("sums",))
