"""Other settings for the PLL of a design that is routed already."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from sephw.errors import SephwError

# Words of a tile of Project Trellis that follow each divider of the cell, all one less than it: the
# edges of an output without phase shift lie where its divider's count ends.
_TRELLIS_WORDS: Mapping[str, tuple[str, ...]] = {
    "CLKI_DIV": ("CLKI_DIV",),
    "CLKFB_DIV": ("CLKFB_DIV",),
    "CLKOP_DIV": ("CLKOP_DIV", "CLKOP_CPHASE"),
    "CLKOS_DIV": ("CLKOS_DIV", "CLKOS_CPHASE"),
}
_TRELLIS_PLL = re.compile(r"^\.tile_group [^\n]*PLL[^\n]*\n(?:(?!\.)[^\n]*\n)*", re.MULTILINE)
_IN_USE = "enum: MODE EHXPLLL"


def set_trellis_pll(configuration: Path, settings: Mapping[str, int]) -> None:
    """Set the dividers of the only EHXPLLL in a text configuration of Project Trellis.

    SephwError where there is none or several, or a divider has no word in it.
    """
    text = configuration.read_text(encoding="ascii")
    found = [match for match in _TRELLIS_PLL.finditer(text) if _IN_USE in match[0]]
    if len(found) != 1:
        raise _unusable(configuration, f"{len(found)} PLLs")
    tile = found[0][0]
    for divider, value in settings.items():
        for word in _TRELLIS_WORDS[divider]:
            tile, changed = re.subn(
                rf"^word: {word} [01]{{7}}$",
                f"word: {word} {value - 1:07b}",
                tile,
                flags=re.MULTILINE,
            )
            if changed != 1:
                raise _unusable(configuration, f"no word {word}")
    start, end = found[0].span()
    configuration.write_text(text[:start] + tile + text[end:], encoding="ascii")


def set_design_pll(design: Path, kind: str, settings: Mapping[str, int]) -> None:
    """Set parameters of the only cell of type ``kind`` in a design as nextpnr writes it.

    SephwError where there is none or several, or one has no such parameter.
    """
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
