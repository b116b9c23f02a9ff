"""The state file OUT.resume, from which a run continues after the last finished epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sephw.errors import SephwError, UsageError
from sephw.files import build, reading
from sephw.torch_file import read_archive, write_archive
from sephw.train.settings import STAGE_NAMES, TrainingSettings

FORMAT, VERSION = "sephw-training", 1
_START_OVER = "delete it and start anew"


@dataclass
class ResumePoint:
    """Where a run stands: `epoch` epochs of `stage` are done.

    `best` is the state_dict with the best validation accuracy of this stage, `teacher` that of
    stage R where later stages learn from it; `metrics` holds what finished stages measured.
    Random numbers need no state: every epoch seeds its own.
    """

    stage: str = "R"
    epoch: int = 0
    model: Mapping[str, Any] | None = None
    optimizer: Mapping[str, Any] | None = None
    best: Mapping[str, Any] | None = None
    best_accuracy: float = -1.0
    best_epoch: int = 0
    metrics: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    teacher: Mapping[str, Any] | None = None


def resume_path(out: Path) -> Path:
    """The state file of a run that writes `out`."""
    return out.with_name(f"{out.name}.resume")


def save_progress(out: Path, settings: TrainingSettings, progress: ResumePoint) -> None:
    """Write the state file, whole or not at all."""
    content = {"format": FORMAT, "version": VERSION, "settings": settings.as_dict()}
    write_archive(resume_path(out), {**content, **vars(progress)})


def load_progress(out: Path, settings: TrainingSettings) -> ResumePoint:
    """Read the state file; UsageError where it belongs to a run with other options."""
    path = resume_path(out)
    if not path.exists():
        raise UsageError(f"{path}: nothing to resume; leave --resume away to start a new run")
    content = read_archive(path)
    with reading(str(path), _START_OVER, failed="is damaged"):
        return _progress(path, content, settings)


def _progress(path: Path, content: Any, settings: TrainingSettings) -> ResumePoint:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise SephwError(f"{path}: not the state of a training run; {_START_OVER}")
    if content.get("version") != VERSION:
        raise SephwError(
            f"{path}: state version {content.get('version')!r}, this program reads {VERSION}; "
            "finish the run with the sephw version that began it"
        )
    given = settings.as_dict()
    began = {**TrainingSettings(settings.data).as_dict(), **content["settings"]}
    for key, value in began.items():
        if key != "threads" and given.get(key) != value:
            raise UsageError(
                f"{path}: the run was started with {key} = {value!r}, not {given.get(key)!r}; "
                "use the same options, or delete the file and start anew"
            )
    known = {key: content[key] for key in vars(ResumePoint()) if key in content}
    progress = build(ResumePoint, known)
    _check(progress, settings)
    return progress


def _check(progress: ResumePoint, settings: TrainingSettings) -> None:
    """ValueError where a run could not have come so far."""
    if progress.stage not in STAGE_NAMES or progress.model is None:
        raise ValueError(f"stage {progress.stage!r:.20}")
    if not 0 <= progress.epoch <= settings.epochs[STAGE_NAMES.index(progress.stage)]:
        raise ValueError(f"epoch {progress.epoch}")
    tables = [progress.metrics.get(key, {}) for key in ("accuracy", "epochs", "best_epoch")]
    inner = [tables[0].get(key, {}) for key in ("validation", "test")]
    if not all(isinstance(table, dict) for table in (*tables, *inner)):
        raise ValueError("its figures")
    if not all(isinstance(value, int | float) for value in progress.seconds.values()):
        raise ValueError("its times")
