"""Judges a checkpoint or a QONNX file: all that the reader and the passes would refuse."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.export.lower import deploy_network, load_trained
from sephw.export.samples import input_format
from sephw.export.source import is_qonnx
from sephw.export_names import MODEL
from sephw.frontend import (
    ModelVerdict,
    NodeState,
    NodeVerdict,
    Refusal,
    exported_model,
    judge_model,
    judge_qonnx,
)
from sephw.passes import LoweringStage, lower


@dataclass(frozen=True)
class ModelCheck:
    """Every node of a network and what becomes of it; ``refusals``: of the file as a whole."""

    model: str
    refusals: tuple[Refusal, ...]
    nodes: tuple[NodeVerdict, ...]

    @property
    def taken(self) -> bool:
        """Whether an export would take the network."""
        return not self.refusals and all(node.state.is_taken for node in self.nodes)

    @property
    def counts(self) -> Mapping[NodeState, int]:
        """Counts the nodes in each state."""
        return {state: sum(n.state is state for n in self.nodes) for state in NodeState}

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        counts = {state.value: count for state, count in self.counts.items()}
        return {"model": self.model, "taken": self.taken, "counts": counts} | {
            key: value for key, value in asdict(self).items() if key != "model"
        }


def check_model(
    model: Path, network: str | None = None, arguments: Mapping[str, Any] | None = None
) -> ModelCheck:
    """Judge every node of a BQ checkpoint, a bare state_dict with its network, or a QONNX file.

    Raises SephwError, as an export does, for what has no nodes to judge: no such file, a damaged
    one, an opset that is not read, another stage, a network that `freeze` does not take.
    """
    if is_qonnx(model, network, arguments):
        found = judge_qonnx(model)
    else:
        found = _judge_checkpoint(model, network, arguments)
    return ModelCheck(str(model), found.refusals or _lowered(found), found.nodes)


def _judge_checkpoint(
    model: Path, network: str | None, arguments: Mapping[str, Any] | None
) -> ModelVerdict:
    checkpoint = load_trained(model, network, arguments)
    form = input_format(checkpoint)
    deploy = deploy_network(checkpoint)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL
        shape = (form.channels, form.height, form.width)
        return judge_model(model, exported_model(deploy, path, shape))


def _lowered(found: ModelVerdict) -> tuple[Refusal, ...]:
    """What the passes refuse of a graph that the reader takes; sizing FIFOs refuses nothing."""
    if found.read is None:
        return ()
    try:
        lower(found.read.graph, None, until=LoweringStage.WEIGHT_STREAMS)
    except SephwError as error:
        return (Refusal.of(error, ""),)
    return ()
