"""Drives a board that holds a network (docs/host.md). Needs numpy and pyserial, nothing else.

from sephw.host import Accelerator

with Accelerator("/dev/ttyUSB0", "build/mnist5k") as board:
    logits = board.predict(images)  # uint8 (N, H, W, C) -> int64 (N, outputs)
"""

from sephw.host.accelerator import Accelerator, Throughput
from sephw.host.description import FILE as DESCRIPTION
from sephw.host.description import Description, read_description
from sephw.host.errors import (
    DamagedError,
    DescriptionError,
    DeviceError,
    DeviceSilentError,
    DisconnectedError,
    HostError,
    ImageError,
    PortError,
    WrongDesignError,
)
from sephw.host.link import Retries
from sephw.host.port import FoundPort, Port, find_ports, open_port

__all__ = [
    "DESCRIPTION",
    "Accelerator",
    "DamagedError",
    "Description",
    "DescriptionError",
    "DeviceError",
    "DeviceSilentError",
    "DisconnectedError",
    "FoundPort",
    "HostError",
    "ImageError",
    "Port",
    "PortError",
    "Retries",
    "Throughput",
    "WrongDesignError",
    "find_ports",
    "open_port",
    "read_description",
]
