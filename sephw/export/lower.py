"""From a checkpoint to the deploy network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sephw.checkpoint import Checkpoint, build_network, load_checkpoint
from sephw.command_line import argument_options, command_line
from sephw.data import DATA_NAMES
from sephw.errors import SephwError

_EXPORTED_STAGE = "BQ"
# Arguments that training takes from the data.
_FROM_DATA = ("height", "width", "in_channels", "classes")


def load_trained(
    model: Path, network: str | None, arguments: Mapping[str, Any] | None
) -> Checkpoint:
    """The checkpoint to export; SephwError where it is not in stage BQ.

    ``network`` and ``arguments`` are those of a bare state_dict.
    """
    checkpoint = load_checkpoint(model, network=network, arguments=arguments)
    if checkpoint.stage != _EXPORTED_STAGE:
        raise SephwError(
            f"{model}: is in stage {checkpoint.stage}, only {_EXPORTED_STAGE} goes into "
            f"hardware; {_train_on(checkpoint, model)}"
        )
    return checkpoint


def _train_on(checkpoint: Checkpoint, model: Path) -> str:
    """The advice for reaching the last stage; the command for it where all of it is known."""
    data = (checkpoint.metrics.get("data") or {}).get("name")
    if checkpoint.stage != "R" or data not in DATA_NAMES:
        return "train it again with --epochs R,B,BQ, all three above 0"
    own = {k: v for k, v in checkpoint.arguments.items() if k not in _FROM_DATA}
    command = command_line(
        "train",
        options=[
            ("--data", data),
            ("--network", checkpoint.network),
            *argument_options(own),
            ("--start", model),
            ("--epochs", "0,6,6"),
            ("--out", model.with_name(f"{model.stem}_bq.pth")),
        ],
    )
    return f"train on: {command}"


def deploy_network(checkpoint: Checkpoint) -> Any:
    """The exact deploy network of a BQ checkpoint, a torch module in evaluation mode."""
    from sephw.nn import freeze

    return freeze(build_network(checkpoint)).eval()
