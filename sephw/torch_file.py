"""Files of `torch.save`: plain values and tensors, written whole, read without running code."""

from __future__ import annotations

import io
import pickletools
import sys
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sephw.command_line import command_line
from sephw.errors import SephwError
from sephw.files import check_file, out_of_memory
from sephw.files.archives import Archive
from sephw.lifetime.whole import write_whole

MOST_BYTES = 16 << 30
# Enough of a pickle to find out what it holds.
_LOOKED_AT_BYTES = 64 << 20
# What an archive of tensors and plain values asks for.
_PLAIN_NAMES = ("torch._utils", "torch.storage", "collections")
_STORAGES = ("Storage", "Tensor", "Size", "dtype", "device", "OrderedDict", "set", "bytearray")


def write_archive(path: str | Path, content: Mapping[str, Any]) -> None:
    """`torch.save(content)` to `path`, atomically; equal content gives equal bytes."""
    import torch

    path = Path(path)
    # Through a buffer: torch.save to a path would put the file's name into the archive.
    buffer = io.BytesIO()
    torch.save(_plain(content), buffer)
    try:
        write_whole(path, buffer.getvalue())
    except OSError as error:
        raise SephwError(
            f"{path}: cannot be written ({error.strerror or error}); check the folder and the disk"
        ) from None


def read_archive(path: str | Path) -> Any:
    """The content that `write_archive` wrote, read without running any code in the file.

    Raises SephwError, one line, for every other file: its kind, as far as that can be seen without
    loading it, and a fix.
    """
    import torch

    path = Path(path)
    if not path.exists():
        train = command_line("train", options=[("--data", "mnist5k"), ("--out", path)])
        raise SephwError(f"{path}: no such file; check the path, or train one: {train}")
    if path.is_dir():
        raise SephwError(f"{path}: is a folder; give the .pth file in it")
    check_file(path, str(path), most_bytes=MOST_BYTES)
    if _is_zip(path):
        # What a zip's directory claims is compared with the file before torch allocates it.
        with Archive(path, str(path), MOST_BYTES, MOST_BYTES):
            pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError as error:
        raise SephwError(f"{path}: {out_of_memory(error)}") from None
    except Exception:  # a damaged archive can raise nearly anything
        raise SephwError(f"{path}: {_why_not(path)}") from None


def _why_not(path: Path) -> str:
    """The kind of a file that torch's restricted loader refuses, and a fix."""
    damaged = "not a PyTorch file, or damaged; fetch it again"
    try:
        data, script = _pickle_of(path)
    except (OSError, SephwError):
        return damaged
    save = "and save torch.save(model.state_dict(), FILE) there"
    if script:
        return f"is a TorchScript program, which is not read; build the model in Python {save}"
    for module, name in _names(data):
        if not _is_plain(module, name):
            return (
                f"refused, it holds more than tensors and plain values ({module}.{name}), as a "
                "whole pickled model does, and loading that could run code; load it where its "
                f"classes are known {save}, or take the model in there with sephw.nn.binarize"
            )
    return damaged


def _is_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:
        return False


def _pickle_of(path: Path) -> tuple[bytes, bool]:
    """The pickle in the file, not loaded, and whether the file is a TorchScript program."""
    if not _is_zip(path):
        with path.open("rb") as file:
            return file.read(_LOOKED_AT_BYTES), False
    with Archive(path, str(path), MOST_BYTES, MOST_BYTES) as archive:
        names = archive.names
        script = any(name.endswith("/constants.pkl") for name in names)
        found = next((name for name in names if name.endswith("data.pkl")), None)
        return (b"" if found is None else archive.read(found)[:_LOOKED_AT_BYTES]), script


def _names(data: bytes) -> Iterator[tuple[str, str]]:
    """(module, name) of everything that a pickle would import; its opcodes are listed, not run.

    An old file of torch is several pickles, one behind the other.
    """
    stream = io.BytesIO(data)
    while stream.tell() < len(data):
        texts: list[str] = []
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name == "GLOBAL":
                    module, _, name = str(argument).partition(" ")
                    yield module, name
                elif opcode.name == "STACK_GLOBAL" and len(texts) > 1:
                    yield texts[-2], texts[-1]
                elif isinstance(argument, str):
                    texts.append(argument)
        except Exception:  # not a pickle from here on
            return


def _is_plain(module: str, name: str) -> bool:
    return module in _PLAIN_NAMES or (module == "torch" and name.endswith(_STORAGES))


def _plain(value: Any) -> Any:
    """`value` without views, shared objects and subclasses, none of which change what it says."""
    import torch

    if isinstance(value, torch.Tensor):
        # A tensor that is a view would drag its whole storage into the file.
        return value.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    if isinstance(value, str):
        return sys.intern(str(value))  # pickle writes equal strings once only where they are one
    if isinstance(value, Mapping):
        return {_plain(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_plain(entry) for entry in value)
    return value
