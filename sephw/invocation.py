"""The call of an export, so that a later command can repeat it from another folder."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sephw.command_line import Option, command_line, in_folder


@dataclass(frozen=True)
class TypedOption:
    """An option as it was typed. ``value`` None: a flag. ``is_path``: the value is one."""

    option: str
    value: str | None = None
    is_path: bool = False


@dataclass(frozen=True)
class Invocation:
    """A call of the export, without its --out.

    ``model``, and the paths among ``options``: as they were typed, from ``called_from``: the folder
    of the call as seen from the export's own, "../.." mostly; None: not to be said without naming
    folders that nobody typed. ``own_folder``: --out was given.
    """

    model: str
    options: tuple[TypedOption, ...]
    called_from: str | None
    own_folder: bool

    def given(self, option: str) -> str | None:
        """The value of an option, the last one that was typed; None where it was not."""
        found = [one.value for one in self.options if one.option == option]
        return found[-1] if found else None

    def typed_among(self, options: Sequence[str]) -> tuple[TypedOption, ...]:
        """The typed options whose names are in ``options``."""
        return tuple(one for one in self.options if one.option in options)

    def without(self, options: Sequence[str]) -> Invocation:
        """The same call without ``options``."""
        kept = tuple(one for one in self.options if one.option not in options)
        return replace(self, options=kept)

    def adding(self, *given: TypedOption) -> Invocation:
        """The same call in which each of ``given`` replaces the option that was typed for it."""
        return replace(self, options=(*self.without([one.option for one in given]).options, *given))

    def with_steps(self, *steps: str) -> Invocation:
        """The same call that makes ``steps`` as well."""
        typed = self.given("--steps")
        plus = "+" if typed is None or typed.startswith("+") else ""
        have = [] if typed is None else typed.split(",")
        wanted = [f"{plus}{step}" for step in steps if f"{plus}{step}" not in have]
        return self.adding(TypedOption("--steps", ",".join([*have, *wanted])))

    def recorded(self) -> Invocation:
        """The part of the call that an export records: file names that can be found from there.

        So the same call gives the same bytes anywhere.
        """
        if self.called_from is not None:
            return self
        options = tuple(
            replace(one, value=Path(one.value).name) if one.is_path and one.value else one
            for one in self.options
        )
        return replace(self, model=Path(self.model).name, options=options)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for manifest.json."""
        return {
            "model": self.model,
            "options": [
                {"option": one.option, "path" if one.is_path else "value": one.value}
                for one in self.options
            ],
            "called_from": self.called_from,
            "own_folder": self.own_folder,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Invocation:
        """The call that `as_dict` wrote.

        Raises KeyError, TypeError or ValueError for other content.
        """
        options = tuple(
            TypedOption(
                str(one["option"]),
                str(one["path"]) if "path" in one else _text(one["value"]),
                is_path="path" in one,
            )
            for one in content["options"]
        )
        folder = content["called_from"]
        return cls(str(content["model"]), options, _text(folder), bool(content["own_folder"]))


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


@dataclass(frozen=True)
class Place:
    """The folder in which commands about an export are to be run; paths are relative to it.

    ``export``: the export's folder. ``start``: the folder in which it was called; None: unknown.
    ``invocation`` None: it was called from Python.
    """

    export: Path
    start: Path | None
    invocation: Invocation | None

    @property
    def inside(self) -> bool:
        """Whether commands are run in the export's folder, or below."""
        if self.export.is_absolute():
            return Path.cwd().is_relative_to(self.export)
        return set(self.export.parts) <= {".."}

    def repeat(self, invocation: Invocation | None) -> str | None:
        """``invocation``, mostly a change of this one, as a command that replaces the export.

        None where its files are not known. An export cannot replace the folder that the shell is
        in, so there the command leaves it first.
        """
        if self.start is None or invocation is None:
            return None
        if not self.inside:
            usual = not invocation.own_folder and self.start == Path()
            return _export(invocation, self.start, None if usual else self.export)
        command = _export(
            invocation, Path(), self.export if invocation.own_folder and self._rooted else None
        )
        if invocation.own_folder and not self._rooted:
            # A shell's name for the folder that `cd` left; it may be called anything.
            below = "" if self.export == Path() else f"/{self.export}"
            command += f' --out "$OLDPWD"{below}'
        return in_folder(self.start, command)

    @property
    def _rooted(self) -> bool:
        return self.export.is_absolute()


def model_name(model: Path) -> str:
    """The name of an export of ``model``: an identifier in every generated language."""
    name = re.sub(r"\W+", "_", model.stem, flags=re.ASCII).strip("_").lower()
    return name if name and not name[0].isdigit() else f"model_{name}".rstrip("_")


def build_folder(model: Path) -> Path:
    """The folder of an export without --out."""
    return Path("build") / model_name(model)


def called_from(out: Path | None) -> str | None:
    """The folder of a call as seen from the export that it makes in ``out`` (None: build/NAME).

    None where that has names in it that nobody typed.
    """
    depth = 2
    if out is not None:
        parts = Path(os.path.normpath(out)).parts
        if out.is_absolute() or ".." in parts:
            return None
        depth = len(parts)
    return os.path.normpath("../" * depth) if depth else "."


def seen_from_here(export: Path, invocation: Invocation | None) -> Place:
    """The place of commands about ``export``, a path from the current folder."""
    came = None if invocation is None else invocation.called_from
    start = None if came is None else Path(os.path.normpath(export / came))
    return Place(export, start, invocation)


def found_from_here(export: Path, invocation: Invocation | None) -> Place:
    """`seen_from_here`, but without a call where the export has moved away from its model."""
    place = seen_from_here(export, invocation)
    if place.start is None or invocation is None or (place.start / invocation.model).exists():
        return place
    return replace(place, start=None)


def in_own_folder(invocation: Invocation | None) -> Place:
    """The place of commands that are run in the export's own folder, such as a report's."""
    return seen_from_here(Path(), invocation)


def _export(invocation: Invocation, base: Path, out: Path | None) -> str:
    options: list[Option] = [
        (one.option, _seen(one.value, base) if one.is_path and one.value else one.value)
        for one in invocation.options
    ]
    if out is not None:
        options.append(("--out", out))
    return command_line("export", [_seen(invocation.model, base)], options)


def _seen(path: str, base: Path) -> str:
    """A path from ``base`` as it is called here; absolute ones stay."""
    return os.path.normpath(base / path)
