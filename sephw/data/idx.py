"""IDX files (MNIST, Fashion-MNIST and their kin), plain or gzipped."""

from __future__ import annotations

import gzip
import io
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.data.dataset import Dataset, Origin, Split, assemble
from sephw.errors import SephwError
from sephw.files import read_bytes, reading

TRAIN, TEST = "train", "t10k"
MOST_IDX_BYTES = 2 << 30


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The uint8 array of one IDX file. Raises SephwError for a truncated or malformed file."""
    with reading(str(path), "fetch the file again"):
        data = read_bytes(path, str(path), most_bytes=MOST_IDX_BYTES)
        if path.suffix == ".gz":
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(MOST_IDX_BYTES + 1)
    if len(data) > MOST_IDX_BYTES:
        raise SephwError(
            f"{path}: unpacks to more than the {MOST_IDX_BYTES:,} bytes that are read; use a "
            "folder of images instead"
        )
    if len(data) < 4 or data[:2] != b"\0\0":
        raise SephwError(f"{path}: not an IDX file (it must begin with two zero bytes)")
    if data[2] != 0x08:
        raise SephwError(
            f"{path}: IDX element type 0x{data[2]:02x}; only unsigned bytes (0x08) are read"
        )
    rank = data[3]
    start = 4 + 4 * rank
    if rank > 4 or len(data) < start:
        raise SephwError(f"{path}: cut short, or no IDX file of images; fetch the file again")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", rank, 4)) if rank else ()
    expected = math.prod(shape)
    if len(data) - start != expected:
        raise SephwError(
            f"{path}: {len(data) - start} bytes of data where its header {shape} says {expected}; "
            "fetch the file again"
        )
    return np.frombuffer(data, np.uint8, expected, start).reshape(shape).copy()


def _find(folder: Path, stem: str) -> Path | None:
    for separator in "-.":
        for ending in ("", ".gz"):
            path = folder / f"{stem.replace('-idx', separator + 'idx')}{ending}"
            if path.is_file():
                return path
    return None


def is_idx_folder(folder: Path) -> bool:
    """Whether `folder` holds a training set in IDX files."""
    return _find(folder, f"{TRAIN}-images-idx3-ubyte") is not None


def _split(folder: Path, part: str) -> Split | None:
    images_path = _find(folder, f"{part}-images-idx3-ubyte")
    labels_path = _find(folder, f"{part}-labels-idx1-ubyte")
    if images_path is None and labels_path is None:
        return None
    if images_path is None or labels_path is None:
        raise SephwError(f"{folder}: '{part}' has images or labels but not both; add the other")
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or labels.ndim != 1 or len(images) != len(labels):
        raise SephwError(
            f"{images_path}: shape {images.shape} does not go with labels of shape {labels.shape}"
        )
    return Split(images[..., None], labels.astype(np.int64))


def load_idx_folder(
    folder: Path,
    *,
    seed: int,
    name: str | None = None,
    classes: tuple[str, ...] | None = None,
    licence: str = "not stated",
) -> Dataset:
    """A folder of `train-*` and (where present) `t10k-*` IDX files; t10k is the test split."""
    pool = _split(folder, TRAIN)
    if pool is None:
        raise SephwError(f"{folder}: no train-images-idx3-ubyte file")
    names = classes or tuple(str(i) for i in range(int(pool.labels.max(initial=0)) + 1))
    origin = Origin(name or folder.name, names, f"IDX files in {folder.name}", licence)
    return assemble(origin, pool, _split(folder, TEST), seed=seed)
