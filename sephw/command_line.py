"""The one way to print a command of this program, so that a shell takes it as it stands."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

# An option and its value; None: a flag.
Option = tuple[str, str | Path | int | float | None]
_PROGRAM, _ARCHIVE = "sephw", ".pyz"


def command_line(
    name: str, arguments: Sequence[str | Path] = (), options: Sequence[Option] = ()
) -> str:
    """Command ``name`` with its arguments and options, each word quoted for a POSIX shell.

    A driver that runs from its archive prints commands of that archive.
    """
    words = [name, *(_argument(argument) for argument in arguments)]
    for option, value in options:
        words += [option] if value is None else [option, _value(value)]
    return f"{_program()} {shlex.join(words)}"


def command_name(name: str) -> str:
    """Command ``name`` as a sentence calls it, where it is not to be run as it stands."""
    return f"{_PROGRAM} {name}"


def argument_options(arguments: Mapping[str, Any]) -> list[Option]:
    """Network arguments as --set takes them."""
    return [
        ("--set", f"{key}={json.dumps(value, separators=(',', ':')).strip('[]')}")
        for key, value in arguments.items()
    ]


def in_folder(folder: str | Path, command: str) -> str:
    """``command`` after a change to ``folder``."""
    return f"cd {shlex.quote(_argument(folder))} && {command}"


def _program() -> str:
    started = sys.argv[0] if sys.argv else ""
    if started.endswith(_ARCHIVE):
        return f"python {shlex.quote(started)}"
    return _PROGRAM


def _argument(argument: str | Path) -> str:
    # What begins with a dash would be read as an option.
    text = str(argument)
    return f"./{text}" if text.startswith("-") else text


def _value(value: str | Path | int | float) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)
