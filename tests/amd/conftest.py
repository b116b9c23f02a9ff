"""One export of a small network for all tests of this folder; each gets its own amd/ in it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from amd_export import Folder, small_graph, write, write_projects

from sephw.ir import Graph


@pytest.fixture(scope="session")
def graph() -> Graph:
    return small_graph()


@pytest.fixture(scope="session")
def export(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with ``hls/`` and ``rtl/``; nothing in these changes."""
    directory = tmp_path_factory.mktemp("export")
    write_projects(graph, directory)
    return directory


@pytest.fixture
def folder(graph: Graph, export: Path, tmp_path: Path) -> Folder:
    """Makes ``amd/`` for a target, beside links to the projects."""

    def make(target: str = "pynq-z2") -> Path:
        shutil.rmtree(tmp_path / "amd", ignore_errors=True)
        for name in ("hls", "rtl"):
            if not (tmp_path / name).exists():
                (tmp_path / name).symlink_to(export / name)
        made = write(graph, export, target)
        shutil.move(made, tmp_path / "amd")
        return tmp_path / "amd"

    return make
