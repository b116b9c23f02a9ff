"""Boards and devices that a project can be generated for."""

from sephw.targets.boards import DEFAULT_TARGET, TARGETS, OpenBoard, Target, find_target
from sephw.targets.devices import DEVICES, find_device
from sephw.technologies import Device

__all__ = [
    "DEFAULT_TARGET",
    "DEVICES",
    "TARGETS",
    "Device",
    "OpenBoard",
    "Target",
    "find_device",
    "find_target",
]
