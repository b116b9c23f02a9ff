"""The model of an export: a checkpoint of a trained network, or a QONNX file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sephw.checkpoint import Checkpoint
from sephw.errors import UsageError
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
    if settings.model.suffix.lower() != QONNX_SUFFIX:
        checkpoint = load_trained(settings)
        return NetworkSource(checkpoint, deploy_network(checkpoint))
    if settings.network is not None or settings.arguments is not None:
        raise UsageError(
            f"{settings.model}: is QONNX, which says its network itself; leave out --network and "
            "--arguments"
        )
    from sephw.frontend import qonnx_input_shape

    channels, height, width = qonnx_input_shape(settings.model)
    form = {
        "height": height,
        "width": width,
        "channels": channels,
        "resize": "none",
        "input_bits": 8,
    }
    return NetworkSource(Checkpoint("QONNX", {}, "BQ", {}, form), None)


def read_network(source: NetworkSource, settings: ExportSettings, path: Path) -> Any:
    """Write the network as QONNX to ``path``; returns `read_qonnx` of it, duly named."""
    from sephw.frontend import copy_qonnx, export_qonnx

    if source.deploy is None:
        read = copy_qonnx(settings.model, path)
    else:
        form = input_format(source.checkpoint)
        read = export_qonnx(source.deploy, path, (form.channels, form.height, form.width))
    return replace(read, graph=replace(read.graph, name=settings.name))
