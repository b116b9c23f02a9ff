"""Reads what Vivado and Vitis HLS reported, so that figures made elsewhere can be shown.

Formats: Vivado's report_utilization (flat and -hierarchical) and report_timing_summary as text, the
csynth.xml of HLS.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from sephw.errors import SephwError
from sephw.files import build
from sephw.ir.resources import Resources

UTILIZATION, TIMING, HLS = "utilization.rpt", "timing_summary.rpt", "csynth.xml"
HIERARCHY = "utilization_hierarchical.rpt"

# Series 7 and UltraScale+ name the same cells differently. A tile holds two RAMs of 18 Kbit.
_SITES = {
    "lut": (("Slice LUTs", "CLB LUTs"), 1),
    "ff": (("Slice Registers", "CLB Registers"), 1),
    "bram": (("Block RAM Tile",), 2),
    "dsp": (("DSPs",), 1),
}
_UNUSABLE = ("NA", "inf", "-")
# Of the table by hierarchy; releases differ in the last name.
_COLUMNS = {
    "lut": (("Total LUTs", 1),),
    "ff": (("FFs", 1),),
    "bram": (("RAMB36", 2), ("RAMB18", 1)),
    "dsp": (("DSP Blocks", 1), ("DSP48 Blocks", 1)),
}
# The accelerator's network in the block design, by instance names; below it are the engines.
_NETWORK = ("accelerator", "inst", "network")
_Parsed = TypeVar("_Parsed")


@dataclass(frozen=True)
class Utilization:
    """Counts after implementation, and what the device has. ``tool``: its release."""

    used: Resources
    available: Resources
    tool: str


@dataclass(frozen=True)
class PathTiming:
    """Setup and hold slack of the worst path, and the clock they refer to."""

    period_ns: float
    setup_slack_ns: float
    hold_slack_ns: float

    @property
    def met(self) -> bool:
        """True where every path meets its timing."""
        return self.setup_slack_ns >= 0 and self.hold_slack_ns >= 0

    @property
    def fmax_mhz(self) -> float:
        """The clock at which the worst setup path would have no slack."""
        return 1000.0 / (self.period_ns - self.setup_slack_ns)


@dataclass(frozen=True)
class HlsEstimate:
    """HLS's estimate, before Vivado. Intervals are in cycles per frame."""

    used: Resources
    available: Resources
    target_ns: float
    estimated_ns: float
    frame_interval_cycles: int | None

    @property
    def fmax_mhz(self) -> float:
        """The clock of the estimated period in MHz, without the uncertainty."""
        return 1000.0 / self.estimated_ns


@dataclass(frozen=True)
class AmdReports:
    """The content of a reports/ folder; None for a report that was not made."""

    utilization: Utilization | None
    engines: Mapping[str, Resources] | None
    timing: PathTiming | None
    hls: HlsEstimate | None


def read_reports(folder: Path) -> AmdReports:
    """Read the files that the scripts leave in ``folder`` (reports/ROUTE).

    Raises SephwError naming a file that is there but cannot be understood.
    """
    return AmdReports(
        utilization=_read(folder / UTILIZATION, parse_utilization),
        engines=_read(folder / HIERARCHY, parse_hierarchy),
        timing=_read(folder / TIMING, parse_timing),
        hls=_read(folder / HLS, parse_csynth),
    )


def parse_utilization(text: str) -> Utilization:
    """Parse ``report_utilization``. Raises ValueError where a row is missing."""
    rows: dict[str, dict[str, str]] = {}
    for row in _table(text, "Site Type"):
        # An asterisk marks counts before place and route.
        rows.setdefault(row["Site Type"].strip().rstrip("*"), row)
    used, available = {}, {}
    for field, (names, factor) in _SITES.items():
        found = next((rows[name] for name in names if name in rows), None)
        if found is None or "Used" not in found or "Available" not in found:
            raise ValueError(f"no row '{names[0]}'")
        used[field] = _count(found["Used"], factor)
        available[field] = _count(found["Available"], factor)
    release = re.search(r"^\| Tool Version\s*:\s*Vivado v\.(\S+)", text, re.MULTILINE)
    tool = f"Vivado {release[1]}" if release else "Vivado"
    return Utilization(build(Resources, used), build(Resources, available), tool)


