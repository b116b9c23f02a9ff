"""The command `sephw explore`."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sephw.command_line import command_line, command_name
from sephw.commands.completion import complete_device, complete_network, complete_target
from sephw.commands.context import command_progress
from sephw.commands.options import search_seconds_option, typed_options
from sephw.errors import SephwError, UsageError
from sephw.export_folder import ExportFolder
from sephw.export_names import MODEL
from sephw.invocation import TypedOption
from sephw.targets import find_device, find_target

if TYPE_CHECKING:
    from sephw.explore import Found, Goal
    from sephw.ir import Graph
    from sephw.progress import Progress

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
_MINIMIZE = ("logic", "share", "lut", "ff", "bram", "dsp")


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
@click.option(
    "--network",
    shell_complete=complete_network,
    metavar="NAME",
    help="Network of a bare state_dict.",
)
@click.option("--arguments", metavar="JSON", help="Network arguments of a bare state_dict.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
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
    from sephw.explore import pareto, search
    from sephw.explore.finn import finn_config
    from sephw.export.settings import parse_arguments

    if scheduler is not None and synth is None:
        raise UsageError("--scheduler: nothing is synthesized; add --synth K")
    goal = _goal(target, device, fps, clock_mhz, minimize, margin_lut)
    goal = replace(goal, weight_bandwidth_bits=weight_bandwidth)
    progress = command_progress(3 if synth is not None else 2, about=model.stem)
    with progress.step("load", model.name):
        graph = _graph(model, network, parse_arguments(arguments))
    began = time.monotonic()
    with progress.step("explore", f"foldings for {goal.device.name}"):
        if with_pareto or synth is not None:
            count = points if with_pareto else max(2, synth or 0)
            found = pareto(
                graph, goal, points=count, progress=progress.update, seconds=search_seconds
            )
        else:
            found = (search(graph, goal, progress=progress.update, seconds=search_seconds),)
    seconds = time.monotonic() - began
    chosen, results = found[0], None
    if fps is not None and len(found) > 1:
        # The least logic that is fast enough is the last point.
        chosen = found[-1]
    if synth is not None:
        tried = found[-synth:] if fps is not None else found[:synth]
        results = _synthesize(tried, scheduler, progress)
        chosen = _fitting(tried, results, fps)
    if out is not None:
        chosen.folding.write(out)
    if finn is not None:
        finn.write_text(json.dumps(finn_config(chosen), indent=2) + "\n", encoding="utf-8")
    if as_json:
        content = chosen.as_dict()
        content["seconds"] = round(seconds, 1)
        if len(found) > 1:
            content["pareto"] = [_point(one) for one in found]
        if results is not None:
            content["synthesized"] = [_synthesized(result) for result in results]
        click.echo(json.dumps(content, indent=2))
        return
    again = typed_options(ctx, _NOT_FOR_EXPORT)
    _print(chosen, found, tried if synth is not None else (), results, seconds, out, model, again)


def _goal(
    target: str | None,
    device: str | None,
    fps: float | None,
    clock_mhz: float | None,
    minimize: str,
    margin_lut: float | None,
) -> Goal:
    from sephw.explore import board_goal, check_goal, device_goal

    if (target is None) == (device is None):
        usage = command_line("explore", options=[("--help", None)])
        raise UsageError(f"give either --target or --device; '{usage}' says more")
    if target is not None:
        goal = board_goal(find_target(target), clock_mhz, fps)
    else:
        goal = device_goal(find_device(device or ""), clock_mhz, fps)
    if margin_lut is not None:
        goal = replace(goal, margins=replace(goal.margins, lut=margin_lut))
    check_goal(goal)
    return replace(goal, minimize=minimize)


def _graph(model: Path, network: str | None, arguments: Mapping[str, Any] | None) -> Graph:
    """The graph of a checkpoint, a QONNX file or an export, not folded."""
    # Libraries print and warn about their own affairs.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        if model.is_dir():
            return ExportFolder.open(model, _FIX).unfolded_graph()
        from sephw.export.settings import ExportSettings
        from sephw.export.source import load_source, read_network

        settings = ExportSettings(
            model=model,
            out=model,
            target=find_target("pynq-z2"),
            network=network,
            arguments=arguments,
        )
        source = load_source(settings)
        with tempfile.TemporaryDirectory() as folder:
            graph: Graph = read_network(source, settings, Path(folder) / MODEL).graph
            return graph


def _synthesize(found: Sequence[Found], scheduler: str | None, progress: Progress) -> list[Any]:
    from sephw.explore import SynthesisJob, synthesize_many

    jobs = [
        SynthesisJob.of(f"{one.frame_cycles:,} cycles/frame", one.graph, one.goal.device)
        for one in found
    ]
    with progress.step("synth", f"{len(jobs)} foldings, by Yosys"):
        return synthesize_many(jobs, scheduler, progress=progress.update)


def _fitting(found: Sequence[Found], results: Sequence[Any], fps: float | None) -> Found:
    """The one to take of what was synthesized: the fastest that fits; with ``fps``, the smallest.

    Raises SephwError where none fits, or none could be synthesized.
    """
    pairs = list(zip(found, results, strict=True))
    for one, result in pairs if fps is None else pairs[::-1]:
        if not result.error and (result.total + one.goal.reserved).fits(one.goal.limits):
            return one
    device = found[0].goal.device.name
    if all(result.error for result in results):
        raise SephwError(f"synthesis of every folding failed; the first: {results[0].error}")
    name, used, limit = next(
        excess
        for one, result in pairs
        if not result.error
        for excess in (result.total + one.goal.reserved).excess(one.goal.limits)
    )
    raise SephwError(
        f"{found[0].network}: none of {len(pairs)} foldings fits {device} once synthesized; the "
        f"first takes {used:,} {name} of {limit:,}; try more with --synth, or a slower --fps"
    )


def _point(found: Found) -> dict[str, Any]:
    content = found.as_dict()
    keys = (
        "frames_per_second",
        "frames_per_second_over_link",
        "frame_cycles",
        "clock_mhz",
        "estimated",
        "proven_optimal",
    )
    return {key: content[key] for key in (*keys, "folding")}


def _synthesized(result: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {"name": result.name, "total": asdict(result.total), "error": result.error}


def _print(
    chosen: Found,
    found: Sequence[Found],
    tried: Sequence[Found],
    results: Sequence[Any] | None,
    seconds: float,
    out: Path | None,
    model: Path,
    again: tuple[TypedOption, ...],
) -> None:
    from sephw.explore.next_export import next_export
    from sephw.explore.text import pareto_table, summary, synthesis_table, table

    click.echo(table(chosen))
    click.echo()
    if len(found) > 1:
        click.echo(pareto_table(found) + "\n")
    if results is not None:
        click.echo(synthesis_table(tried, results) + "\n")
    click.echo(summary(chosen))
    click.echo(f"  {'search':8}{seconds:.1f} s")
    if out is not None:
        click.echo(f"  {'next':8}{next_export(model, chosen.goal, out, again)}")
