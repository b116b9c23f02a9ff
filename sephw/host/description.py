"""accelerator.json: what the host has to know of a design."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sephw.host.errors import DescriptionError

FILE = "accelerator.json"
_FORMAT, _VERSION = "sephw-accelerator", 2
# Where an export keeps its board files.
_FOLDERS = (".", "board")
_BITSTREAMS = {".bit", ".bin", ".fs"}


@dataclass(frozen=True)
class Description:
    """A design. Shapes are (height, width, channels); ``cable``: its board for openFPGALoader.

    ``clock_hz``: the network's; ``uart_hz``: of the board's oscillator, which times the line.
    ``frame_limit_cycles``: no frame takes longer from its first beat in to its last beat out.
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

    @property
    def image_bytes(self) -> int:
        """Bytes of an image, one per value."""
        height, width, channels = self.image_shape
        return height * width * channels

    @property
    def outputs(self) -> int:
        """Integers that one image gives."""
        height, width, channels = self.output_shape
        return height * width * channels

    @property
    def output_range(self) -> tuple[int, int]:
        """Smallest and largest output."""
        half = 1 << (self.output_bits - 1)
        return (-half, half - 1) if self.output_signed else (0, 2 * half - 1)

    def bitstream(self) -> Path:
        """The one bitstream in the export; DescriptionError where there is none, or several."""
        folder = self.directory.parent if self.directory.name == "board" else self.directory
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
    """Read accelerator.json, or the one in an export directory or its board folder.

    DescriptionError where there is none, or it is not one of a board with the host link.
    """
    given = Path(path)
    file = given
    if given.is_dir():
        candidates = [given / folder / FILE for folder in _FOLDERS]
        file = next((c for c in candidates if c.is_file()), candidates[0])
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if (content["format"], content["version"]) != (_FORMAT, _VERSION):
            raise ValueError
        if content.get("link") != "uart":
            raise DescriptionError(
                f"'{file}' describes a design of another driver; run the driver.py beside it"
            )
        return Description(
            directory=file.parent,
            name=str(content["name"]),
            target=str(content["target"]),
            cable=str(content["cable"]),
            build_id=int(content["build_id"], 16),
            image_shape=_shape(content["image_shape"]),
            image_bits=int(content["image_bits"]),
            output_shape=_shape(content["output_shape"]),
            output_bits=int(content["output_bits"]),
            output_signed=bool(content["output_signed"]),
            clock_hz=int(content["clock_hz"]),
            uart_hz=int(content["uart_hz"]),
            baud=int(content["baud"]),
            frame_limit_cycles=int(content["frame_limit_cycles"]),
        )
    except OSError as error:
        raise DescriptionError(
            f"'{file}' cannot be read ({error.strerror}); give the directory of an export for an "
            "open board"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise DescriptionError(
            f"'{file}' is no {FILE} of this version; export the model again"
        ) from None


def _shape(values: Any) -> tuple[int, int, int]:
    height, width, channels = (int(value) for value in values)
    return height, width, channels
