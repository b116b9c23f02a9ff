"""The structure rule of `binarize`, `to_stage` and `freeze`: the networks that can be lowered.

It holds in every stage, so that nothing is trained that cannot be frozen and lowered.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.geometry import average_is_exact, pair
from sephw.nn.layers import (
    AveragePool2d,
    Concat,
    GlobalPool2d,
    PatternConv2d,
    QuantConv2d,
    QuantLinear,
    QuantReLU,
)
from sephw.nn.scales import CONCATENATIONS, concat_inputs
from sephw.nn.shapes import propagate_shapes, shape_of
from sephw.nn.tracer import trace_layers
from sephw.ops.join import MAX_BRANCHES

ADDITIONS = (operator.add, torch.add)
PASSING = (nn.Identity, nn.Dropout, nn.Dropout2d, nn.Flatten)
_LAYERS = (PatternConv2d, QuantConv2d, QuantLinear, GlobalPool2d, AveragePool2d)


@dataclass(frozen=True)
class _Tensor:
    """The state of a tensor in the check.

    ``branches`` of a sum that nothing has rounded yet; 0: quantized. ``image``: the input's own
    pixels. ``flattened``: the map (C, H, W) that it was, where that has several pixels.
    """

    branches: int
    image: bool = False
    flattened: tuple[int, ...] = ()


def check_structure(network: Any, input_shape: tuple[int, int, int] | None) -> None:
    """SephwError naming the first module that cannot be frozen and lowered, and the fix.

    ``input_shape`` (channels, height, width); None: sizes are not checked.
    """
    graph, modules = trace_layers(network), dict(network.named_modules())
    _Checker(modules, sized=False).run(graph)
    if input_shape is not None:
        propagate_shapes(network, graph, input_shape)
        _Checker(modules, sized=True).run(graph)


class _Checker:
    def __init__(self, modules: Mapping[str, nn.Module], sized: bool) -> None:
        self.modules, self.sized = modules, sized
        self.tensors: dict[fx.Node, _Tensor] = {}
        self.called: set[str] = set()

    def run(self, graph: fx.Graph) -> None:
        for node in graph.nodes:
            if node.op == "placeholder":
                if self.tensors:
                    raise SephwError(
                        f"input '{node.target}': the network has several inputs; give it one, the "
                        "image"
                    )
                self.tensors[node] = _Tensor(0, image=True)
            elif node.op == "call_module":
                self.tensors[node] = self._module(node)
            elif node.op == "call_function" and node.target in ADDITIONS:
                self.tensors[node] = self._add(node)
            elif node.op == "call_function" and node.target in CONCATENATIONS:
                self.tensors[node] = self._concat(node, f"concatenation '{node.name}'")
            elif node.op == "call_function" and node.target is functional.max_pool2d:
                self.tensors[node] = self._pool_function(node)
            elif node.op == "call_function" and node.target is torch.flatten:
                self.tensors[node] = self._flatten(node)
            elif node.op == "output":
                self._output(node)
            else:
                raise SephwError(
                    f"'{node.name}' ({node.target}): not supported in a pattern network; "
                    "supported: the layers of sephw.nn, max-pool, concatenation of channels, "
                    "flatten and +"
                )

    def _module(self, node: fx.Node) -> _Tensor:
        target = str(node.target)
        module: Any = self.modules[target]
        where = f"{type(module).__name__} '{target}'"
        if isinstance(module, Concat):
            return self._concat(node, where)
        if isinstance(module, (*_LAYERS, QuantReLU, nn.BatchNorm2d)):
            if target in self.called:
                raise SephwError(f"{where}: called twice; give each use a module of its own")
            self.called.add(target)
        source = self._source(node, where)
        value = self.tensors[source]
        if isinstance(module, nn.BatchNorm2d):
            self._norm(node, source, where)
            return value
        if isinstance(module, QuantReLU):
            if value.branches > MAX_BRANCHES:
                raise SephwError(
                    f"{where}: rounds a sum of {value.branches} branches, at most {MAX_BRANCHES} "
                    "meet in one; put a QuantReLU behind some of them"
                )
            return _Tensor(0, flattened=value.flattened)
        if isinstance(module, nn.Flatten):
            return self._flatten(node)
        if isinstance(module, PASSING):
            return value
        if not isinstance(module, (*_LAYERS, nn.MaxPool2d)):
            raise SephwError(
                f"{where}: not supported in a pattern network; use the layers of sephw.nn"
            )
        if value.branches:
            raise SephwError(f"{where}: its input is not quantized; put a QuantReLU before it")
        if isinstance(module, nn.MaxPool2d):
            _check_pool(
                where, module.kernel_size, module.stride, module.dilation, module.return_indices
            )
            return value
        if isinstance(module, AveragePool2d) and not average_is_exact(module.kernel_size**2, 255):
            raise SephwError(
                f"{where}: an average over {module.kernel_size**2} pixels is not exact in float32; "
                "use kernel_size 2, 3, 4, 6, 8 or 12, or a GlobalPool2d"
            )
        if isinstance(module, QuantLinear):
            self._linear(source, module, value, where)
        elif value.flattened or (self.sized and len(shape_of(source)) != 4):
            raise SephwError(f"{where}: reads a flattened tensor; put it before the flattening")
        return _Tensor(1)

    def _source(self, node: fx.Node, where: str) -> fx.Node:
        (source,) = node.all_input_nodes or (None,)
        if source is None or source not in self.tensors or node.kwargs:
            raise SephwError(f"{where}: has to be called with one tensor, by position")
        return source

    def _norm(self, node: fx.Node, source: fx.Node, where: str) -> None:
        norm: Any = self.modules[str(node.target)]
        before = self.modules.get(str(source.target)) if source.op == "call_module" else None
        if not isinstance(before, PatternConv2d | QuantConv2d) or len(source.users) != 1:
            raise SephwError(
                f"{where}: no convolution of its own before it; place it right after a "
                "PatternConv2d, PointwiseConv2d or QuantConv2d"
            )
        if norm.running_var is None:
            raise SephwError(
                f"{where}: has no running statistics; build it with track_running_stats=True"
            )

    def _linear(self, source: fx.Node, module: Any, value: _Tensor, where: str) -> None:
        if value.flattened:
            channels, *size = value.flattened
            raise SephwError(
                f"{where}: reads a flattened map of {value.flattened}; use QuantConv2d({channels}, "
                f"{module.out_features}, {tuple(size)}) before the flattening instead"
            )
        if self.sized and len(shape_of(source)) != 2:
            raise SephwError(
                f"{where}: reads a map of {shape_of(source)[1:]}; put a GlobalPool2d and a "
                "QuantReLU before it"
            )

    def _add(self, node: fx.Node) -> _Tensor:
        operands = [arg for arg in node.args if isinstance(arg, fx.Node)]
        if len(operands) != 2 or not all(arg in self.tensors for arg in operands):
            raise SephwError(
                f"'{node.name}': adds a constant; put it into the bias of the layer before it"
            )
        if node.kwargs:
            raise SephwError(f"'{node.name}': adds a multiple; add two tensors as they are")
        if self.sized and shape_of(operands[0]) != shape_of(operands[1]):
            raise SephwError(
                f"'{node.name}': adds tensors of shapes {shape_of(operands[0])[1:]} and "
                f"{shape_of(operands[1])[1:]}; give both the same"
            )
        values = [self.tensors[arg] for arg in operands]
        return _Tensor(sum(max(v.branches, 1) for v in values), flattened=values[0].flattened)

    def _concat(self, node: fx.Node, where: str) -> _Tensor:
        values = []
        for source in concat_inputs(node, where):
            value = self.tensors[source]
            if value.branches:
                raise SephwError(
                    f"{where}: its input '{source.target}' is not quantized; put a QuantReLU "
                    "before it"
                )
            if value.flattened:
                raise SephwError(f"{where}: joins flattened maps; flatten behind it")
            values.append(value)
        if len({value.image for value in values}) > 1:
            raise SephwError(
                f"{where}: joins the image and quantized tensors, whose scales differ; put a "
                "QuantReLU behind the image"
            )
        return _Tensor(0, image=values[0].image)

    def _pool_function(self, node: fx.Node) -> _Tensor:
        where = f"max_pool2d '{node.name}'"
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
        given: dict[str, Any] = dict(zip(names, node.args[1:], strict=False)) | dict(node.kwargs)
        source = node.args[0] if node.args else given.get("input")
        if source not in self.tensors or any(isinstance(v, fx.Node) for v in given.values()):
            raise SephwError(f"{where}: sizes are computed; give numbers")
        value = self.tensors[source]
        if value.branches:
            raise SephwError(f"{where}: its input is not quantized; put a QuantReLU before it")
        kernel = given.get("kernel_size")
        _check_pool(
            where,
            kernel,
            given.get("stride") or kernel,
            given.get("dilation", 1),
            given.get("return_indices", False),
        )
        return value

    def _flatten(self, node: fx.Node) -> _Tensor:
        (source,) = node.all_input_nodes
        value = self.tensors[source]
        if not self.sized or value.flattened:
            return value
        before, after = shape_of(source), shape_of(node)
        if len(after) != 2 or after[0] != 1:
            raise SephwError(
                f"'{node.name}': makes {after} of {before}; flatten each image, from axis 1 on"
            )
        several = len(before) == 4 and before[2] * before[3] > 1
        return _Tensor(value.branches, value.image, before[1:] if several else ())

    def _output(self, node: fx.Node) -> None:
        result = node.args[0]
        if result not in self.tensors:
            raise SephwError("output: the network returns several tensors; return the logits only")
        value = self.tensors[result]
        if value.flattened:
            raise SephwError("output: returns a flattened map; return the map itself")
        if value.branches > MAX_BRANCHES:
            raise SephwError(
                f"output: a sum of {value.branches} branches, at most {MAX_BRANCHES} meet in one; "
                "put a QuantReLU behind some of them"
            )


def _check_pool(where: str, kernel: Any, stride: Any, dilation: Any, indices: bool) -> None:
    if pair(dilation) != (1, 1):
        raise SephwError(f"{where}: dilation {pair(dilation)}; use a dilation of 1")
    vertical, horizontal = pair(stride or kernel)
    if vertical != horizontal:
        raise SephwError(f"{where}: unequal strides {(vertical, horizontal)}; use one stride")
    if indices:
        raise SephwError(f"{where}: returns indices; use return_indices=False")
