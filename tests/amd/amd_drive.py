"""The exported PYNQ driver as a module, and the bytes of its frames."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any


class _Time:
    """A clock that moves a millisecond each time somebody looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 0.001
        return self.now

    perf_counter = monotonic


def load(path: Path) -> ModuleType:
    """The exported file as a module, with a clock of its own."""
    spec = importlib.util.spec_from_file_location("exported_driver", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.time = _Time()
    return module


def beats_of(integers: list[int], stream: dict[str, Any]) -> bytes:
    """Integers of a frame as bytes, one beat after the other, by Python's own arithmetic."""
    frame, lanes, bits = b"", stream["lanes"], stream["bits"]
    for beat in range(stream["beats"]):
        word = 0
        for lane, value in enumerate(integers[beat * lanes : (beat + 1) * lanes]):
            word |= (value % (1 << bits)) << (bits * lane)
        frame += word.to_bytes(stream["beat_bytes"], "little")
    return frame
