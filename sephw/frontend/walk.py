"""The walk over an ONNX graph's nodes: what each computes, or what it is refused for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from sephw.errors import SephwError
from sephw.frontend.builder import GraphBuilder
from sephw.frontend.call import NodeCall
from sephw.frontend.handler import dispatch, recognize
from sephw.frontend.handlers import HANDLERS
from sephw.frontend.join import join_output
from sephw.frontend.onnx_file import ImageInput, array_of
from sephw.frontend.scope import label_of, module_of
from sephw.frontend.values import Average, Constant, Curve, Image, Quantized, Sum, Unrolled, Value
from sephw.ir import IntType
from sephw.ops.thresholds import Thresholds

INPUT = "input"
_FUNCTIONS = ("Concat", "MaxPool")
# Where qonnx keeps operators on (N, H, W, C).
_CHANNELS_LAST = "qonnx.custom_op.channels_last"


@dataclass(frozen=True)
class Unknown:
    """The output of a refused node that nothing can stand in for; ``node``: as errors name it."""

    node: str


@dataclass(frozen=True, eq=False)
class JudgedNode:
    """A node that was walked over.

    ``refusals``: none where it is taken. ``waits_for``: the refused nodes, as errors name them,
    whose outputs are unknown, so that this one could not be judged whole. ``behind``: the nearest
    refused nodes before it of which it is judged as if they were mended. ``is_thresholds``: it is
    a step that float32 rounds, or the quantizer that makes thresholds of such steps.
    """

    call: NodeCall
    refusals: tuple[SephwError, ...]
    waits_for: tuple[str, ...]
    behind: tuple[str, ...]
    is_thresholds: bool


@dataclass
class OnnxWalk:
    """Walks the nodes of one file. ``collects``: refusals are kept, and the walk goes on.

    Otherwise the first one is raised. ``nodes``: those that were walked over. ``whole``: what is
    refused of the file itself.
    """

    path: Path
    model: Any
    collects: bool
    builder: GraphBuilder
    nodes: list[JudgedNode] = field(default_factory=list)
    whole: list[SephwError] = field(default_factory=list)

    def run(self, image: ImageInput | None) -> str:
        """OnnxWalk all nodes; returns the tensor of the output, "" where it is unknown.

        ``image`` None: nothing is known of the input.
        """
        graph = self.model.graph
        nodes = live_nodes(graph)
        values = self._first_values(image)
        output = graph.output[0].name if graph.output else ""
        if not self.collects:
            for node in nodes:
                _check_layout(node)
        modules = [module_of(node) for node in nodes]
        last_of = _last_nodes(modules)
        behind: dict[str, tuple[str, ...]] = {}
        for number, (node, module) in enumerate(zip(nodes, modules, strict=True)):
            # These may be functions inside of a module, whose output is what its last node makes.
            closes = node.op_type not in _FUNCTIONS or last_of.get(module) == number
            found = [values.get(name) if name else None for name in node.input]
            waits = {value.node: None for value in found if isinstance(value, Unknown)}
            inputs = tuple(None if isinstance(value, Unknown) else value for value in found)
            refusals: list[SephwError] | None = [] if self.collects else None
            owner = module if closes else ""
            call = NodeCall(self.builder, node, label_of(node), owner, inputs, refusals)
            count = len(self.builder.nodes)
            made = _judge(call, bool(waits))
            rounds = isinstance(made, Curve) or any(
                isinstance(one.operator, Thresholds) for one in self.builder.nodes[count:]
            )
            unknown = Unknown(next(iter(waits)) if waits and not refusals else call.where)
            before = dict.fromkeys(n for name in node.input for n in behind.get(name, ()))
            if made is None:
                behind[node.output[0]] = ()
            else:
                behind[node.output[0]] = (call.where,) if refusals else tuple(before)
            values[node.output[0]] = unknown if made is None else made
            self.nodes.append(
                JudgedNode(call, tuple(refusals or ()), tuple(waits), tuple(before), rounds)
            )
        return self._end(output, values.get(output))

    def refuse(self, error: SephwError) -> None:
        """Refuse the file; raises ``error`` unless refusals are collected."""
        if not self.collects:
            raise error
        self.whole.append(error)

    def _first_values(self, image: ImageInput | None) -> dict[str, Value | Unknown | None]:
        graph = self.model.graph
        values: dict[str, Value | Unknown | None] = {
            tensor.name: Constant(array_of(str(self.path), tensor)) for tensor in graph.initializer
        }
        for entry in graph.input:
            values.setdefault(entry.name, Unknown(f"input '{entry.name}'"))
        if image is not None:
            shape = (image.height, image.width, image.channels)
            self.builder.add_input(INPUT, shape, IntType(8, signed=False))
            values[image.name] = Image(image.rank)
        return values

    def _end(self, output: str, final: Value | Unknown | None) -> str:
        if len(self.model.graph.output) != 1:
            return ""
        last = self.nodes[-1].call if self.nodes else None
        if last is None or last.output != output:
            self.refuse(
                SephwError(
                    f"{self.path}: output '{output}' is not what a layer makes; export a network "
                    "that computes something"
                )
            )
            return ""
        if isinstance(final, Unknown):
            return ""
        try:
            tensor = _make_output(self.path, last, final)
            if not self.builder.nodes and not self.builder.stand_ins:
                raise SephwError(
                    f"{self.path}: output '{output}' is the image itself; export a network with "
                    "layers"
                )
        except SephwError as error:
            self.refuse(error)
            return ""
        return tensor


def _judge(call: NodeCall, waits: bool) -> Value | None:
    """What the node computes; None where it is unknown, after a refusal or for its inputs."""
    try:
        if call.refusals is not None:
            _check_layout(call.node)
        if waits:
            recognize(HANDLERS, call)
            return None
        return dispatch(HANDLERS, call)
    except SephwError as error:
        call.refuse(error)
        return None


def _check_layout(node: Any) -> None:
    """SephwError naming a node on (N, H, W, C), before what else is wrong is said."""
    if node.domain == _CHANNELS_LAST:
        raise SephwError(
            f"{node.op_type} '{label_of(node)}': channels come last ({_CHANNELS_LAST}); export "
            "the network with channels first, (N, C, H, W)"
        )


def live_nodes(graph: Any) -> list[Any]:
    """The nodes that the output depends on, in the file's (topological) order."""
    wanted = {entry.name for entry in graph.output}
    found = []
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(name for name in node.input if name)
            found.append(node)
    return found[::-1]


