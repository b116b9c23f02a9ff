"""binarize: any convolutional network of torch as a pattern network."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.binarize.choose import LayerSelection
from sephw.nn.binarize.convert import convert
from sephw.nn.binarize.source import unwrapped
from sephw.nn.binarize.table import BinarizeTable, LayerBits, bits_table
from sephw.nn.images import calibration_images
from sephw.nn.layers import PatternConv2d, StagedLayer
from sephw.nn.stage import Patterns, Stage
from sephw.nn.transition import input_shape_of, to_stage

__all__ = ["BinarizeTable", "BinarizedNetwork", "LayerBits", "binarize", "bits_table"]


class BinarizedNetwork(fx.GraphModule):
    """A torch network rewritten in the layers of `sephw.nn`; modules keep their paths.

    `stage` and `arguments` (in_channels, height, width) as every network here has them.
    """

    stage: Stage
    arguments: dict[str, Any]

    def __deepcopy__(self, memo: dict[int, Any]) -> BinarizedNetwork:
        result: BinarizedNetwork = super().__deepcopy__(memo)
        result.stage, result.arguments = self.stage, copy.deepcopy(self.arguments)
        return result


def binarize(
    model: nn.Module,
    *,
    input_shape: tuple[int, int, int] | None = None,
    patterns: Sequence[str] = (),
    keep: Sequence[str] = (),
    alpha: float | None = None,
    scale_bits: int = 4,
    activation_bits: int = 8,
    stage: Stage | str = Stage.B,
    straight_through: bool = False,
    calibration: Any = None,
) -> tuple[Any, BinarizeTable]:
    """Turn the k×k convolutions (k > 1) of ``model`` into 1-bit patterns.

    ``model`` is a float torch network (left as it is; its copy is rewritten) or one of `sephw.nn`
    (moved in place). ``input_shape`` (channels, height, width) is needed for the former. It is
    read in evaluation mode; the result computes what ``model`` does until it is binarized.

    Which layers: as in the paper, every k×k convolution but the stem and strided projections
    (strided convolutions that go into an addition without a ReLU); 1×1 convolutions and linear
    layers stay multi-bit. ``keep`` names further layers that stay multi-bit, ``patterns`` layers
    that become patterns whatever the rule says; both hold module paths with ``*`` and ``?``.

    ``alpha``: one constant for all filters (the authors' code: 0.05 to 0.09), instead of
    mean |W| per filter. ``stage``: R only rewrites; B binarizes; BQ also makes everything else
    8-bit and needs ``calibration`` images: a tensor or array, uint8 or floats of uint8/256, or a
    DataLoader, as `to_stage` takes them.
    ``straight_through`` keeps the float weights behind the patterns trainable in B.

    Returns the network in ``stage`` and the table of its layers. Raises SephwError, one line
    naming the module, the reason and the fix, for what cannot be taken.
    """
    # Whatever mode the caller is in: parameters have to stay trainable, images need slopes.
    with torch.inference_mode(False), torch.enable_grad():
        stage = Stage(stage)
        if stage is Stage.BQ and calibration is None:
            raise SephwError(
                "binarize to stage BQ: activation scales need calibration=images; "
                "give some training images, or stop at stage B"
            )
        model = unwrapped(model)
        if calibration is not None:
            # Once, before the work: a DataLoader may give its images a single time.
            calibration = calibration_images(calibration, input_shape or input_shape_of(model))
        network: Any = model
        if any(isinstance(module, StagedLayer) for module in model.modules()):
            if patterns or keep:
                raise SephwError(
                    f"{type(model).__name__}: its classes say which layers are patterns; "
                    "patterns= and keep= choose in float torch networks only"
                )
        else:
            if input_shape is None:
                raise SephwError(
                    f"{type(model).__name__}: binarize needs input_shape=(channels, height, width)"
                )
            choice = LayerSelection(tuple(patterns), tuple(keep))
            root, graph = convert(model, input_shape, choice, scale_bits, activation_bits)
            network = BinarizedNetwork(root, graph)
            channels, height, width = input_shape
            network.arguments = {"in_channels": channels, "height": height, "width": width}
            network.stage = Stage.R
        table = bits_table(network, Stage.B if stage is Stage.R else stage)
        if stage is not Stage.R:
            behind = Patterns.STRAIGHT_THROUGH if straight_through else Patterns.FROZEN
            if network.stage is Stage.R and alpha is not None:
                for module in network.modules():
                    if isinstance(module, PatternConv2d):
                        module.fix_alpha(alpha)
            for step in (Stage.B, Stage.BQ)[: 1 + (stage is Stage.BQ)]:
                if network.stage is not Stage.BQ:
                    to_stage(network, step, patterns=behind, calibration=calibration)
        return network, table
