"""The goal and the result of a folding search."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sephw.backends.link import board_link
from sephw.errors import UsageError
from sephw.ir import Folding, Graph
from sephw.ir.folding import encode_folding
from sephw.ir.resources import RESOURCE_KINDS, Resources
from sephw.passes import FoldingFile, weight_readers, weight_traffic_bits
from sephw.sim.timing import simulate
from sephw.targets import Device, Target
from sephw.technologies.fabric import Margins

# What "minimize" takes: Σ used / limit over all resources or over those that are placed one by
# one, or one resource alone.
SHARE = "share"
LOGIC = "logic"
MINIMIZE = (LOGIC, SHARE, *RESOURCE_KINDS)


@dataclass(frozen=True)
class Goal:
    """The goal of a search for a network on a device.

    ``fps``: frames per second to reach with the least of ``minimize``; None: as many as fit.
    ``clock_mhz``: foldings slower than it are left out; None: the best clock by the estimates.
    ``clock_error``: relative error of estimated clocks; ``fps`` must come at one that much lower.
    ``reserved``: what stands beside the network (host link, PLL). ``weight_bandwidth_bits``: per
    clock cycle, of an external memory that layers may stream their weights from; None: there is
    none. ``board``: whose link the images come over; None: a device by itself.
    """

    device: Device
    clock_mhz: float | None = None
    fps: float | None = None
    minimize: str = LOGIC
    margins: Margins = field(default_factory=Margins)
    reserved: Resources = field(default_factory=Resources)
    weight_bandwidth_bits: int | None = None
    clock_error: float = 0.0
    board: Target | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and self.fps <= 0:
            raise UsageError(f"--fps {self.fps:g}; it must be above 0")
        if self.clock_mhz is not None and self.clock_mhz <= 0:
            raise UsageError(f"--clock-mhz {self.clock_mhz:g}; it must be above 0")
        if self.minimize not in MINIMIZE:
            raise UsageError(f"minimize '{self.minimize}' is unknown; use {', '.join(MINIMIZE)}")

    @property
    def limits(self) -> Resources:
        """The most resources that the network and ``reserved`` may take together."""
        return self.margins.limits_of(self.device.available)

    def counted_mhz(self, estimated_mhz: float) -> float:
        """The clock in MHz that the frame rate is counted with: the goal's, or the estimate less
        its error.

        ``estimated_mhz``: that of a whole network.
        """
        if self.clock_mhz is not None:
            return self.clock_mhz
        return estimated_mhz * (1 - self.clock_error)


@dataclass(frozen=True)
class NodeFound:
    """One node of the unfolded graph: folding, cycles per frame, estimate.

    ``module``: the PyTorch module it came from.
    """

    name: str
    module: str
    kind: str
    folding: Folding
    frame_cycles: int
    resources: Resources
    fmax_mhz: float


@dataclass(frozen=True)
class OverLink:
    """The estimated frame rate over a board's link; ``name`` is the link's."""

    name: str
    frames_per_second: float


@dataclass(frozen=True, eq=False)
class Found:
    """A folding of a network for a device.

    ``frame_cycles``: the simulated frame interval in clock cycles, of the graph with converters and
    forks; ``bottleneck``: the node that sets it. ``clock_mhz``: the goal's clock, or the highest
    estimate. ``modelled``: the search's count, ``estimated``: the resource model's count of
    ``graph``, the final one with its FIFOs, both with the reserved resources. ``proven_optimal``:
    no folding of the search's model is better, with the FIFOs of ``graph``. ``rounds``: searches
    until the final graph fitted. ``timed_out``: the time budget ended the search, so a faster
    machine may find better.
    """

    network: str
    goal: Goal
    clock_mhz: float
    folding: FoldingFile
    frame_cycles: int
    bottleneck: str
    modelled: Resources
    estimated: Resources
    fmax_mhz: float
    proven_optimal: bool
    rounds: int
    nodes: tuple[NodeFound, ...]
    graph: Graph
    timed_out: bool = False

    @property
    def frames_per_second(self) -> float:
        """Frames per second on the chip at ``clock_mhz``."""
        return self.clock_mhz * 1e6 / self.frame_cycles

    @property
    def over_link(self) -> OverLink | None:
        """The frame rate over the board's link at ``clock_mhz``; None where no board's design fits
        it.
        """
        board = self.goal.board
        link = None if board is None else board_link(self.graph, board)
        if link is None:
            return None
        latency = simulate(self.graph).paced.last_output_cycles
        rate = link.frames_per_second(self.clock_mhz, self.frame_cycles, latency)
        return OverLink(link.name, rate)

    @property
    def weight_traffic_bits(self) -> dict[str, int]:
        """Bits a frame of weights from external memory, by node."""
        traffic = weight_traffic_bits(self.graph)
        return {node.name: traffic[t] for t, node in weight_readers(self.graph).items()}

    @property
    def between(self) -> Resources:
        """The estimated resources of forks, width converters and tile buffers."""
        engines = sum((node.resources for node in self.nodes), self.goal.reserved)
        return self.estimated.minus(engines)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; ``folding`` is the content of a folding file."""
        goal, over = self.goal, self.over_link
        return {
            "network": self.network,
            "device": goal.device.name,
            "clock_mhz": round(self.clock_mhz, 3),
            "frame_cycles": self.frame_cycles,
            "frames_per_second": round(self.frames_per_second, 3),
            "link": None if over is None else over.name,
            "frames_per_second_over_link": None
            if over is None
            else round(over.frames_per_second, 3),
            "bottleneck": self.bottleneck,
            "fmax_mhz": round(self.fmax_mhz, 3),
            "source": "estimated",
            "estimated": asdict(self.estimated),
            "modelled": asdict(self.modelled),
            "limits": asdict(goal.limits),
            "reserved": asdict(goal.reserved),
            "available": asdict(goal.device.available),
            "between": asdict(self.between),
            "proven_optimal": self.proven_optimal,
            "rounds": self.rounds,
            "cut": self.timed_out,
            "weight_bandwidth_bits": goal.weight_bandwidth_bits,
            "weight_traffic_bits": self.weight_traffic_bits,
            "nodes": [
                {
                    "name": node.name,
                    "module": node.module,
                    "kind": node.kind,
                    "folding": encode_folding(node.folding),
                    "frame_cycles": node.frame_cycles,
                    "resources": asdict(node.resources),
                    "fmax_mhz": round(node.fmax_mhz, 3),
                }
                for node in self.nodes
            ],
            "folding": self.folding.as_dict(),
        }
