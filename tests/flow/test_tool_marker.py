"""The marker `tools` tells tests that start external programs from all others."""

from pathlib import Path

import pytest
import tool_marker

import sephw.tools.process

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("module", "starts"),
    [
        ("rtl/test_icarus.py", True),  # names compile_for_icarus
        ("rtl/test_makefile.py", True),  # names compile_project
        ("passes/test_lower.py", False),
        ("flow/test_documents.py", False),
    ],
)
def test_modules_that_start_tools(module: str, starts: bool) -> None:
    assert tool_marker.starts_a_tool(TESTS / module) is starts


def test_the_marker_is_given(request: pytest.FixtureRequest) -> None:
    marked = [item for item in request.session.items if item.get_closest_marker("tools")]
    assert all(item.path != Path(__file__) for item in marked)
    known = [line for line in request.config.getini("markers") if line.startswith("tools:")]
    assert known


def test_what_starts_a_tool_unmarked_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sephw.tools.process, "started", tool_marker.skip_instead)
    with pytest.raises(pytest.skip.Exception, match="starts g\\+\\+"):
        sephw.tools.process.run(["/usr/bin/g++", "--version"])
