import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fake_tools import FakeTools, forget_versions
from synth_projects import SmallExport


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Fake tools, and a cache and a folder of logs of their own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield FakeTools(tmp_path / "tools", monkeypatch)
    forget_versions()


@pytest.fixture
def export(tmp_path):
    """A directory as `sephw export` leaves it, of one pattern layer."""
    return SmallExport(tmp_path / "net")
