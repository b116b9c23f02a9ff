"""The declaration of an ONNX operator's handler, and the dispatch that refuses everything else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sephw.errors import SephwError
from sephw.frontend.attributes import read_attributes
from sephw.frontend.call import NodeCall
from sephw.frontend.onnx_file import ONNX_DOMAINS, QUANT_DOMAINS
from sephw.frontend.stand_in import left_away
from sephw.frontend.values import Value

A = TypeVar("A")


@dataclass(frozen=True)
class NoAttributes:
    """The attributes of operators that have none."""


@dataclass(frozen=True)
class Handler(Generic[A]):
    """Reads one ONNX operator.

    ``attributes``: a dataclass of those that ``read`` understands, by name and type; a node with
    another one is refused. ``inputs``: how many it reads at most; None: any number.
    ``passes_image``: it may stand before the quantizer of the input.
    """

    read: Callable[[NodeCall, A], Value]
    attributes: type[A]
    inputs: int | None
    domains: tuple[str, ...] = ONNX_DOMAINS
    passes_image: bool = False


def quantizer(
    read: Callable[[NodeCall, A], Value],
    attributes: type[A],
    inputs: int,
    passes_image: bool = False,
) -> Handler[A]:
    """A handler of one of QONNX' own operators."""
    return Handler(read, attributes, inputs, QUANT_DOMAINS, passes_image)


def dispatch(handlers: Mapping[str, Handler[Any]], call: NodeCall) -> Value:
    """The value that ``call``'s node computes, by the handler of its operator.

    Raises SephwError naming the node for an operator, domain, attribute or input that no handler
    declares, and for what its handler or the hardware's operators refuse.
    """
    try:
        handler, attributes = recognize(handlers, call)
    except SephwError as error:
        stand_in = left_away(call)
        if stand_in is None:
            raise
        call.refuse(error)
        return stand_in
    if not handler.passes_image and call.reads_image:
        call.refuse(
            SephwError(
                f"{call.where}: reads the input before it is quantized; put a Quant of scale 1/256 "
                "and 8 unsigned bits (sephw's input) before it"
            )
        )
        call = call.with_quantized_image()
    try:
        return handler.read(call, attributes)
    except SephwError as error:
        # Operators of the hardware do not know which node they are made for.
        text = str(error)
        raise SephwError(text if text.startswith(call.where) else f"{call.where}: {text}") from None


def recognize(handlers: Mapping[str, Handler[A]], call: NodeCall) -> tuple[Handler[A], A]:
    """The handler of ``call``'s node and its attributes, whatever its inputs hold.

    Raises SephwError naming the node for an operator, domain, attribute or input that no handler
    declares.
    """
    handler = handlers.get(call.node.op_type)
    if handler is None or call.node.domain not in handler.domains:
        kind = f"{call.node.domain}.{call.node.op_type}".lstrip(".")
        raise SephwError(
            f"{call.where}: operator {kind} is not supported; express it with "
            + ", ".join(sorted(handlers))
        )
    attributes = read_attributes(call.where, call.node, handler.attributes)
    count = len(call.values)
    if handler.inputs is not None and count > handler.inputs:
        raise SephwError(
            f"{call.where}: {count} inputs, of which {handler.inputs} are understood; export the "
            "node without the others"
        )
    return handler, attributes