def parse_hierarchy(text: str) -> dict[str, Resources]:
    """Parse ``report_utilization -hierarchical``: resources by engine instance, in its order.

    Empty where the network is not one of SystemVerilog engines. Raises ValueError where the table
    or a column is missing.
    """
    engines: dict[str, Resources] = {}
    path: list[str] = []
    rows = list(_table(text, "Instance"))
    if not rows:
        raise ValueError("no table with a column 'Instance'")
    for row in rows:
        # A level is two columns further in; parentheses mark what belongs to no instance below.
        name = row["Instance"].strip()
        depth = (len(row["Instance"]) - len(row["Instance"].lstrip())) // 2
        path[depth:] = [name]
        if tuple(path[-4:-1]) == _NETWORK and not name.startswith("("):
            engines[name] = _row_resources(row)
    return engines


def parse_timing(text: str) -> PathTiming:
    """Parse ``report_timing_summary``; the fastest clock counts. Raises ValueError."""
    summary = _row_below(text, "WNS(ns)")
    names = re.split(r"\s{2,}", summary[0].strip())
    values = dict(zip(names, summary[1].split(), strict=False))
    setup, hold = values.get("WNS(ns)"), values.get("WHS(ns)")
    if setup is None or hold is None or setup in _UNUSABLE or hold in _UNUSABLE:
        raise ValueError("no setup or hold slack: is the design without a clock?")
    clocks = re.findall(r"^\s*\S+\s+\{[^}]*\}\s+(\d+\.\d+)\s+\d+\.\d+\s*$", text, re.MULTILINE)
    if not clocks:
        raise ValueError("no clock in the clock summary")
    return PathTiming(min(map(float, clocks)), float(setup), float(hold))


def parse_csynth(text: str) -> HlsEstimate:
    """Parse HLS's csynth.xml. Raises ValueError where an element is missing."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"no XML: {error}") from None

    def value(path: str) -> str:
        found = root.findtext(path)
        if found is None:
            raise ValueError(f"no element {path}")
        return found.strip()

    def resources(path: str) -> Resources:
        counts = {
            field: int(value(f"{path}/{name}"))
            for field, name in (("lut", "LUT"), ("ff", "FF"), ("bram", "BRAM_18K"), ("dsp", "DSP"))
        }
        return build(Resources, counts)

    path = "PerformanceEstimates/SummaryOfOverallLatency/Interval-max"
    interval = (root.findtext(path) or "").strip()
    return HlsEstimate(
        used=resources("AreaEstimates/Resources"),
        available=resources("AreaEstimates/AvailableResources"),
        target_ns=float(value("UserAssignments/TargetClockPeriod")),
        estimated_ns=float(
            value("PerformanceEstimates/SummaryOfTimingAnalysis/EstimatedClockPeriod")
        ),
        # Loops whose bounds depend on data have no number there.
        frame_interval_cycles=int(interval) if interval.isdigit() else None,
    )


def _table(text: str, first: str) -> Iterator[dict[str, str]]:
    """Rows of every table whose first column is called ``first``, cells by column.

    The first column keeps its indentation.
    """
    header: list[str] = []
    for line in text.splitlines():
        if not line.startswith("|"):
            continue
        cells = line.rstrip().removeprefix("|").removesuffix("|").split("|")
        cells = [cells[0].removeprefix(" "), *(cell.strip() for cell in cells[1:])]
        if cells[0].strip() == first:
            header = [cell.strip() for cell in cells]
        elif len(cells) == len(header):
            yield dict(zip(header, cells, strict=True))


def _row_resources(row: Mapping[str, str]) -> Resources:
    counts = {}
    for field, columns in _COLUMNS.items():
        present = [(row[name], factor) for name, factor in columns if name in row]
        if not present:
            raise ValueError(f"no column '{columns[0][0]}'")
        counts[field] = sum(_count(cell, factor) for cell, factor in present)
    return build(Resources, counts)


def _count(cell: str, factor: int) -> int:
    return math.ceil(float(cell.replace(",", "")) * factor)


def _row_below(text: str, name: str) -> tuple[str, str]:
    """The header line that begins with ``name``, and the line below its rule."""
    lines = text.splitlines()
    for index, line in enumerate(lines[:-2]):
        if line.strip().startswith(name) and set(lines[index + 1].strip()) <= {"-", " "}:
            return line, lines[index + 2]
    raise ValueError(f"no table with a column '{name}'")


def _read(path: Path, parse: Callable[[str], _Parsed]) -> _Parsed | None:
    if not path.exists():
        return None
    try:
        return parse(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError) as error:
        raise SephwError(
            f"'{path}' is not the report that Vivado or Vitis HLS writes under this name "
            f"({error}); run the script again"
        ) from None
