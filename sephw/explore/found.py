"""What a folding search is asked for, and what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sephw.errors import UsageError
from sephw.ir import Folding
from sephw.ir.resources import Resources
from sephw.ir.serialize import encode_folding
from sephw.passes import FoldingFile
from sephw.targets import Device

# What "minimize" takes: Σ used / available, or one resource alone.
SHARE = "share"
MINIMIZE = (SHARE, "lut", "ff", "bram", "dsp")


@dataclass(frozen=True)
class Margins:
    """The part of a device that a design may take, each 0..1.

    Logic that is filled further rarely routes, or only at a low clock.
    """

    lut: float = 0.85
    ff: float = 0.85
    bram: float = 0.95
    dsp: float = 1.0

    def __post_init__(self) -> None:
        for name, part in asdict(self).items():
            if not 0 <= part <= 1:
                raise UsageError(f"margin of {name}: {part}; it must be between 0 and 1")

    def of(self, available: Resources) -> Resources:
        """The limits on a device with ``available``."""
        return Resources(
            int(available.lut * self.lut), int(available.ff * self.ff),
            int(available.bram * self.bram), int(available.dsp * self.dsp),
        )  # fmt: skip


@dataclass(frozen=True)
class Goal:
    """What is wanted of a network on a device.

    ``fps``: frames per second to reach with the least of ``minimize``; None: as many as fit.
    ``clock_mhz``: foldings slower than it are left out; None: the best clock by the estimates.
    ``reserved``: what stands beside the network (host link, PLL).
    """

    device: Device
    clock_mhz: float | None = None
    fps: float | None = None
    minimize: str = SHARE
    margins: Margins = field(default_factory=Margins)
    reserved: Resources = field(default_factory=Resources)

    def __post_init__(self) -> None:
        if self.fps is not None and self.fps <= 0:
            raise UsageError(f"--fps {self.fps:g}; it must be above 0")
        if self.clock_mhz is not None and self.clock_mhz <= 0:
            raise UsageError(f"--clock-mhz {self.clock_mhz:g}; it must be above 0")
        if self.minimize not in MINIMIZE:
            raise UsageError(f"minimize '{self.minimize}' is unknown; use {', '.join(MINIMIZE)}")

    @property
    def limits(self) -> Resources:
        """What the network and ``reserved`` may take together."""
        return self.margins.of(self.device.available)


@dataclass(frozen=True)
class NodeFound:
    """One node of the unfolded graph: folding, cycles per frame, estimate."""

    name: str
    kind: str
    folding: Folding
    frame_cycles: int
    resources: Resources
    fmax_mhz: float


@dataclass(frozen=True)
class Found:
    """A folding of a network for a device.

    ``frame_cycles``: clock cycles per frame, of the graph with converters and forks. ``clock_mhz``:
    requested, or estimated. ``modelled``: what the search counted, ``estimated``: the resource
    model's count of the final graph with its FIFOs, both with what is reserved; ``limits`` is what
    they had to keep. ``proven_optimal``: no folding of the search's model is better. ``rounds``:
    searches until the final graph fitted.
    """

    network: str
    device: Device
    clock_mhz: float
    folding: FoldingFile
    frame_cycles: int
    modelled: Resources
    estimated: Resources
    limits: Resources
    fmax_mhz: float
    proven_optimal: bool
    rounds: int
    nodes: tuple[NodeFound, ...]

    @property
    def frames_per_second(self) -> float:
        """Frames per second at ``clock_mhz``."""
        return self.clock_mhz * 1e6 / self.frame_cycles

    @property
    def available(self) -> Resources:
        """All that the device has."""
        return self.device.available

    def as_dict(self) -> Mapping[str, Any]:
        """For JSON; ``folding`` is a folding file."""
        return {
            "network": self.network,
            "device": self.device.name,
            "clock_mhz": round(self.clock_mhz, 3),
            "frame_cycles": self.frame_cycles,
            "frames_per_second": round(self.frames_per_second, 3),
            "fmax_mhz": round(self.fmax_mhz, 3),
            "estimated": asdict(self.estimated),
            "modelled": asdict(self.modelled),
            "limits": asdict(self.limits),
            "available": asdict(self.available),
            "proven_optimal": self.proven_optimal,
            "rounds": self.rounds,
            "nodes": [
                {
                    "name": node.name,
                    "kind": node.kind,
                    "folding": encode_folding(node.folding),
                    "frame_cycles": node.frame_cycles,
                    "resources": asdict(node.resources),
                    "fmax_mhz": round(node.fmax_mhz, 3),
                }
                for node in self.nodes
            ],
            "folding": folding_as_dict(self.folding),
        }


def folding_as_dict(folding: FoldingFile) -> dict[str, Any]:
    """The content of a folding file."""
    nodes = {name: encode_folding(f) for name, f in folding.nodes.items()}
    fifos = {"fifos": dict(folding.fifos)} if folding.fifos else {}
    return {"frame_cycles": folding.frame_cycles, "nodes": nodes, **fifos}
