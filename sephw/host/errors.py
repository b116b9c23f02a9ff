"""Errors between a host and a board: one class per cause."""

from __future__ import annotations

from sephw.errors import SephwError


class HostError(SephwError):
    """A board cannot be used, or stopped being usable. There is no result."""


class DescriptionError(HostError):
    """The files of a design are missing, or belong to something else."""


class ImageError(HostError):
    """The images do not fit the design. Nothing was sent."""


class PortError(HostError):
    """The port cannot be opened: it is missing, busy, or access is denied."""


class DeviceSilentError(HostError):
    """The board sent no reply at all."""


class DamagedError(HostError):
    """Every reply of the board was damaged."""


class DisconnectedError(HostError):
    """The port failed while it was in use."""


class WrongDesignError(HostError):
    """The board holds another design than the expected one."""


class DeviceError(HostError):
    """The design reports that it cannot serve the request, or contradicts itself."""
