"""Shell completion of the names of targets, devices, networks and data sets."""

from __future__ import annotations

from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _starting(names: Callable[[], list[str]]) -> Complete:
    """A completion by the names that start with the typed text; they are imported on demand."""

    def complete(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
        return [CompletionItem(name) for name in names() if name.startswith(typed)]

    return complete


def _targets() -> list[str]:
    from sephw.targets import TARGETS

    return [target.name for target in TARGETS]


def _devices() -> list[str]:
    from sephw.targets import DEVICES

    return [device.name for device in DEVICES]


def _networks() -> list[str]:
    from sephw.networks import NETWORK_NAMES

    return list(NETWORK_NAMES)


complete_target = _starting(_targets)
complete_device = _starting(_devices)
complete_network = _starting(_networks)


def complete_data(_: click.Context, __: click.Parameter, typed: str) -> list[CompletionItem]:
    """Names of data sets, else files."""
    from sephw.data import DATA_NAMES

    names = [CompletionItem(name) for name in DATA_NAMES if name.startswith(typed)]
    return names or [CompletionItem(typed, type="file")]


__all__ = ["complete_data", "complete_device", "complete_network", "complete_target"]
