"""Builds frozen dataclasses from plain values, each checked against the type of its field."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

T = TypeVar("T")


def build(kind: type[T], values: Mapping[str, Any]) -> T:
    """``kind(**values)``, after every key and type was checked against the dataclass's fields.

    Sequences must be tuples, not lists. Raises ValueError naming the field.
    """
    hints = _hints(kind)  # type: ignore[arg-type] # mypy: a type of unknown kind
    known = {field.name: field for field in fields(kind) if field.init}  # type: ignore[arg-type]
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{kind.__name__} has no field '{key}'")
        if not matches_type(value, hints[key]):
            shown = repr(value) if len(repr(value)) < 40 else type(value).__name__
            raise ValueError(f"{kind.__name__}.{key} cannot be {shown}")
    for key, field in known.items():
        required = field.default is MISSING and field.default_factory is MISSING
        if required and key not in values:
            raise ValueError(f"{kind.__name__} lacks '{key}'")
    return kind(**values)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def matches_type(value: Any, hint: Any) -> bool:
    """Whether a value, with everything it contains, has an annotated type; a list is a sequence."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(matches_type(value, one) for one in arguments)
    if origin is Sequence:
        held = isinstance(value, list | tuple)
        return held and all(matches_type(one, arguments[0]) for one in value)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return all(matches_type(one, arguments[0]) for one in value)
        return len(value) == len(arguments) and all(map(matches_type, value, arguments))
    if origin is np.ndarray:
        return isinstance(value, np.ndarray)
    if hint in (int, float):  # a bool is an int to Python, not to a file
        allowed = (int,) if hint is int else (int, float)
        return isinstance(value, allowed) and not isinstance(value, bool)
    if hint is None or hint is type(None):
        return value is None
    if origin is not None:
        return isinstance(value, origin)
    return isinstance(value, hint)
