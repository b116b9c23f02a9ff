"""Boards and devices that a project can be generated for."""

from sephw.targets.boards import DEFAULT_TARGET, TARGETS, OpenBoard, Target, find_target
from sephw.targets.devices import DEVICES, Device, Technology, find_device

__all__ = [
    "DEFAULT_TARGET",
    "DEVICES",
    "TARGETS",
    "Device",
    "OpenBoard",
    "Target",
    "Technology",
    "find_device",
    "find_target",
]
