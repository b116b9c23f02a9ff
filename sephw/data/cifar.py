"""CIFAR-10's original files: the binary version, and the Python version read without trust.

The Python version is a pickle, and unpickling can run any code. It is read by an unpickler that
knows NumPy's array reconstruction and nothing else.
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from sephw.data.dataset import Dataset, Origin, Split, assemble
from sephw.errors import SephwError
from sephw.files import read_bytes

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
RECORD_BYTES = 1 + 3 * 32 * 32
_MOST_BYTES = 1 << 30
_ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


class _ArrayUnpickler(pickle.Unpickler):
    """Resolves only the names that a pickled NumPy array needs."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        if name == "_reconstruct":
            # The old module name still works but warns; both name the same function.
            module = "numpy._core.multiarray" if hasattr(np, "_core") else module
        return super().find_class(module, name)


def is_cifar_folder(folder: Path) -> bool:
    """Whether `folder` holds CIFAR-10's binary or Python version."""
    return (folder / "data_batch_1.bin").is_file() or (folder / "data_batch_1").is_file()


def _images(planes: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _read_binary(path: Path) -> Split:
    raw = read_bytes(path, str(path), most_bytes=_MOST_BYTES)
    if not raw or len(raw) % RECORD_BYTES:
        raise SephwError(
            f"{path}: {len(raw)} bytes is no multiple of {RECORD_BYTES}; not CIFAR-10's binary "
            "version, or cut short"
        )
    records = np.frombuffer(raw, np.uint8).reshape(-1, RECORD_BYTES)
    return Split(_images(records[:, 1:]), records[:, 0].astype(np.int64))


def _read_pickle(path: Path) -> Split:
    try:
        raw = read_bytes(path, str(path), most_bytes=_MOST_BYTES)
        content = _ArrayUnpickler(io.BytesIO(raw), encoding="latin1").load()
        data, labels = content["data"], content["labels"]
        data, labels = np.asarray(data), np.asarray(labels)
        if data.dtype != np.uint8 or data.shape != (len(labels), RECORD_BYTES - 1):
            raise ValueError(f"data of type {data.dtype} and shape {data.shape}")
    except SephwError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise SephwError(
            f"{path}: refused, not a CIFAR-10 batch of plain arrays ({error}); "
            "use the binary version (data_batch_1.bin)"
        ) from None
    return Split(_images(data), labels.astype(np.int64))


def load_cifar_folder(folder: Path, *, seed: int) -> Dataset:
    """CIFAR-10 from its extracted archive; the official 10,000 test images are the test split."""
    binary = (folder / "data_batch_1.bin").is_file()
    read, ending = (_read_binary, ".bin") if binary else (_read_pickle, "")
    batches = [folder / f"data_batch_{i}{ending}" for i in range(1, 6)]
    test = folder / f"test_batch{ending}"
    missing = [path.name for path in [*batches, test] if not path.is_file()]
    if missing:
        raise SephwError(f"{folder}: CIFAR-10 without {missing[0]}; extract the whole archive")
    parts = [read(path) for path in batches]
    pool = Split(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
    )
    origin = Origin("cifar10", CLASSES, "CIFAR-10, original files", "not stated by its authors")
    return assemble(origin, pool, read(test), seed=seed)
