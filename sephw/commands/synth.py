"""The command `sephw synth`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from sephw.backends.board import Task
from sephw.command_line import command_line, command_name
from sephw.commands.completion import complete_device, complete_target
from sephw.commands.context import command_progress
from sephw.commands.options import floorplan_option, seeds_option
from sephw.errors import SephwError, UsageError
from sephw.files import check_file, read_array, read_json
from sephw.host.description import RESIZES
from sephw.ir import Graph, Integers
from sephw.synth.record import RECORD, Run
from sephw.targets import Device, Target, find_device, find_target

SYNTH, BOARD, RTL = "synth", "board", "rtl"
_MANIFEST, _FORMAT = "manifest.json", "sephw-export"


@click.command(name="synth")
@click.argument("directory", type=click.Path(path_type=Path), metavar="EXPORT_DIR")
@click.option(
    "--target",
    shell_complete=complete_target,
    metavar="NAME",
    help="A board.  [default: that of the export]",
)
@click.option(
    "--device",
    shell_complete=complete_device,
    metavar="NAME",
    help="A device without its board: the network between two shift registers, to measure.",
)
@click.option(
    "--clock-mhz",
    type=click.FloatRange(1, 1000),
    metavar="MHZ",
    help="Clock that must be met.  [default: as fast as routing gets it]",
)
@floorplan_option
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="The first of --seeds.",
)
@seeds_option
@click.option(
    "--timeout",
    default=3600,
    show_default=True,
    type=click.IntRange(1),
    metavar="SECONDS",
    help="For each run of a tool.",
)
@click.option("--no-route", is_flag=True, help="Synthesize only: counts, no clock, no bitstream.")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Runs of a tool side by side.  [default: one per processor]",
)
@click.option("--json", "as_json", is_flag=True, help="Print synth.json instead of a summary.")
def synth(
    directory: Path,
    target: str | None,
    device: str | None,
    clock_mhz: float | None,
    floorplan: bool | None,
    seed: int,
    seeds: int,
    timeout: int,
    no_route: bool,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Synthesize, place and route an export with open tools, down to a bitstream.

    Reads graph.json and rtl/ of EXPORT_DIR; writes synth/ and, for an open board, board/, and the
    report again. Exit status: 0, or 2 for an error: the design does not fit, a clock is missed, a
    tool is missing or fails.
    """
    from sephw.synth.flow import Request, run_flow

    board, chip = _device(directory, target, device)
    graph = _graph(directory)
    samples, golden = _test_data(directory, graph)
    request = Request(
        device=chip,
        target=board,
        clock_mhz=clock_mhz,
        seed=seed,
        seeds=seeds,
        floorplan=floorplan,
        route=not no_route,
        timeout_seconds=timeout,
        jobs=jobs,
        task=_task(directory),
    )
    progress = command_progress(2, about=graph.name)
    out = directory / SYNTH
    with progress.step("synth", f"{graph.name} for {chip.name if board is None else board.name}"):
        run = run_flow(
            graph,
            directory / RTL,
            request,
            out,
            board_out=directory / BOARD,
            progress=progress.update,
            samples=samples,
            golden=golden,
        )
    with progress.step("report", "figures and hashes"):
        _refresh(directory)
    if as_json:
        click.echo((out / RECORD).read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(_text(run, directory))


def _device(
    directory: Path, target: str | None, device: str | None
) -> tuple[Target | None, Device]:
    """The board and the device that are asked for."""
    if target is not None and device is not None:
        raise UsageError("--target and --device: a board has its device; give one of the two")
    manifest = _manifest(directory)
    if device is not None:
        return None, find_device(device)
    try:
        board = find_target(target if target is not None else str(manifest["options"]["target"]))
    except (KeyError, TypeError):
        raise UsageError(
            f"{directory}: its {_MANIFEST} names no target; name one with --target"
        ) from None
    return board, board.device


def _task(directory: Path) -> Task:
    """What the manifest says of classes and images."""
    model = _manifest(directory).get("model")
    found = model if isinstance(model, dict) else {}
    names, resize = found.get("classes") or (), found.get("resize", "none")
    known = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return Task(tuple(names) if known else (), resize if resize in RESIZES else "none")


def _manifest(directory: Path) -> Mapping[str, Any]:
    content: Mapping[str, Any] = {}
    with contextlib.suppress(SephwError):
        content = read_json(directory / _MANIFEST, _MANIFEST, "")
    if content.get("format") != _FORMAT:
        raise UsageError(
            f"{directory}: is no export (no {_MANIFEST} of sephw); give the folder that "
            f"'{command_name('export')}' made"
        )
    return content


def _graph(directory: Path) -> Graph:
    from sephw.backends.rtl.project import FILE_LIST
    from sephw.ir.serialize import load_graph
    from sephw.ops import OPERATORS

    graph = load_graph(directory / "graph.json", directory / "graph.npz", OPERATORS)
    if not (directory / RTL / FILE_LIST).is_file():
        raise UsageError(
            f"{directory}: holds no {RTL}/; export the model again with the step {RTL}"
        )
    return graph


def _test_data(directory: Path, graph: Graph) -> tuple[Integers | None, Integers | None]:
    """Images and expected outputs, of the board's files or else of the testbench."""
    from sephw.backends.board.project import TEST_IMAGES, TEST_OUTPUTS
    from sephw.backends.layout import lay_out
    from sephw.backends.rtl.beats import unpack, words_per_beat
    from sephw.backends.rtl.project import TEST_DATA

    layout = lay_out(graph)
    if len(layout.inputs) != 1 or len(layout.outputs) != 1:
        return None, None
    streams = [layout.streams[name] for name in (layout.input, layout.output)]
    folder, again = directory / RTL / TEST_DATA, "export the model again"
    try:
        if (directory / BOARD / TEST_IMAGES).is_file():
            images, outputs = (
                read_array(directory / BOARD / name, f"'{directory / BOARD / name}'", again)
                for name in (TEST_IMAGES, TEST_OUTPUTS)
            )
            shaped = images.astype(np.int64).reshape(-1, *streams[0].shape)
            return shaped, outputs.astype(np.int64).reshape(len(shaped), *streams[1].shape)
        found = []
        for stream, name in zip(streams, ("input_0.bin", "expected_0.bin"), strict=True):
            check_file(folder / name, f"'{folder / name}'")
            words = np.fromfile(folder / name, "<u4").reshape(-1, words_per_beat(stream))
            found.append(unpack(words, stream))
    except FileNotFoundError:
        return None, None
    except (OSError, ValueError) as error:
        raise SephwError(
            f"{directory}: its test images cannot be read ({type(error).__name__}); {again}"
        ) from None
    return found[0], found[1]


def _refresh(directory: Path) -> None:
    """The report again, with what synthesis found, and the hashes of the new files."""
    from sephw.reports import refresh

    refresh(directory)


def _text(run: Run, directory: Path) -> str:
    from sephw.synth.summary import summary

    command = ""
    if run.bitstream is not None and run.target is not None:
        command = command_line("program", [directory])
    return summary(run, directory / SYNTH, command)
