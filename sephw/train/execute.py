"""Executes a training request of `sephw train`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sephw.errors import SephwError, UsageError
from sephw.lifetime.ending import graceful
from sephw.networks import check_arguments
from sephw.progress import Progress
from sephw.train.card import write_card
from sephw.train.decoders import Decoders
from sephw.train.open_data import open_data
from sephw.train.parallel import Team, join_team
from sephw.train.progress import Reporter
from sephw.train.resume import resume_path
from sephw.train.settings import AUTO, TrainingRequest, TrainingSettings

_MOST_PIXELS = 1 << 14


def execute(request: TrainingRequest, start_progress: Callable[[int, str], Progress]) -> int:
    """Train as ``request`` says; exit status 0, or 130 after Ctrl-C.

    ``start_progress`` takes the number of steps and what they are about. Started by `torchrun`,
    this is one process of a team.
    """
    settings = request.settings
    settings = replace(settings, arguments=_checked(settings.network, settings.arguments))
    _check_method(settings)
    _check_out(request.out, request.resume)
    # Spinning OpenMP threads starve every other process on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(settings.threads)
    team = join_team(_device(settings.device))
    with team.explaining_failures():
        try:
            with Decoders(request.workers) as decoders:
                request = replace(request, settings=settings)
                result = _train(request, team, decoders, start_progress)
        except BaseException:
            team.leave(together=False)
            raise
        team.leave(together=True)
    return result


def _train(
    request: TrainingRequest,
    team: Team,
    decoders: Decoders,
    start_progress: Callable[[int, str], Progress],
) -> int:
    from sephw.train.run import TimeUp, TrainingRun

    settings, out = request.settings, request.out
    if settings.batch < team.size:
        raise UsageError(
            f"--batch {settings.batch}: less than one image for each of {team.size} processes"
        )
    name = Path(settings.data).stem
    # An epoch, and a measurement at every stage's beginning and end, is a step; so is the data.
    stages = sum(map(bool, settings.epochs))
    steps = 1 + sum(settings.epochs) + 2 * stages
    progress = start_progress(steps, f"{settings.network} on {name}")
    reporter = Reporter(progress if team.is_leader else None, silent=not team.is_leader)
    with reporter.step("load", name):
        opened = open_data(settings, decoders, progress)
    reporter.notes(opened.notes)
    parts, shape = opened.parts, opened.shape
    augment = "crop+flip" if shape[2] == 3 else "crop"
    settings = replace(
        settings,
        arguments=opened.arguments,
        augment=augment if settings.augment == AUTO else settings.augment,
        device=team.device,
        precision=_precision(settings.precision, team.device),
        processes=team.size,
    )
    reporter.line(
        f"{parts.name}: {len(parts.train)} training, {len(parts.validation)} validation, "
        f"{len(parts.test)} test images {'x'.join(map(str, shape))}; "
        f"{settings.network}, {team.device}, {settings.precision}, augment {settings.augment}"
        + (f", {team.size} processes" if team.size > 1 else "")
    )
    run = TrainingRun(
        settings,
        parts,
        opened.preprocessing,
        out,
        reporter,
        resume=request.resume,
        max_minutes=request.max_minutes,
        team=team,
    )
    again = f"add --resume to go on (state in {resume_path(out)})"
    try:
        with graceful():
            checkpoint = run.train()
    except KeyboardInterrupt:
        kept = f"{out} holds the best model so far; " if run.keep_best() else "nothing saved; "
        again = again if resume_path(out).exists() else "no epoch was finished"
        click.echo(f"sephw: interrupted: {kept}{again}", err=True)
        return 130
    except TimeUp as end:
        kept = f"{out} holds the best model so far; " if run.keep_best() else ""
        again = again if resume_path(out).exists() else "no epoch was finished"
        reporter.line(f"{end}: the time is used up; {kept}{again}")
        return 0
    if request.card is not None and team.is_leader:
        write_card(request.card, checkpoint, out, run.progress.seconds)
    reporter.line(f"{out}: {settings.network} in stage {checkpoint.stage}")
    return 0


def _checked(network: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Network arguments of the right names and types; UsageError as --set's."""
    check_arguments(network, {})  # the name
    try:
        checked = check_arguments(network, arguments)
    except SephwError as error:
        raise UsageError(f"--set: {error}") from None
    for key in ("height", "width"):
        if not 1 <= checked.get(key, 1) <= _MOST_PIXELS:
            raise UsageError(
                f"--set {key}={checked[key]}: images have 1 to {_MOST_PIXELS:,} pixels a side"
            )
    return checked


def _check_method(settings: TrainingSettings) -> None:
    """Refuse combinations of options that contradict each other."""
    if settings.distill > 0 and settings.epochs[0] == 0 and settings.start is None:
        raise UsageError(
            "--distill: the teacher is stage R's network, and --epochs trains none; give R epochs, "
            "or a trained one with --start"
        )
    if settings.alpha is not None and settings.progressive > 1:
        raise UsageError(
            "--alpha with --progressive: one constant replaces the float weights that layers "
            "still waiting train with; leave one of them away"
        )


def _check_out(out: Path, resume: bool) -> None:
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: folder '{out.parent}' does not exist; make it first")
    if out.exists() and not out.is_file() and not out.is_dir():
        raise UsageError(f"--out {out}: is a pipe or a device; give a file name such as model.pth")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; give a file name such as model.pth")
    if resume_path(out).exists() and not resume:
        raise UsageError(
            f"{resume_path(out)}: holds an unfinished run; add --resume to go on with it, or "
            "delete it to start anew"
        )


def _device(device: str) -> str:
    import torch

    if device == AUTO:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: torch sees no CUDA device; use --device cpu")
    return device


def _precision(precision: str, device: str) -> str:
    import torch

    if precision != AUTO:
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if native else "fp32"
