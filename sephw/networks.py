"""The networks a checkpoint can name, each imported (with torch) only when it is built."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from sephw.errors import SephwError
from sephw.files import matches_type
from sephw.suggest import did_you_mean

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
    constructor, preset = _constructor(name)
    filled = check_arguments(name, arguments)
    try:
        return constructor(**{**_sequences(constructor, preset), **filled})
    except SephwError:
        raise
    except Exception as error:  # what torch says of impossible sizes, above all
        base = constructor.__name__
        text = " ".join(str(error).split()) or type(error).__name__
        reason = text.replace(f"{base}.__init__() ", "").removeprefix(f"{base}: ")
        raise SephwError(f"network '{name}': {reason}; correct its arguments") from None


def check_arguments(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`arguments` of the network `name`, each known and of its type.

    One number for a sequence becomes a sequence of one (`widths=16`). SephwError names an unknown
    network, an unknown argument (with what may have been meant) and a value of another type.
    """
    constructor, _ = _constructor(name)
    hints = _hints(constructor)
    for key in arguments:
        if key not in hints:
            raise SephwError(
                f"network '{name}': it has no argument '{key}'; {did_you_mean(key, hints)}it takes "
                f"{', '.join(hints)}"
            )
    filled = _sequences(constructor, arguments)
    for key, value in filled.items():
        whole = value if isinstance(value, list | tuple) else [value]
        negative = any(isinstance(one, int | float) and one < 0 for one in whole)
        if negative or not matches_type(value, hints[key]):
            raise SephwError(
                f"network '{name}': argument {key}={_shown(value)}: it takes {_kind(hints[key])}"
            )
    return filled


def input_size(name: str, arguments: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) of the images that the network takes with these arguments."""
    constructor, preset = _constructor(name)
    parameters = inspect.signature(constructor).parameters
    known = {**{key: parameters[key].default for key in ("height", "width")}, **preset, **arguments}
    return int(known["height"]), int(known["width"])


def check_name(name: str) -> None:
    """SephwError, with what may have been meant, where no network is called so; needs no torch."""
    if name not in NETWORK_NAMES:
        hint = did_you_mean(name, NETWORK_NAMES)
        raise SephwError(f"network '{name}' is unknown; {hint}known: {', '.join(NETWORK_NAMES)}")


def _constructor(name: str) -> tuple[Any, Mapping[str, Any]]:
    """The class behind a name, imported now, and the arguments that the name stands for."""
    check_name(name)
    base, preset = _PRESETS.get(name, (name, {}))
    module, attribute = _WHERE[base].split(":")
    return getattr(importlib.import_module(module), attribute), preset


@cache
def _hints(constructor: Any) -> dict[str, Any]:
    hints = get_type_hints(constructor.__init__)
    return {key: hint for key, hint in hints.items() if key != "return"}


def _sequences(constructor: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments, one number given for a sequence made a sequence of one (`widths=16`)."""
    filled = dict(arguments)
    for key, value in arguments.items():
        wanted = get_origin(_hints(constructor).get(key))
        if wanted is Sequence and isinstance(value, int | float):
            filled[key] = [value]
    return filled


def _shown(value: Any) -> str:
    text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) < 40 else f"{text[:37]}..."


def _kind(hint: Any) -> str:
    """The type of an argument, in words."""
    if get_origin(hint) is Sequence:
        return "whole numbers separated by commas"
    if hint is bool:
        return "true or false"
    if hint in (int, float):
        return "one whole number" if hint is int else "one number"
    return " or ".join(_kind(one) for one in get_args(hint) if one is not type(None))
