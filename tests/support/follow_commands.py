"""Runs the commands that a program prints, up to where the hours begin."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sephw import cli
from sephw.data import load_data
from sephw.export.settings import RANDOM_DATA
from sephw.passes import read_folding_file

_COMMAND = re.compile(r"((?:cd \S+ && )?(?:sephw [a-z]+|\./build\.sh) .*)$", re.MULTILINE)


class Reached(BaseException):
    """A command has all that it needs; ``what`` it would begin with now."""

    def __init__(self, what: Any) -> None:
        super().__init__(str(what))
        self.what = what


def commands_in(text: str) -> list[str]:
    """Every command in a printed text: from its program to the end of the line."""
    return [found.strip() for found in _COMMAND.findall(text)]


def follow(line: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Do what ``line`` says in ``folder``, as a shell would; what each command reached.

    Searches, reports and help run. Exports, syntheses, trainings and loaders end once every path
    and option of theirs is resolved: an AssertionError or a status says which is not.
    """
    reached = []
    here = folder
    before = folder
    for part in line.split(" && "):
        part = part.replace('"$OLDPWD"', shlex.quote(str(before)))
        words = shlex.split(part)
        if words[0] == "cd":
            before, here = here, Path(os.path.normpath(here / words[1]))
            assert here.is_dir(), f"{line!r}: no folder {here}"
        elif words[0] == "sephw":
            reached.append(_run(words[1:], here, monkeypatch))
        else:
            script = here / words[0]
            assert os.access(script, os.X_OK), f"{line!r}: {script} cannot be run"
            assert words[1] in script.read_text(), line
            reached.append(words[1])
    return reached


def _run(words: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        patch.setattr("sephw.commands.export._run", _exports)
        patch.setattr("sephw.synth.flow.run_flow", _stop("synth"))
        patch.setattr("sephw.commands.program.load_bitstream", _loads)
        patch.setattr("sephw.train.run.TrainingRun.train", _stop("train"))
        try:
            status = cli.run(words)
        except Reached as end:
            return end.what
        assert status == 0, words
        return words


def _stop(what: str) -> Callable[..., Any]:
    def stop(*_: Any, **__: Any) -> Any:
        raise Reached(what)

    return stop


def _loads(file: Path, *_: Any, **__: Any) -> Any:
    assert file.is_file()
    raise Reached(file)


def _exports(settings: Any) -> Any:
    """Instead of the export: whatever it would open is there and legal. Paths come resolved."""
    assert settings.model.is_file(), settings.model
    if settings.folding is not None:
        read_folding_file(settings.folding)
    if settings.data not in (None, RANDOM_DATA):
        load_data(settings.data)
    folding = settings.folding.resolve() if settings.folding is not None else None
    raise Reached(
        replace(
            settings, model=settings.model.resolve(), out=settings.out.resolve(), folding=folding
        )
    )
