"""Every shared layer's integers, as torch and as the QONNX executor compute them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.builder import Layer
from sephw.frontend.export_qonnx import to_network_input
from sephw.frontend.tidy import infer_shapes

Integers = NDArray[np.int64]


def to_integers(values: NDArray[np.float32], layer: Layer) -> Integers:
    """float32 (N, C[, H, W]) → int64 (N, H, W, C) on the layer's grid.

    Raises SephwError if a value is not on the grid: then it is no integer in hardware.
    """
    wide = values.astype(np.float64).reshape(*values.shape, *([1] * (4 - values.ndim)))
    wide = wide.transpose(0, 2, 3, 1) - layer.offset
    wide = wide * np.exp2(layer.exponents.astype(np.float64))
    integers = wide.astype(np.int64)
    if not np.array_equal(integers, wide):
        raise SephwError(
            f"layer '{layer.module}': a value is not a multiple of its "
            "power-of-two step; the network is not frozen, or float32 rounded"
        )
    return integers


def capture_torch(
    deploy: Any, layers: Sequence[Layer], images: Integers, batch: int = 64
) -> dict[str, Integers]:
    """Integers of every layer from the deploy network on the CPU.

    Of those that it has. ``images`` (N, H, W, C) 0..255; result: tensor name → int64 (N, h, w, c).
    """
    layers = [layer for layer in layers if layer.in_torch]
    parts: dict[str, list[Integers]] = {layer.tensor: [] for layer in layers}
    hooks = []

    def keep(layer: Layer) -> Any:
        def hook(module: Any, inputs: Any, output: torch.Tensor) -> None:
            parts[layer.tensor].append(to_integers(output.numpy(), layer))

        return hook

    for layer in layers:
        if not layer.is_output:
            module = deploy.get_submodule(layer.torch_module)
            source = getattr(module, "accumulator", module)
            hooks.append(source.register_forward_hook(keep(layer)))
    try:
        with torch.no_grad():
            for start in range(0, len(images), batch):
                logits = deploy(to_network_input(images[start : start + batch]))
                for layer in layers:
                    if layer.is_output:
                        parts[layer.tensor].append(to_integers(logits.numpy(), layer))
    finally:
        for hook in hooks:
            hook.remove()
    return {tensor: np.concatenate(chunks) for tensor, chunks in parts.items()}


def capture_qonnx(
    path: Path, layers: Sequence[Layer], images: Integers, batch: int = 16
) -> dict[str, Integers]:
    """Integers of every layer from qonnx' executor; arguments and result as ``capture_torch``.

    Raises SephwError where the executor fails.
    """
    import onnx
    import onnxruntime
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx

    onnxruntime.set_default_logger_severity(4)
    parts: dict[str, list[Integers]] = {layer.tensor: [] for layer in layers}
    inputs = to_network_input(images).numpy()
    models: dict[int, Any] = {}
    for start in range(0, len(images), batch):
        chunk = inputs[start : start + batch]
        with reading(path.name, "leave the step verify out", failed="qonnx' executor fails"):
            if len(chunk) not in models:
                models[len(chunk)] = ModelWrapper(for_batch(onnx.load(str(path)), len(chunk)))
            model = models[len(chunk)]
            values = execute_onnx(
                model, {model.graph.input[0].name: chunk}, return_full_exec_context=True
            )
        for layer in layers:
            parts[layer.tensor].append(to_integers(values[layer.onnx_name], layer))
    return {tensor: np.concatenate(chunks) for tensor, chunks in parts.items()}


def for_batch(model: Any, batch: int) -> Any:
    """``model`` with ``batch`` images at its input, changed in place: shapes are inferred again."""
    constants = {tensor.name for tensor in model.graph.initializer}
    for entry in model.graph.input:
        if entry.name not in constants:
            entry.type.tensor_type.shape.dim[0].dim_value = batch
    infer_shapes(model)
    return model
