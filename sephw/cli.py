"""The command `sephw`: subcommands are imported only when one is called for."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import click

from sephw import __version__
from sephw.commands.context import (
    EXIT_INTERNAL,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    CallFlags,
    common_options,
)
from sephw.errors import SephwError
from sephw.lifetime.ending import end_on_signals, leave
from sephw.lifetime.unfinished import own_temporary_folder
from sephw.suggest import did_you_mean

# What `sephw --help` says of a command, which is `sephw.commands.NAME:NAME`.
COMMANDS: Mapping[str, str] = {
    "check": "What an export would take: every node, all refusals at once.",
    "export": "Verified hardware project from a checkpoint.",
    "run": "An exported network on a board: compare, measure.",
    "program": "Load an exported bitstream into its board.",
    "explore": "Folding of every layer for a device or a frame rate.",
    "synth": "Bitstream of an export, with open tools.",
    "report": "Report of an export, from the files it has now.",
    "sizes": "Parameters and bytes of the networks, beside the paper's.",
    "train": "Train a pattern network through R, B and BQ.",
}


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is used, and gives each one --debug, --quiet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, imported now; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        own_temporary_folder()
        module = importlib.import_module(f"sephw.commands.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        if all("--debug" not in parameter.opts for parameter in command.params):
            command.params.extend(common_options())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command as click does; the error suggests a name that may have been meant."""
        name = str(args[0])
        if name not in COMMANDS and not name.startswith("-"):
            hint = did_you_mean(name, COMMANDS).strip()
            ctx.fail(f"No such command '{name}'" + (f", {hint}" if hint else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


cli = LazyGroup(
    name="sephw",
    help="Pattern networks (SEP-Nets) from PyTorch to an FPGA, bit for bit.",
    params=common_options(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 done, all equal; 1 a mismatch; 2 a usage or input error, in one line; 3 "
    "a defect of sephw; 130 and 143 ended by Ctrl-C and by SIGTERM.",
)
cli = click.version_option(__version__, prog_name="sephw", message="%(prog)s %(version)s")(cli)


def run(arguments: Sequence[str]) -> int:
    """Run one command; errors become one line on stderr. Returns the exit status."""
    flags = CallFlags()
    try:
        result: Any = cli.main(
            args=list(arguments), prog_name="sephw", standalone_mode=False, obj=flags
        )
        return result if isinstance(result, int) else 0
    except SephwError as error:
        return _fail(str(error), flags)
    except click.UsageError as error:
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            click.echo(error.format_message(), err=True)
            return EXIT_USAGE
        path = error.ctx.command_path if error.ctx is not None else "sephw"
        return _fail(f"{error.format_message().rstrip('.')}; see '{path} --help'", flags)
    except click.ClickException as error:
        return _fail(error.format_message(), flags)
    except (click.Abort, KeyboardInterrupt):
        click.echo("sephw: interrupted", err=True)
        return EXIT_INTERRUPTED
    except MemoryError as error:
        from sephw.files.reading import out_of_memory  # with numpy, which help does not need

        return _fail(f"the design {out_of_memory(error)}", flags)
    except RecursionError:
        return _fail("the input is nested too deeply; use a flatter one", flags)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}; check the path and the disk", flags)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        if isinstance(error, RuntimeError) and "allocate memory" in text:  # as torch says it
            return _fail(f"the network does not fit into memory ({text}); use a smaller one", flags)
        hint = "this is a defect of sephw; --debug shows where"
        return _fail(f"internal: {text}; {hint}", flags, EXIT_INTERNAL)


def _fail(message: str, flags: CallFlags, status: int = EXIT_USAGE) -> int:
    if flags.debug:
        traceback.print_exc()
    click.echo(f"sephw: error: {message}", err=True)
    return status


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the program `sephw`: run `arguments` (default: the process's) and exit."""
    end_on_signals()
    # onnxruntime reports its use to its maker unless told not to, and warns where it cannot.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    status = run(sys.argv[1:] if arguments is None else arguments)
    leave(status)
