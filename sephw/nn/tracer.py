"""Symbolic tracing of networks in the layers of this package."""

from __future__ import annotations

import operator
from typing import Any

from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.layers import AveragePool2d, Concat, GlobalPool2d, StagedLayer
from sephw.nn.proxy import InPlaceProxy


class LayerTracer(fx.Tracer):
    """Symbolic tracer for which the layers of this package are leaves, like torch's own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(
            m, StagedLayer | GlobalPool2d | AveragePool2d | Concat
        ) or super().is_leaf_module(m, module_qualified_name)

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return InPlaceProxy(node, self)


def trace_layers(network: Any) -> fx.Graph:
    """The calls of ``network``, ``y += x`` as ``y + x``.

    SephwError where torch.fx cannot trace it, and where ``y`` is read again behind ``y += x``.
    """
    try:
        graph = LayerTracer().trace(network)
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise SephwError(
            f"{type(network).__name__}: torch.fx cannot trace it ({reason}); make its forward free "
            "of branches that depend on values"
        ) from error
    order = {node: index for index, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node.op == "call_function" and node.target is operator.iadd:
            changed = node.args[0]
            if isinstance(changed, fx.Node) and any(order[u] > order[node] for u in changed.users):
                raise SephwError(
                    f"'{node.name}': changes '{changed.name}' in place, which is read again behind "
                    "it; write y = y + x"
                )
            node.target = operator.add
    return graph
