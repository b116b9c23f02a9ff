"""A traced network with all its modules at the top, so that an exporter names each by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import fx, nn

from sephw.frontend.scope import SCOPES


@dataclass(frozen=True, eq=False)
class Flattened:
    """``network`` computes the same with the same modules; ``modules``: their paths, by name."""

    network: fx.GraphModule
    modules: Mapping[str, str]

    def restore_scopes(self, nodes: Iterable[Any]) -> None:
        """Give ONNX nodes named ``/name/…`` the path of their module as their scope."""
        for node in nodes:
            name, *inner = str(node.name).strip("/").split("/")[:-1] or [""]
            if name in self.modules:
                path = ".".join([self.modules[name], *inner])
                del node.metadata_props[:]
                node.metadata_props.add(key=SCOPES, value=repr([path, node.name]))


def flatten(network: fx.GraphModule) -> Flattened:
    """Move what ``network`` calls and reads to attributes ``m0``, ``m1``, … of a new module.

    torch's older exporter names a module by its last name and by those that are called around it;
    in a traced graph none is, so ``stages.0.act`` and ``stem.act`` would both be ``act``.
    """
    names: dict[str, str] = {}
    root = nn.Module()
    for node in network.graph.nodes:
        if node.op in ("call_module", "get_attr") and node.target not in names:
            names[node.target] = f"m{len(names)}"
            setattr(root, names[node.target], _attribute(network, node.target))
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in network.graph.nodes:
        copies[node] = graph.node_copy(node, copies.__getitem__)
        if node.op in ("call_module", "get_attr"):
            copies[node].target = names[node.target]
    flat = fx.GraphModule(root, graph)
    flat.train(network.training)
    return Flattened(flat, {name: path for path, name in names.items()})


def _attribute(network: nn.Module, path: str) -> Any:
    found: Any = network
    for name in path.split("."):
        found = getattr(found, name)
    return found
