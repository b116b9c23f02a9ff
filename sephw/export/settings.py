"""What an export is asked to do, as one frozen value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sephw.errors import UsageError
from sephw.targets import Target

STEPS = ("qonnx", "hls", "csim", "rtl", "rtlsim", "cyclesim", "verify", "report")
# A simulation that nobody compares would be useless, so it brings the verification along.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "qonnx": (),
    "hls": ("qonnx",),
    "csim": ("qonnx", "hls", "verify"),
    "rtl": ("qonnx",),
    "rtlsim": ("qonnx", "rtl", "cyclesim", "verify"),
    "cyclesim": ("qonnx",),
    "verify": ("qonnx",),
    "report": ("qonnx",),
}
RANDOM_DATA = "random"


@dataclass(frozen=True)
class Settings:
    """Options of one export. `data` None: the data set that the checkpoint names.

    `network` and `arguments` are for a bare state_dict only. `samples` counts real images.
    """

    model: Path
    out: Path
    target: Target
    data: str | None = None
    samples: int = 16
    folding: Path | None = None
    steps: tuple[str, ...] = STEPS
    network: str | None = None
    arguments: Mapping[str, Any] | None = None
    trace: bool = False

    @property
    def name(self) -> str:
        """The model's name, an identifier in every generated language."""
        name = re.sub(r"\W+", "_", self.model.stem, flags=re.ASCII).strip("_").lower()
        return name if name and not name[0].isdigit() else f"model_{name}".rstrip("_")


def parse_steps(text: str) -> tuple[str, ...]:
    """Steps from a comma list, with the ones they need, in order; UsageError lists the names."""
    wanted: set[str] = set()
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word not in STEPS:
            raise UsageError(f"--steps: '{word}' is unknown; use {', '.join(STEPS)}")
        wanted |= {word, *_NEEDS[word]}
    if not wanted:
        raise UsageError(f"--steps: nothing to do; use {', '.join(STEPS)}")
    return tuple(step for step in STEPS if step in wanted)


def check_trace(trace: bool, steps: tuple[str, ...]) -> bool:
    """`trace`; UsageError where no step makes one."""
    if trace and "cyclesim" not in steps:
        raise UsageError("--trace: nothing to trace; add rtlsim or cyclesim to --steps")
    return trace


def parse_arguments(text: str | None) -> dict[str, Any] | None:
    """Network arguments from a JSON object; UsageError where it is none."""
    if text is None:
        return None
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"--arguments: not JSON ({error.msg} at column {error.colno}); "
            'give an object such as {"widths": [16, 32]}'
        ) from None
    if not isinstance(values, dict):
        raise UsageError('--arguments: not a JSON object; give one such as {"widths": [16, 32]}')
    return values
