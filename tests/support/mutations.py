"""Seeded damage to files: of their bytes, and of the values in them."""

from __future__ import annotations

import copy
import random
from typing import Any

# Values that a field was never meant to have.
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    7,
    255,
    65536,
    1 << 31,
    1 << 40,
    (1 << 63) - 1,
    -(1 << 63),
    10**25,
    0.5,
    -0.0,
    1e300,
    float("nan"),
    float("inf"),
    "",
    "x",
    "digits",
    "uint8",
    "int99999",
    "uint0",
    "../..",
    "a\nb",
    "\0",
    "é" * 300,
    [],
    {},
    [[]],
    [0],
    ["x"],
    [None],
    {"a": 1},
    [1] * 400,
)


def damage_bytes(data: bytes, seed: int) -> bytes:
    """A few changes of ``data``: bits, ranges, lengths."""
    draw = random.Random(seed)
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 16))):
        if not changed:
            break
        at = draw.randrange(len(changed))
        length = draw.choice((1, 1, 2, 4, 8, 64))
        kind = draw.randrange(6)
        if kind == 0:
            changed[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            changed[at : at + length] = bytes(draw.choice((0, 255)) for _ in range(length))
        elif kind == 2:
            del changed[at : at + length]
        elif kind == 3:
            changed[at:at] = draw.randbytes(length)
        elif kind == 4:
            other = draw.randrange(len(changed))
            changed[at : at + length] = changed[other : other + length]
        else:
            del changed[at:]
    return bytes(changed)


def damage_values(content: Any, seed: int, odd: tuple[Any, ...] = ODD) -> Any:
    """A copy of nested dicts and lists in which one to three places are changed."""
    draw = random.Random(seed)
    changed = copy.deepcopy(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        places = list(_places(changed))
        if not places:
            break
        holder, key = draw.choice(places)
        kind = draw.randrange(6)
        value = holder[key]
        if kind == 0:
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[draw.choice(("extra", "name", f"{key}_"))] = value
            del holder[key]
        elif kind == 1:
            holder.insert(key, value)
        elif kind == 2 and isinstance(value, int | float):
            holder[key] = draw.choice((value + 1, value - 1, -value, value * 2, value * 1000))
        elif kind == 3:  # two places change their values
            other, at = draw.choice(places)
            if at in other if isinstance(other, dict) else at < len(other):
                holder[key], other[at] = copy.deepcopy(other[at]), copy.deepcopy(value)
        else:
            holder[key] = copy.deepcopy(draw.choice(odd))
    return changed


def _places(content: Any) -> Any:
    """(holder, key) of every value in it."""
    entries = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    for key, value in entries:
        yield content, key
        yield from _places(value)
