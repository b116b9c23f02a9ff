"""The model of an export: a checkpoint of a trained network, or a QONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sephw.checkpoint import Checkpoint
from sephw.command_line import command_line
from sephw.errors import SephwError, UsageError
from sephw.export.lower import deploy_network, load_trained
from sephw.export.samples import input_format
from sephw.invocation import model_name

QONNX_SUFFIX = ".onnx"


@dataclass(frozen=True, eq=False)
class NetworkSource:
    """The network in the file ``model``.

    ``deploy`` is the exact torch network; None where the model is a QONNX file, of which
    ``checkpoint`` says no more than its input's shape.
    """

    model: Path
    checkpoint: Checkpoint
    deploy: Any | None


def load_source(
    model: Path, network: str | None = None, arguments: Mapping[str, Any] | None = None
) -> NetworkSource:
    """Read ``model``; ``network`` and ``arguments`` are those of a bare state_dict.

    Raises SephwError for what is damaged, not in stage BQ, or has other inputs than one image.
    """
    if not is_qonnx(model, network, arguments):
        checkpoint = load_trained(model, network, arguments)
        return NetworkSource(model, checkpoint, deploy_network(checkpoint))
    from sephw.frontend import RefusedError, qonnx_input_shape

    try:
        channels, height, width = qonnx_input_shape(model)
    except RefusedError as error:
        raise _with_all_refusals(error, model) from None
    form = {
        "height": height,
        "width": width,
        "channels": channels,
        "resize": "none",
        "input_bits": 8,
    }
    return NetworkSource(model, Checkpoint("QONNX", {}, "BQ", {}, form), None)


def is_qonnx(model: Path, network: str | None, arguments: Mapping[str, Any] | None) -> bool:
    """Whether ``model`` is QONNX by its name; UsageError where the rest is for a checkpoint."""
    if model.suffix.lower() != QONNX_SUFFIX:
        return False
    if network is not None or arguments is not None:
        raise UsageError(
            f"{model}: is QONNX, which says its network itself; leave out --network and --arguments"
        )
    return True


def _with_all_refusals(error: SephwError, model: Path) -> SephwError:
    return SephwError(f"{error}; all refusals: {command_line('check', [model])}")


def read_network(source: NetworkSource, path: Path) -> Any:
    """Write the network as QONNX to ``path``; returns `read_qonnx` of it, duly named."""
    from sephw.frontend import RefusedError, copy_qonnx, export_qonnx

    if source.deploy is None:
        try:
            read = copy_qonnx(source.model, path)
        except RefusedError as error:
            raise _with_all_refusals(error, source.model) from None
    else:
        form = input_format(source.checkpoint)
        read = export_qonnx(source.deploy, path, (form.channels, form.height, form.width))
    return replace(read, graph=replace(read.graph, name=model_name(source.model)))
