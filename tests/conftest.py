"""Makes tests/support importable from every folder of tests; the marker of external tools."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "support"))

import tool_marker

import sephw.progress
import sephw.tools.process

# What a slow step says of itself depends on the machine; the tests of progress set their own.
sephw.progress.FIRST_SECONDS = 3600.0


def pytest_configure(config: pytest.Config) -> None:
    if f"not {tool_marker.MARKER}" in config.option.markexpr:
        sephw.tools.process.started = tool_marker.skip_instead  # type: ignore[assignment]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    tool_marker.mark(items)
