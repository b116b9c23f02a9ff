"""The command `sephw export`."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from sephw.commands.completion import complete_data, complete_target
from sephw.commands.context import EXIT_MISMATCH, command_progress, quiet_libraries
from sephw.commands.options import (
    arguments_option,
    floorplan_option,
    json_option,
    network_option,
    search_seconds_option,
    seeds_option,
)
from sephw.commands.typed_options import DataParameter, typed_options
from sephw.errors import UsageError
from sephw.export.settings import (
    FOLDS,
    SEARCH,
    STEPS,
    ExportSettings,
    check_search,
    check_trace,
    default_steps,
    parse_arguments,
    parse_steps,
)
from sephw.invocation import Invocation, build_folder, called_from
from sephw.targets import DEFAULT_TARGET, TARGETS, find_target

if TYPE_CHECKING:
    from sephw.export.pipeline import ExportOutcome

# What a follow-up command leaves to the person, or to where the export lies.
_NOT_REPEATED = ("out", "as_json")


@click.command(name="export")
@click.argument("model", type=click.Path(path_type=Path), metavar="MODEL.pth|MODEL.onnx")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory to make; replaced if it is a former export.  [default: build/NAME]",
)
@click.option(
    "--data",
    type=DataParameter(),
    shell_complete=complete_data,
    metavar="NAME|PATH",
    help="Images to verify with: digits, mnist5k, fashion-mnist, a path, or 'random' "
    "for seeded noise.  [default: the set the model was trained on]",
)
@click.option(
    "--samples",
    default=16,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Real images to verify with, beside the adversarial ones; by default all where the "
    "data has fewer.",
)
@click.option(
    "--folding",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Folding by node, cycles per frame for the others, FIFO depths; see docs/engines.md.",
)
@click.option(
    "--fold",
    type=click.Choice(FOLDS),
    default=SEARCH,
    show_default=True,
    help="Without --folding: 'search' finds the folding that serves the board best; 'fast' takes "
    "the smallest legal one by layer, a frame in about 32,768 cycles.",
)
@click.option(
    "--allow-misfit",
    is_flag=True,
    help="Export also what is estimated not to fit the board; without it that is an error that "
    "says what would fit.",
)
@click.option(
    "--target",
    shell_complete=complete_target,
    default=DEFAULT_TARGET,
    show_default=True,
    metavar="NAME",
    help=f"Board: {', '.join(target.name for target in TARGETS)}.",
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Frames per second on the chip that the folding search reaches with the least logic.  "
    "[default: as many as fit]",
)
@click.option(
    "--clock-mhz",
    type=click.FloatRange(1, 1000),
    metavar="MHZ",
    help="Clock that search and synthesis must reach.  [default: the best]",
)
@search_seconds_option
@seeds_option
@floorplan_option
@click.option(
    "--weight-bandwidth",
    type=click.IntRange(1),
    metavar="BITS",
    help="Bits per clock cycle that external memory gives to the weights of layers that stream "
    "them; see docs/engines.md.  [default: as many as they take]",
)
@click.option(
    "--steps",
    metavar="LIST",
    help=f"What to do, of {','.join(STEPS)}; a step brings the ones that it needs, +STEP is "
    "beside the usual ones.  [default: all but netlist; synth for boards of the open flow]",
)
@network_option
@arguments_option
@click.option(
    "--trace",
    is_flag=True,
    help="Write the timeline of the engines (trace.json, for Perfetto) and the RTL's "
    "signals on the first image (rtl.vcd).",
)
@json_option("Print report.json instead of a summary.")
@click.pass_context
def export(
    ctx: click.Context,
    model: Path,
    out: Path | None,
    data: str | None,
    samples: int,
    folding: Path | None,
    fold: str,
    allow_misfit: bool,
    target: str,
    fps: float | None,
    clock_mhz: float | None,
    search_seconds: float,
    seeds: int,
    floorplan: bool | None,
    weight_bandwidth: int | None,
    steps: str | None,
    network: str | None,
    arguments: str | None,
    trace: bool,
    as_json: bool,
) -> None:
    """Turn a trained checkpoint, or a QONNX file, into one verified directory.

    It holds the network as QONNX, the hardware graph, a complete hls4ml project for Vitis HLS,
    the same network in SystemVerilog, and a report. Every layer's integers are compared between
    PyTorch, QONNX, the integer reference, the C-simulation and the RTL simulation, and the cycle
    of every beat between RTL and cycle simulation. Exit status: 0 all equal, 1 a mismatch, 2 an
    error.
    """
    board = find_target(target)
    settings = ExportSettings(
        model=model,
        out=out if out is not None else Path("build"),
        target=board,
        data=data,
        samples=samples,
        fewer_samples=ctx.get_parameter_source("samples") is ParameterSource.DEFAULT,
        folding=folding,
        fold=fold,
        allow_misfit=allow_misfit,
        steps=default_steps(board) if steps is None else parse_steps(steps, board),
        fps=fps,
        clock_mhz=clock_mhz,
        search_seconds=search_seconds,
        seeds=seeds,
        floorplan=floorplan,
        weight_bandwidth=weight_bandwidth,
        network=network,
        arguments=parse_arguments(arguments),
        invocation=Invocation(
            str(model), typed_options(ctx, _NOT_REPEATED), called_from(out), out is not None
        ),
    )
    settings = replace(settings, trace=check_trace(trace, settings.steps))
    check_search(settings)
    if out is None:
        settings = replace(settings, out=build_folder(model))
    if as_json and "report" not in settings.steps:
        raise UsageError("--json: prints the report; add report to --steps")
    outcome = _run(settings)
    _print(outcome, as_json)
    if outcome.verification is not None and not outcome.verification.exact:
        ctx.exit(EXIT_MISMATCH)


def _run(settings: ExportSettings) -> ExportOutcome:
    # Spinning OpenMP threads starve every other process on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from sephw.export.pipeline import export_model, planned_steps

    with quiet_libraries():
        progress = command_progress(planned_steps(settings), about=settings.name)
        return export_model(settings, progress)


def _print(outcome: ExportOutcome, as_json: bool) -> None:
    from rich.console import Console

    from sephw.export.summary import summary
    from sephw.reports import as_dict, slowest_table
    from sephw.verify import describe

    if as_json:
        assert outcome.report is not None
        click.echo(json.dumps(as_dict(outcome.report), indent=2, ensure_ascii=False))
    else:
        if outcome.report is not None and sys.stdout.isatty():
            Console().print(slowest_table(outcome.report))
        click.echo(summary(outcome))
    found = outcome.verification
    if found is not None and found.first_mismatch is not None:
        line = describe(found.first_mismatch, found.samples)
        click.echo(f"sephw: mismatch: {line}; all in verify.json", err=True)
