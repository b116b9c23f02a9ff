"""NumPy's files: read without unpickling, sizes checked first; written with reproducible bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files.archives import Archive
from sephw.files.reading import MOST_BYTES, read_bytes, reading

Array = NDArray[Any]
_SUFFIX = ".npy"
# Zip's earliest date; "made by" Unix, plain files: nothing of the machine that writes.
_DATE, _UNIX, _MODE = (1980, 1, 1, 0, 0, 0), 3, 0o644 << 16
_MOST_RANK = 8


def read_array(
    path: Path,
    what: str,
    fix: str,
    *,
    most_bytes: int = MOST_BYTES,
    error: type[SephwError] = SephwError,
) -> Array:
    """The array of an .npy file, of booleans, integers or floats. Raises ``error``, one line."""
    with reading(what, fix, error=error):
        return _parse(read_bytes(path, what, most_bytes=most_bytes, error=error))


def read_archive_of_arrays(
    path: Path,
    what: str,
    fix: str,
    *,
    most_bytes: int = MOST_BYTES,
    error: type[SephwError] = SephwError,
) -> dict[str, Array]:
    """The arrays of an .npz file by name, ``most_bytes`` in all. Raises ``error``, one line."""
    with (
        reading(what, fix, error=error),
        Archive(path, what, most_bytes, most_bytes, fix) as archive,
    ):
        return {
            name.removesuffix(_SUFFIX): _parse(archive.read(name))
            for name in archive.names
            if name.endswith(_SUFFIX)
        }


def write_archive_of_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    """Write an .npz file; equal arrays give equal bytes with any version of Python and NumPy.

    NumPy's own writer leaves fields of the zip headers to Python, and those differ.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            entry = zipfile.ZipInfo(f"{name}{_SUFFIX}", _DATE)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            entry.compress_type = zipfile.ZIP_STORED  # what deflate makes depends on the zlib
            content = io.BytesIO()
            contiguous = np.ascontiguousarray(values)
            little = contiguous.astype(contiguous.dtype.newbyteorder("<"), copy=False)
            np.lib.format.write_array(content, little, version=(1, 0), allow_pickle=False)
            archive.writestr(entry, content.getvalue())


def _parse(data: bytes) -> Array:
    """The array that ``data`` holds; its length is compared with the header before it is built."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        raise ValueError(f"version {version} of the format")
    if dtype.kind not in "buif" or dtype.subdtype is not None:
        raise ValueError(f"elements of type {dtype}")
    if len(shape) > _MOST_RANK:
        raise ValueError(f"{len(shape)} axes")
    count = 1
    for extent in shape:
        if not isinstance(extent, int) or extent < 0:
            raise ValueError(f"shape {shape}")
        count *= extent
    if count * dtype.itemsize != len(data) - stream.tell():
        raise ValueError(f"shape {shape} of {dtype} does not go with {len(data)} bytes")
    stream.seek(0)
    array: Array = np.lib.format.read_array(stream, allow_pickle=False)
    return array
