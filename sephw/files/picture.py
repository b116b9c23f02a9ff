"""Decoding of one image file to 8-bit grey or RGB, with a record of the conversions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files.images import open_image

_ORIENTATION = 0x0112  # the EXIF tag: how a camera was held, 1 to 8
# The customary share around the centre crop: 256 pixels for one of 224.
MARGIN = 256 / 224
_WHITE = (255, 255, 255, 255)


class Conversion(Enum):
    """A conversion of an image beyond decoding; the value completes 'N of M images …'."""

    GREY_TO_RGB = "are grey: their value is in all three channels"
    RGB_TO_GREY = "are in colour: converted to grey (0.299 R + 0.587 G + 0.114 B)"
    ALPHA = "have transparent pixels: laid on white"
    PALETTE = "have a palette: its colours are taken"
    DEEP = "have 16 bits per value: the upper 8 are kept"
    COLOUR_SPACE = "are in CMYK or another colour space: converted to RGB without its profile"
    ORIENTATION = "are stored turned: put upright as their EXIF orientation says"
    FRAMES = "have several frames: the first one is taken"


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded, upright image of Pillow in mode 'L' or 'RGB', and the conversions applied to
    it.
    """

    image: Any
    conversions: tuple[Conversion, ...]

    @property
    def channels(self) -> int:
        """The number of channels: 1 or 3."""
        return 1 if self.image.mode == "L" else 3

    def resized(self, height: int, width: int, resize: str) -> Picture:
        """The picture in another size: 'bilinear', 'pad' (zeros around, centred), or 'crop' (the
        centre).

        A crop scales the shorter side to 8/7 of the size first. Raises SephwError, its text without
        the file ("size …"), where the picture is too large to pad, or has another size and `resize`
        is 'none'.
        """
        from PIL import Image

        if resize == "crop":
            return self._centre(height, width)
        if self.image.size == (width, height):
            return self
        if resize == "none":
            raise SephwError(
                f"size {self.image.height}x{self.image.width}, not {height}x{width}; bring it to "
                "that size, or train with --resize bilinear or pad"
            )
        if resize == "bilinear":
            return Picture(
                self.image.resize((width, height), Image.Resampling.BILINEAR), self.conversions
            )
        top, left = height - self.image.height, width - self.image.width
        if top < 0 or left < 0:
            raise SephwError(
                f"size {self.image.height}x{self.image.width}, larger than {height}x{width}: it "
                "cannot be padded; use --resize bilinear"
            )
        padded = Image.new(self.image.mode, (width, height))
        padded.paste(self.image, (left // 2, top // 2))
        return Picture(padded, self.conversions)

    def _centre(self, height: int, width: int) -> Picture:
        from PIL import Image

        image = self.image
        scale = MARGIN * max(height / image.height, width / image.width)
        size = max(width, round(image.width * scale)), max(height, round(image.height * scale))
        image = image.resize(size, Image.Resampling.BILINEAR)
        left, top = (size[0] - width) // 2, (size[1] - height) // 2
        return Picture(image.crop((left, top, left + width, top + height)), self.conversions)

    def in_channels(self, channels: int) -> Picture:
        """The picture converted to 1 or 3 channels."""
        if channels == self.channels:
            return self
        grey = channels == 1
        more = Conversion.RGB_TO_GREY if grey else Conversion.GREY_TO_RGB
        return Picture(self.image.convert("L" if grey else "RGB"), (*self.conversions, more))

    def pixels(self) -> NDArray[np.uint8]:
        """The pixels as uint8 (H, W, channels)."""
        image = self.image
        return np.asarray(image, np.uint8).reshape(image.height, image.width, self.channels)


def read_picture(source: Path | Callable[[], bytes]) -> Picture:
    """Decode a file, or the bytes that `source` returns. Raises SephwError with the reason."""
    try:
        with open_image(source if isinstance(source, Path) else source()) as image:
            return _plain(image)
    except SephwError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly everything
        reason = " ".join(str(error).split()) or type(error).__name__
        raise SephwError(f"cannot be decoded ({reason})") from None


def _plain(image: Any) -> Picture:
    """Convert to mode 'L' or 'RGB', by the image's own mode and palette."""
    from PIL import Image

    done: list[Conversion] = []
    if getattr(image, "is_animated", False) and image.format != "MPO":
        done.append(Conversion.FRAMES)
    deep = any(";16" in _raw_mode(tile[3]) for tile in image.tile)  # before it is decoded
    turned = image.format == "TIFF" and _turn(image) is not None  # Pillow's reader puts it upright
    image.load()
    turn = _turn(image)
    if turned or turn is not None:
        done.append(Conversion.ORIENTATION)
    if turn is not None:
        image = image.transpose(turn)
    if image.mode in ("I", "F") and not (image.mode == "I" and image.format in ("PNG", "PPM")):
        raise SephwError(
            f"mode {image.mode}: its 32-bit values have no stated range; save it with 8 or 16 bits"
        )
    if image.mode == "I" or image.mode.startswith("I;16"):
        upper = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        return Picture(Image.fromarray(upper), (*done, Conversion.DEEP))
    if deep:
        done.append(Conversion.DEEP)
    grey = image.mode in ("1", "L", "LA", "La")
    palette = image.mode in ("P", "PA")
    if palette:
        done.append(Conversion.PALETTE)
    elif not grey and image.mode not in ("RGB", "RGBA", "RGBa", "RGBX"):
        done.append(Conversion.COLOUR_SPACE)
    clear = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if clear:
        image = image.convert("LA").convert("RGBA") if image.mode == "La" else image.convert("RGBA")
        if image.getchannel("A").getextrema()[0] < 255:
            done.append(Conversion.ALPHA)
            image = Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image)
    image = image.convert("L" if grey and not clear else "RGB")
    if image.mode == "RGB" and (grey or (palette and _is_grey(image))):
        image = image.getchannel("R")
    return Picture(image, tuple(done))


def _raw_mode(arguments: Any) -> str:
    """The storage mode in the arguments of Pillow's decoder: 'RGB;16B' stands for 16 bits."""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _turn(image: Any) -> Any:
    """The transposition that puts the image upright, or None; damaged EXIF counts as none."""
    from PIL import Image

    way = Image.Transpose
    turns = {
        2: way.FLIP_LEFT_RIGHT,
        3: way.ROTATE_180,
        4: way.FLIP_TOP_BOTTOM,
        5: way.TRANSPOSE,
        6: way.ROTATE_270,
        7: way.TRANSVERSE,
        8: way.ROTATE_90,
    }
    try:
        return turns.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:
        return None


def _is_grey(image: Any) -> bool:
    pixels = np.asarray(image)
    return bool((pixels[..., :1] == pixels).all())


@dataclass
class ConversionCounts:
    """Counts conversions over many images, with an example of each."""

    seen: int = 0
    found: Counter[Conversion] = field(default_factory=Counter)
    examples: dict[Conversion, str] = field(default_factory=dict)

    def add(self, name: str, conversions: Iterable[Conversion]) -> None:
        """Count the conversions of one image."""
        self.seen += 1
        for conversion in conversions:
            self.found[conversion] += 1
            self.examples.setdefault(conversion, name)

    def notes(self, of: str = "images") -> tuple[str, ...]:
        """One line for each conversion, in their order of declaration."""
        return tuple(
            f"{self.found[kind]:,} of {self.seen:,} {of} {kind.value}; "
            f"the first: '{self.examples[kind]}'"
            for kind in Conversion
            if self.found[kind]
        )
