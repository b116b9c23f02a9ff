"""Small generated data sets, in every layout that the loaders read."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def idx_bytes(array: np.ndarray) -> bytes:
    header = struct.pack(">BBBB", 0, 0, 8, array.ndim)
    return header + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_idx_folder(
    folder: Path, count: int = 60, *, zipped: bool = True
) -> dict[str, np.ndarray]:
    """Train (count) and t10k (count // 2) files of 6×5 images; the arrays written."""
    random = np.random.default_rng(3)
    written = {}
    folder.mkdir(parents=True, exist_ok=True)
    for part, number in (("train", count), ("t10k", count // 2)):
        images = random.integers(0, 256, (number, 6, 5), dtype=np.uint8)
        labels = (np.arange(number) % 3).astype(np.uint8)
        for name, array in ((f"{part}-images-idx3", images), (f"{part}-labels-idx1", labels)):
            raw = idx_bytes(array)
            path = folder / f"{name}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(raw) if zipped else raw)
            written[name] = array
    return written


def png(value: int, size: tuple[int, int] = (8, 8), mode: str = "RGB") -> bytes:
    """A PNG of one constant value; size is (height, width)."""
    shape = (*size, 3) if mode == "RGB" else size
    buffer = io.BytesIO()
    Image.fromarray(np.full(shape, value, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def write_image_zip(path: Path, per_class: int = 10, *, prefix: str = "", start: int = 0) -> None:
    """CLASS/NN.png with classes cat and dog; every image has a value of its own."""
    with zipfile.ZipFile(path, "w") as archive:
        for c, name in enumerate(("cat", "dog")):
            for i in range(per_class):
                archive.writestr(f"{prefix}{name}/{i:02}.png", png(start + c * per_class + i))
        archive.writestr(f"{prefix}README.txt", "not an image")


def write_image_folder(folder: Path, per_class: int = 10, *, start: int = 0) -> None:
    for c, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            (folder / name / f"{i:02}.png").write_bytes(png(start + c * per_class + i))


def write_cifar_binary(folder: Path, per_batch: int = 20) -> list[np.ndarray]:
    """Five training batches and a test batch; the (N, 3073) records written."""
    random = np.random.default_rng(5)
    folder.mkdir(parents=True, exist_ok=True)
    batches = []
    for name in [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]:
        records = random.integers(0, 256, (per_batch, 3073), dtype=np.uint8)
        records[:, 0] = np.arange(per_batch) % 10
        (folder / f"{name}.bin").write_bytes(records.tobytes())
        batches.append(records)
    return batches
