"""The command `sephw run`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import click

from sephw.command_line import command_name
from sephw.commands.context import EXIT_MISMATCH, command_progress
from sephw.commands.options import export_argument, json_option
from sephw.errors import UsageError
from sephw.host import Accelerator, Description, PortError, find_ports
from sephw.run.design import read_design
from sephw.run.images import read_given
from sephw.run.measure import first_difference, measure, read_test

_SIMULATION = "sim"


@click.command(name="run")
@export_argument
@click.option(
    "--port",
    metavar="PORT",
    help="Serial port, as /dev/ttyUSB0 or a URL of pyserial; 'sim' simulates the board with "
    "Verilator.  [default: the only one at USB]",
)
@click.option("--baud", type=click.IntRange(1), metavar="N", help="Instead of the design's rate.")
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="A picture (PNG, JPEG, …), a folder of them, or uint8 (N, H, W, C) as .npy, instead of "
    "the export's own test images.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE.npy",
    help="Save the outputs, int64 (N, outputs).",
)
@click.option(
    "--frames",
    default=1000,
    show_default=True,
    type=click.IntRange(2),
    metavar="N",
    help="Frames of the throughput test on the chip; an even number.",
)
@json_option("Print JSON instead of a summary.")
@click.pass_context
def run(
    ctx: click.Context,
    directory: Path,
    port: str | None,
    baud: int | None,
    images: Path | None,
    out: Path | None,
    frames: int,
    as_json: bool,
) -> None:
    """Run an exported network on a board, compare with the expected outputs, measure throughput.

    Exit status: 0 all outputs as expected (or none known), 1 a difference, 2 an error.
    """
    known = read_design(directory)
    given, expected = read_test(known) if images is None else (read_given(images, known), None)
    progress = command_progress(1, about=known.name)
    for note in given.notes:
        progress.warn(note)
    port = port or _only_port()
    with progress.step("run", f"{len(given.images)} images on {port}"):
        progress.update("simulation of the board" if port == _SIMULATION else "")
        with _board(known, port, baud) as board:
            outcome = measure(
                board,
                given,
                expected,
                frames=frames,
                simulated=port == _SIMULATION,
                on_step=progress.update,
            )
    if out is not None:
        outcome.save(out)
    click.echo(json.dumps(outcome.as_dict(), indent=2) if as_json else outcome.summary())
    if outcome.differing:
        click.echo(f"sephw: mismatch: {first_difference(outcome)}", err=True)
        ctx.exit(EXIT_MISMATCH)


@contextlib.contextmanager
def _board(known: Description, port: str, baud: int | None) -> Iterator[Accelerator]:
    if port == _SIMULATION:
        try:
            from sephw.run.simulated import simulated
        except ImportError:
            raise UsageError(
                "--port sim: this driver alone cannot simulate; use the whole package's "
                f"'{command_name('run')}', or name a serial port"
            ) from None
        with simulated(known) as board:
            yield board
    else:
        with Accelerator(port, known, baud=baud) as board:
            yield board


def _only_port() -> str:
    """The one port at USB; PortError at once where there is none, or there are several."""
    found = find_ports()
    usb = [port for port in found if port.usb]
    if len(usb) == 1:
        return usb[0].device
    if usb:
        listed = ", ".join(f"{port.device} ({port.description})" for port in usb)
        raise PortError(f"serial ports at USB: {listed}; name one with --port")
    others = ", ".join(port.device for port in found)
    raise PortError(
        "no serial port at USB" + (f" (others: {others})" if others else "") + "; plug the board "
        "in, name a port with --port, or simulate the board with --port sim"
    )
