"""Every open board: its top with a small network, placed, routed and packed with its pins.

    python -m benchmarks.boards [--board NAME ...]

Writes reports/published/boards.json and boards.md. The network is the one of
benchmarks.link_faults; so the figures say that each board's files work and what the board's own
logic (clock, reset, host link, lights) takes, not what a network can reach.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.link_faults import small_graph
from sephw.backends.board import BoardRates, write_board
from sephw.backends.rtl import write_project
from sephw.synth import (
    RouteSettings,
    SynthesisSettings,
    Top,
    pack,
    place_and_route,
    synthesize,
)
from sephw.targets import TARGETS, find_target

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"
BOARDS = tuple(target.name for target in TARGETS if target.open_board is not None)
# Well above what these boards' networks usually run at: shows what the link stands.
CLOCK_MHZ = {"ulx3s": 125.0, "orangecrab": 125.0, "icebreaker": 24.0, "tang": 54.0}
_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Board:
    """One board, routed. ``board_*``: all that is not the network."""

    name: str
    part: str
    clock_mhz: float
    fmax_mhz: float
    lut: int
    ff: int
    bram: int
    board_lut: int
    board_ff: int
    board_bram: int
    bitstream: str
    bitstream_bytes: int
    nextpnr: str
    yosys: str


def route(name: str, directory: Path) -> Board:
    """Everything from the graph to the bitstream, with the board's constraints."""
    target = find_target(name)
    assert target.open_board is not None
    graph = small_graph()
    write_project(graph, directory / "rtl", samples={}, golden={})
    board = write_board(
        graph,
        target,
        directory / "rtl",
        directory / "board",
        BoardRates(CLOCK_MHZ[name.split("-")[0]]),
    )
    synthesis = synthesize(
        directory / "rtl",
        graph,
        target.device.technology,
        directory / "synthesis",
        SynthesisSettings(_TIMEOUT_SECONDS),
        progress=lambda _: None,
        top=Top(board.top, board.sources),
    )
    routed = place_and_route(
        synthesis,
        target.device,
        RouteSettings(
            clock_mhz=board.clock_mhz,
            timeout_seconds=_TIMEOUT_SECONDS,
            package=target.open_board.package,
            speed=target.open_board.speed,
            constraints=board.constraints,
        ),
        directory / "route",
        progress=lambda _: None,
    )
    bitstream = pack(routed, target.device, directory / "bitstream")
    return Board(
        name=name,
        part=routed.part,
        clock_mhz=round(board.clock_mhz, 3),
        fmax_mhz=routed.network_mhz,
        lut=routed.used.lut,
        ff=routed.used.ff,
        bram=routed.used.bram,
        board_lut=synthesis.glue.lut,
        board_ff=synthesis.glue.ff,
        board_bram=synthesis.glue.bram,
        bitstream=bitstream.name,
        bitstream_bytes=bitstream.stat().st_size,
        nextpnr=routed.version,
        yosys=synthesis.yosys_version,
    )


def render(boards: Sequence[Board]) -> str:
    """The published page."""
    rows = [
        f"| {b.name} | {b.part} | {b.clock_mhz:g} | {b.fmax_mhz:g} | {b.lut:,} | {b.ff:,} "
        f"| {b.bram} | {b.board_lut:,} | {b.board_ff:,} | {b.board_bram} "
        f"| {b.bitstream_bytes:,} |"
        for b in boards
    ]
    return "\n".join(
        [
            "# Boards",
            "",
            "A 3×3 pattern convolution on 3×3×4 images behind the host link, on every open board: "
            "synthesized, placed and routed with the board's pins and PLL, packed. Regenerate: "
            "`python -m benchmarks.boards`. Routed: the whole top. Synthesized: the board's own "
            "part of it (clock, reset, host link, lights), the network left out.",
            "",
            "| board | part | clock asked for, MHz | Fmax routed, MHz | LUT routed | FF | BRAM "
            "| own LUT synthesized | own FF | own BRAM | bitstream, bytes |",
            "|" + "---|" * 11,
            *rows,
            "",
            f"Yosys {boards[0].yosys}, nextpnr {boards[0].nextpnr}. No bitstream of these was "
            "loaded into a board.",
            "",
        ]
    )


@click.command()
@click.option("--board", "names", multiple=True, type=click.Choice(BOARDS), default=BOARDS)
def main(names: tuple[str, ...]) -> None:
    """Route every board and publish the figures; those of other boards stay."""
    path = PUBLISHED / "boards.json"
    kept = {}
    if path.is_file():
        kept = {b["name"]: Board(**b) for b in json.loads(path.read_text())["boards"]}
    for name in names:
        with tempfile.TemporaryDirectory() as made:
            kept[name] = route(name, Path(made))
        click.echo(str(kept[name]), err=True)
        boards = [kept[n] for n in BOARDS if n in kept]
        path.write_text(json.dumps({"boards": [asdict(b) for b in boards]}, indent=2) + "\n")
        (PUBLISHED / "boards.md").write_text(render(boards))


if __name__ == "__main__":
    main()
