"""A float torch network, rewritten call by call in the layers of `sephw.nn`."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from sephw.errors import SephwError
from sephw.nn.binarize.choose import Choice, chosen
from sephw.nn.binarize.make import check_conv, make_conv, make_linear
from sephw.nn.binarize.pools import average_window, check_window, max_window, square
from sephw.nn.binarize.refuse import refusal
from sephw.nn.binarize.words import argument, meaning
from sephw.nn.layers import AveragePool2d, Concat, GlobalPool2d, QuantReLU, pool_exponent


@dataclass(frozen=True, eq=False)
class _Value:
    """A tensor of the new network.

    ``rounded``: on an unsigned grid, as the input of a layer has to be; otherwise a sum that no
    ReLU has rounded yet. ``gain`` float64 (C,): the new tensor over the old one, 1 but behind
    average pools. ``maker``: the call that made it, for messages.
    """

    node: fx.Node
    rounded: bool
    gain: Tensor
    maker: str


def rewrite(
    model: nn.Module,
    input_shape: tuple[int, int, int],
    choice: Choice,
    scale_bits: int,
    activation_bits: int,
) -> tuple[nn.Module, fx.Graph]:
    """Root module and graph of the new network, weights copied; ``model`` is not changed.

    SephwError naming the module for anything that the numerics contract or the engines exclude.
    """
    source = copy.deepcopy(model).cpu().eval()
    graph = _trace(source, type(model).__name__, input_shape)
    taken = chosen(graph, dict(source.named_modules()), choice)
    return _Rewriter(source, graph, taken, scale_bits, activation_bits).run()


def _trace(source: nn.Module, name: str, input_shape: tuple[int, int, int]) -> fx.Graph:
    try:
        graph = fx.Tracer().trace(source)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SephwError(
            f"{name}: torch.fx cannot trace it ({reason}); make its forward free of branches that "
            "depend on values"
        ) from error
    try:
        with torch.no_grad():
            ShapeProp(fx.GraphModule(source, graph)).propagate(torch.zeros(1, *input_shape))
    except Exception as error:
        reason = (str(error.__cause__ or error).splitlines() or [""])[0]
        raise SephwError(
            f"{name}: cannot run on an input of shape {tuple(input_shape)} ({reason}); correct "
            "input_shape=(channels, height, width)"
        ) from error
    return graph


class _Rewriter:
    def __init__(
        self,
        source: nn.Module,
        graph: fx.Graph,
        patterns: frozenset[str],
        scale_bits: int,
        activation_bits: int,
    ) -> None:
        self.modules = dict(source.named_modules())
        self.old, self.new = graph, fx.Graph()
        self.root = nn.Module()
        self.patterns, self.scale_bits, self.bits = patterns, scale_bits, activation_bits
        self.values: dict[fx.Node, _Value] = {}
        self.called: set[str] = set()

    def run(self) -> tuple[nn.Module, fx.Graph]:
        for node in self.old.nodes:
            if not node.users and node.op != "output":
                continue
            word = meaning(node, self.modules)
            take = getattr(self, f"_take_{word}", None) if word else None
            if take is None:
                raise SephwError(refusal(node, self._where(node), self.modules))
            value = take(node)
            if value is not None:
                self.values[node] = value
        self.new.lint()
        return self.root, self.new

    # One method per word of `words.meaning`.

    def _take_placeholder(self, node: fx.Node) -> _Value:
        if len([n for n in self.old.nodes if n.op == "placeholder"]) > 1:
            raise SephwError(
                f"input '{node.target}': the network has several inputs; give it one, the image"
            )
        made = self.new.placeholder(str(node.target))
        return _Value(made, True, torch.ones(_shape(node)[1]).double(), "input")

    def _take_output(self, node: fx.Node) -> None:
        result = node.args[0]
        if not isinstance(result, fx.Node):
            raise SephwError("output: the network returns several tensors; return the logits only")
        self.new.output(self._value(node, result).node)

    def _take_conv(self, node: fx.Node) -> _Value:
        where, path = self._where(node), str(node.target)
        conv: Any = self._once(node)
        value = self._rounded(node)
        pattern = path in self.patterns
        padding = check_conv(where, conv, pattern)
        if len(_shape(node.args[0])) != 4 or value.node.meta.get("flat"):
            raise SephwError(f"{where}: reads a globally pooled tensor; use nn.Linear there")
        made = make_conv(conv, padding, pattern, self.scale_bits, value.gain)
        return self._append(path, made, (value,), False, conv.out_channels, where)

    def _take_linear(self, node: fx.Node) -> _Value:
        where = self._where(node)
        linear: Any = self._once(node)
        value = self._rounded(node)
        if not value.node.meta.get("flat"):
            raise SephwError(
                f"{where}: its input is a map of {_shape(node.args[0])[1:]}; put "
                "nn.AdaptiveAvgPool2d(1) and nn.Flatten() before it"
            )
        made = self._append(
            str(node.target), make_linear(linear, value.gain), (value,), False,
            linear.out_features, where,
        )  # fmt: skip
        made.node.meta["flat"] = True
        return made

    def _take_norm(self, node: fx.Node) -> _Value:
        where, norm = self._where(node), self._once(node)
        before = node.args[0]
        assert isinstance(before, fx.Node)
        if meaning(before, self.modules) != "conv" or len(before.users) != 1:
            raise SephwError(
                f"{where}: no convolution of its own before it; place it right after a Conv2d "
                "whose result goes nowhere else"
            )
        if getattr(norm, "running_var", None) is None:
            raise SephwError(
                f"{where}: has no running statistics; build it with track_running_stats=True"
            )
        value = self._value(node, before)
        return self._append(str(node.target), copy.deepcopy(norm), (value,), False, 0, where)

    def _take_relu(self, node: fx.Node) -> _Value:
        value = self._value(node, node.args[0])
        if value.rounded:  # unsigned already
            return value
        return self._quantize(value, self._name(node))

    def _take_add(self, node: fx.Node) -> _Value:
        where = self._where(node)
        operands = [a for a in (*node.args, *node.kwargs.values()) if isinstance(a, fx.Node)]
        if len(operands) != 2 or node.kwargs.get("alpha", 1) != 1:
            raise SephwError(f"{where}: adds a constant or a multiple; add two tensors as they are")
        values = [self._value(node, operand) for operand in operands]
        shapes = {_shape(operand) for operand in operands}
        if len(shapes) != 1:
            raise SephwError(f"{where}: adds tensors of different shapes; give both the same")
        if not torch.equal(values[0].gain, values[1].gain):
            raise SephwError(
                f"{where}: adds an average pool's result, which is scaled by "
                f"{min(float(v.gain.min()) for v in values):g} here, to another tensor; use "
                "kernel_size=2 or 4, whose average is exact, or put a convolution after the pool"
            )
        total = self.new.call_function(torch.add, (values[0].node, values[1].node))
        return self._carry(_Value(total, False, values[0].gain, where), values[0])

    def _take_concat(self, node: fx.Node) -> _Value:
        where = self._where(node)
        sources: Any = argument(node, 0, "tensors", ())
        if argument(node, 1, "dim", 0) not in (1, -3):
            raise SephwError(f"{where}: joins another axis than channels; use dim=1")
        values = []
        for source in sources:
            value = self._value(node, source)
            if not value.rounded:
                raise SephwError(
                    f"{where}: joins the result of {value.maker}, which no ReLU follows; put "
                    "nn.ReLU before the concatenation"
                )
            values.append(value)
        made = self._append(self._name(node), Concat(), tuple(values), True, 0, where)
        gain = torch.cat([value.gain for value in values])
        return self._carry(_Value(made.node, True, gain, where), values[0])

    def _take_max_pool(self, node: fx.Node) -> _Value:
        where, value = self._where(node), self._rounded(node)
        window = max_window(node, self.modules, where)
        check_window(where, window, _shape(node.args[0]), _shape(node))
        made = nn.MaxPool2d(window.kernel, window.stride, window.padding)
        return self._append(self._name(node), made, (value,), True, 0, where)

    def _take_average_pool(self, node: fx.Node) -> _Value:
        where, value = self._where(node), self._rounded(node)
        window = average_window(node, self.modules, where)
        if window.kernel == _shape(node.args[0])[2:] and not any(window.padding):
            return self._global(node, value)
        check_window(where, window, _shape(node.args[0]), _shape(node))
        made = AveragePool2d(*square(where, window, 2**self.bits - 1))
        name = self._name(node)
        pooled = self._append(name, made, (value,), False, 0, where)
        pooled = _Value(pooled.node, False, value.gain * made.gain, where)
        return pooled if self._ends(node) else self._quantize(pooled, f"{name}_act")

    def _take_global_pool(self, node: fx.Node) -> _Value:
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        size: Any = argument(node, 1, "output_size", None)
        if isinstance(module, nn.AdaptiveAvgPool2d):
            size = module.output_size
        if tuple(size if isinstance(size, tuple | list) else (size, size)) != (1, 1):
            raise SephwError(
                f"{self._where(node)}: output size {size}; use nn.AdaptiveAvgPool2d(1), or "
                "nn.AvgPool2d with a kernel"
            )
        return self._global(node, self._rounded(node))

    def _take_mean(self, node: fx.Node) -> _Value:
        axes: Any = argument(node, 1, "dim", None)
        if not isinstance(axes, tuple | list) or sorted(a % 4 for a in axes) != [2, 3]:
            raise SephwError(
                f"{self._where(node)}: averages axes {axes}; only height and width, (2, 3)"
            )
        return self._global(node, self._rounded(node))

    def _take_flatten(self, node: fx.Node) -> _Value:
        value = self._value(node, node.args[0])
        before, after = _shape(node.args[0]), _shape(node)
        if value.node.meta.get("flat"):
            return value
        if after != before and (len(before) != 4 or before[2] * before[3] != 1):
            raise SephwError(
                f"{self._where(node)}: flattens a map of {before[1:]}; put nn.AdaptiveAvgPool2d(1) "
                "before it"
            )
        made = self.new.call_function(torch.flatten, (value.node, 1))
        made.meta["flat"] = True
        return _Value(made, value.rounded, value.gain, value.maker)

    def _take_pass(self, node: fx.Node) -> _Value:
        value = self._value(node, node.args[0])
        module = self.modules.get(str(node.target)) if node.op == "call_module" else None
        if not isinstance(module, nn.Dropout | nn.Dropout2d):
            return value
        made = self._append(self._name(node), copy.deepcopy(module), (value,), value.rounded, 0,
                            value.maker)  # fmt: skip
        return self._carry(made, value)

    def _take_shape(self, node: fx.Node) -> None:
        """Sizes are known; whoever uses one as a tensor is refused in `_value`."""

    # Helpers.

    def _global(self, node: fx.Node, value: _Value) -> _Value:
        name, where = self._name(node), self._where(node)
        _, _, height, width = _shape(node.args[0])
        pixels = height * width
        pooled = self._append(name, GlobalPool2d(), (value,), False, 0, where)
        pooled.node.meta["flat"] = True
        gain = pixels * 2.0 ** -pool_exponent(pixels)
        pooled = _Value(pooled.node, False, value.gain * gain, where)
        return pooled if self._ends(node) else self._quantize(pooled, f"{name}_act")

    def _quantize(self, value: _Value, name: str) -> _Value:
        made = self._append(name, QuantReLU(self.bits), (value,), True, 0, value.maker)
        return self._carry(made, value)

    def _carry(self, made: _Value, value: _Value) -> _Value:
        made.node.meta["flat"] = value.node.meta.get("flat", False)
        return made

    def _append(
        self, path: str, module: nn.Module, inputs: tuple[_Value, ...], rounded: bool,
        channels: int, maker: str,
    ) -> _Value:  # fmt: skip
        """Call ``module``, placed at ``path`` (numbered where taken); ``channels`` 0: as before."""
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
        return _Value(node, rounded, gain, maker)

    def _value(self, node: fx.Node, source: Any) -> _Value:
        if source not in self.values:
            raise SephwError(
                f"{self._where(node)}: computes with a constant or a size; only layers, +, "
                "concatenation and pools can be taken"
            )
        return self.values[source]

    def _rounded(self, node: fx.Node) -> _Value:
        value = self._value(node, node.args[0])
        if not value.rounded:
            raise SephwError(
                f"{self._where(node)}: reads the result of {value.maker}, which no ReLU follows; "
                "put nn.ReLU between them"
            )
        return value

    def _once(self, node: fx.Node) -> nn.Module:
        path = str(node.target)
        if path in self.called:
            raise SephwError(
                f"{self._where(node)}: called twice; give each use a module of its own"
            )
        self.called.add(path)
        return self.modules[path]

    def _ends(self, node: fx.Node) -> bool:
        """Whether the tensor goes to the output only, through nothing that computes."""
        return all(
            user.op == "output"
            or (meaning(user, self.modules) in ("flatten", "pass") and self._ends(user))
            for user in node.users
            if meaning(user, self.modules) != "shape"
        )

    def _where(self, node: fx.Node) -> str:
        if node.op == "call_module":
            return f"{type(self.modules[str(node.target)]).__name__} '{node.target}'"
        word = meaning(node, self.modules) or getattr(node.target, "__name__", node.target)
        return f"{word} '{self._name(node)}'"

    def _name(self, node: fx.Node) -> str:
        """Path for what a call becomes: its module's, or its scope and the traced name."""
        if node.op == "call_module":
            return str(node.target)
        stack: Any = node.meta.get("nn_module_stack") or {}
        scope = str(next(reversed(stack.values()), ("",))[0]) if stack else ""
        return f"{scope}.{node.name.strip('_')}" if scope else node.name.strip("_")


def _shape(node: Any) -> tuple[int, ...]:
    return tuple(node.meta["tensor_meta"].shape)
