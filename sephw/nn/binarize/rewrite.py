"""A float torch network, rewritten call by call in the layers of `sephw.nn`."""

from __future__ import annotations

import copy
from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.binarize.call import Modules, TorchCall
from sephw.nn.binarize.in_place import Values
from sephw.nn.binarize.make import (
    check_conv,
    make_conv,
    make_flattened_linear,
    make_linear,
    make_linear_from_conv,
)
from sephw.nn.binarize.pools import average_window, check_window, max_window, square
from sephw.nn.binarize.refuse import ONLY_SUMS
from sephw.nn.binarize.values import Rewritten, TensorLayout, Value
from sephw.nn.binarize.words import operation_of
from sephw.nn.layers import AveragePool2d, Concat, GlobalPool2d, QuantReLU, pool_exponent

INPUT_TOP = 255


class Rewriter:
    """Rewrites ``old`` once; `run` returns the new network, weights copied."""

    def __init__(
        self,
        modules: Modules,
        old: Values,
        patterns: frozenset[str],
        scale_bits: int,
        activation_bits: int,
    ) -> None:
        self.modules, self.old, self.new = modules, old, fx.Graph()
        self.root = nn.Module()
        self.patterns, self.scale_bits, self.bits = patterns, scale_bits, activation_bits
        self.values: dict[fx.Node, Value] = {}
        self.called: set[str] = set()

    def run(self) -> Rewritten:
        """Rewrite the network.

        Raises SephwError naming a module that the numerics contract or the engines exclude.
        """
        for node in self.old.graph.nodes:
            # Of constants only: whoever computes with it is refused in `_value`.
            if node.op != "placeholder" and not self.values.keys() & set(node.all_input_nodes):
                continue
            call = TorchCall(node, self.modules)
            value = getattr(self, f"_take_{call.operation}")(call)
            call.finish()
            if value is not None:
                self.values[node] = value
        self.new.lint()
        (output,) = [node for node in self.old.graph.nodes if node.op == "output"]
        result = self.values[output.all_input_nodes[0]]
        return Rewritten(self.root, self.new, self.values, result)

    # One method per word of `words.operation_of`.

    def _take_placeholder(self, call: TorchCall) -> Value:
        made = self.new.placeholder(str(call.node.target))
        _, channels, *size = self._shape(call.node)
        return Value(made, True, torch.ones(channels).double(), "input", tuple(size), image=True)

    def _take_output(self, call: TorchCall) -> None:
        result = call.node.args[0]
        if not isinstance(result, fx.Node):
            raise SephwError("output: the network returns several tensors; return the logits only")
        value = self._value(call, result)
        if value.form is TensorLayout.UNROLLED:
            raise SephwError(
                f"output: returns a flattened map, the result of {value.maker}; "
                "return the map itself, or put nn.Linear behind it"
            )
        if value.gain.min() != value.gain.max():
            raise SephwError(
                f"output: {value.maker} joins an average pool's or product's result, which is "
                f"{float(value.gain.min()):g} times as large here, with others; put a convolution "
                "or nn.Linear behind it"
            )
        self.new.output(value.node)

    def _take_conv(self, call: TorchCall) -> Value:
        where, path, conv = call.where, call.name, self._once(call)
        value = self._rounded(call)
        pattern = path in self.patterns
        padding = check_conv(where, path, conv, pattern)
        if value.form is TensorLayout.FLAT:
            if conv.kernel_size != (1, 1) or conv.groups > 1:
                raise SephwError(
                    f"{where}: reads a globally pooled tensor; give it kernel_size=1, padding=0 "
                    "and groups=1, or put it before the pool"
                )
            linear = make_linear_from_conv(conv, value.gain)
            return self._append(path, linear, (value,), False, conv.out_channels, where)
        self._needs_map(call, value)
        layer = make_conv(conv, padding, pattern, self.scale_bits, value.gain)
        made = self._append(path, layer, (value,), False, conv.out_channels, where)
        return replace(made, size=self._shape(call.node)[2:])

    def _take_linear(self, call: TorchCall) -> Value:
        where, path, linear = call.where, call.name, self._once(call)
        source = call.input
        value = self._rounded(call, source)
        shape = self._shape(source)
        if len(shape) != 2 or value.form is TensorLayout.MAP:
            size = prod(shape[1:])
            raise SephwError(
                f"{where}: its input is a map of {shape[1:]}; put nn.Flatten() before it, and give "
                f"it in_features={size}"
            )
        if value.form is TensorLayout.UNROLLED:
            layer = make_flattened_linear(linear, value.map_shape, value.gain)
            wide = self._append(path, layer, (value,), False, linear.out_features, where)
            node = self.new.call_function(torch.flatten, (wide.node, 1))
            return replace(wide, node=node, form=TensorLayout.FLAT, size=(1, 1))
        return self._append(
            path, make_linear(linear, value.gain), (value,), False, linear.out_features, where
        )

    def _take_norm(self, call: TorchCall) -> Value:
        where, norm = call.where, self._once(call)
        before = call.input
        value = self._value(call, before)
        uses = [user for user in before.users if user is not call.node]
        if operation_of(before, self.modules) != "conv" or uses or value.rounded:
            raise SephwError(
                f"{where}: no convolution of its own before it; place it right after a Conv2d "
                "whose result goes nowhere else"
            )
        if value.form is not TensorLayout.MAP:
            raise SephwError(
                f"{where}: behind a global pool; put its convolution and it before the pool"
            )
        if getattr(norm, "running_var", None) is None:
            raise SephwError(
                f"{where}: has no running statistics; build it with track_running_stats=True"
            )
        return self._append(call.name, copy.deepcopy(norm), (value,), False, 0, where)

    def _take_relu(self, call: TorchCall) -> Value:
        call.take("inplace")
        value = self._value(call, call.input)
        if value.rounded:  # unsigned already
            return value
        return self._quantize(value, call.name)

    def _take_add(self, call: TorchCall) -> Value:
        where = call.where
        operands = [call.input, call.take("other")]
        if not all(isinstance(a, fx.Node) for a in operands) or call.take("alpha", 1) != 1:
            raise SephwError(f"{where}: adds a constant or a multiple; add two tensors as they are")
        values = [self._value(call, operand) for operand in operands]
        if len({self._shape(operand) for operand in operands}) != 1:
            raise SephwError(f"{where}: adds tensors of different shapes; give both the same")
        if values[0].form is not values[1].form:
            raise SephwError(f"{where}: adds a map to a pooled tensor; flatten both")
        if not torch.equal(values[0].gain, values[1].gain):
            raise SephwError(
                f"{where}: adds an average pool's or product's result, which is "
                f"{' and '.join(f'{float(v.gain.min()):g}' for v in values)} times as large here; "
                "put a convolution after it (nn.Linear after a global pool)"
            )
        total = self.new.call_function(torch.add, (values[0].node, values[1].node))
        return replace(values[0], node=total, rounded=False, maker=where, image=False)

    def _take_mul(self, call: TorchCall) -> Value:
        return self._scaled(call, call.input, call.take("other"), 1)

    def _take_div(self, call: TorchCall) -> Value:
        return self._scaled(call, call.input, call.take("other"), -1)

    def _take_concat(self, call: TorchCall) -> Value:
        where = call.where
        sources: Any = call.take("tensors")
        if call.take("dim", 0) not in (1, 1 - len(self._shape(call.node))):
            raise SephwError(f"{where}: joins another axis than channels; use dim=1")
        values = [self._value(call, source) for source in sources]
        for value in values:
            if not value.rounded:
                raise SephwError(
                    f"{where}: joins the result of {value.maker}, which no ReLU follows; put "
                    "nn.ReLU before the concatenation"
                )
            if value.form is TensorLayout.UNROLLED or value.form is not values[0].form:
                raise SephwError(
                    f"{where}: joins a flattened map, the result of {value.maker}; concatenate "
                    "the maps, and flatten behind it"
                )
        if len(values) == 1:
            return values[0]
        if not all(value.image for value in values):
            # All inputs share one scale, which calibration chooses; the image's is given.
            values = [
                self._quantize(value, f"{call.name}_image") if value.image else value
                for value in values
            ]
        made = self._append(call.name, Concat(), tuple(values), True, 0, where)
        gain = torch.cat([value.gain for value in values])
        return replace(made, gain=gain, image=values[0].image)

    def _take_max_pool(self, call: TorchCall) -> Value:
        source = call.input
        value = self._rounded(call, source)
        window = max_window(call)
        self._needs_map(call, value)
        check_window(call.where, window, self._shape(source), self._shape(call.node))
        made = nn.MaxPool2d(window.kernel, window.stride, window.padding)
        pooled = self._append(call.name, made, (value,), True, 0, call.where)
        return replace(pooled, size=self._shape(call.node)[2:], image=value.image)

    def _take_average_pool(self, call: TorchCall) -> Value:
        source = call.input
        value = self._rounded(call, source)
        window = average_window(call)
        self._needs_map(call, value)
        if window.kernel == self._shape(source)[2:] and not any(window.padding):
            return self._global(call, value)
        check_window(call.where, window, self._shape(source), self._shape(call.node))
        top = INPUT_TOP if value.image else 2**self.bits - 1
        made = AveragePool2d(*square(call.where, window, top))
        pooled = self._append(call.name, made, (value,), False, 0, call.where)
        size = self._shape(call.node)[2:]
        pooled = replace(pooled, gain=value.gain * made.gain, size=size)
        return pooled if self._ends(call.node) else self._quantize(pooled, f"{call.name}_act")

    def _take_global_pool(self, call: TorchCall) -> Value:
        size: Any = call.module.output_size if call.module else call.take("output_size")
        if tuple(size if isinstance(size, tuple | list) else (size, size)) != (1, 1):
            raise SephwError(
                f"{call.where}: output size {size}; use nn.AdaptiveAvgPool2d(1), or "
                "nn.AvgPool2d with a kernel"
            )
        return self._global(call, self._rounded(call))

    def _take_mean(self, call: TorchCall) -> Value:
        axes: Any = call.take("dim")
        call.take("keepdim")
        if not isinstance(axes, tuple | list) or sorted(a % 4 for a in axes) != [2, 3]:
            raise SephwError(f"{call.where}: averages axes {axes}; only height and width, (2, 3)")
        return self._global(call, self._rounded(call))

    def _take_flatten(self, call: TorchCall) -> Value:
        source = call.input
        value = self._value(call, source)
        for name in ("start_dim", "end_dim", "dim", "dims", "shape", "size"):
            if isinstance(call.take(name), torch.dtype):
                raise SephwError(f"{call.where}: reads the bits as another type; leave it away")
        before, after = self._shape(source), self._shape(call.node)
        if after == before:
            return value
        pixels = prod(value.map_shape)
        kept = tuple(size for size in after[1:] if size != 1)
        if after[:1] == before[:1] and prod(after[1:]) == pixels and len(kept) < 2:
            if value.form is not TensorLayout.MAP:
                return value
            if prod(value.size) > 1:
                return replace(value, form=TensorLayout.UNROLLED)
            made = self.new.call_function(torch.flatten, (value.node, 1))
            return replace(value, node=made, form=TensorLayout.FLAT)
        if value.form is TensorLayout.UNROLLED and after[1:] == value.map_shape:
            return replace(value, form=TensorLayout.MAP)
        raise SephwError(
            f"{call.where}: makes {after} of {before}; only flattening of each image is "
            "supported, nn.Flatten()"
        )

    def _take_pass(self, call: TorchCall) -> Value:
        call.take("memory_format")
        return self._value(call, call.input)

    def _take_dropout(self, call: TorchCall) -> Value:
        value = self._value(call, call.input)
        layer: nn.Module
        if call.module is not None:
            layer = copy.deepcopy(call.module)
        else:
            call.take("inplace")
            train = call.take("train")
            if call.take("training", True) if train is None else train:
                raise SephwError(
                    f"{call.where}: drops in evaluation as well; use nn.Dropout, or "
                    "training=self.training"
                )
            kind = nn.Dropout2d if "2d" in str(call.node.target) else nn.Dropout
            layer = kind(call.take("p", 0.5))
        made = self._append(call.name, layer, (value,), value.rounded, 0, value.maker)
        return replace(value, node=made.node)

    # Helpers.

    def _global(self, call: TorchCall, value: Value) -> Value:
        self._needs_map(call, value)
        pixels = prod(value.size)
        pooled = self._append(call.name, GlobalPool2d(), (value,), False, 0, call.where)
        gain = value.gain * (pixels * 2.0 ** -pool_exponent(pixels))
        pooled = replace(pooled, gain=gain, size=(1, 1), form=TensorLayout.FLAT)
        return pooled if self._ends(call.node) else self._quantize(pooled, f"{call.name}_act")

    def _scaled(self, call: TorchCall, tensor: Any, factor: Any, power: int) -> Value:
        """A tensor times or over a positive number, which the layers behind it absorb."""
        if power == 1 and isinstance(factor, fx.Node):
            tensor, factor = factor, tensor
        if tensor not in self.values or not isinstance(factor, int | float) or factor <= 0:
            raise SephwError(f"{call.where}: {ONLY_SUMS}")
        value = self.values[tensor]
        return replace(value, gain=value.gain / float(factor) ** power)

    def _quantize(self, value: Value, name: str) -> Value:
        return self._append(name, QuantReLU(self.bits), (value,), True, 0, value.maker)

    def _append(
        self,
        path: str,
        module: nn.Module,
        inputs: tuple[Value, ...],
        rounded: bool,
        channels: int,
        maker: str,
    ) -> Value:
        """Call ``module``, placed at ``path`` (numbered where taken).

        The result lies as the first input does, with ``channels`` ones for gains; 0: its gains.
        """
        parent: nn.Module = self.root
        *scopes, name = path.split(".")
        for scope in scopes:
            if not hasattr(parent, scope):
                parent.add_module(scope, nn.Module())
            parent = getattr(parent, scope)
        number, free = 2, name
        while hasattr(parent, free):
            free, number = f"{name}_{number}", number + 1
        parent.add_module(free, module.train())
        node = self.new.call_module(
            ".".join([*scopes, free]), tuple(value.node for value in inputs)
        )
        gain = torch.ones(channels).double() if channels else inputs[0].gain
        return replace(inputs[0], node=node, rounded=rounded, gain=gain, maker=maker, image=False)

    def _value(self, call: TorchCall, source: Any) -> Value:
        if source not in self.values:
            raise SephwError(
                f"{call.where}: computes with a constant or a parameter; only layers, +, "
                "concatenation and pools can be taken"
            )
        return self.values[source]

    def _rounded(self, call: TorchCall, source: Any = None) -> Value:
        value = self._value(call, call.input if source is None else source)
        if not value.rounded:
            raise SephwError(
                f"{call.where}: reads the result of {value.maker}, which no ReLU follows; "
                "put nn.ReLU between them"
            )
        return value

    def _needs_map(self, call: TorchCall, value: Value) -> None:
        if value.form is TensorLayout.FLAT:
            raise SephwError(
                f"{call.where}: reads a globally pooled tensor, of one pixel; put it "
                "before the pool, or leave it away"
            )
        if value.form is TensorLayout.UNROLLED:
            raise SephwError(f"{call.where}: reads a flattened map; put it before the flattening")

    def _once(self, call: TorchCall) -> Any:
        if call.name in self.called:
            raise SephwError(f"{call.where}: called twice; give each use a module of its own")
        self.called.add(call.name)
        return call.module

    def _ends(self, node: fx.Node) -> bool:
        """Whether the tensor goes to the output only, through nothing that computes."""
        return all(
            user.op == "output"
            or (operation_of(user, self.modules) in ("flatten", "pass") and self._ends(user))
            for user in node.users
        )

    def _shape(self, node: fx.Node) -> tuple[int, ...]:
        shape = self.old.shapes[node]
        assert shape is not None
        return shape
