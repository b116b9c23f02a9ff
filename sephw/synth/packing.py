"""The bitstream of a routed design, by the packer of its technology."""

from __future__ import annotations

from pathlib import Path

from sephw.technologies.routing import Packer
from sephw.tools.nextpnr import find_tool
from sephw.tools.packers import run_packer

_PURPOSE = "bitstream"


def make_bitstream(packer: Packer, part: str, routed: Path, name: str) -> Path:
    """Pack ``routed``, a design of ``part``, into a file ``name`` beside it; its path.

    Raises SephwError where the packer is missing or fails.
    """
    command = find_tool(
        packer.program,
        packer.module,
        packer.function,
        packer.wheel,
        _PURPOSE,
        plain=packer.plain,
    )
    files = {"device": part, "routed": routed.name, "bitstream": name}
    words = [word.format_map(files) for word in packer.arguments]
    made = routed.parent / name
    run_packer([*command, *words], packer.program, made, purpose=_PURPOSE)
    return made


__all__ = ["make_bitstream"]
