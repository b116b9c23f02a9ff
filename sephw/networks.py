"""The networks a checkpoint can name, each imported (with torch) only when it is built."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import Any

from sephw.errors import SephwError

_WHERE: Mapping[str, str] = {
    "PRBNet": "sephw.nn:PRBNet",
    "SEPNet": "sephw.nn:SEPNet",
    "ResNet": "sephw.nn:ResNet",
    "GoogLeNet": "sephw.nn:GoogLeNet",
    "Inception": "sephw.nn:Inception",
}
# The paper's 224×224 network: 5×5/2 stem, transitions of which all but the first have 4 groups.
_LARGE: Mapping[str, Any] = {
    "height": 224,
    "width": 224,
    "classes": 1000,
    "stem_kernel": 5,
    "stem_stride": 2,
}
# Names for networks with given arguments; further arguments go on top of them.
_PRESETS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "SEPNet-1.3M": (
        "SEPNet",
        {
            **_LARGE,
            "widths": (64, 128, 256, 512),
            "modules": (1, 1, 3, 0),
            "transition_groups": (1, 4, 4),
        },
    ),
    "SEPNet-full": (
        "SEPNet",
        {
            **_LARGE,
            "widths": (64, 128, 256, 512),
            "modules": (1, 1, 2, 1),
            "transition_groups": (1, 4, 4),
        },
    ),
    "SEPNet-CIFAR-S": ("SEPNet", {"widths": (32, 64, 128), "modules": (1, 1, 1)}),
    "SEPNet-CIFAR-M": (
        "SEPNet",
        {"widths": (64, 128, 256), "modules": (1, 2, 2), "transition_groups": 4},
    ),
    "SEPNet-CIFAR-L": (
        "SEPNet",
        {"widths": (96, 192, 384), "modules": (2, 2, 3), "transition_groups": 4},
    ),
    "ResNet-20": ("ResNet", {"depth": 20}),
    "ResNet-32": ("ResNet", {"depth": 32}),
    "ResNet-44": ("ResNet", {"depth": 44}),
    "ResNet-56": ("ResNet", {"depth": 56}),
}
NETWORK_NAMES: tuple[str, ...] = (*_WHERE, *_PRESETS)


def make_network(name: str, arguments: Mapping[str, Any]) -> Any:
    """The network `name` (a torch module in stage R) built with `arguments`.

    SephwError for an unknown name and for arguments that the network refuses.
    """
    base, preset = _PRESETS.get(name, (name, {}))
    where = _WHERE.get(base)
    if where is None:
        raise SephwError(f"network '{name}' is unknown; known: {', '.join(NETWORK_NAMES)}")
    module, attribute = where.split(":")
    constructor = getattr(importlib.import_module(module), attribute)
    try:
        return constructor(**_sequences(constructor, {**preset, **arguments}))
    except SephwError:
        raise
    except Exception as error:  # what torch says of impossible sizes, above all
        reason = str(error).replace(f"{attribute}.__init__() ", "").removeprefix(f"{base}: ")
        raise SephwError(f"network '{name}': {reason}; correct its arguments") from None


def input_size(name: str, arguments: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) of the images that the network takes with these arguments."""
    base, preset = _PRESETS.get(name, (name, {}))
    if base not in _WHERE:
        raise SephwError(f"network '{name}' is unknown; known: {', '.join(NETWORK_NAMES)}")
    module, attribute = _WHERE[base].split(":")
    constructor = getattr(importlib.import_module(module), attribute)
    parameters = inspect.signature(constructor).parameters
    known = {**{key: parameters[key].default for key in ("height", "width")}, **preset, **arguments}
    return int(known["height"]), int(known["width"])


def _sequences(constructor: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, one number given for a sequence made a sequence of one (`widths=16`)."""
    parameters = inspect.signature(constructor).parameters
    filled = dict(arguments)
    for key, value in arguments.items():
        wanted = str(parameters[key].annotation) if key in parameters else ""
        if isinstance(value, int | float) and wanted.startswith(("Sequence", "tuple", "list")):
            filled[key] = [value]
    return filled
