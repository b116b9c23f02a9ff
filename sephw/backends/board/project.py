"""Writes a board's files around an RTL project: top module, link, clock, pins, accelerator.json."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sephw.backends.board.bench import BENCH, HEADER, bench_header
from sephw.backends.board.clock_module import clock_module
from sephw.backends.board.constraints import constraint_text
from sephw.backends.board.driver import write_driver
from sephw.backends.board.pins import board_pins
from sephw.backends.board.pll import Clocking, find_clocking
from sephw.backends.board.top import LinkNumbers, board_top_text
from sephw.backends.board.uart import BAUD, check_streams
from sephw.backends.layout import Layout, lay_out
from sephw.backends.rtl.project import FILE_LIST
from sephw.backends.rtl.top import RESET_CHAIN
from sephw.errors import SephwError
from sephw.export_names import TEST_IMAGES, TEST_OUTPUTS
from sephw.ir import Graph, Integers
from sephw.rtl import SOURCES
from sephw.rtl.hierarchy import scan, sources_of
from sephw.targets import Target

ACCELERATOR, SIMULATION_LIST = "accelerator.json", "simulation.f"
FORMAT, VERSION = "sephw-accelerator", 2

_SIMULATED_PLL = "sephw_board_pll_sim.sv"
_PLL_MODULE = "sephw_board_pll"
_PLL = f"{_PLL_MODULE}.sv"
# A UART stands 1 % of difference.
_BAUD_ERROR = 0.01
_LEAST_CLOCKS_PER_BIT = 8
_RESET_BITS = 4


@dataclass(frozen=True)
class Task:
    """The classes of a network by name, and the method that brings images to its input's size.

    ``resize``: none (they have it), bilinear, pad or crop, as in training.
    """

    class_names: tuple[str, ...] = ()
    resize: str = "none"


@dataclass(frozen=True, eq=False)
class TestFrames:
    """Test data of a board: int64 (N, h, w, c) of the input and of the output."""

    __test__ = False  # the name is none of pytest's

    images: Integers
    outputs: Integers


@dataclass(frozen=True)
class BoardRates:
    """The network's clock, at most; ``by_pll``: a PLL makes it even if it is the oscillator's own.

    ``baud``: of the UART, in bits per second.
    """

    clock_mhz: float
    by_pll: bool = False
    baud: int = BAUD


@dataclass(frozen=True)
class BoardProject:
    """A board's design around an RTL project.

    ``sources``: all that ``top`` is made of except the network's module and its engines.
    ``simulation_sources``: what to read with the RTL project's file list, none twice, with a wire
    for the PLL. ``macros``: what is to be defined for the network's module. ``clocking``: how the
    network's clock is made, at most what was asked for; ``baud`` in bits per second.
    """

    top: str
    sources: tuple[Path, ...]
    constraints: Path
    clocking: Clocking
    baud: int
    simulation_sources: tuple[Path, ...]
    macros: tuple[str, ...]

    @property
    def clock_mhz(self) -> float:
        """The network's clock."""
        return self.clocking.output_mhz

    @property
    def uart_mhz(self) -> float:
        """The oscillator, which times the UART."""
        return float(self.clocking.input)


def write_board(
    graph: Graph,
    target: Target,
    rtl_directory: Path,
    directory: Path,
    rates: BoardRates,
    *,
    frames: TestFrames | None = None,
    task: Task = Task(),
) -> BoardProject:
    """Write the board's files to ``directory``, the same bytes for the same arguments.

    ``rtl_directory`` holds the RTL project of ``graph``; nothing in it changes. The host driver
    recognizes the design by 64 bits, a digest of all that it is made of, the clock excepted.
    ``frames`` become the images that `sephw run` tests with. ``task``: what it says of images and
    classes.
    SephwError for a board of the vendor's flow, a network without exactly one input and one output,
    streamed weights, an input wider than a byte, a clock below the PLL's range, a baud rate that
    the oscillator cannot make or the clock cannot follow.
    """
    pins = board_pins(target)
    layout = lay_out(graph)
    check_streams(graph, layout)
    technology = target.device.technology
    top_of = technology.board_top
    macros = (RESET_CHAIN,) if top_of is not None and top_of.reset_chain else ()
    clocking = find_clocking(target.device, pins.clock_mhz, rates.clock_mhz, by_pll=rates.by_pll)
    clock_hz, uart_hz = round(clocking.output * 10**6), round(pins.clock_mhz * 1e6)
    clocks_per_bit = _clocks_per_bit(uart_hz, clock_hz, rates.baud)
    plans = [node.operator.schedule(node.folding) for node in graph.nodes]
    limit_cycles = 64 + sum(plan.frame_cycles + plan.latency_cycles for plan in plans)
    # A run without a beat for at least four times that long has failed.
    stall_bits = limit_cycles.bit_length() + 3
    top = f"{layout.project.removesuffix('_top')}_board"
    # A reset that goes from engine to engine takes a cycle for each.
    reset_bits = max(_RESET_BITS, len(graph.nodes).bit_length())
    numbers = LinkNumbers(uart_hz, clocks_per_bit, 0, stall_bits, reset_bits)
    draft = board_top_text(top, target.board, layout, pins, numbers)
    present = (rtl_directory / FILE_LIST).read_text(encoding="utf-8").split()
    sources = _sources(draft, layout.project, present)
    numbers = replace(numbers, build_id=_digest(rtl_directory, sources, draft))
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{top}.sv").write_text(
        board_top_text(top, target.board, layout, pins, numbers), encoding="utf-8"
    )
    (directory / _PLL).write_text(clock_module(clocking, target.device), encoding="utf-8")
    for name in (*sources, _SIMULATED_PLL, BENCH):
        shutil.copyfile(SOURCES / name, directory / name)
    ending, text = constraint_text(pins, technology)
    constraints = directory / f"{top}.{ending}"
    constraints.write_text(text, encoding="utf-8")
    simulated = [f"{top}.sv", *(name for name in sources if name not in present), _SIMULATED_PLL]
    defines = [f"+define+{macro}" for macro in macros]
    listed = "".join(f"{name}\n" for name in (*defines, *simulated, BENCH))
    (directory / SIMULATION_LIST).write_text(listed, encoding="utf-8")
    (directory / HEADER).write_text(bench_header(top, pins), encoding="utf-8")
    timing = _Timing(clock_hz, uart_hz, rates.baud, limit_cycles)
    description = _description(graph.name, top, target, layout, numbers.build_id, timing, task)
    (directory / ACCELERATOR).write_text(json.dumps(description, indent=1) + "\n", "utf-8")
    _write_test(directory, layout, frames)
    write_driver(directory)
    return BoardProject(
        top=top,
        sources=tuple(directory / name for name in (f"{top}.sv", *sources, _PLL)),
        constraints=constraints,
        clocking=clocking,
        baud=rates.baud,
        simulation_sources=tuple(directory / name for name in simulated),
        macros=macros,
    )


