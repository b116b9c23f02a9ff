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
from sephw.export.settings import ExportSettings

QONNX_SUFFIX = ".onnx"


@dataclass(frozen=True, eq=False)
class NetworkSource:
    """``deploy`` is the exact torch network; None where the model is a QONNX file.

    Of a QONNX file ``checkpoint`` says no more than its input's shape.
    """

    checkpoint: Checkpoint
    deploy: Any | None


def load_source(settings: ExportSettings) -> NetworkSource:
    """Read the model of ``settings``.

    SephwError for what is damaged, not in stage BQ, or has other inputs than one image.
    """
    if not is_qonnx(settings.model, settings.network, settings.arguments):
        checkpoint = load_trained(settings.model, settings.network, settings.arguments)
        return NetworkSource(checkpoint, deploy_network(checkpoint))
    from sephw.frontend import RefusedError, qonnx_input_shape

    try:
        channels, height, width = qonnx_input_shape(settings.model)
    except RefusedError as error:
        raise _with_all_refusals(error, settings.model) from None
    form = {
        "height": height,
        "width": width,
        "channels": channels,
        "resize": "none",
        "input_bits": 8,
    }
    return NetworkSource(Checkpoint("QONNX", {}, "BQ", {}, form), None)


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


def read_network(source: NetworkSource, settings: ExportSettings, path: Path) -> Any:
    """Write the network as QONNX to ``path``; returns `read_qonnx` of it, duly named."""
    from sephw.frontend import RefusedError, copy_qonnx, export_qonnx

    if source.deploy is None:
        try:
            read = copy_qonnx(settings.model, path)
        except RefusedError as error:
            raise _with_all_refusals(error, settings.model) from None
    else:
        form = input_format(source.checkpoint)
        read = export_qonnx(source.deploy, path, (form.channels, form.height, form.width))
    return replace(read, graph=replace(read.graph, name=settings.name))
