"""The command `sephw explore`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sephw.command_line import command_line, command_name
from sephw.commands.completion import complete_device, complete_target
from sephw.commands.context import command_progress, quiet_libraries
from sephw.commands.options import (
    arguments_option,
    json_option,
    network_option,
    search_seconds_option,
)
from sephw.commands.typed_options import typed_options
from sephw.errors import UsageError
from sephw.export_folder import ExportFolder
from sephw.export_names import MODEL
from sephw.ir.resources import RESOURCE_KINDS
from sephw.targets import find_device, find_target

if TYPE_CHECKING:
    from sephw.explore import Goal
    from sephw.ir import Graph

_FIX = f"give a checkpoint, or the folder that '{command_name('export')}' made"
# Options that an export with the folding that was found does not take over.
_NOT_FOR_EXPORT = (
    "target",
    "device",
    "fps",
    "minimize",
    "margin_lut",
    "with_pareto",
    "points",
    "synth",
    "scheduler",
    "search_seconds",
    "out",
    "finn",
    "as_json",
)
_MINIMIZE = ("logic", "share", *RESOURCE_KINDS)


@click.command(name="explore")
@click.argument(
    "model", type=click.Path(path_type=Path, exists=True), metavar="MODEL.pth|EXPORT_DIR"
)
@click.option(
    "--target",
    shell_complete=complete_target,
    metavar="NAME",
    help="A board; its top's own logic is left free.",
)
@click.option(
    "--device", shell_complete=complete_device, metavar="NAME", help="A device without a board."
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    metavar="F",
    help="Frames per second on the chip to reach, with as little as possible.  [default: as many "
    "as fit]",
)
@click.option(
    "--clock-mhz",
    type=click.FloatRange(1, 1000),
    metavar="MHZ",
    help="[default: the best by the estimates; the board's where they know no clock]",
)
@click.option(
    "--minimize",
    type=click.Choice(_MINIMIZE),
    default="logic",
    show_default=True,
    help="What is kept small; 'logic': LUTs and flip-flops, 'share': all, each by its limit.",
)
@click.option(
    "--margin-lut",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="SHARE",
    help="Part of the device's LUTs that may be taken.  [default: that of the technology, 0.8 for "
    "most]",
)
@click.option(
    "--weight-bandwidth",
    type=click.IntRange(1),
    metavar="BITS",
    help="Bits per clock cycle of an external memory that layers may stream their weights from.  "
    "[default: all weights on the chip]",
)
@search_seconds_option
@click.option(
    "--pareto", "with_pareto", is_flag=True, help="The Pareto set: frames/s on chip and LUTs."
)
@click.option(
    "--points",
    default=10,
    show_default=True,
    type=click.IntRange(2, 200),
    metavar="N",
    help="Most points of the Pareto set.",
)
@click.option(
    "--synth",
    type=click.IntRange(1),
    metavar="K",
    help="Synthesize the K fastest points of the Pareto set; the fastest that fits is taken.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="A dask scheduler for --synth, such as tcp://host:8786.  [default: this process]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help=f"Folding file to write, for '{command_name('export')} --folding'.",
)
@click.option(
    "--finn",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="FINN folding configuration to write, as far as FINN has the notions.",
)
@network_option
@arguments_option
@json_option("Print JSON instead of tables.")
@click.pass_context
def explore(
    ctx: click.Context,
    model: Path,
    target: str | None,
    device: str | None,
    fps: float | None,
    clock_mhz: float | None,
    minimize: str,
    margin_lut: float | None,
    weight_bandwidth: int | None,
    search_seconds: float,
    with_pareto: bool,
    points: int,
    synth: int | None,
    scheduler: str | None,
    out: Path | None,
    finn: Path | None,
    network: str | None,
    arguments: str | None,
    as_json: bool,
) -> None:
    """Choose the folding of every layer for a board or a device.

    Family, digit width, PE, SIMD and multipliers: the most frames per second on the chip that fit
    by the estimates, or the least logic for --fps; the summary says whether that was proved to be
    the best. Exit status: 0, or 2 for an error; where nothing fits, it says what would.
    """
    from sephw.explore.exploration import ExplorationSettings, explore_graph
    from sephw.explore.finn import finn_config
    from sephw.export.settings import parse_arguments

    if scheduler is not None and synth is None:
        raise UsageError("--scheduler: nothing is synthesized; add --synth K")
    goal = _goal(target, device, clock_mhz, fps)
    if margin_lut is not None:
        goal = replace(goal, margins=replace(goal.margins, lut=margin_lut))
    goal = replace(goal, minimize=minimize, weight_bandwidth_bits=weight_bandwidth)
    settings = ExplorationSettings(
        goal, points if with_pareto else None, synth, scheduler, search_seconds
    )
    progress = command_progress(1 + settings.steps, about=model.stem)
    with progress.step("load", model.name):
        graph = _graph(model, network, parse_arguments(arguments))
    explored = explore_graph(graph, settings, progress)
    if out is not None:
        explored.chosen.folding.write(out)
    if finn is not None:
        finn.write_text(json.dumps(finn_config(explored.chosen), indent=2) + "\n", "utf-8")
    if as_json:
        click.echo(json.dumps(explored.as_dict(), indent=2))
        return
    click.echo(explored.text())
    if out is not None:
        from sephw.explore.next_export import next_export

        again = typed_options(ctx, _NOT_FOR_EXPORT)
        click.echo(f"  {'next':8}{next_export(model, explored.chosen.goal, out, again)}")


def _goal(
    target: str | None, device: str | None, clock_mhz: float | None, fps: float | None
) -> Goal:
    from sephw.explore import board_goal, check_goal, device_goal

    if (target is None) == (device is None):
        usage = command_line("explore", options=[("--help", None)])
        raise UsageError(f"give either --target or --device; '{usage}' says more")
    if target is not None:
        goal = board_goal(find_target(target), clock_mhz, fps)
    else:
        goal = device_goal(find_device(device or ""), clock_mhz, fps)
    check_goal(goal)
    return goal


def _graph(model: Path, network: str | None, arguments: Mapping[str, Any] | None) -> Graph:
    """The graph of a checkpoint, a QONNX file or an export, not folded."""
    with quiet_libraries():
        if model.is_dir():
            return ExportFolder.open(model, _FIX).unfolded_graph()
        from sephw.export.source import load_source, read_network

        source = load_source(model, network, arguments)
        with tempfile.TemporaryDirectory() as folder:
            graph: Graph = read_network(source, Path(folder) / MODEL).graph
            return graph