def _sources(top: str, network: str, present: Collection[str]) -> tuple[str, ...]:
    """Files of rtl/ that the board's top needs: the link, what stands beside it, and at last those
    that are ``present`` in the network's project as well."""
    modules = [name for name in scan(top).instantiated if name not in (network, _PLL_MODULE)]
    return tuple(
        sorted(sources_of(modules), key=lambda name: (name in present, "_board_" in name, name))
    )


def _digest(rtl_directory: Path, sources: Sequence[str], top: str) -> int:
    """64 bits that change with whatever the bitstream is made of, the PLL's settings excepted.

    Those are set last, when the design is routed and its clock known.
    """
    key = hashlib.sha256(f"{top}\0".encode())
    parts = [SOURCES / name for name in sources]
    parts += sorted(p for p in rtl_directory.iterdir() if p.suffix in {".sv", ".mem"})
    for path in parts:
        content = path.read_bytes()
        key.update(f"{path.name} {len(content)}\0".encode() + content)
    return int.from_bytes(key.digest()[:8], "big")


def _write_test(directory: Path, layout: Layout, frames: TestFrames | None) -> None:
    if frames is None:
        return
    samples, golden = frames.images, frames.outputs
    sink = layout.streams[layout.output]
    if samples.shape[1:] != layout.streams[layout.input].shape or golden.shape != (
        len(samples),
        *sink.shape,
    ):
        raise SephwError(
            f"samples of shape {samples.shape} and golden outputs of shape {golden.shape} do not "
            "fit the network"
        )
    np.save(directory / TEST_IMAGES, samples.astype(np.uint8))
    np.save(directory / TEST_OUTPUTS, golden.reshape(len(golden), -1).astype(np.int64))


def _clocks_per_bit(uart_hz: int, clock_hz: int, baud: int) -> int:
    """The UART's divider, of the oscillator."""
    clocks = max(1, round(uart_hz / baud))
    if clocks < _LEAST_CLOCKS_PER_BIT or abs(uart_hz / clocks / baud - 1) > _BAUD_ERROR:
        raise SephwError(
            f"an oscillator of {uart_hz / 1e6:g} MHz cannot make {baud} baud: it takes at least "
            f"{_LEAST_CLOCKS_PER_BIT} cycles a bit within 1 %; choose another rate"
        )
    if clock_hz < baud:
        raise SephwError(
            f"a clock of {clock_hz / 1e6:g} MHz is too slow for {baud} baud: it takes at least one "
            "cycle a bit; choose a lower rate or a faster clock"
        )
    return clocks


@dataclass(frozen=True)
class _Timing:
    """The network's clock, the oscillator that times the UART, bits per second.

    ``limit_cycles``: no frame takes longer from its first beat in to its last beat out.
    """

    clock_hz: int
    uart_hz: int
    baud: int
    limit_cycles: int


def _description(
    name: str,
    top: str,
    target: Target,
    layout: Layout,
    build_id: int,
    timing: _Timing,
    task: Task,
) -> dict[str, Any]:
    """The content of accelerator.json."""
    source, sink = layout.streams[layout.input], layout.streams[layout.output]
    assert target.open_board is not None
    return {
        "format": FORMAT,
        "version": VERSION,
        "link": "uart",
        "name": name,
        "top": top,
        "target": target.name,
        "cable": target.open_board.cable,
        "build_id": f"{build_id:016x}",
        "image_shape": list(source.shape),
        "image_bits": source.bits,
        "output_shape": list(sink.shape),
        "output_bits": sink.bits,
        "output_signed": sink.signed,
        "clock_hz": timing.clock_hz,
        "uart_hz": timing.uart_hz,
        "baud": timing.baud,
        "frame_limit_cycles": timing.limit_cycles,
        # Names of the output's channels, where they are known and as many.
        "class_names": list(task.class_names) if len(task.class_names) == sink.shape[2] else [],
        "resize": task.resize,
    }
