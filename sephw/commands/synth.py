"""The command `sephw synth`."""

from __future__ import annotations

from pathlib import Path

import click

from sephw.command_line import command_line
from sephw.commands.completion import complete_device, complete_target
from sephw.commands.context import command_progress
from sephw.commands.options import export_argument, floorplan_option, json_option, seeds_option
from sephw.errors import UsageError
from sephw.export_folder import ExportFolder
from sephw.export_names import SYNTHESIS
from sephw.synth.record import SynthesisRun
from sephw.targets import Device, Target, find_device, find_target


@click.command(name="synth")
@export_argument
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
@json_option("Print synth.json instead of a summary.")
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
    from sephw.reports import refresh
    from sephw.synth.flow import Request, run_flow

    if target is not None and device is not None:
        raise UsageError("--target and --device: a board has its device; give one of the two")
    export = ExportFolder.open(directory)
    board, chip = _device(export, target, device)
    graph, project = export.graph(), export.rtl
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
        task=export.task,
    )
    progress = command_progress(2, about=graph.name)
    with progress.step("synth", f"{graph.name} for {chip.name if board is None else board.name}"):
        run = run_flow(
            graph,
            project,
            request,
            export.synth,
            progress=progress.update,
            frames=export.test_frames(graph),
        )
    with progress.step("report", "figures and hashes"):
        refresh(directory)
    if as_json:
        click.echo((export.synth / SYNTHESIS).read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(_text(run, export))


def _device(
    export: ExportFolder, target: str | None, device: str | None
) -> tuple[Target | None, Device]:
    """The board and the device that are asked for."""
    if device is not None:
        return None, find_device(device)
    board = find_target(target) if target is not None else export.target
    return board, board.device


def _text(run: SynthesisRun, export: ExportFolder) -> str:
    from sephw.synth.summary import summary

    command = ""
    if run.bitstream is not None and run.target is not None:
        command = command_line("program", [export.path])
    return summary(run, export.synth, command)
