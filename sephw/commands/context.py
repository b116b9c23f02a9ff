"""The common part of every command: exit statuses, --debug and --quiet, progress."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sephw.progress import Progress

EXIT_MISMATCH, EXIT_USAGE, EXIT_INTERNAL, EXIT_INTERRUPTED = 1, 2, 3, 130


@dataclass
class CallFlags:
    """The flags of one call of the program, beyond click's contexts."""

    debug: bool = False
    quiet: bool = False


def _set_debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    flags = ctx.find_object(CallFlags)
    if flags is not None and value:
        flags.debug = True


def _set_quiet(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    flags = ctx.find_object(CallFlags)
    if flags is not None and value:
        flags.quiet = True


def common_options() -> list[click.Parameter]:
    """Options of the program and of every command."""
    words = (
        (["--debug"], _set_debug, "Show the Python traceback of an error."),
        (["--quiet", "-q"], _set_quiet, "No lines of progress on stderr."),
    )
    return [
        click.Option(
            names, is_flag=True, is_eager=True, expose_value=False, callback=callback, help=text
        )
        for names, callback, text in words
    ]


def command_progress(steps: int, about: str = "") -> Progress:
    """The progress messages of the running command; see `sephw.progress.Progress`."""
    from sephw.progress import Progress

    context = click.get_current_context(silent=True)
    flags = None if context is None else context.find_object(CallFlags)
    quiet = flags is not None and flags.quiet
    return Progress(quiet=quiet, steps=steps, about=about)


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Libraries print and warn about their own affairs; stdout belongs to the command."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
