"""The table of boards: device part and the clock that projects ask for."""

from __future__ import annotations

from dataclasses import dataclass

from sephw.errors import UsageError


@dataclass(frozen=True)
class Target:
    """A board. `part` as the vendor's tools spell it; `clock_ns` is requested, not measured."""

    name: str
    board: str
    part: str
    clock_ns: float


TARGETS: tuple[Target, ...] = (
    Target("pynq-z2", "TUL PYNQ-Z2 (Zynq-7000)", "xc7z020clg400-1", 10.0),
    Target("zcu104", "AMD ZCU104 (Zynq UltraScale+)", "xczu7ev-ffvc1156-2-e", 5.0),
    Target("kv260", "AMD Kria KV260 (Zynq UltraScale+)", "xck26-sfvc784-2LV-c", 5.0),
    Target("ultra96", "Avnet Ultra96-V2 (Zynq UltraScale+)", "xczu3eg-sbva484-1-i", 5.0),
)
DEFAULT_TARGET = "pynq-z2"


def find_target(name: str) -> Target:
    """The target called `name`; UsageError lists the names where there is none."""
    for target in TARGETS:
        if target.name == name:
            return target
    names = ", ".join(target.name for target in TARGETS)
    raise UsageError(f"target '{name}' is unknown; use one of {names}")
