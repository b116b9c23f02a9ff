"""A node's attributes as a typed record: what a handler does not declare is refused."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from types import UnionType
from typing import Any, TypeVar, get_args, get_type_hints

from onnx import AttributeProto

from sephw.errors import SephwError

A = TypeVar("A")


def read_attributes(where: str, node: Any, kind: type[A]) -> A:
    """The attributes of ``node`` as a ``kind``, a dataclass whose fields are their names.

    A field is int, bool (0 or 1), float, str, a tuple of int or of float, or TensorProto; with
    ``| None`` it may be absent, as where it has a default. Raises SephwError, beginning with
    ``where``, for an attribute that is no field, comes twice, is missing or of another type.
    """
    hints = get_type_hints(kind)
    read: dict[str, Any] = {}
    for attribute in node.attribute:
        name = attribute.name
        if name not in hints:
            known = ", ".join(hints) or "none"
            raise SephwError(
                f"{where}: attribute '{name}' is not understood; export the node without it "
                f"(understood: {known})"
            )
        if name in read or attribute.ref_attr_name:
            raise SephwError(f"{where}: attribute '{name}' has no one value; export it again")
        read[name] = _value(where, attribute, hints[name])
    for field in _fields(kind):
        if field.name not in read and field.default is MISSING:
            raise SephwError(f"{where}: attribute '{field.name}' is missing; export it again")
    return kind(**read)


def _fields(kind: Any) -> tuple[Field[Any], ...]:
    return fields(kind)


def _value(where: str, attribute: Any, hint: Any) -> Any:
    parse = _PARSERS.get(attribute.type)
    found = None if parse is None else parse(attribute)
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for kind in kinds:
        if kind is bool and type(found) is int and found in (0, 1):
            return bool(found)
        if kind in _TUPLES and isinstance(found, tuple):
            if all(isinstance(value, _TUPLES[kind]) for value in found):
                return found
        elif kind is type(found) is not type(None):
            return found
    raise SephwError(
        f"{where}: attribute '{attribute.name}' is not of the type or value that ONNX gives it; "
        "export it again"
    )


def _text(attribute: Any) -> str | None:
    try:
        return str(attribute.s.decode())
    except UnicodeDecodeError:
        return None


_TUPLES: dict[Any, type] = {tuple[int, ...]: int, tuple[float, ...]: float}
_PARSERS: dict[int, Any] = {
    AttributeProto.INT: lambda a: int(a.i),
    AttributeProto.FLOAT: lambda a: float(a.f),
    AttributeProto.STRING: _text,
    AttributeProto.TENSOR: lambda a: a.t,
    AttributeProto.INTS: lambda a: tuple(int(v) for v in a.ints),
    AttributeProto.FLOATS: lambda a: tuple(float(v) for v in a.floats),
}
