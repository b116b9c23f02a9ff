"""What can go wrong between a host and a board: one class per cause."""

from __future__ import annotations

from sephw.errors import SephwError


class HostError(SephwError):
    """A board cannot be used, or stopped being usable. No result was made."""


class DescriptionError(HostError):
    """The files of a design are missing, or of something else."""


class ImageError(HostError):
    """The images do not fit the design. Nothing was sent."""


class PortError(HostError):
    """The port cannot be opened: it is missing, busy, or not ours to open."""


class DeviceSilentError(HostError):
    """Nothing at all came back."""


class DamagedError(HostError):
    """Something came back every time, and never a whole reply."""


class DisconnectedError(HostError):
    """The port failed while it was in use."""


class WrongDesignError(HostError):
    """The board holds another design than the one that was asked for."""


class DeviceError(HostError):
    """The design says that it cannot do what it was asked, or contradicts itself."""
