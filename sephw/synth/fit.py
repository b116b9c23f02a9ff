"""Checks that a design fits a device, and finds the device that it would fit."""

from __future__ import annotations

import re
from pathlib import Path

from sephw.errors import SephwError
from sephw.ir import Resources
from sephw.targets import DEVICES, TARGETS, Device
from sephw.technologies.routing import Units
from sephw.tools.nextpnr import NextpnrError

_USED = re.compile(r"^Info:\s+(\w+):\s+(\d+)\s*/\s*(\d+)\s+\d+%")

# Cells of nextpnr's own that take no place.
_BOOKKEEPING = {"DUMMY_CELL"}


class DoesNotFit(SephwError):  # noqa: N818 - reads as what it says
    """A design takes more than a device has.

    ``excess``: (name, used, available) of each resource that is short; ``larger``: the smallest
    device of the technology on which the design fits, or None.
    """

    def __init__(
        self, device: Device, excess: tuple[tuple[str, int, int], ...], larger: Device | None
    ) -> None:
        short = ", ".join(
            f"{name} {used:,} of {limit:,} ({used - limit:,} too many)"
            for name, used, limit in excess
        )
        if larger is None:
            fix = (
                f"none of the {device.technology.name} devices is large enough; fold the "
                "network further"
            )
        else:
            boards = [f"--target {t.name}" for t in TARGETS if t.device is larger and t.open_board]
            uses = " or ".join([*boards[:1], f"--device {larger.name}"])
            fix = f"it fits {larger.name}; use {uses}, or fold the network further"
        super().__init__(f"{device.name}: the design does not fit: {short}; {fix}")
        self.device = device
        self.excess = excess
        self.larger = larger


def check_fit(used: Resources, device: Device) -> None:
    """Raise DoesNotFit where ``used`` is more than ``device`` has."""
    excess = used.excess(device.available)
    if excess:
        raise DoesNotFit(device, excess, larger_device(used, device))


def larger_device(used: Resources, device: Device) -> Device | None:
    """The smallest device of the same technology on which ``used`` fits."""
    fitting = [
        other
        for other in DEVICES
        if other.technology is device.technology and used.fits(other.available)
    ]
    return min(fitting, key=lambda other: other.available.lut, default=None)


def does_not_fit(error: NextpnrError, device: Device, units: Units) -> DoesNotFit | None:
    """The shortage of resources in nextpnr's log; None where it failed for another reason."""
    found = utilization(error.log)
    used = units.resources({name: pair[0] for name, pair in found.items()})
    available = units.available({name: pair[1] for name, pair in found.items()})
    excess = used.excess(available)
    if excess:
        larger = larger_device(used, device)
        return DoesNotFit(device, excess, larger if larger is not device else None)
    over = tuple(
        (name, n, limit)
        for name, (n, limit) in found.items()
        if n > limit and name not in _BOOKKEEPING
    )
    return DoesNotFit(device, over, None) if over else None


def utilization(log: Path) -> dict[str, tuple[int, int]]:
    """(used, available) by resource, from nextpnr's log."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    matches = (_USED.match(line) for line in text.splitlines())
    return {match[1]: (int(match[2]), int(match[3])) for match in matches if match is not None}
