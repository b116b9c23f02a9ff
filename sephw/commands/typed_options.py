"""The options typed for a command, so that a later command can repeat them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
from click.core import ParameterSource

from sephw.invocation import TypedOption


class DataParameter(click.types.StringParamType):
    """The name of a data set, or a path to one; kept as text."""

    @staticmethod
    def is_path(text: str) -> bool:
        """True for all but the names."""
        from sephw.data import DATA_NAMES
        from sephw.export.settings import RANDOM_DATA

        return text not in (*DATA_NAMES, RANDOM_DATA)


def typed_options(ctx: click.Context, left_out: tuple[str, ...]) -> tuple[TypedOption, ...]:
    """The options that were typed in this call, in the order of --help.

    ``left_out``: names of parameters that are of no interest.
    """
    return tuple(
        given
        for parameter in ctx.command.params
        if isinstance(parameter, click.Option)
        and parameter.name is not None
        and parameter.expose_value
        and parameter.name not in left_out
        and ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
        for given in _given(parameter, ctx.params.get(parameter.name))
    )


def _given(option: click.Option, value: Any) -> Iterator[TypedOption]:
    if option.is_flag:
        words = option.opts if value else option.secondary_opts
        yield TypedOption(max(words, key=len))
        return
    for one in value if option.multiple else (value,):
        text = f"{one:.12g}" if isinstance(one, float) else str(one)
        is_path = isinstance(option.type, click.Path)
        if isinstance(option.type, DataParameter):
            is_path = option.type.is_path(text)
        yield TypedOption(max(option.opts, key=len), text, is_path)
