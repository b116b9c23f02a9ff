"""The report of an export: from its parts in memory, or from the files of its directory."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from sephw.backends.link import board_link
from sephw.errors import SephwError
from sephw.export_folder import ExportFolder
from sephw.export_names import BOARD, MANIFEST, REPORT, SYNTH
from sephw.files import reading
from sephw.files.listing import file_hashes, listing
from sephw.ir import Graph
from sephw.lifetime.whole import write_whole
from sephw.reports.build import Findings, Subject, build_report
from sephw.reports.estimates import estimate_graph
from sephw.reports.html import render_html
from sephw.reports.matrix import read_verification
from sephw.reports.model import Report
from sephw.reports.plain import as_dict
from sephw.reports.provenance import read_provenance
from sephw.reports.speed import Speed
from sephw.reports.text import render_text
from sephw.sim.latency import Latency
from sephw.sim.timeline import Timeline
from sephw.sim.timing import simulate
from sephw.targets import find_device, find_target
from sephw.verify import Verification

FILES = (REPORT, "report.txt", "report.html")
# Folders that a synthesis after the export makes.
_LATER = (SYNTH, BOARD)
_T = TypeVar("_T")


def report_of_export(
    graph: Graph,
    manifest: Mapping[str, Any],
    *,
    cycles: Mapping[str, Any] | None = None,
    verification: Verification | None = None,
    synthesis: Mapping[str, Any] | None = None,
    vendor: Mapping[str, Any] | None = None,
) -> Report:
    """The report of ``graph`` and the contents of manifest.json (its files may be missing),
    cycles.json, synth/synth.json and amd/synth.json; None: not there.

    Resources are those of the synthesized device, without a synthesis of the target's; ``vendor``
    counts only where that is the target's. Raises
    SephwError where a content is not what it should be.
    """
    provenance = read_provenance(manifest)
    target = find_target(provenance.target)
    device = target.device
    if synthesis is not None and "device" in synthesis:
        device = find_device(str(synthesis["device"]))
    on = str((synthesis or {}).get("target") or "")
    board = find_target(on) if on else None
    return build_report(
        graph,
        Speed(
            simulate(graph),
            _from_cycles(cycles, "latency", lambda found: Latency.from_dict(found["alone"])),
            board_link(graph, target),
            None if board is None else board_link(graph, board),
        ),
        Subject(
            f"{provenance.name} ({provenance.network})", target.name, target.part, target.clock_ns
        ),
        Findings(
            device=device,
            # Counts beside each other are of the same: with the board's top or without.
            estimates=estimate_graph(graph, device, target if synthesis is None else board),
            synthesis=synthesis,
            vendor=vendor if device == target.device else None,
            verification=verification,
            timeline=_from_cycles(cycles, "timeline", Timeline.from_dict),
            provenance=provenance,
        ),
    )


def write_report(report: Report, folder: Path) -> None:
    """Write report.json, report.txt and report.html; the same report gives the same bytes."""
    _write(folder, _texts(report))


def read_export(folder: Path) -> Report:
    """The report of an export's directory, from its files as they are now.

    Raises UsageError where ``folder`` is no export, SephwError where a file in it is broken.
    """
    return _report(ExportFolder.open(folder))


def _report(export: ExportFolder) -> Report:
    verification = export.verification()
    return report_of_export(
        export.graph(),
        export.manifest,
        cycles=export.cycles(),
        verification=None if verification is None else read_verification(verification),
        synthesis=export.synthesis(),
        vendor=export.vendor_synthesis(),
    )


def refresh(folder: Path) -> Report:
    """Write the three files of the report again from the other files of an export's directory.

    The manifest then lists them, and the files of a later synthesis, with their new hashes.
    Raises as `read_export` does.
    """
    # All of it from files that anybody may have changed: nothing is written before all is read.
    with reading(f"{folder}", "export the model again", failed="its files do not go together"):
        export = ExportFolder.open(folder)
        report = _report(export)
        texts = _texts(report)
        manifest = dict(export.manifest)
        files = {
            name: digest
            for name, digest in (manifest.get("files") or {}).items()
            if PurePosixPath(name).parts[0] not in _LATER
        }
    _write(folder, texts)
    later = (path for name in _LATER for path in folder.joinpath(name).rglob("*"))
    files |= file_hashes(folder, (*(folder / name for name in FILES), *later))
    manifest.pop("logs", None)
    manifest |= listing(files)
    _write(folder, {MANIFEST: json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"})
    return report


def _texts(report: Report) -> dict[str, str]:
    """The texts of the three report files by file name."""
    plain = json.dumps(as_dict(report), indent=2, ensure_ascii=False) + "\n"
    return dict(zip(FILES, (plain, render_text(report), render_html(report)), strict=True))


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        write_whole(folder / name, text.encode())


def _from_cycles(
    cycles: Mapping[str, Any] | None, name: str, read: Callable[[Mapping[str, Any]], _T]
) -> _T | None:
    """A part of cycles.json, parsed by ``read``; None where there is no such file."""
    if cycles is None:
        return None
    try:
        return read(cycles[name])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SephwError(
            f"cycles.json is not that of an export ({type(error).__name__}: {error}); "
            "export the model again"
        ) from None
