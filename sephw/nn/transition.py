"""Moving one network from stage to stage: R → B → BQ, in place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sephw.errors import SephwError
from sephw.nn.finite import check_finite
from sephw.nn.images import calibration_images
from sephw.nn.layers import QuantReLU, StagedLayer
from sephw.nn.scales import shared_scales
from sephw.nn.stage import Patterns, Stage
from sephw.nn.structure import check_structure
from sephw.nn.tracer import trace_layers

_ORDER = (Stage.R, Stage.B, Stage.BQ)


def to_stage(
    network: Any,
    stage: Stage | str,
    *,
    patterns: Patterns | str = Patterns.FROZEN,
    calibration: Any = None,
) -> None:
    """Move ``network`` forward to ``stage``, in place.

    Entering BQ folds every batch norm into the convolution before it (running statistics) and
    chooses the activation scales from ``calibration``: images as a tensor, an array (uint8, or
    floats of uint8/256) or a DataLoader (`images.calibration_images`); in BQ it chooses them again.
    ``calibration=None`` keeps the present scales: for loading a checkpoint only.

    Raises SephwError, before anything is changed, for a step backwards, for images that are not
    the network's, for weights that are not finite, and for what `freeze` does not take.
    """
    stage, patterns = Stage(stage), Patterns(patterns)
    if _ORDER.index(stage) < _ORDER.index(network.stage):
        raise SephwError(
            f"{type(network).__name__}: stage {network.stage} cannot go back to {stage}; "
            "build a new network and load its checkpoint"
        )
    shape = input_shape_of(network)
    images = None if calibration is None else calibration_images(calibration, shape)
    # Without memory, a network waits for its checkpoint; freeze checks it then.
    if stage is not network.stage and not any(p.is_meta for p in network.parameters()):
        check_finite(network)
        check_structure(network, shape)
    layers = [m for m in network.modules() if isinstance(m, StagedLayer)]
    if stage is Stage.BQ and network.stage is not Stage.BQ:
        for layer in layers:
            if not isinstance(layer, QuantReLU):
                layer.set_stage(stage, patterns)
        _fold_batch_norms(network)
    if stage is Stage.BQ and images is not None:
        calibrate(network, images)
    for layer in layers:
        layer.set_stage(stage, patterns)
    network.stage = stage


def _fold_batch_norms(network: nn.Module) -> None:
    modules = dict(network.named_modules())
    for node in trace_layers(network).nodes:
        norm = modules.get(str(node.target)) if node.op == "call_module" else None
        if isinstance(norm, nn.BatchNorm2d):
            before: Any = modules[str(node.args[0].target)]
            before.absorb(norm)
            parent, _, name = node.target.rpartition(".")
            setattr(network.get_submodule(parent), name, nn.Identity())


def input_shape_of(network: Any) -> tuple[int, int, int] | None:
    """(channels, height, width) from the network's own arguments; None where it has none."""
    arguments = getattr(network, "arguments", None) or {}
    names = ("in_channels", "height", "width")
    if not all(name in arguments for name in names):
        return None
    channels, height, width = (int(arguments[name]) for name in names)
    return channels, height, width


def calibrate(network: nn.Module, images: Tensor, batch: int = 128) -> None:
    """Set every QuantReLU's scale to the power of two with the least squared error.

    ``images`` uint8 (N, C, H, W). The activations seen are those with activation quantization
    off; at most 2^20 values per layer, evenly spaced, are kept. Quantizers whose outputs meet in a
    concatenation get one common scale, the best one for all of them together.
    """
    groups = shared_scales(trace_layers(network), dict(network.named_modules()))
    seen: dict[QuantReLU, list[Tensor]] = {}
    batches = max(1, -(-len(images) // batch))

    def keep(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        values = output.detach().float().flatten()
        step = max(1, values.numel() * batches // 2**20)
        seen.setdefault(module, []).append(values[::step].clone())

    quantizers = [module for module in network.modules() if isinstance(module, QuantReLU)]
    hooks = [module.register_forward_hook(keep) for module in quantizers]
    disabled = [module.act_quant.disable_quant for module in quantizers]
    was_training = network.training
    device = next((tensor.device for tensor in network.parameters()), images.device)
    network.eval()
    try:
        for module in quantizers:
            module.act_quant.disable_quant = True
        with torch.no_grad():
            for start in range(0, len(images), batch):
                network(images[start : start + batch].to(device).float() / 256)
    finally:
        for hook, module, off in zip(hooks, quantizers, disabled, strict=True):
            hook.remove()
            module.act_quant.disable_quant = off
        network.train(was_training)
    for group in groups:
        members = [module for module in group if module in seen]
        if not members:
            continue
        values = torch.cat([part for module in members for part in seen[module]])
        exponent = best_exponent(values, members[0].bits)
        for module in members:
            module.exponent = exponent


def best_exponent(values: Tensor, bits: int) -> int:
    """f minimising Σ (clip(floor(v·2^f + ½), 0, 2^bits − 1)·2^-f − v)² over f = −8..16.

    A tensor that is zero throughout (a dead branch) fits every scale; it gets the range 0..1, so
    that no sum behind it becomes needlessly wide.
    """
    if not values.any():
        return bits
    top = float(2**bits - 1)
    values = values.double()
    errors = {
        f: float(
            (torch.clamp(torch.floor(values * 2.0**f + 0.5), 0, top) * 2.0**-f - values)
            .square()
            .sum()
        )
        for f in range(-8, 17)
    }
    return min(errors, key=lambda f: (errors[f], f))
