"""Selection of the k×k convolutions that become patterns."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from torch import fx, nn

from sephw.errors import SephwError
from sephw.nn.binarize.words import is_addition, is_passing


@dataclass(frozen=True)
class LayerSelection:
    """Module paths, with ``*`` and ``?``, that override the rule: further patterns, and layers to
    keep.
    """

    patterns: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


def select_patterns(
    graph: fx.Graph, modules: Mapping[str, nn.Module], choice: LayerSelection
) -> frozenset[str]:
    """The paths of the convolutions that become patterns.

    Raises SephwError where a path of the user's matches no k×k convolution.
    """
    spatial = {
        str(node.target): node
        for node in graph.nodes
        if node.op == "call_module" and _is_spatial(modules[str(node.target)])
    }
    for option, names in (("patterns", choice.patterns), ("keep", choice.keep)):
        for name in names:
            if not any(fnmatchcase(path, name) for path in spatial):
                near = difflib.get_close_matches(name, spatial, 1, 0) or ["none"]
                raise SephwError(
                    f"{option}='{name}': fits no k×k convolution; the nearest is '{near[0]}'"
                )
    taken = set()
    for path, node in spatial.items():
        named = any(fnmatchcase(path, name) for name in choice.patterns)
        kept = any(fnmatchcase(path, name) for name in choice.keep)
        if named or not (kept or _is_stem(node, modules) or _is_projection(node, modules)):
            taken.add(path)
    return frozenset(taken)


def _is_spatial(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv2d) and max(module.kernel_size) > 1


def _is_stem(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Reads the network's input, at most through layers that hand it on."""
    (source,) = node.all_input_nodes
    while source.op != "placeholder":
        if not is_passing(source, modules):
            return False
        (source,) = source.all_input_nodes
    return True


def _is_projection(node: fx.Node, modules: Mapping[str, nn.Module]) -> bool:
    """Strided, and added to something without a ReLU in between."""
    module = modules[str(node.target)]
    assert isinstance(module, nn.Conv2d)
    if max(module.stride) == 1:
        return False
    following = list(node.users)
    while len(following) == 1 and (
        is_passing(following[0], modules)
        or isinstance(modules.get(str(following[0].target)), nn.BatchNorm2d)
    ):
        following = list(following[0].users)
    return len(following) == 1 and is_addition(following[0])
