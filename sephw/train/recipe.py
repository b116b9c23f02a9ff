"""Recipes: the options of a training run in a TOML file."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sephw.errors import UsageError

_MOST_BYTES = 1 << 20
# Options that belong to one call, not to what is trained; `pairs` is written as the table [set].
_COMMAND_LINE_ONLY = frozenset(
    {"recipe", "resume", "max_minutes", "pairs", "debug", "quiet", "help"}
)


@dataclass(frozen=True)
class TrainingRecipe:
    """The content of a recipe: options by parameter name as texts, `key=value` for the network."""

    options: Mapping[str, str]
    pairs: tuple[str, ...]


def read_recipe(path: Path, options: Sequence[str]) -> TrainingRecipe:
    """Read a recipe whose keys are the names of `options` (dashes as on the command line).

    Lists are one value per stage, or shares; the table `[set]` holds network arguments.
    UsageError, one line, for a file that cannot be read, an unknown key (with the nearest known
    one), and a value that an option cannot have.
    """
    from sephw.files import read_text, reading  # with numpy, which help does not need

    what = f"--recipe {path}"
    try:
        text = read_text(path, what, most_bytes=_MOST_BYTES, error=UsageError)
        with reading(what, "give a recipe as in examples/recipes", error=UsageError):
            content = _parse(what, text)
    except FileNotFoundError:
        raise UsageError(f"--recipe {path}: no such file; examples/recipes has some") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--recipe {path}: cannot be read ({error}); check the path") from None
    known = {name.replace("_", "-"): name for name in options if name not in _COMMAND_LINE_ONLY}
    found: dict[str, str] = {}
    pairs: tuple[str, ...] = ()
    for key, value in content.items():
        if key == "set":
            if not isinstance(value, dict):
                raise UsageError(f"{path}: 'set' must be a table of network arguments: [set]")
            pairs = tuple(f"{name}={_text(path, name, entry)}" for name, entry in value.items())
        elif key in known:
            found[known[key]] = _text(path, key, value)
        else:
            near = difflib.get_close_matches(key, [*known, "set"], 1, 0.0)[0]
            raise UsageError(f"{path}: unknown key '{key}'; did you mean '{near}'?")
    return TrainingRecipe(found, pairs)


def _parse(what: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{what}: not valid TOML: {error}") from None


def _text(path: Path, key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and value and all(type(v) in (int, float, str) for v in value):
        text = ",".join(str(entry) for entry in value)
        return text if len(value) > 1 else f"[{text}]"
    raise UsageError(f"{path}: '{key}' must be a number, a text or a list of them")
