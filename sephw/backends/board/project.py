"""Writes a board's files around an RTL project: top module, link, clock, pins, accelerator.json."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from rtl import SOURCES
from sephw.backends.board.clock_module import clock_module
from sephw.backends.board.constraints import constraint_text
from sephw.backends.board.pins import board_pins
from sephw.backends.board.pll import find_clocking
from sephw.backends.board.top import LinkNumbers, board_top_text
from sephw.backends.layout import Layout, lay_out
from sephw.backends.rtl.project import FILE_LIST
from sephw.errors import SephwError
from sephw.ir import Graph
from sephw.targets import Target

ACCELERATOR = "accelerator.json"
FORMAT, VERSION = "sephw-accelerator", 1

_LINK = (
    "sephw_crc32.sv", "sephw_link.sv", "sephw_link_receive.sv", "sephw_link_reply.sv",
    "sephw_link_sink.sv", "sephw_link_source.sv", "sephw_link_transmit.sv", "sephw_uart_rx.sv",
    "sephw_uart_tx.sv", "sephw_board_heartbeat.sv", "sephw_board_reset.sv",
)  # fmt: skip
# Engines use these as well; they are added where the project has none of them.
_SHARED = ("sephw_credit.sv", "sephw_fifo.sv", "sephw_output.sv", "sephw_ram.sv")
_SIMULATED_PLL = "sephw_board_pll_sim.sv"
_PLL = "sephw_board_pll.sv"
# Rates every USB bridge of these boards knows, fastest first; a UART stands 1 % of difference.
_BAUDS = (1_000_000, 921_600, 500_000, 460_800, 230_400, 115_200)
_BAUD_ERROR = 0.01
_LEAST_CLOCKS_PER_BIT = 8


@dataclass(frozen=True)
class BoardProject:
    """A board's design: these files and those of the RTL project's file list, none twice.

    ``simulation_sources`` are the same with a wire for the PLL. ``clock_mhz`` is what the PLL
    makes, at most what was asked for; ``baud`` in bits per second.
    """

    top: str
    sources: tuple[Path, ...]
    constraints: Path
    clock_mhz: float
    baud: int
    simulation_sources: tuple[Path, ...]


def write_board(
    graph: Graph,
    target: Target,
    rtl_directory: Path,
    directory: Path,
    *,
    clock_mhz: float,
    build_id: int,
    baud: int | None = None,
) -> BoardProject:
    """Write the board's files to ``directory``, the same bytes for the same arguments.

    ``rtl_directory`` holds the RTL project of ``graph``; nothing in it changes. ``build_id`` (64
    bits) is what the host driver recognizes the design by. ``baud`` None: the fastest usual one.
    SephwError for a board of the vendor's flow, a network without exactly one input and one output,
    an input wider than a byte, a clock below the PLL's range, a baud rate the clock cannot make.
    """
    pins = board_pins(target)
    layout = lay_out(graph)
    _check_streams(graph, layout)
    technology = target.device.technology
    clocking = find_clocking(technology, pins.clock_mhz, clock_mhz)
    clock_hz = round(clocking.output * 10**6)
    rate, clocks_per_bit = _uart_rate(clock_hz, baud)
    plans = [node.operator.schedule(node.folding) for node in graph.nodes]
    limit_cycles = 64 + sum(plan.frame_cycles + plan.latency_cycles for plan in plans)
    numbers = LinkNumbers(clock_hz, clocks_per_bit, build_id, limit_cycles.bit_length() + 3)
    top = f"{layout.project.removesuffix('_top')}_board"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{top}.sv").write_text(
        board_top_text(top, target.board, layout, pins, numbers), encoding="utf-8"
    )
    (directory / _PLL).write_text(clock_module(clocking, target.device), encoding="utf-8")
    present = set((rtl_directory / FILE_LIST).read_text(encoding="utf-8").split())
    copied = [*_LINK, *(name for name in _SHARED if name not in present)]
    for name in (*copied, _SIMULATED_PLL):
        shutil.copyfile(SOURCES / name, directory / name)
    ending, text = constraint_text(pins, technology)
    constraints = directory / f"{top}.{ending}"
    constraints.write_text(text, encoding="utf-8")
    _write_description(graph, target, layout, directory, numbers, rate, limit_cycles)
    own = tuple(directory / name for name in (f"{top}.sv", *copied))
    return BoardProject(
        top=top,
        sources=(*own, directory / _PLL),
        constraints=constraints,
        clock_mhz=clocking.output_mhz,
        baud=rate,
        simulation_sources=(*own, directory / _SIMULATED_PLL),
    )


def _check_streams(graph: Graph, layout: Layout) -> None:
    if len(layout.inputs) != 1 or len(layout.outputs) != 1:
        raise SephwError(
            f"graph '{graph.name}': {len(layout.inputs)} inputs and {len(layout.outputs)} outputs; "
            "the host link serves one of each"
        )
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    if source.bits > 8 or source.signed:
        raise SephwError(
            f"graph '{graph.name}': its input is {source.dtype}, the host link sends unsigned "
            "integers of at most 8 bits"
        )
    if sink.bits > 64:
        raise SephwError(
            f"graph '{graph.name}': its output is {sink.dtype}, the host reads at most 64 bits"
        )


def _uart_rate(clock_hz: int, baud: int | None) -> tuple[int, int]:
    """(bits per second, clocks per bit)."""
    for rate in _BAUDS if baud is None else (baud,):
        clocks = max(1, round(clock_hz / rate))
        error = abs(clock_hz / clocks / rate - 1)
        if clocks >= _LEAST_CLOCKS_PER_BIT and error <= _BAUD_ERROR:
            return rate, clocks
    wanted = "any usual baud rate" if baud is None else f"{baud} baud"
    raise SephwError(
        f"a clock of {clock_hz / 1e6:g} MHz cannot make {wanted}: it takes at least "
        f"{_LEAST_CLOCKS_PER_BIT} cycles a bit within 1 %; choose another rate or a faster clock"
    )


def _write_description(
    graph: Graph,
    target: Target,
    layout: Layout,
    directory: Path,
    numbers: LinkNumbers,
    baud: int,
    limit_cycles: int,
) -> None:
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    assert target.open_board is not None
    content = {
        "format": FORMAT,
        "version": VERSION,
        "name": graph.name,
        "target": target.name,
        "cable": target.open_board.cable,
        "build_id": f"{numbers.build_id:016x}",
        "image_shape": list(source.shape),
        "image_bits": source.bits,
        "output_shape": list(sink.shape),
        "output_bits": sink.bits,
        "output_signed": sink.signed,
        "clock_hz": numbers.clock_hz,
        "baud": baud,
        # No frame takes longer from its first beat in to its last beat out.
        "frame_limit_cycles": limit_cycles,
    }
    (directory / ACCELERATOR).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
