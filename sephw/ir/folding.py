"""The time sharing of an operator: its lanes, and the engine that computes with them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_type_hints

from sephw.files import build

if TYPE_CHECKING:
    from sephw.ir.operator import Operator

_LANES = ("pe", "simd")
_FAMILY = "family"
_MOST = (1 << 31) - 1


class Saving(StrEnum):
    """The resources that an engine's options save, compared with the same engine without them."""

    REGISTERS = "registers"
    DSP_BLOCKS = "DSP blocks"
    WEIGHT_MEMORY = "weight memory"


@dataclass(frozen=True)
class EngineVariant:
    """The variant of engine that a folding selects, with its options.

    An option is a field: a whole number from 1 or a word of a StrEnum. It has a default where it
    may be left out of files. A further engine is a subclass, one file of sephw/ops/families. This
    class itself, `USUAL`, is what a folding has that names nothing: an operator's usual engine
    without options, for most operators the only one.
    """

    # How files and tables name it.
    family: ClassVar[str] = "select"
    # True where it takes all lanes, so that foldings may leave them out.
    whole_window: ClassVar[bool] = False
    # True where latency and size are known only once an adder graph is solved.
    solves_graph: ClassVar[bool] = False

    @property
    def label(self) -> str:
        """The family, and what tells its engines apart: "digit-serial 2"."""
        return self.family

    def describe(self) -> str:
        """The label with all options, for tables."""
        return self.label

    @property
    def saves(self) -> frozenset[Saving]:
        """The saving by the options."""
        return frozenset()

    def alternatives(self, operator: Operator, saving: Saving) -> tuple[EngineVariant, ...]:
        """The same engine with the options that a search tries to save ``saving``."""
        return ()

    def check(self, operator: Operator, where: str) -> None:
        """Raise SephwError naming ``where`` where ``operator`` has no such option or value."""

    def guessed_latency_cycles(self, folding: Folding, interval_cycles: int) -> int:
        """Cycles from issue to output before the graph is solved; only where it is solved."""
        raise NotImplementedError(f"the latency of family {self.family} is known")

    def encode(self) -> dict[str, str | int]:
        """The family and the options as files have them; what is usual is left out."""
        named: dict[str, str | int] = {}
        if self.family != EngineVariant.family:
            named[_FAMILY] = self.family
        for option in fields(self):
            value = getattr(self, option.name)
            if value != option.default:
                named[option.name] = str(value) if isinstance(value, StrEnum) else value
        return named

    @classmethod
    def decode(cls, entry: Mapping[str, object]) -> Self:
        """The engine with the options of ``entry``, whose other keys are no matter.

        Raises ValueError naming the option: missing, of another type, or an unknown word.
        """
        types = get_type_hints(cls)
        options: dict[str, Any] = {}
        for option in fields(cls):
            if option.name in entry:
                options[option.name] = _value(option.name, types[option.name], entry[option.name])
            elif option.default is MISSING:
                raise ValueError(f"the key '{option.name}' is missing")
        return build(cls, options)


USUAL = EngineVariant()


@dataclass(frozen=True)
class Folding:
    """The time sharing of an operator: ``pe`` output lanes, ``simd`` input lanes, the engine.

    Operators that move data without arithmetic between lanes use ``simd`` = ``pe`` = lanes. In a
    requested folding, pe = simd = 0 stands for all lanes where the engine takes these. An engine
    that is not given, in files or otherwise, is `USUAL`.
    """

    pe: int = 0
    simd: int = 0
    engine: EngineVariant = USUAL

    def __post_init__(self) -> None:
        if self.engine is not USUAL and not self.engine.encode():
            object.__setattr__(self, "engine", USUAL)

    def __str__(self) -> str:
        options = self.engine.encode()
        family = options.pop(_FAMILY, None)
        words = [f"pe={self.pe} simd={self.simd}"]
        further = [f"{key}={value}" for key, value in options.items()]
        return " ".join([*words, *further] if family is None else [str(family), *further, *words])


def encode_folding(folding: Folding) -> dict[str, str | int]:
    """``folding`` as files have it: lanes, and what is not usual of the engine."""
    return {"pe": folding.pe, "simd": folding.simd, **folding.engine.encode()}


def decode_folding(entry: object, variants: Sequence[type[EngineVariant]]) -> Folding:
    """The folding that `encode_folding` encoded. ``variants``: the engines that may occur.

    An option of another engine at its usual value says nothing and is taken. Raises ValueError
    with the reason, and the fix for an option of another engine.
    """
    given = entry if isinstance(entry, dict) else {}
    name = given.get(_FAMILY, EngineVariant.family)
    families = {variant.family: variant for variant in variants}
    if name not in list(families):
        raise ValueError(f"family={_shown(name)}; families are {', '.join(families)}")
    variant = families[name]
    known = {_FAMILY, *_LANES, *(option.name for option in fields(variant))}
    if not isinstance(entry, dict):
        raise ValueError(f"not an object with the keys {_listed(known)}")
    for key in given:
        if key not in known:
            _check_foreign(key, given[key], name, [v for v in variants if v is not variant], known)
    for key in _LANES:
        if key not in given and not variant.whole_window:
            raise ValueError(f"the key '{key}' is missing")
    pe, simd = (whole_number(key, given[key]) if key in given else 0 for key in _LANES)
    return Folding(pe, simd, variant.decode(given))


def _check_foreign(
    key: str, value: object, name: str, others: Sequence[type[EngineVariant]], known: set[str]
) -> None:
    """Refuse ``key`` in an entry of family ``name`` unless it says what is usual elsewhere."""
    owners = [v for v in others if any(option.name == key for option in fields(v))]
    if not owners:
        raise ValueError(f"unknown key '{key}'; known keys: {_listed(known)}")
    for owner in owners:
        (option,) = (option for option in fields(owner) if option.name == key)
        if value == option.default and isinstance(value, str | int) and value is not True:
            return
    lanes = "" if owners[0].whole_window else " with pe and simd"
    raise ValueError(
        f"{key}={_shown(value)} is an option of family {' and '.join(v.family for v in owners)}, "
        f"not of {name}; leave it away, or give family={owners[0].family}{lanes}"
    )


def _value(key: str, kind: type, value: object) -> Any:
    """An option's value of type ``kind``."""
    if not issubclass(kind, StrEnum):
        return whole_number(key, value)
    if not isinstance(value, str) or value not in list(kind):
        raise ValueError(f"{key}={_shown(value)} is not legal; legal {key}: {', '.join(kind)}")
    return kind(value)


def whole_number(key: str, value: object) -> int:
    """``value`` of ``key`` in a file; ValueError unless it is a whole number from 1 to 2³¹ − 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{key}={_shown(value)}; it must be a whole number from 1")
    if value > _MOST:
        raise ValueError(f"{key}={value}; it must be at most {_MOST:,}")
    return value


def _shown(value: object) -> str:
    """``value`` as JSON has it."""
    return json.dumps(value)


def _listed(keys: set[str]) -> str:
    return ", ".join(f"'{key}'" for key in sorted(keys))


__all__ = [
    "USUAL",
    "EngineVariant",
    "Folding",
    "Saving",
    "decode_folding",
    "encode_folding",
    "whole_number",
]
