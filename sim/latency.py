"""The two latencies of a network, which differ by the arrival of a frame's input beats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

# What each of the two assumes of the source; the sink takes every beat at once.
ALONE = (
    "one frame through an empty network, each input beat offered as soon as the one before it is "
    "taken"
)
PACED = "in a stream of frames, their input beats spread evenly over the frame interval"


@dataclass(frozen=True)
class Latency:
    """Clock cycles from a frame's first input beat to its first and to its last output beat."""

    first_output_cycles: int
    last_output_cycles: int

    def as_dict(self, assumed: str) -> dict[str, Any]:
        """Plain values for JSON, with the assumption that they rest on: `ALONE` or `PACED`."""
        return {**asdict(self), "assumes": assumed}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Latency:
        """The latency that `as_dict` wrote.

        Raises KeyError, TypeError or ValueError for other content.
        """
        return cls(int(content["first_output_cycles"]), int(content["last_output_cycles"]))
