"""The plan that all generated files share: stream widths, names, identity, clock."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.backends.amd.boards import AmdBoard, amd_board
from sephw.backends.layout import StreamInfo, lay_out
from sephw.backends.weight_ports import check_weight_ports
from sephw.errors import SephwError
from sephw.ir import Graph, IntType
from sephw.targets import Target

_PIXEL = IntType(8, signed=False)
_LONGEST_TRANSFER_BYTES = (1 << 26) - 1  # with the DMA's 26 bits of length
_WIDEST_BUS_BITS = 1024  # of the AXI DMA's streams
_WIDEST_OUTPUT_BITS = 64  # of the driver's integers
_BUILD_ID_BITS = 64

FORMAT, VERSION = "sephw-dma-accelerator", 1


@dataclass(frozen=True)
class AcceleratorPlan:
    """The accelerator on one board. Bus widths in bits per beat, whole bytes."""

    name: str
    network: str
    source: StreamInfo
    sink: StreamInfo
    in_bus_bits: int
    out_bus_bits: int
    build_id: int
    target: Target
    board: AmdBoard

    @property
    def clock_mhz(self) -> float:
        """Requested clock."""
        return round(1000.0 / self.target.clock_ns, 6)

    @property
    def hls_top(self) -> str:
        """C++ function, and module, of the network behind byte-wide streams."""
        return f"{self.network}_axis"

    def settings(self) -> dict[str, object]:
        """The content of accelerator.json for the driver."""
        ends = (("input", self.source, self.in_bus_bits), ("output", self.sink, self.out_bus_bits))
        return {
            "format": FORMAT,
            "version": VERSION,
            "name": self.name,
            "build_id": f"{self.build_id:016x}",
            "target": self.target.name,
            "part": self.target.part,
            "clock_mhz": self.clock_mhz,
            "image_shape": list(self.source.shape),
            "output_shape": list(self.sink.shape),
            "outputs": self.sink.height * self.sink.width * self.sink.channels,
            **{
                end: {
                    "bits": stream.bits,
                    "signed": stream.signed,
                    "lanes": stream.lanes,
                    "beats": stream.words,
                    "beat_bytes": bus_bits // 8,
                }
                for end, stream, bus_bits in ends
            },
        }


def plan_accelerator(graph: Graph, target: Target, build_id: int) -> AcceleratorPlan:
    """The plan of ``graph`` on ``target`` with the identity ``build_id``.

    Raises UsageError for a target without the vendor's flow; SephwError for a graph with streamed
    weights, with other than one uint8 input and one output, streams wider than a DMA takes, and a
    build_id beyond 64 bits.
    """
    board = amd_board(target)
    check_weight_ports(graph, "the vendor project")
    layout = lay_out(graph)
    for what, tensors in (("inputs", layout.inputs), ("outputs", layout.outputs)):
        if len(tensors) != 1:
            raise SephwError(
                f"graph '{graph.name}': {len(tensors)} {what}; the DMA serves one of each"
            )
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    if source.dtype != _PIXEL:
        raise SephwError(
            f"graph '{graph.name}': input '{source.tensor}' is {source.dtype}; "
            "the driver sends uint8 images"
        )
    if sink.bits > _WIDEST_OUTPUT_BITS:
        raise SephwError(
            f"graph '{graph.name}': output '{sink.tensor}' is {sink.dtype}; "
            f"the driver reads at most {_WIDEST_OUTPUT_BITS} bits"
        )
    in_bus_bits, out_bus_bits = _bus_bits(graph, source), _bus_bits(graph, sink)
    for stream, bits in ((source, in_bus_bits), (sink, out_bus_bits)):
        if stream.words * bits // 8 > _LONGEST_TRANSFER_BYTES:
            raise SephwError(
                f"graph '{graph.name}': a frame of '{stream.tensor}' is "
                f"{stream.words * bits // 8} bytes, one transfer is at most "
                f"{_LONGEST_TRANSFER_BYTES}; use smaller images"
            )
    if not 0 <= build_id < 1 << _BUILD_ID_BITS:
        raise SephwError(
            f"build_id {build_id} does not fit into 64 bits; give 0..{2**_BUILD_ID_BITS - 1}"
        )
    return AcceleratorPlan(
        name=layout.project.removesuffix("_top"),
        network=layout.project,
        source=source,
        sink=sink,
        in_bus_bits=in_bus_bits,
        out_bus_bits=out_bus_bits,
        build_id=build_id,
        target=target,
        board=board,
    )


def _bus_bits(graph: Graph, stream: StreamInfo) -> int:
    """The narrowest 8·2^n that holds a beat."""
    needed, bits = stream.bits * stream.lanes, 8
    while bits < needed:
        bits *= 2
    if bits > _WIDEST_BUS_BITS:
        raise SephwError(
            f"graph '{graph.name}': stream '{stream.tensor}' is {needed} bits wide, a DMA takes at "
            f"most {_WIDEST_BUS_BITS}; fold its first or last engine to fewer lanes"
        )
    return bits
