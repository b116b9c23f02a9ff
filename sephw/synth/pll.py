"""Changes the PLL settings of a routed design."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from sephw.errors import SephwError
from sephw.technologies.routing import CellParameters, ConfigurationWords


def set_pll(
    folder: Path, update: CellParameters | ConfigurationWords, settings: Mapping[str, int]
) -> None:
    """Change the settings of the only PLL in what nextpnr wrote to ``folder``.

    SephwError where there is none or several, or one has no such setting.
    """
    if isinstance(update, ConfigurationWords):
        _set_words(folder / update.file, update, settings)
    else:
        _set_parameters(folder / update.file, update.cell, settings)


def _set_words(
    configuration: Path, update: ConfigurationWords, settings: Mapping[str, int]
) -> None:
    text = configuration.read_text(encoding="ascii")
    found = [match for match in update.tile.finditer(text) if update.in_use in match[0]]
    if len(found) != 1:
        raise _unusable(configuration, f"{len(found)} PLLs")
    tile = found[0][0]
    for divider, value in settings.items():
        for word in update.words[divider]:
            tile, changed = re.subn(
                rf"^word: {word} [01]{{{update.bits}}}$",
                f"word: {word} {value - 1:0{update.bits}b}",
                tile,
                flags=re.MULTILINE,
            )
            if changed != 1:
                raise _unusable(configuration, f"no word {word}")
    start, end = found[0].span()
    configuration.write_text(text[:start] + tile + text[end:], encoding="ascii")


def _set_parameters(design: Path, kind: str, settings: Mapping[str, int]) -> None:
    content = json.loads(design.read_text(encoding="utf-8"))
    cells = [
        cell
        for module in content["modules"].values()
        for cell in module["cells"].values()
        if cell["type"] == kind
    ]
    if len(cells) != 1:
        raise _unusable(design, f"{len(cells)} PLLs")
    parameters = cells[0]["parameters"]
    for name, value in settings.items():
        if name not in parameters:
            raise _unusable(design, f"no parameter {name}")
        # Binary, as wide as it was; a blank behind it would make it a string.
        parameters[name] = f"{value:0{len(parameters[name])}b}"
    design.write_text(json.dumps(content), encoding="utf-8")


def _unusable(path: Path, what: str) -> SephwError:
    return SephwError(
        f"'{path.name}' of nextpnr has {what}, one was expected; use version 0.8 or later"
    )
