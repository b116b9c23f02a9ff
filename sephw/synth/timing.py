"""The clock of a routed design, and the error where it misses a constraint."""

from __future__ import annotations

from sephw.errors import SephwError
from sephw.synth.report import CriticalPath
from sephw.synth.route import RoutedDesign
from sephw.targets import Device


class TimingNotMet(SephwError):  # noqa: N818 - reads as what it says
    """A routed design does not reach the requested clock ``requested_mhz``.

    ``routed``: the design; ``reached_mhz``: that clock's rate in it.
    """

    def __init__(
        self, device: Device, requested_mhz: float, routed: RoutedDesign, reached_mhz: float
    ) -> None:
        reached = rounded_down(reached_mhz)
        path = "" if routed.worst_path is None else f"; worst path {describe(routed.worst_path)}"
        super().__init__(
            f"{device.name}: timing not met: {reached:g} MHz of {requested_mhz:g} MHz{path}; "
            f"ask for --clock-mhz {reached:g} or less, try more --seeds, or fold the slow engine "
            f"further; log: {routed.log}"
        )
        self.device = device
        self.requested_mhz = requested_mhz
        self.routed = routed


def rounded_down(mhz: float) -> float:
    """``mhz`` rounded down to tenths, so that it can be requested."""
    return int(mhz * 10) / 10


def describe(path: CriticalPath) -> str:
    """A path in words, by engine: ``from 'a' to 'b', 9.1 ns (5.0 logic, 4.1 routing, 7 nets)``."""
    first, last = (_engine(name) for name in (path.from_engine, path.to_engine))
    where = f"in {first}" if path.from_engine == path.to_engine else f"from {first} to {last}"
    return (
        f"{where}, {path.delay_ns:.1f} ns ({path.logic_ns:.1f} logic, {path.routing_ns:.1f} "
        f"routing, {path.hops} nets)"
    )


def _engine(name: str) -> str:
    return f"'{name}'" if name else "the logic around the engines"
