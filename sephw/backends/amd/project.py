"""Writes the directory for the vendor's tools: scripts, sources, driver."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path, PurePosixPath

from sephw.backends.amd.plan import plan_accelerator
from sephw.backends.amd.sources import (
    accelerator_text,
    hls_header_text,
    hls_test_text,
    hls_top_text,
    settings_text,
)
from sephw.backends.layout import read_stream_list
from sephw.errors import SephwError, UsageError
from sephw.ir import Graph
from sephw.rtl.hierarchy import scan, sources_of
from sephw.targets import Target

SETTINGS = "accelerator.json"
DRIVER = "driver.py"
BUILD = "build.sh"

_HERE = Path(__file__).parent
_FILE_LIST = "files.f"
# Where Tcl's braces or an #include would end early or take a backslash for their own.
_SPECIAL = frozenset('{}"\\\n')


def write_amd(
    graph: Graph,
    target: Target,
    directory: Path,
    *,
    hls: Path | None,
    rtl: Path | None,
    build_id: int,
) -> None:
    """Write ``directory``, the same bytes for the same arguments.

    ``graph`` as the projects were written from; ``hls`` and ``rtl`` are those projects, at least
    one of them: the scripts refer to them by relative paths, so that an export moves as a whole.
    ``build_id``, 64 bits, is put into the bitstream and into accelerator.json.
    UsageError for a target without the vendor's flow and without any project; SephwError for a
    project of another network, and for what ``plan_accelerator`` refuses.
    """
    plan = plan_accelerator(graph, target, build_id)
    if hls is None and rtl is None:
        raise UsageError(
            f"graph '{graph.name}': neither an HLS nor an RTL project for Vivado; "
            "export with the step hls or rtl"
        )
    hls_path = None if hls is None else _relative(_checked(hls, "HLS", plan.network), directory)
    rtl_sources: list[str] = []
    if rtl is not None:
        folder = _relative(_checked(rtl, "RTL", plan.network), directory)
        rtl_sources = [str(folder / name) for name in _rtl_files(rtl)]
    directory.mkdir(parents=True, exist_ok=True)
    needed = scan(accelerator_text(plan, "rtl")).instantiated
    sources = sources_of(name for name in needed if name != plan.network)
    generated = {
        "settings.tcl": settings_text(plan, hls_path, rtl_sources, sources),
        SETTINGS: json.dumps(plan.settings(), indent=1) + "\n",
    }
    if rtl is not None:
        generated["from_rtl/sephw_accelerator.v"] = accelerator_text(plan, "rtl")
    if hls_path is not None:
        generated |= {
            "from_hls/sephw_accelerator.v": accelerator_text(plan, "hls"),
            "sephw_axis_top.h": hls_header_text(plan, hls_path),
            "sephw_axis_top.cpp": hls_top_text(plan),
            "sephw_axis_test.cpp": hls_test_text(plan, hls_path),
        }
    for name, text in generated.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    scripts = _HERE / "scripts"
    shutil.copyfile(scripts / "vivado.tcl", directory / "vivado.tcl")
    shutil.copyfile(scripts / BUILD, directory / BUILD)
    (directory / BUILD).chmod(0o755)
    shutil.copyfile(scripts / plan.board.processing_system, directory / "processing_system.tcl")
    if hls is not None:
        shutil.copyfile(scripts / "vitis_hls.tcl", directory / "vitis_hls.tcl")
    for name, text in sources.items():
        (directory / name).write_text(text, encoding="utf-8")
    shutil.copyfile(_HERE / DRIVER, directory / DRIVER)


def _checked(project: Path, what: str, network: str) -> Path:
    found = read_stream_list(project, what).project
    if found != network:
        raise SephwError(
            f"'{project}' is the {what} project of '{found}', not of '{network}'; "
            "export the model again"
        )
    return project


def _relative(project: Path, directory: Path) -> PurePosixPath:
    path = PurePosixPath(Path(os.path.relpath(project.resolve(), directory.resolve())).as_posix())
    if _SPECIAL & set(str(path)):
        raise SephwError(
            f"'{project}': braces, quotation marks, backslashes and line ends cannot stand in the "
            "scripts; rename the folder"
        )
    return path


def _rtl_files(project: Path) -> list[str]:
    """Sources in order, then memories."""
    listed = (project / _FILE_LIST).read_text(encoding="utf-8").split("\n")
    return [*filter(None, listed), *sorted(path.name for path in project.glob("*.mem"))]
