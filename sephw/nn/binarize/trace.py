"""Tracing of a torch network to a graph of calls, each with its effects on an example batch."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, fx, nn

from sephw.errors import SephwError
from sephw.nn.proxy import InPlaceProxy

# Odd, so that a literal batch size of 1 or a power of two in a forward is seen.
EXAMPLES = 3


@dataclass(frozen=True)
class CallEffects:
    """The effects of one call on the example batch.

    ``shape``: of its result where that is a tensor. ``storage``: the memory of its result.
    ``changed``: the memories, of earlier tensors, that it wrote into.
    """

    shape: tuple[int, ...] | None
    storage: int
    changed: frozenset[int]


@dataclass(frozen=True, eq=False)
class Trace:
    """The calls of a network. ``parameters``: paths of parameters and buffers by their memory."""

    graph: fx.Graph
    seen: Mapping[fx.Node, CallEffects]
    parameters: Mapping[int, str]

    def live(self) -> frozenset[fx.Node]:
        """The calls that the output needs, and those that write into tensors."""
        found: set[fx.Node] = set()
        waiting = [n for n in self.graph.nodes if n.op == "output" or self.changes(n)]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting += node.all_input_nodes
        return frozenset(found)

    def changes(self, node: fx.Node) -> frozenset[int]:
        """The memories that ``node`` writes into."""
        return self.seen[node].changed if node in self.seen else frozenset()


def trace(source: nn.Module, name: str, input_shape: tuple[int, int, int]) -> Trace:
    """Trace ``source`` (on the CPU, evaluating) while it computes a random batch.

    Sizes are numbers in it, in-place operators and assignments are calls, and every write into
    memory is seen, whatever wrote it. SephwError where it cannot be traced or cannot run.
    """
    tracer = _Tracer(source, torch.rand(EXAMPLES, *input_shape))
    try:
        with torch.no_grad():
            graph = tracer.trace(source, _defaults(source))
    except _RunError as error:
        reason = _first_line(error.__cause__)
        raise SephwError(
            f"{name}: cannot run on an input of shape {tuple(input_shape)} ({reason}); correct "
            "input_shape=(channels, height, width)"
        ) from error
    except SephwError:
        raise
    except Exception as error:
        reason = _first_line(error)
        raise SephwError(
            f"{name}: torch.fx cannot trace it ({reason}); {_fix(source, reason)}"
        ) from error
    return Trace(graph, tracer.seen, tracer.parameters)


def _fix(source: nn.Module, reason: str) -> str:
    if isinstance(source, torch.jit.ScriptModule):
        return "give the torch.nn.Module that the script was made of"
    if "submodule" in reason:
        return "make the module in __init__ and keep it as an attribute"
    if "control flow" in reason or "iterated" in reason:
        return "make its forward free of branches that depend on values"
    return "write its forward with layers, torch functions and methods of tensors"


def _defaults(source: nn.Module) -> dict[str, Any]:
    """The arguments of its forward that have a default, which are not traced."""
    parameters = inspect.signature(source.forward).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def _first_line(error: BaseException | None) -> str:
    return (str(error).splitlines() or [""])[0] or type(error).__name__


class _RunError(Exception):
    """A call failed on the example batch."""


class _Proxy(InPlaceProxy):
    """A traced value whose sizes are known numbers."""

    tracer: _Tracer

    def __getattr__(self, name: str) -> Any:
        value = self.tracer.values.get(self.node)
        if isinstance(value, Tensor) and name in _SIZES:
            return getattr(value, name)
        return super().__getattr__(name)

    def __len__(self) -> int:
        return len(self.tracer.values[self.node])


_SIZES = (
    "shape",
    "ndim",
    "size",
    "dim",
    "ndimension",
    "numel",
    "nelement",
    "dtype",
    "device",
    "is_cuda",
    "requires_grad",
    "is_contiguous",
    "is_floating_point",
    "stride",
)


class _Tracer(fx.Tracer):
    def __init__(self, root: nn.Module, images: Tensor) -> None:
        super().__init__()
        self.source, self.images = root, images
        self.values: dict[fx.Node, Any] = {}
        self.seen: dict[fx.Node, CallEffects] = {}
        # A call that computes example values is not traced itself.
        self.computing = False
        self.held = {**dict(root.named_parameters()), **dict(root.named_buffers())}
        self.parameters = {_storage(tensor): path for path, tensor in self.held.items()}

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Proxy(node, self)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        if self.computing:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def call_module(
        self, m: nn.Module, forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if self.computing:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def create_proxy(
        self,
        kind: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *others: Any,
        **more: Any,
    ) -> fx.Proxy:
        proxy = super().create_proxy(kind, target, args, kwargs, *others, **more)
        self._observe(proxy.node)
        return proxy

    def _observe(self, node: fx.Node) -> None:
        tensors = [*self.held.values(), *(v for v in self.values.values() if _is_plain(v))]
        versions = [tensor._version for tensor in tensors]
        self.computing = True
        try:
            value = self._value(node)
        finally:
            self.computing = False
        changed = frozenset(
            _storage(tensor)
            for tensor, version in zip(tensors, versions, strict=True)
            if tensor._version != version
        )
        self.values[node] = value
        plain = _is_plain(value)
        self.seen[node] = CallEffects(
            tuple(value.shape) if plain else None, _storage(value) if plain else 0, changed
        )

    def _value(self, node: fx.Node) -> Any:
        if node.op == "placeholder":
            first = not any(known.op == "placeholder" for known in self.values)
            if first:
                return self.images
            if not node.args:
                raise SephwError(
                    f"input '{node.target}': the network has several inputs; give it one, the image"
                )
            return node.args[0]
        if node.op == "get_attr":
            return self._attribute(node)
        args, kwargs = fx.map_arg((node.args, node.kwargs), self._known)
        target: Any = node.target
        try:
            if node.op == "call_module":
                return self.source.get_submodule(target)(*args, **kwargs)
            if node.op == "call_method":
                return getattr(args[0], target)(*args[1:], **kwargs)
            return target(*args, **kwargs)
        except Exception as error:
            raise _RunError from error

    def _known(self, node: fx.Node) -> Any:
        # Constants of a forward are attributes without a call.
        return self.values[node] if node in self.values else self._attribute(node)

    def _attribute(self, node: fx.Node) -> Any:
        found: Any = self.source
        for part in str(node.target).split("."):
            found = getattr(found, part)
        return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, Tensor) and value.layout is torch.strided


def _storage(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)
