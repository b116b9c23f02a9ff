"""``python -m sephw.backends.amd FOLDER``: reads the vendor's reports, writes synth.json."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sephw.backends.amd.record import write_record
from sephw.errors import SephwError
from sephw.export_names import SYNTHESIS


def main(arguments: list[str]) -> int:
    """Print a line per figure; 0, or 2 with one line that says what is wrong."""
    if len(arguments) != 1:
        print("usage: python -m sephw.backends.amd EXPORT/amd", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        record = write_record(folder)
    except SephwError as error:
        print(f"sephw: error: {error}", file=sys.stderr)
        return 2
    print(f"{record['name']} on {record['target']} ({record['part']})")
    for route, figures in record["routes"].items():
        for what in ("estimated", "routed"):
            if figures[what] is not None:
                print("\n".join(_lines(route, figures[what])))
    print(f"  written to {folder / SYNTHESIS}")
    return 0


def _lines(route: str, figures: dict[str, Any]) -> list[str]:
    used = figures["used"] if "used" in figures else figures["total"]
    available = figures["available"]
    counts = [f"{kind.upper()} {used[kind]:,} of {available[kind]:,}" for kind in used]
    fmax, asked = figures["fmax_mhz"]["ap_clk"], figures["constraint_mhz"]["ap_clk"]
    clock = f"Fmax {fmax:g} MHz, {asked:g} MHz asked"
    if not figures.get("timing_met", True):
        clock += ": timing is not met"
    return [f"  {route}  {', '.join(counts)} [{figures['source']}]", f"       {clock}"]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
