"""Checkpoints: one file with a network, its weights, its preprocessing and what was measured.

The file is a `torch.save` archive of plain values and tensors. It is read with PyTorch's
restricted loader only, so a checkpoint cannot run code.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sephw.errors import SephwError

FORMAT, VERSION = "sephw-checkpoint", 1
STAGES = ("R", "B", "BQ")


@dataclass(frozen=True)
class Checkpoint:
    """One trained network.

    `state_dict` maps names to tensors; `preprocessing` is `Preprocessing.as_dict()`, or None for
    a bare state_dict; `metrics` holds plain values (see docs/training.md).
    """

    network: str
    arguments: Mapping[str, Any]
    stage: str
    state_dict: Mapping[str, Any]
    preprocessing: Mapping[str, Any] | None = None
    classes: tuple[str, ...] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write `checkpoint` to `path`; the file appears whole or not at all.

    Equal checkpoints give equal bytes.
    """
    write_archive(
        path,
        {
            "format": FORMAT,
            "version": VERSION,
            "network": checkpoint.network,
            "arguments": dict(checkpoint.arguments),
            "stage": checkpoint.stage,
            "state_dict": dict(checkpoint.state_dict),
            "preprocessing": dict(checkpoint.preprocessing) if checkpoint.preprocessing else None,
            "classes": list(checkpoint.classes),
            "metrics": dict(checkpoint.metrics),
        },
    )


def load_checkpoint(
    path: str | Path,
    *,
    network: str | None = None,
    arguments: Mapping[str, Any] | None = None,
) -> Checkpoint:
    """Read a checkpoint, or a bare state_dict together with `network` and `arguments`.

    A bare state_dict is taken as stage R unless its tensors say otherwise at `build_network`.
    SephwError where the file is missing, damaged, of another format or version.
    """
    path = Path(path)
    content = read_archive(path)
    if not isinstance(content, dict):
        raise SephwError(f"{path}: holds a {type(content).__name__}, not a sephw checkpoint")
    if "format" not in content:
        return _bare(path, content, network, arguments)
    if content["format"] != FORMAT:
        raise SephwError(
            f"{path}: format {content['format']!r}, expected '{FORMAT}'; "
            "give the .pth file that `sephw train` wrote"
        )
    if content.get("version") != VERSION:
        raise SephwError(
            f"{path}: checkpoint version {content.get('version')!r}, this program reads "
            f"{VERSION}; use the sephw version that wrote it"
        )
    expected: dict[str, type | tuple[type, ...]] = {
        "network": str,
        "arguments": dict,
        "stage": str,
        "state_dict": dict,
        "preprocessing": (dict, type(None)),
        "classes": list,
        "metrics": dict,
    }
    for key, kind in expected.items():
        if not isinstance(content.get(key), kind):
            raise SephwError(f"{path}: checkpoint entry '{key}' is missing or damaged")
    if content["stage"] not in STAGES:
        raise SephwError(
            f"{path}: stage {content['stage']!r} is unknown; known: {', '.join(STAGES)}"
        )
    return Checkpoint(
        content["network"],
        content["arguments"],
        content["stage"],
        content["state_dict"],
        content.get("preprocessing"),
        tuple(content["classes"]),
        content["metrics"],
    )


def build_network(checkpoint: Checkpoint) -> Any:
    """The checkpoint's network with its weights, in its stage and in evaluation mode.

    SephwError for an unknown network, refused arguments, or a state_dict that does not fit; the
    message names the first key that does not.
    """
    from sephw.networks import make_network

    network = make_network(checkpoint.network, checkpoint.arguments)
    enter_stage(network, checkpoint.stage)
    fit_state_dict(network, checkpoint.state_dict, checkpoint.network)
    network.eval()
    return network


def enter_stage(network: Any, stage: str) -> None:
    """Move a fresh network to `stage` without calibration, to load weights into it."""
    from sephw.nn import Stage, to_stage

    if stage != "R":
        to_stage(network, Stage(stage), calibration=None)


def fit_state_dict(network: Any, state_dict: Mapping[str, Any], name: str) -> None:
    """Load `state_dict`; SephwError names the first key missing, unknown or of another shape."""
    own = network.state_dict()
    hint = "the arguments or the stage differ from those it was trained with"
    for key, tensor in own.items():
        if key not in state_dict:
            raise SephwError(f"network '{name}': the state_dict lacks '{key}'; {hint}")
        given = tuple(getattr(state_dict[key], "shape", ("no tensor",)))
        if given != tuple(tensor.shape):
            raise SephwError(
                f"network '{name}': '{key}' has shape {given} in the state_dict but "
                f"{tuple(tensor.shape)} in the network; {hint}"
            )
    for key in state_dict:
        if key not in own:
            raise SephwError(f"network '{name}': the state_dict has an unknown '{key}'; {hint}")
    network.load_state_dict(dict(state_dict))


def write_archive(path: str | Path, content: Mapping[str, Any]) -> None:
    """`torch.save(content)` to `path`, atomically; equal content gives equal bytes."""
    import torch

    path = Path(path)
    # Through a buffer: torch.save to a path would put the file's name into the archive.
    buffer = io.BytesIO()
    torch.save(_plain(content), buffer)
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise SephwError(
            f"{path}: cannot be written ({error.strerror}); check the folder"
        ) from None
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(buffer.getvalue())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)  # mkstemp's own mode would hide it from others
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_archive(path: str | Path) -> Any:
    """What `write_archive` wrote, read without running any code in it; SephwError otherwise."""
    import pickle

    import torch

    path = Path(path)
    if not path.exists():
        raise SephwError(f"{path}: no such file; `sephw train --out {path}` makes one")
    if path.is_dir():
        raise SephwError(f"{path}: is a folder; give the .pth file in it")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        if found is None:
            raise SephwError(f"{path}: not a PyTorch file, or damaged; fetch it again") from None
        raise SephwError(
            f"{path}: refused, it holds more than tensors and plain values ({found[1]}) and "
            "loading that could run code; save model.state_dict() instead"
        ) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, AttributeError):
        raise SephwError(f"{path}: not a PyTorch file, or damaged; fetch it again") from None


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


def _bare(
    path: Path,
    content: dict[str, Any],
    network: str | None,
    arguments: Mapping[str, Any] | None,
) -> Checkpoint:
    import torch

    if not content or not all(isinstance(value, torch.Tensor) for value in content.values()):
        raise SephwError(
            f"{path}: neither a sephw checkpoint nor a state_dict (it has no 'format' entry and "
            "not only tensors); give the .pth file that `sephw train` wrote"
        )
    if network is None:
        raise SephwError(
            f"{path}: a bare state_dict says nothing of its network; "
            "name it with --network, and its arguments with --arguments"
        )
    if arguments is None:
        raise SephwError(
            f"{path}: a bare state_dict of '{network}' needs the network's arguments as well; "
            "give them as JSON with --arguments"
        )
    return Checkpoint(network, dict(arguments), _stage_of(content), content)


def _stage_of(state_dict: Mapping[str, Any]) -> str:
    """Stage of a bare state_dict: only BQ has folded batch norms and pattern scales."""
    return "BQ" if any(key.endswith("pattern_scale") for key in state_dict) else "R"
