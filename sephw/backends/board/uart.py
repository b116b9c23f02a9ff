"""The UART between a host and a board: its bit rate, and its limit of the frame rate."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.backends.layout import Layout, lay_out
from sephw.backends.weight_ports import check_weight_ports
from sephw.errors import SephwError
from sephw.host.link import BITS_PER_BYTE
from sephw.host.messages import result_frame_bytes, run_frame_bytes
from sephw.ir import Graph

# Every USB bridge of these boards knows this rate, and every oscillator makes it.
BAUD = 1_000_000


@dataclass(frozen=True)
class UartLink:
    """One image at a time: request, network, reply.

    ``line_bytes``: the bytes of request and reply, without escapes.
    """

    baud: int
    line_bytes: int

    @property
    def name(self) -> str:
        """The link's name for a person."""
        return f"UART at {self.baud:,} baud"

    @property
    def assumed(self) -> str:
        """The assumptions of a frame rate over it."""
        return (
            f"{self.name}: {self.line_bytes:,} bytes a frame, request and reply, of "
            f"{BITS_PER_BYTE} bits each, then the network's paced latency, one image after the "
            "other; bytes that need an escape and the host's own delays come on top"
        )

    def frames_per_second(
        self, clock_mhz: float, interval_cycles: int, latency_cycles: int
    ) -> float:
        """At a clock of the network; ``latency_cycles``: first beat in to last beat out."""
        line_seconds = self.line_bytes * BITS_PER_BYTE / self.baud
        return 1 / (line_seconds + latency_cycles / (clock_mhz * 1e6))


def uart_link(graph: Graph, baud: int = BAUD) -> UartLink:
    """The link of a wired graph's design. Raises SephwError as `check_streams` does."""
    layout = lay_out(graph)
    check_streams(graph, layout)
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    outputs = sink.height * sink.width * sink.channels
    line_bytes = run_frame_bytes(source.height * source.width * source.channels)
    return UartLink(baud, line_bytes + result_frame_bytes(outputs, sink.bits))


def check_streams(graph: Graph, layout: Layout) -> None:
    """Raise SephwError where the host link cannot serve the inputs and outputs of ``graph``."""
    check_weight_ports(graph, "the board's top")
    if len(layout.inputs) != 1 or len(layout.outputs) != 1:
        raise SephwError(
            f"graph '{graph.name}': {len(layout.inputs)} inputs and {len(layout.outputs)} outputs; "
            "the host link serves one of each"
        )
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    if source.bits > 8 or source.signed:
        raise SephwError(
            f"graph '{graph.name}': its input is {source.dtype}, the host link sends unsigned "
            "integers of at most 8 bits"
        )
    if sink.bits > 64:
        raise SephwError(
            f"graph '{graph.name}': its output is {sink.dtype}, the host reads at most 64 bits"
        )
