"""Images of every kind in one data set: channels, conversions and sizes are decided over all."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training_files import png

from sephw.cli import run
from sephw.data import load_data, open_image_folder
from sephw.data.folders import read_centre
from sephw.errors import SephwError
from sephw.files.picture import read_picture

GREY, RED = (60, 60, 60), (200, 10, 20)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def deep_rgb(values: tuple[int, int, int], size: tuple[int, int]) -> bytes:
    """A PNG of 16 bits a channel, written from the format's description."""
    height, width = size
    row = b"\0" + struct.pack(">3H", *values) * width

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row * height))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def palette(colour: tuple[int, int, int]) -> bytes:
    image = Image.new("P", (8, 6))
    image.putpalette([*colour, 0, 0, 0])
    return saved(image)


def turned() -> bytes:
    """6 rows of 8 pixels, stored as a camera does that was held sideways (orientation 6)."""
    pixels = np.zeros((6, 8, 3), np.uint8)
    pixels[0, :, 0] = 255  # the upper row is red
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = Image.fromarray(np.ascontiguousarray(np.rot90(pixels)))
    return saved(stored, "PNG", exif=exif)


def clear(mode: str, colour: tuple[int, ...]) -> bytes:
    return saved(Image.new(mode, (8, 6), colour))


# bytes, the expected pixel in the middle, and what is said of it
KINDS: dict[str, tuple[Callable[[], bytes], tuple[int, ...], str]] = {
    "grey": (lambda: saved(Image.new("L", (8, 6), 60)), (60,), ""),
    "two levels": (lambda: saved(Image.new("1", (8, 6), 1)), (255,), ""),
    "colour": (lambda: saved(Image.new("RGB", (8, 6), RED)), RED, ""),
    "opaque": (lambda: clear("RGBA", (*RED, 255)), RED, ""),
    # 0.2 of the colour and 0.8 of white
    "alpha": (lambda: clear("RGBA", (*RED, 51)), (244, 206, 208), "transparent pixels"),
    "grey alpha": (lambda: clear("LA", (60, 0)), (255,), "transparent pixels"),
    "palette": (lambda: palette(RED), RED, "have a palette"),
    "grey palette": (lambda: palette(GREY), (60,), "have a palette"),
    "16 bit": (
        lambda: saved(Image.fromarray(np.full((6, 8), 0x4CFF, np.uint16))),
        (0x4C,),
        "16 bits",
    ),
    "16 bit colour": (
        lambda: deep_rgb((0xC8FF, 0x0A80, 0x1400), (6, 8)),
        (0xC8, 0x0A, 0x14),
        "16 bits",
    ),
    "CMYK": (
        lambda: saved(Image.new("CMYK", (8, 6), (0, 255, 255, 0)), "TIFF"),
        (255, 0, 0),
        "CMYK",
    ),
    "turned": (turned, (0, 0, 0), "EXIF"),
    "animated": (
        lambda: saved(
            Image.new("RGB", (8, 6), RED),
            "WEBP",
            lossless=True,
            save_all=True,
            append_images=[Image.new("RGB", (8, 6), GREY)],
        ),
        RED,
        "several frames",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_pixels_and_conversions_of_one_image(kind: str) -> None:
    content, pixel, said = KINDS[kind]
    picture = read_picture(content)
    pixels = picture.pixels()
    assert pixels.shape == (6, 8, len(pixel)) and picture.channels == len(pixel)
    assert np.abs(pixels[3, 4].astype(int) - pixel).max() <= (1 if kind == "alpha" else 0)
    texts = [conversion.value for conversion in picture.conversions]
    assert (len(texts), said in "".join(texts)) == (1 if said else 0, True)
    if kind == "turned":
        assert (pixels[0] == (255, 0, 0)).all() and not pixels[1:].any()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "PPM"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_nothing_is_said_of_plain_images_of_any_size(kind: str, mode: str) -> None:
    """16 pixels are no 16 bits."""
    content = saved(Image.new(mode, (16, 116), 60 if mode == "L" else RED), kind)
    assert read_picture(lambda: content).conversions == ()


def test_values_without_a_range_are_refused() -> None:
    deep = saved(Image.fromarray(np.full((4, 4), 1.5, np.float32)), "TIFF")
    with pytest.raises(SephwError) as error:
        read_picture(lambda: deep)
    assert str(error.value) == (
        "mode F: its 32-bit values have no stated range; save it with 8 or 16 bits"
    )


def write(path: Path, images: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in images.items():
            archive.writestr(name, content)
    return path


def pets(count: int = 6) -> dict[str, bytes]:
    """Grey images first, then one in colour."""
    images = {f"{c}/{i}.png": png(10 * i, mode="L") for c in "ab" for i in range(count)}
    images["b/9.png"] = png(77, mode="RGB")
    return images


@pytest.mark.parametrize("cached", [False, True])
def test_one_image_in_colour_makes_three_channels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cached: bool
) -> None:
    monkeypatch.setattr("sephw.data.cache.LEAST_BYTES", 0 if cached else 1 << 40)
    path = write(tmp_path / "pets.zip", pets())
    for _ in range(2):  # a cache says the same
        dataset = load_data(path)
        assert dataset.shape == (8, 8, 3)
        assert dataset.notes == (
            "12 of 13 images are grey: their value is in all three channels; the first: 'a/0.png'",
        )
    grey = load_data(path, channels=1)
    assert grey.shape == (8, 8, 1)
    (note,) = grey.notes
    assert note.startswith("1 of 13 images are in colour: converted to grey (") and "b/9" in note
    del (images := pets())["b/9.png"]
    assert load_data(write(path, images)).shape == (8, 8, 1)


def test_test_images_decide_as_well(tmp_path: Path) -> None:
    images = {f"train/{c}/{i}.png": png(i, mode="L") for c in "ab" for i in range(6)}
    images |= {f"test/{c}/{i}.png": png(i, mode="RGB") for c in "a" for i in range(3)}
    dataset = load_data(write(tmp_path / "pets.zip", images))
    assert dataset.shape == (8, 8, 3) and dataset.test.images.shape == (3, 8, 8, 3)
    assert dataset.notes[0] == "class 'b' has no test images"
    assert dataset.notes[1].startswith("12 of 15 images are grey: ")


def test_no_class_and_no_file_is_lost_silently(tmp_path: Path) -> None:
    images = {f"{c}/{i}.png": png(i) for c in "ab" for i in range(4)}
    path = write(tmp_path / "p.zip", {**images, "a/4.heic": b"", "notes.txt": b""})
    assert load_data(path).notes == (
        f"files of {path} that are left out: 1 (ending in .heic), such as 'a/4.heic'",
    )
    for extra in ({"c/0.heic": b""}, {"c/": b""}):
        write(path, {**images, **extra})
        with pytest.raises(SephwError, match="class 'c' has no images"):
            load_data(path)
    for part in ("train", "val"):
        for name in "abc":
            (tmp_path / "f" / part / name).mkdir(parents=True)
            if name != "c":
                for i in range(4):
                    (tmp_path / "f" / part / name / f"{i}.png").write_bytes(png(i, mode="L"))
    with pytest.raises(SephwError, match="class 'c' has no images"):
        open_image_folder(tmp_path / "f", seed=0)
    (tmp_path / "f" / "train" / "c").rmdir()
    (tmp_path / "f" / "val" / "c").rmdir()
    dataset = open_image_folder(tmp_path / "f", seed=0)
    assert read_centre(dataset.test, 0, 6, 6).shape == (6, 6, 3)
    assert dataset.notes == (
        "8 of 8 images looked at are grey: their value is in all three channels; "
        "the first: 'a/0.png'",
    )
    grey = open_image_folder(tmp_path / "f", seed=0, channels=1)
    assert read_centre(grey.test, 0, 6, 6).shape == (6, 6, 1) and grey.notes == ()


def test_training_says_it_and_the_fix_for_sizes_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("pets.zip"), {**pets(), "a/0.png": png(1, (9, 7), mode="L")})
    command = [
        "train",
        "--data",
        "pets.zip",
        "--out",
        "a.pth",
        "--set",
        "widths=16",
        "--set",
        "modules=1",
        "--epochs",
        "1,0,0",
    ]
    assert run(command) == 2
    message = capsys.readouterr().err
    assert message == (
        "sephw: error: pets.zip: the images are of several sizes, 12 of 13 looked at of 8x8; bring "
        "them to one, or train with --resize bilinear --set height=8 --set width=8\n"
    )
    assert run([*command, *message.rpartition("train with ")[2].split()]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("note: 12 of 13 images are grey: ") and " test images 8x8x3; " in shown
    again = [
        *command,
        "--set",
        "height=9",
        "--set",
        "width=10",
        "--resize",
        "pad",
        "--set",
        "in_channels=1",
    ]
    assert run(again) == 0
    shown = capsys.readouterr().out
    assert "1 of 13 images are in colour" in shown and " test images 9x10x1; " in shown
