"""accelerator.json: the description of a design for the host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.export_names import BOARD
from sephw.files import build, read_json, reading
from sephw.host.errors import DescriptionError

FILE = "accelerator.json"
_FORMAT, _VERSION = "sephw-accelerator", 2
# Where an export keeps its board files.
_FOLDERS = (".", BOARD)
_MOST_EXTENT, _MOST_VALUES = 1 << 16, 1 << 28
RESIZES = ("none", "bilinear", "pad", "crop")
_BITSTREAMS = {".bit", ".bin", ".fs"}


@dataclass(frozen=True)
class Description:
    """The description of a design.

    Shapes are (height, width, channels); ``cable`` is the name of its board for openFPGALoader.
    ``clock_hz``: the network's clock; ``uart_hz``: the board's oscillator, which times the line.
    ``frame_limit_cycles`` bounds a frame's cycles from its first beat in to its last beat out.
    ``class_names``: of the output's channels, empty where they are unknown; ``resize``: the method
    that brought the network's images to their size (none, bilinear, pad, crop).
    """

    directory: Path
    name: str
    target: str
    cable: str
    build_id: int
    image_shape: tuple[int, int, int]
    image_bits: int
    output_shape: tuple[int, int, int]
    output_bits: int
    output_signed: bool
    clock_hz: int
    uart_hz: int
    baud: int
    frame_limit_cycles: int
    class_names: tuple[str, ...] = ()
    resize: str = "none"

    @property
    def image_bytes(self) -> int:
        """The bytes of an image, one per value."""
        height, width, channels = self.image_shape
        return height * width * channels

    @property
    def outputs(self) -> int:
        """The number of output integers per image."""
        height, width, channels = self.output_shape
        return height * width * channels

    @property
    def output_range(self) -> tuple[int, int]:
        """Smallest and largest output."""
        half = 1 << (self.output_bits - 1)
        return (-half, half - 1) if self.output_signed else (0, 2 * half - 1)

    @property
    def has_classes(self) -> bool:
        """True where the output has at least two channels, so that there are classes to choose
        from.
        """
        return self.output_shape[2] > 1

    def classes(self, outputs: NDArray[np.int64]) -> NDArray[np.int64]:
        """The channel of the largest of ``outputs`` int64 (N, outputs), the first among equals.

        Returns int64 (N,), or (N, height, width), one per pixel, where the output is a map. Raises
        DescriptionError where it has one channel.
        """
        height, width, channels = self.output_shape
        if not self.has_classes:
            raise DescriptionError(
                f"'{self.name}' gives one value per {'pixel' if height * width > 1 else 'image'}, "
                "no classes; use predict"
            )
        found = outputs.reshape(-1, height, width, channels).argmax(axis=3)
        return found[:, 0, 0] if height * width == 1 else found

    def bitstream(self) -> Path:
        """The one bitstream in the export; DescriptionError where there is none, or several."""
        folder = self.directory.parent if self.directory.name == BOARD else self.directory
        found = sorted(p for p in folder.rglob("bitstream.*") if p.suffix in _BITSTREAMS)
        if not found:
            raise DescriptionError(
                f"'{folder}' holds no bitstream; export the model with its synth step, or name "
                "the file with --bitstream"
            )
        if len(found) > 1:
            listed = ", ".join(str(path.relative_to(folder)) for path in found)
            raise DescriptionError(
                f"'{folder}' holds several bitstreams ({listed}); name one with --bitstream"
            )
        return found[0]


def read_description(path: str | Path) -> Description:
    """Read accelerator.json from its path, an export directory or that one's board folder.

    Raises DescriptionError where there is none, or it is not one of a board with the host link.
    """
    given = Path(path)
    file = given
    if given.is_dir():
        candidates = [given / folder / FILE for folder in _FOLDERS]
        file = next((c for c in candidates if c.is_file()), candidates[0])
    what, again = f"'{file}'", "export the model again"
    missing = "cannot be read (No such file or directory); give the directory of an export for an "
    content = read_json(file, what, again, missing=f"{missing}open board", error=DescriptionError)
    if (content.get("format"), content.get("version")) != (_FORMAT, _VERSION):
        raise DescriptionError(f"{what} is no {FILE} of this version; {again}")
    if content.get("link") != "uart":
        raise DescriptionError(
            f"{what} describes a design of another driver; run the driver.py beside it"
        )
    with reading(what, again, failed=f"is no {FILE} of this version", error=DescriptionError):
        found = build(
            Description,
            {
                **{key: content[key] for key in _PLAIN},
                "directory": file.parent,
                "build_id": int(content["build_id"], 16),
                "image_shape": tuple(content["image_shape"]),
                "output_shape": tuple(content["output_shape"]),
                "class_names": tuple(content.get("class_names", ())),
                "resize": content.get("resize", "none"),
            },
        )
        _check(found)
        return found


# Entries that the file and `Description` have alike.
_PLAIN = (
    "name",
    "target",
    "cable",
    "image_bits",
    "output_bits",
    "output_signed",
    "clock_hz",
    "uart_hz",
    "baud",
    "frame_limit_cycles",
)


def _check(found: Description) -> None:
    """Raise ValueError for a number that no design could have."""
    counts = (found.clock_hz, found.uart_hz, found.baud, found.frame_limit_cycles)
    shapes = (*found.image_shape, *found.output_shape)
    if min(counts) < 1 or not all(0 < extent <= _MOST_EXTENT for extent in shapes):
        raise ValueError("a count or a size is out of range")
    if not (0 < found.image_bits <= 8 and 0 < found.output_bits <= 64):
        raise ValueError("a number of bits is out of range")
    if found.resize not in RESIZES or len(found.class_names) not in (0, found.output_shape[2]):
        raise ValueError("the class names or the way of resizing do not fit")
    if max(found.image_bytes, found.outputs) > _MOST_VALUES:
        raise ValueError("an image or its outputs are too large")
