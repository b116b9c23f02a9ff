"""Images: decoded in this process, of few formats, and measured before they are decoded."""

import io
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from sephw.data import ImageFiles, load_data
from sephw.data.folders import read_centre
from sephw.data.images import MOST_DECODED_BYTES
from sephw.errors import SephwError
from sephw.files.images import FORMATS, open_image
from sephw.files.picture import read_picture

EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 8
%%EndComments
(ran) print
%%EOF
"""


def encoded(kind, size=(6, 5)):
    content = io.BytesIO()
    Image.fromarray(np.full((*size, 3), 77, np.uint8)).save(content, kind)
    return content.getvalue()


def claiming(width, height):
    """A PNG whose header claims a size; there is nothing behind it."""

    def chunk(kind, data):
        checked = kind + data
        return struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def refused(call, *arguments, **options):
    with pytest.raises(SephwError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_of_the_list_are_decoded(kind):
    assert np.asarray(open_image(encoded(kind)).convert("RGB")).shape == (6, 5, 3)


@pytest.fixture
def no_program(monkeypatch):
    """Starting any program fails the test."""

    def forbidden(*arguments, **_):
        raise AssertionError(f"started {arguments}")

    monkeypatch.setattr("subprocess.Popen", forbidden)
    monkeypatch.setattr(os, "system", forbidden)


@pytest.mark.parametrize("name", ["0.png", "0.jpg", "0.tif"])
def test_content_that_pillow_would_give_to_a_program(tmp_path, no_program, name):
    for part in ("train", "val"):
        for label in ("a", "b"):
            (tmp_path / part / label).mkdir(parents=True)
            for i in range(4):
                (tmp_path / part / label / f"{i}.png").write_bytes(encoded("PNG"))
    (tmp_path / "train" / "a" / "0.png").unlink()
    bad = tmp_path / "train" / "a" / name
    bad.write_bytes(EPS)
    text = f"cannot be decoded (no image of the formats {', '.join(FORMATS)})"
    assert text in refused(open_image, bad)
    assert text in refused(load_data, tmp_path / "train")
    files = ImageFiles(tmp_path / "train", (f"a/{name}",), np.zeros(1, np.int64))
    assert text in refused(read_centre, files, 0, 8, 8)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr(f"a/{name}", EPS)
        archive.writestr("b/0.png", encoded("PNG"))
    assert text in refused(load_data, tmp_path / "all.zip")


def test_pixels_are_counted_before_they_are_decoded():
    assert refused(open_image, claiming(20_000, 6_000)) == (
        "cannot be decoded (it has 20,000 x 6,000 pixels, more than the 100,000,000 that are)"
    )
    for size in ((1 << 30, 1 << 30), (9, 9), (0, 0)):
        content = claiming(*size)
        assert "cannot be decoded (" in refused(read_picture, lambda data=content: data)


def test_a_set_of_images_that_would_fill_the_memory(tmp_path):
    """Few bytes of zip, many of pixels: the sum is known after the first image."""
    large = io.BytesIO()
    Image.fromarray(np.zeros((3000, 3000, 3), np.uint8)).save(large, "PNG")
    count = MOST_DECODED_BYTES // (3000 * 3000 * 3) // 2 + 1
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for label in ("a", "b"):
            for i in range(count):
                archive.writestr(f"{label}/{i}.png", large.getvalue())
    assert "that are kept in memory; give a smaller size, or" in (
        refused(load_data, tmp_path / "all.zip")
    )


def test_pipes_and_devices_among_images(tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for i in range(4):
            (tmp_path / label / f"{i}.png").write_bytes(encoded("PNG"))
    os.mkfifo(tmp_path / "a" / "pipe.png")
    assert "is a named pipe, not a file" in refused(load_data, tmp_path)
    assert "is a named pipe, not a file" in refused(open_image, tmp_path / "a" / "pipe.png")
