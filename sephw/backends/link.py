"""The way of images to a board's network and of its outputs back, as far as it limits frames."""

from __future__ import annotations

from typing import Protocol

from sephw.backends.amd.boards import has_amd_flow
from sephw.backends.amd.dma import dma_link
from sephw.backends.board.uart import uart_link
from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.targets import Target


class LinkRate(Protocol):
    """Of one network on one board. What it says is estimated: nothing of it is simulated."""

    @property
    def name(self) -> str:
        """How a person calls it: 'UART at 1,000,000 baud'."""

    @property
    def assumed(self) -> str:
        """One sentence: what its frame rate counts, and what it does not."""

    def frames_per_second(
        self, clock_mhz: float, interval_cycles: int, latency_cycles: int
    ) -> float:
        """Frames per second over it, network included, where nothing goes wrong.

        ``clock_mhz``, ``interval_cycles``: of the network; ``latency_cycles``: a frame's way
        through it, first beat in to last beat out.
        """


def board_link(graph: Graph, target: Target) -> LinkRate | None:
    """The link that an export of ``graph``, folded and wired, has on ``target``.

    None where it has none: a target without a board's design, a network that it cannot serve.
    """
    try:
        if target.open_board is not None:
            return uart_link(graph)
        return dma_link(graph, target) if has_amd_flow(target) else None
    except SephwError:
        return None
