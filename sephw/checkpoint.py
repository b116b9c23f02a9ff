"""Checkpoints: one file with a network, its weights, its preprocessing and what was measured.

The file is a `torch.save` archive of plain values and tensors. It is read with PyTorch's
restricted loader only, so a checkpoint cannot run code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sephw.command_line import command_name
from sephw.errors import SephwError
from sephw.files import reading
from sephw.torch_file import read_archive, write_archive

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
            f"give the .pth file that `{command_name('train')}` wrote"
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
    import torch

    from sephw.networks import make_network

    # First without memory: arguments of a damaged file may ask for any amount of it.
    with torch.device("meta"):
        sketch = make_network(checkpoint.network, checkpoint.arguments)
        enter_stage(sketch, checkpoint.stage)
        _check_input(sketch, checkpoint)
    check_state_dict(sketch, checkpoint.state_dict, checkpoint.network)
    network = make_network(checkpoint.network, checkpoint.arguments)
    enter_stage(network, checkpoint.stage)
    fit_state_dict(network, checkpoint.state_dict, checkpoint.network)
    network.eval()
    return network


def _check_input(sketch: Any, checkpoint: Checkpoint) -> None:
    """SephwError where a network without memory does not take the images it is made for."""
    import torch

    what, fix = f"network '{checkpoint.network}'", "correct its arguments"
    shape = [sketch.arguments.get(key) for key in ("in_channels", "height", "width")]
    form = checkpoint.preprocessing
    for key, value in zip(("channels", "height", "width"), shape, strict=True):
        if form is not None and key in form and value is not None and form[key] != value:
            raise SephwError(
                f"{what}: takes {key} = {value}, but the checkpoint's preprocessing makes "
                f"{form[key]!r:.40}; correct one of them"
            )
    if None not in shape:
        with reading(what, fix, failed="its layers do not fit its images"), torch.no_grad():
            sketch.eval()(torch.zeros((1, *shape)))


def enter_stage(network: Any, stage: str) -> None:
    """Move a fresh network to `stage` without calibration, to load weights into it."""
    from sephw.nn import Stage, to_stage

    if stage != "R":
        to_stage(network, Stage(stage), calibration=None)


def fit_state_dict(network: Any, state_dict: Mapping[str, Any], name: str) -> None:
    """Load `state_dict` into `network`; raises as `check_state_dict` does."""
    check_state_dict(network, state_dict, name)
    network.load_state_dict(dict(state_dict))


def check_state_dict(network: Any, state_dict: Mapping[str, Any], name: str) -> None:
    """SephwError that names the first key that does not fit the network's own.

    It is missing or unknown, of another shape or dtype, no plain tensor, or not finite.
    """
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
        _check_values(state_dict[key], tensor.dtype, f"network '{name}': '{key}'")
    for key in state_dict:
        if key not in own:
            raise SephwError(f"network '{name}': the state_dict has an unknown '{key}'; {hint}")


def _check_values(given: Any, dtype: Any, what: str) -> None:
    """SephwError unless `given` is a plain tensor of `dtype` with finite values."""
    import torch

    plain = isinstance(given, torch.Tensor) and given.layout == torch.strided
    if not plain or given.is_quantized or given.is_meta:
        raise SephwError(
            f"{what} is no plain tensor with values of its own; save the state_dict of the float "
            "model, model.state_dict()"
        )
    if given.dtype != dtype:
        # Conversion may round, and then the network is another one: the user decides.
        fix = "train in it, or save the model as model.float().state_dict()"
        if not (given.is_floating_point() and dtype.is_floating_point):
            fix = f"these are no weights of it; save them as {dtype}"
        raise SephwError(
            f"{what} is {given.dtype} in the state_dict but {dtype} in the network; {fix}"
        )
    if given.is_floating_point() and not bool(torch.isfinite(given).all()):
        raise SephwError(
            f"{what} holds NaN or infinite values, as after a training that diverged; use another "
            "checkpoint, or train with a lower learning rate"
        )


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
            f"not only tensors); give the .pth file that `{command_name('train')}` wrote"
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
