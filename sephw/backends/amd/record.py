"""The record of the vendor tools' results in an amd/ folder."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sephw.backends.amd.plan import FORMAT as SETTINGS_FORMAT
from sephw.backends.amd.project import SETTINGS
from sephw.backends.amd.reports import AmdReports, read_reports
from sephw.errors import SephwError
from sephw.export_names import SYNTHESIS
from sephw.files import read_json

FORMAT, VERSION = "sephw-amd-synth", 1
ROUTES = ("hls", "rtl")


def read_record(directory: Path) -> dict[str, Any]:
    """Figures of every route that was built in ``directory``, as write_amd left it.

    Per route, ``estimated`` is what Vitis HLS expects and ``routed`` what Vivado placed and routed,
    with the keys of the open flow's record; None for what was not run. ``engines`` by instance, on
    the route of SystemVerilog engines. Raises SephwError for a folder without accelerator.json and
    for a file that is no report.
    """
    path = directory / SETTINGS
    try:
        settings = read_json(path, f"'{path}'", "export the model again")
    except SephwError:
        settings = {}
    texts = (settings.get(key) for key in ("name", "target", "part"))
    if settings.get("format") != SETTINGS_FORMAT or not all(isinstance(t, str) for t in texts):
        raise SephwError(
            f"'{directory}' holds no {SETTINGS} of sephw; name the folder amd of an export"
        )
    bitstream = f"{settings['name']}.bit"
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": settings["name"],
        "target": settings["target"],
        "part": settings["part"],
        # Of the route that was built last.
        "bitstream": bitstream if (directory / bitstream).exists() else None,
        "routes": {route: _route(read_reports(directory / "reports" / route)) for route in ROUTES},
    }


def write_record(directory: Path) -> dict[str, Any]:
    """Write `read_record` to synth.json in ``directory``; returns the record."""
    record = read_record(directory)
    text = json.dumps(record, indent=2, ensure_ascii=False)
    (directory / SYNTHESIS).write_text(text + "\n", encoding="utf-8")
    return record


def _route(reports: AmdReports) -> dict[str, Any]:
    return {"estimated": _estimated(reports), "routed": _routed(reports)}


def _estimated(reports: AmdReports) -> dict[str, Any] | None:
    hls = reports.hls
    if hls is None:
        return None
    return {
        "source": "estimated by Vitis HLS",
        "total": asdict(hls.used),
        "available": asdict(hls.available),
        "fmax_mhz": {"ap_clk": round(hls.fmax_mhz, 2)},
        "constraint_mhz": {"ap_clk": round(1000.0 / hls.target_ns, 3)},
        "frame_interval_cycles": hls.frame_interval_cycles,
    }


def _routed(reports: AmdReports) -> dict[str, Any] | None:
    utilization, timing = reports.utilization, reports.timing
    if utilization is None or timing is None:
        return None
    return {
        "source": "routed",
        "tools": {"vivado": utilization.tool},
        "used": asdict(utilization.used),
        "available": asdict(utilization.available),
        "engines": {name: asdict(used) for name, used in (reports.engines or {}).items()},
        "fmax_mhz": {"ap_clk": round(timing.fmax_mhz, 2)},
        "constraint_mhz": {"ap_clk": round(1000.0 / timing.period_ns, 3)},
        "setup_slack_ns": timing.setup_slack_ns,
        "hold_slack_ns": timing.hold_slack_ns,
        "timing_met": timing.met,
    }
