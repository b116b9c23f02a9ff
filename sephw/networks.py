"""The networks a checkpoint can name, each imported (with torch) only when it is built."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from sephw.errors import SephwError

_WHERE: Mapping[str, str] = {"PRBNet": "sephw.nn:PRBNet", "SEPNet": "sephw.nn:SEPNet"}
NETWORK_NAMES: tuple[str, ...] = tuple(_WHERE)


def make_network(name: str, arguments: Mapping[str, Any]) -> Any:
    """The network `name` (a torch module in stage R) built with `arguments`.

    SephwError for an unknown name and for arguments that the network refuses.
    """
    where = _WHERE.get(name)
    if where is None:
        raise SephwError(f"network '{name}' is unknown; known: {', '.join(NETWORK_NAMES)}")
    module, attribute = where.split(":")
    constructor = getattr(importlib.import_module(module), attribute)
    try:
        return constructor(**_sequences(constructor, arguments))
    except (TypeError, ValueError) as error:
        reason = str(error).replace(f"{attribute}.__init__() ", "").removeprefix(f"{name}: ")
        raise SephwError(f"network '{name}': {reason}; correct its arguments") from None


def _sequences(constructor: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, one number given for a sequence made a sequence of one (`widths=16`)."""
    parameters = inspect.signature(constructor).parameters
    filled = dict(arguments)
    for key, value in arguments.items():
        wanted = str(parameters[key].annotation) if key in parameters else ""
        if isinstance(value, int | float) and wanted.startswith(("Sequence", "tuple", "list")):
            filled[key] = [value]
    return filled
