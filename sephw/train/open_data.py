"""Opens the training data and brings it to the network's input size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

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
from sephw.errors import UsageError
from sephw.networks import input_size
from sephw.progress import Progress
from sephw.train.decoders import Decoders
from sephw.train.evaluate import in_memory
from sephw.train.folder import FolderSource
from sephw.train.settings import TrainingSettings
from sephw.train.source import TrainingData


@dataclass(frozen=True, eq=False)
class OpenedData:
    """The data as sources, and the preprocessing to the network's size.

    ``arguments``: the network's, with those that the data determines. ``notes``: lines for the
    user.
    """

    parts: TrainingData
    preprocessing: Preprocessing
    arguments: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        form = self.preprocessing
        return form.height, form.width, form.channels


def open_data(settings: TrainingSettings, decoders: Decoders, progress: Progress) -> OpenedData:
    """Open the data of ``settings`` in the size that the network takes.

    Raises UsageError where network arguments or --resize contradict the data, SephwError where it
    cannot be read.
    """
    path = Path(settings.data).expanduser()
    if settings.data not in DATA_NAMES and is_image_folder(path):
        return _open_files(path, settings, decoders)
    arguments = dict(settings.arguments)
    size = None
    if settings.resize != "none" and {"height", "width"} <= arguments.keys():
        size = (arguments["height"], arguments["width"])
    dataset = load_data(
        settings.data,
        seed=settings.seed,
        size=size,
        resize="bilinear" if settings.resize == "none" else settings.resize,
        channels=_channels(arguments),
        progress=progress.count,
    )
    dataset, preprocessing = _fit(dataset, arguments, settings.resize)
    train, validation, test = map(in_memory, (dataset.train, dataset.validation, dataset.test))
    parts = TrainingData(
        dataset.name, train, validation, test, dataset.classes, dataset.source, dataset.licence
    )
    return OpenedData(parts, preprocessing, arguments, dataset.notes)


def _channels(arguments: dict[str, Any]) -> int | None:
    """The channels that the user requests for conversion; None leaves the images' own."""
    channels: int | None = arguments.get("in_channels")
    if channels not in (None, 1, 3):
        raise UsageError(f"--set in_channels={channels}: images have 1 (grey) or 3 (RGB)")
    return channels


def _open_files(path: Path, settings: TrainingSettings, decoders: Decoders) -> OpenedData:
    if settings.resize != "none":
        raise UsageError(
            f"--resize {settings.resize}: images of a train/ and val/ folder are cropped to the "
            "network's size; leave it away"
        )
    arguments = dict(settings.arguments)
    channels = _channels(arguments) or 3
    dataset = open_image_folder(path, seed=settings.seed, channels=channels)
    _fill_in_arguments(arguments, channels, len(dataset.classes))
    height, width = input_size(settings.network, arguments)
    arguments.update(height=height, width=width)
    train, validation, test = (
        FolderSource(files, (height, width), decoders)
        for files in (dataset.train, dataset.validation, dataset.test)
    )
    parts = TrainingData(
        dataset.name, train, validation, test, dataset.classes, dataset.source, dataset.licence
    )
    preprocessing = Preprocessing(height, width, channels, resize="crop")
    return OpenedData(parts, preprocessing, arguments, dataset.notes)


def _fill_in_arguments(arguments: dict[str, Any], channels: int, classes: int) -> None:
    """Set the arguments that the data determines; UsageError where the user's contradict it."""
    given = {"in_channels": channels, "classes": classes}
    for key, value in given.items():
        if arguments.setdefault(key, value) != value:
            raise UsageError(f"--set {key}={arguments[key]}: the data has {value}; leave it away")


def _fit(dataset: Dataset, arguments: dict[str, Any], resize: str) -> tuple[Dataset, Preprocessing]:
    """The data set in the network's input size; sets the arguments that the data determines."""
    height, width, channels = dataset.shape
    _fill_in_arguments(arguments, channels, len(dataset.classes))
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
