"""What `sephw train` does with its options."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from sephw.data import Dataset, Preprocessing, Split, load_data, preprocess
from sephw.errors import UsageError
from sephw.train.card import write_card
from sephw.train.evaluate import in_memory
from sephw.train.parallel import Team, join_team
from sephw.train.progress import Reporter
from sephw.train.resume import resume_path
from sephw.train.settings import Settings, parse_arguments, per_stage, shares


def run_command(
    *,
    data: str,
    out: Path,
    pairs: tuple[str, ...],
    epochs: str,
    lr: str,
    augment: str | None,
    device: str,
    precision: str,
    threads: int,
    resume: bool,
    max_minutes: float | None,
    card: Path | None,
    milestones: str,
    workers: int,
    **same: Any,
) -> int:
    """Do what the options say; exit status 0, or 130 after Ctrl-C.

    Started by `torchrun`, this is one process of a team.
    """
    stage_epochs = per_stage("epochs", epochs, int)
    if not any(stage_epochs):
        raise UsageError(f"--epochs '{epochs}': nothing to train; give at least one epoch")
    arguments = parse_arguments(pairs)
    same["milestones"] = shares("milestones", milestones)
    _check_method(stage_epochs, same)
    _check_out(out, resume)
    # Spinning OpenMP threads starve every other process on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)
    device = _device(device)
    team = join_team(device)
    try:
        return _train(
            team, data, out, arguments, stage_epochs, per_stage("lr", lr, float), augment,
            precision, threads, resume, max_minutes, card, same,
        )  # fmt: skip
    finally:
        team.leave()


def _train(
    team: Team,
    data: str,
    out: Path,
    arguments: dict[str, Any],
    stage_epochs: tuple[int, int, int],
    rates: tuple[float, float, float],
    augment: str | None,
    precision: str,
    threads: int,
    resume: bool,
    max_minutes: float | None,
    card: Path | None,
    same: dict[str, Any],
) -> int:
    from sephw.train.run import Run, TimeUp, TrainingData

    if same["batch"] < team.size:
        raise UsageError(
            f"--batch {same['batch']}: less than one image for each of {team.size} processes"
        )
    reporter = Reporter(None if team.leads else Console(quiet=True))
    size = None
    if same["resize"] == "bilinear" and {"height", "width"} <= arguments.keys():
        size = (int(arguments["height"]), int(arguments["width"]))
    dataset = load_data(data, seed=same["seed"], size=size, progress=reporter.decoding)
    dataset, preprocessing = _fit(dataset, arguments, same["resize"])
    settings = Settings(
        data=data,
        arguments=arguments,
        epochs=stage_epochs,
        lr=rates,
        augment=augment or ("crop+flip" if dataset.shape[2] == 3 else "crop"),
        threads=threads,
        device=team.device,
        precision=_precision(precision, team.device),
        processes=team.size,
        **same,
    )
    reporter.line(
        f"{dataset.name}: {len(dataset.train)} training, {len(dataset.validation)} validation, "
        f"{len(dataset.test)} test images {'x'.join(map(str, dataset.shape))}; "
        f"{settings.network}, {team.device}, {settings.precision}, augment {settings.augment}"
        + (f", {team.size} processes" if team.size > 1 else "")
    )
    parts = TrainingData(
        dataset.name,
        in_memory(dataset.train),
        in_memory(dataset.validation),
        in_memory(dataset.test),
        dataset.classes,
        dataset.source,
        dataset.licence,
    )
    run = Run(
        settings, parts, preprocessing, out, reporter, resume=resume, max_minutes=max_minutes,
        team=team,
    )  # fmt: skip
    again = f"add --resume to go on (state in {resume_path(out)})"
    try:
        checkpoint = run.train()
    except KeyboardInterrupt:
        reporter.end()
        kept = f"{out} holds the best model so far; " if run.keep_best() else "nothing saved; "
        again = again if resume_path(out).exists() else "no epoch was finished"
        click.echo(f"sephw: interrupted: {kept}{again}", err=True)
        return 130
    except TimeUp as end:
        kept = f"{out} holds the best model so far; " if run.keep_best() else ""
        again = again if resume_path(out).exists() else "no epoch was finished"
        reporter.line(f"{end}: the time is used up; {kept}{again}")
        return 0
    if card is not None and team.leads:
        write_card(card, checkpoint, out, run.progress.seconds)
    reporter.line(f"{out}: {settings.network} in stage {checkpoint.stage}")
    return 0


def _check_method(epochs: tuple[int, int, int], same: dict[str, Any]) -> None:
    """Refuse combinations of options that cannot mean anything."""
    if same["distill"] > 0 and epochs[0] == 0 and same["start"] is None:
        raise UsageError(
            "--distill: the teacher is stage R's network, and --epochs trains none; give R epochs, "
            "or a trained one with --start"
        )
    if same["alpha"] is not None and same["progressive"] > 1:
        raise UsageError(
            "--alpha with --progressive: one constant replaces the float weights that layers "
            "still waiting train with; leave one of them away"
        )


def _check_out(out: Path, resume: bool) -> None:
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: folder '{out.parent}' does not exist; make it first")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; give a file name such as model.pth")
    if resume_path(out).exists() and not resume:
        raise UsageError(
            f"{resume_path(out)}: holds an unfinished run; add --resume to go on with it, or "
            "delete it to start anew"
        )


def _fit(dataset: Dataset, arguments: dict[str, Any], resize: str) -> tuple[Dataset, Preprocessing]:
    """The data set in the network's input size; fills in the arguments that data decides."""
    height, width, channels = dataset.shape
    given = {"in_channels": channels, "classes": len(dataset.classes)}
    for key, value in given.items():
        if arguments.setdefault(key, value) != value:
            raise UsageError(f"--set {key}={arguments[key]}: the data has {value}; leave it away")
    arguments.setdefault("height", height)
    arguments.setdefault("width", width)
    preprocessing = Preprocessing(arguments["height"], arguments["width"], channels, resize=resize)

    def fitted(split: Split) -> Split:
        return Split(preprocess(split.images, preprocessing), split.labels)

    dataset = replace(
        dataset,
        train=fitted(dataset.train),
        validation=fitted(dataset.validation),
        test=fitted(dataset.test),
    )
    return dataset, preprocessing


def _device(device: str) -> str:
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: torch sees no CUDA device; use --device cpu")
    return device


def _precision(precision: str, device: str) -> str:
    import torch

    if precision != "auto":
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if native else "fp32"
