"""The link between a host and a board's network, as far as it limits the frame rate."""

from __future__ import annotations

from typing import Protocol

from sephw.backends.amd.boards import has_amd_flow
from sephw.backends.amd.dma import dma_link
from sephw.backends.board.uart import uart_link
from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.targets import Target


class LinkRate(Protocol):
    """The frame rate over the link of one network on one board: estimated, not simulated."""

    @property
    def name(self) -> str:
        """The link's name for a person: 'UART at 1,000,000 baud'."""

    @property
    def assumed(self) -> str:
        """The assumptions of its frame rate in one sentence."""

    def frames_per_second(
        self, clock_mhz: float, interval_cycles: int, latency_cycles: int
    ) -> float:
        """Frames per second over the link, network included, without transmission errors.

        ``clock_mhz`` and ``interval_cycles`` (frame interval) are the network's;
        ``latency_cycles``: from a frame's first beat into the network to its last beat out.
        """


def board_link(graph: Graph, target: Target) -> LinkRate | None:
    """The link that an export of ``graph``, folded and wired, has on ``target``.

    None for a target without a board's design, and for a network that it cannot serve.
    """
    try:
        if target.open_board is not None:
            return uart_link(graph)
        return dma_link(graph, target) if has_amd_flow(target) else None
    except SephwError:
        return None
