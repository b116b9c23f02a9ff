"""What `sephw train` does with its options."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sephw.data import (
    DATA_NAMES,
    Dataset,
    Preprocessing,
    Split,
    is_image_folder,
    load_data,
    open_image_folder,
    preprocess,
)
from sephw.errors import SephwError, UsageError
from sephw.lifetime.ending import graceful
from sephw.networks import check_arguments, input_size
from sephw.progress import Progress
from sephw.train.card import write_card
from sephw.train.decoders import Decoders
from sephw.train.evaluate import in_memory
from sephw.train.folder import FolderSource
from sephw.train.parallel import Team, join_team
from sephw.train.progress import Reporter
from sephw.train.resume import resume_path
from sephw.train.settings import Settings, parse_arguments, per_stage, shares
from sephw.train.source import TrainingData

_MOST_PIXELS = 1 << 14


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
    start_progress: Callable[[int, str], Progress],
    **same: Any,
) -> int:
    """Do what the options say; exit status 0, or 130 after Ctrl-C.

    ``start_progress`` takes the number of steps and what they are about.
    Started by `torchrun`, this is one process of a team.
    """
    stage_epochs = per_stage("epochs", epochs, int)
    if not any(stage_epochs):
        raise UsageError(f"--epochs '{epochs}': nothing to train; give at least one epoch")
    arguments = parse_arguments(pairs)
    arguments = _checked(same["network"], arguments)
    same["milestones"] = shares("milestones", milestones)
    _check_method(stage_epochs, same)
    _check_out(out, resume)
    # Spinning OpenMP threads starve every other process on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    torch.set_num_threads(threads)
    device = _device(device)
    team = join_team(device)
    with team.explained():
        try:
            with Decoders(workers) as decoders:
                result = _train(
                    team,
                    data,
                    out,
                    arguments,
                    stage_epochs,
                    per_stage("lr", lr, float),
                    augment,
                    precision,
                    threads,
                    resume,
                    max_minutes,
                    card,
                    decoders,
                    start_progress,
                    same,
                )
        except BaseException:
            team.leave(together=False)
            raise
        team.leave(together=True)
    return result


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
    decoders: Decoders,
    start_progress: Callable[[int, str], Progress],
    same: dict[str, Any],
) -> int:
    from sephw.train.run import Run, TimeUp

    if same["batch"] < team.size:
        raise UsageError(
            f"--batch {same['batch']}: less than one image for each of {team.size} processes"
        )
    name = Path(data).stem
    # An epoch, and a measurement at every stage's beginning and end, is a step; so is the data.
    stages = sum(map(bool, stage_epochs))
    steps = 1 + sum(stage_epochs) + 2 * stages
    progress = start_progress(steps, f"{same['network']} on {name}")
    reporter = Reporter(progress if team.leads else None, silent=not team.leads)
    with reporter.step("load", name):
        parts, preprocessing, shape, notes = _open(data, arguments, same, decoders, progress)
    reporter.notes(notes)
    settings = Settings(
        data=data,
        arguments=arguments,
        epochs=stage_epochs,
        lr=rates,
        augment=augment or ("crop+flip" if shape[2] == 3 else "crop"),
        threads=threads,
        device=team.device,
        precision=_precision(precision, team.device),
        processes=team.size,
        **same,
    )
    reporter.line(
        f"{parts.name}: {len(parts.train)} training, {len(parts.validation)} validation, "
        f"{len(parts.test)} test images {'x'.join(map(str, shape))}; "
        f"{settings.network}, {team.device}, {settings.precision}, augment {settings.augment}"
        + (f", {team.size} processes" if team.size > 1 else "")
    )
    run = Run(
        settings,
        parts,
        preprocessing,
        out,
        reporter,
        resume=resume,
        max_minutes=max_minutes,
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
    if card is not None and team.leads:
        write_card(card, checkpoint, out, run.progress.seconds)
    reporter.line(f"{out}: {settings.network} in stage {checkpoint.stage}")
    return 0


def _checked(network: str, arguments: dict[str, Any]) -> dict[str, Any]:
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
    if out.exists() and not out.is_file() and not out.is_dir():
        raise UsageError(f"--out {out}: is a pipe or a device; give a file name such as model.pth")
    if out.is_dir():
        raise UsageError(f"--out {out}: is a folder; give a file name such as model.pth")
    if resume_path(out).exists() and not resume:
        raise UsageError(
            f"{resume_path(out)}: holds an unfinished run; add --resume to go on with it, or "
            "delete it to start anew"
        )


def _open(
    data: str,
    arguments: dict[str, Any],
    same: dict[str, Any],
    decoders: Decoders,
    progress: Progress,
) -> tuple[TrainingData, Preprocessing, tuple[int, int, int], tuple[str, ...]]:
    """The data as sources, how images come to the network's size, (height, width, channels), notes.

    Fills in the network arguments that the data decides.
    """
    path = Path(data).expanduser()
    if data not in DATA_NAMES and is_image_folder(path):
        return _open_files(path, arguments, same, decoders)
    size = None
    if same["resize"] != "none" and {"height", "width"} <= arguments.keys():
        size = (arguments["height"], arguments["width"])
    dataset = load_data(
        data,
        seed=same["seed"],
        size=size,
        resize="bilinear" if same["resize"] == "none" else same["resize"],
        channels=_channels(arguments),
        progress=progress.count,
    )
    dataset, preprocessing = _fit(dataset, arguments, same["resize"])
    train, validation, test = map(in_memory, (dataset.train, dataset.validation, dataset.test))
    parts = TrainingData(
        dataset.name, train, validation, test, dataset.classes, dataset.source, dataset.licence
    )
    return parts, preprocessing, dataset.shape, dataset.notes


def _channels(arguments: dict[str, Any]) -> int | None:
    """Channels that the user asks for, to which images are converted; None leaves it to them."""
    channels: int | None = arguments.get("in_channels")
    if channels not in (None, 1, 3):
        raise UsageError(f"--set in_channels={channels}: images have 1 (grey) or 3 (RGB)")
    return channels


def _open_files(
    path: Path, arguments: dict[str, Any], same: dict[str, Any], decoders: Decoders
) -> tuple[TrainingData, Preprocessing, tuple[int, int, int], tuple[str, ...]]:
    if same["resize"] != "none":
        raise UsageError(
            f"--resize {same['resize']}: images of a train/ and val/ folder are cropped to the "
            "network's size; leave it away"
        )
    channels = _channels(arguments) or 3
    dataset = open_image_folder(path, seed=same["seed"], channels=channels)
    _decided(arguments, channels, len(dataset.classes))
    height, width = input_size(same["network"], arguments)
    arguments.update(height=height, width=width)
    train, validation, test = (
        FolderSource(files, (height, width), decoders)
        for files in (dataset.train, dataset.validation, dataset.test)
    )
    parts = TrainingData(
        dataset.name, train, validation, test, dataset.classes, dataset.source, dataset.licence
    )
    preprocessing = Preprocessing(height, width, channels, resize="crop")
    return parts, preprocessing, (height, width, channels), dataset.notes


def _decided(arguments: dict[str, Any], channels: int, classes: int) -> None:
    """Fill in what the data decides; UsageError where the user says otherwise."""
    given = {"in_channels": channels, "classes": classes}
    for key, value in given.items():
        if arguments.setdefault(key, value) != value:
            raise UsageError(f"--set {key}={arguments[key]}: the data has {value}; leave it away")


def _fit(dataset: Dataset, arguments: dict[str, Any], resize: str) -> tuple[Dataset, Preprocessing]:
    """The data set in the network's input size; fills in the arguments that data decides."""
    height, width, channels = dataset.shape
    _decided(arguments, channels, len(dataset.classes))
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
