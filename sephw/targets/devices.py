"""The table of devices: every size of every technology."""

from __future__ import annotations

from sephw.errors import UsageError
from sephw.suggest import did_you_mean
from sephw.technologies import FAMILIES, Device

DEVICES: tuple[Device, ...] = tuple(
    Device(technology, size) for technology in FAMILIES for size in technology.sizes
)


def find_device(name: str) -> Device:
    """The device called `name`; UsageError lists the names where there is none."""
    for device in DEVICES:
        if device.name == name:
            return device
    names = ", ".join(device.name for device in DEVICES)
    hint = did_you_mean(name, (device.name for device in DEVICES))
    raise UsageError(f"device '{name}' is unknown; {hint}use one of {names}")
