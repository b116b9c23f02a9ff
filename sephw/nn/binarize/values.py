"""Tensors of the rewritten network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import prod

from torch import Tensor, fx, nn


class TensorLayout(Enum):
    """The layout of a tensor of the new network: maps (N, C, H, W), or one value a channel (N, C).

    UNROLLED: a map that the old network has flattened to (N, C·H·W).
    """

    MAP = "map"
    FLAT = "flat"
    UNROLLED = "unrolled"


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor of the new network.

    ``rounded``: on an unsigned grid, as the input of a layer has to be; otherwise a sum that no
    ReLU has rounded yet. ``gain`` float64 (C,): the new tensor over the old one, 1 but behind
    average pools. ``maker``: the call that made it, for messages. ``size``: height and width of
    the map. ``image``: holds the image's own pixels, whose grid no calibration chooses.
    """

    node: fx.Node
    rounded: bool
    gain: Tensor
    maker: str
    size: tuple[int, ...]
    form: TensorLayout = TensorLayout.MAP
    image: bool = False

    @property
    def map_shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return (len(self.gain), *self.size)


@dataclass(frozen=True, eq=False)
class Rewritten:
    """The new network, and the tensor that replaces the result of every call of the old one.

    ``result``: its output.
    """

    root: nn.Module
    graph: fx.Graph
    values: dict[fx.Node, Value]
    result: Value

    @property
    def macs(self) -> int:
        """Multiplications of an image."""
        modules = dict(self.root.named_modules())
        total = 0
        for value in self.values.values():
            layer = modules.get(str(value.node.target))
            if isinstance(layer, nn.Conv2d | nn.Linear):
                total += layer.weight.numel() * prod(value.size)
        return total
