"""The DMA link between a Zynq's memory and the network, and its limit of the frame rate."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.backends.amd.plan import plan_accelerator
from sephw.ir import Graph
from sephw.targets import Target


@dataclass(frozen=True)
class DmaLink:
    """Images stream in while results stream out.

    ``beats``: of a frame, in and out. ``bus_bits``: of a beat, in and out; ``port_bits``: of the
    processing system's memory port.
    """

    beats: tuple[int, int]
    bus_bits: tuple[int, int]
    port_bits: int

    @property
    def name(self) -> str:
        """The link's name for a person."""
        into, out = self.bus_bits
        return f"DMA, {into} bits in and {out} out a cycle, the driver's work not counted"

    @property
    def assumed(self) -> str:
        """The assumptions of a frame rate over it."""
        return (
            f"{self.name}: a beat in every cycle of the network's clock, through a memory port of "
            f"{self.port_bits} bits; what the driver does on the processor (copies, packing, the "
            "start of each transfer, fetching each result) comes on top and was never measured"
        )

    def frames_per_second(
        self, clock_mhz: float, interval_cycles: int, latency_cycles: int
    ) -> float:
        """At a clock of the network, which the DMA shares; frames overlap, so no latency counts."""
        transfers = (
            beats * -(-bits // self.port_bits)
            for beats, bits in zip(self.beats, self.bus_bits, strict=True)
        )
        return clock_mhz * 1e6 / max(interval_cycles, *transfers)


def dma_link(graph: Graph, target: Target) -> DmaLink:
    """The link of a wired graph's design. Raises SephwError as `plan_accelerator` does."""
    plan = plan_accelerator(graph, target, 0)
    return DmaLink(
        (plan.source.words, plan.sink.words),
        (plan.in_bus_bits, plan.out_bus_bits),
        plan.board.memory_port_bits,
    )
