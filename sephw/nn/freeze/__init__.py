"""freeze: the integer deploy network of the numerics contract.

Every tensor of the deploy network is integer · 2^-n with fewer than 24 bits, so float32 computes
it without rounding and every later representation can be compared with ``==``.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.finite import check_finite
from sephw.nn.freeze.budget import BUDGET_BITS, FittedSum, LayerBudget
from sephw.nn.freeze.modules import (
    INPUT_BITS,
    INPUT_EXPONENT,
    DeployAveragePool2d,
    DeployConv2d,
    DeployGlobalPool2d,
    DeployInput,
    DeployLinear,
    DeployOffset,
    DeployPatternConv2d,
    DeployReLU,
)
from sephw.nn.freeze.terms import PatternTerm, PoolTerm, Term, WeightTerm
from sephw.nn.freeze.walk import walk
from sephw.nn.layers import AveragePool2d, QuantLinear
from sephw.nn.shapes import propagate_shapes
from sephw.nn.stage import Stage
from sephw.nn.structure import check_structure
from sephw.nn.tracer import trace_layers

__all__ = ["BUDGET_BITS", "INPUT_BITS", "INPUT_EXPONENT", "DeployNetwork", "LayerBudget", "freeze"]


class DeployNetwork(fx.GraphModule):
    """A frozen network. float32 (N, C, H, W) = uint8/256 in, logits (N, classes) out.

    ``input_shape`` (C, H, W); ``budgets`` the 24-bit proof, one entry per join.
    """

    input_shape: tuple[int, int, int]
    budgets: tuple[LayerBudget, ...]


def freeze(network: Any, input_shape: tuple[int, int, int] | None = None) -> DeployNetwork:
    """The deploy network of a BQ network; ``network`` itself is left as it is.

    ``input_shape`` (channels, height, width) defaults to the network's own arguments.
    Raises SephwError if the network is not in stage BQ, holds something outside the numerics
    contract, or needs more than 24 bits somewhere; the message names the module.
    """
    if network.stage is not Stage.BQ:
        raise SephwError(
            f"{type(network).__name__}: stage {network.stage} cannot be frozen; "
            "train it to stage BQ first"
        )
    if input_shape is None:
        a = network.arguments
        input_shape = (a["in_channels"], a["height"], a["width"])
    root = copy.deepcopy(network).cpu().eval()
    check_finite(root)
    check_structure(root, input_shape)
    graph = trace_layers(root)
    propagate_shapes(root, graph, input_shape)
    modules = dict(root.named_modules())
    found = walk(graph, modules, input_shape[0])
    budgets = []
    for target, join in found.joins.items():
        layer: Any = modules[target]
        for term in join.terms:
            _replace_source(root, modules, term)
        _put(
            root,
            target,
            DeployReLU(layer.bits, layer.exponent, join.offset, join.exponent, found.ranks[target]),
        )
        budgets.append(join.budget)
    graph.owning_module = root
    _declare_input(root, graph)
    if found.logits is not None:
        for term in found.logits.terms:
            _replace_source(root, modules, term)
        budgets.append(found.logits.budget)
        _add_offset(root, graph, found.logits, found.logits_rank)
    _drop_identities(root, graph)
    graph.lint()
    deploy = DeployNetwork(root, graph, "DeployNetwork")
    deploy.input_shape = input_shape
    deploy.budgets = tuple(budgets)
    return deploy.eval()


def _put(root: nn.Module, target: str, module: nn.Module) -> None:
    parent, _, name = target.rpartition(".")
    setattr(root.get_submodule(parent), name, module)


def _replace_source(root: nn.Module, modules: dict[str, nn.Module], term: Term) -> None:
    layer: Any = modules.get(term.source)
    if isinstance(term, PatternTerm):
        _put(root, term.source, DeployPatternConv2d(layer, term))
    elif isinstance(term, PoolTerm) and isinstance(layer, AveragePool2d):
        _put(root, term.source, DeployAveragePool2d(layer))
    elif isinstance(term, PoolTerm):
        _put(root, term.source, DeployGlobalPool2d(term.shift))
    elif isinstance(term, WeightTerm):
        linear = isinstance(layer, QuantLinear)
        _put(root, term.source, DeployLinear(layer, term) if linear else DeployConv2d(layer, term))


def _declare_input(root: Any, graph: fx.Graph) -> None:
    root.deploy_input = DeployInput()
    for node in list(graph.nodes):
        if node.op == "placeholder":
            with graph.inserting_after(node):
                quantized = graph.call_module("deploy_input", (node,))
            node.replace_all_uses_with(quantized, lambda user, q=quantized: user is not q)


def _add_offset(root: Any, graph: fx.Graph, logits: FittedSum, rank: int) -> None:
    root.deploy_logits = DeployOffset(logits.offset, logits.exponent, rank)
    (output,) = [node for node in graph.nodes if node.op == "output"]
    with graph.inserting_before(output):
        output.args = (graph.call_module("deploy_logits", (output.args[0],)),)


def _drop_identities(root: nn.Module, graph: fx.Graph) -> None:
    for node in list(graph.nodes):
        if node.op == "call_module" and isinstance(root.get_submodule(node.target), nn.Identity):
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