def _make_output(path: Path, last: NodeCall, final: Value | None) -> str:
    """The output's tensor, marked as such; with a Join where it is a sum."""
    builder = last.builder
    if isinstance(final, Sum):
        return join_output(last, final)
    if isinstance(final, Quantized):
        exponents = np.full(builder.tensors[final.tensor].channels, final.exponent)
        builder.share(final.tensor, last.output, exponents, is_output=True)
        return final.tensor
    if isinstance(final, Average):
        raise last.inexact(final)
    if isinstance(final, Curve):
        raise SephwError(
            f"{path}: output '{last.output}' is what float32 rounds on the way; put a quantizer "
            "(Quant; sephw.nn.QuantReLU) behind it"
        )
    if isinstance(final, Unrolled):
        raise SephwError(
            f"{path}: output '{last.output}' is a flattened map; end the network with the map "
            "itself, without Flatten"
        )
    raise SephwError(
        f"{path}: output '{last.output}' does not depend on the image; export the network itself"
    )


def _last_nodes(modules: Sequence[str]) -> dict[str, int]:
    """The number of the last node of each module, those of modules within it counted."""
    last = {}
    for number, module in enumerate(modules):
        parts = module.split(".") if module else []
        for depth in range(len(parts)):
            last[".".join(parts[: depth + 1])] = number
    return last
