"""Credits and the output FIFO: the cycle of every issue and of every beat, at every depth."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from sephw.rtl.hierarchy import sources_of
from sephw.tools import verilator

UNITS = [(depth, stages) for stages in (0, 1, 3) for depth in (1, 2, 3, 4, 5, 16, 512)]
BENCH = ("output_bench.sv", "output_bench.cpp")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("output_bench")
    for name in BENCH:
        shutil.copy(Path(__file__).parent / name, directory)
    sources = sources_of(["sephw_output"])
    for name, text in sources.items():
        (directory / name).write_text(text)
    files = [*sources, *BENCH]
    verilator.lint(list(sources), "sephw_output", directory, purpose="test")
    return verilator.build(files, "output_bench", directory, directory / "build", purpose="test")


def _contract(depth: int, stages: int, want, ready):
    """(took, valid, head) of every cycle, from the timing contract alone; head −1 if none."""
    issued: list[int] = []
    popped: list[int] = []
    rows = []
    for cycle in range(len(want)):
        # A pop of cycle t gives its credit back from t + 1 on: popped holds earlier cycles only.
        took = bool(want[cycle]) and len(issued) - len(popped) < depth
        beat = len(popped)
        valid = beat < len(issued) and issued[beat] + stages + 2 <= cycle
        rows.append((took, valid, issued[beat] if valid else -1))
        if took:
            issued.append(cycle)
        if valid and ready[cycle]:
            popped.append(cycle)
    return np.array(rows)


@pytest.mark.parametrize(
    ("wanted", "sink"),
    [(1.0, 1.0), (1.0, 0.5), (0.5, 1.0), (0.5, 0.5), (0.9, 0.15), (0.15, 0.9), (1.0, 0.002)],
)
def test_every_issue_and_beat_is_in_its_cycle(program, tmp_path, wanted, sink) -> None:
    cycles = 3000
    rng = np.random.default_rng([round(wanted * 1000), round(sink * 1000)])
    want, ready = (rng.random((cycles, len(UNITS))) < density for density in (wanted, sink))
    weights = 1 << np.arange(len(UNITS), dtype=np.uint32)
    patterns = np.stack([want @ weights, ready @ weights], axis=1).astype("<u4")
    (tmp_path / "patterns").write_bytes(patterns.tobytes())
    done = subprocess.run([program, tmp_path / "patterns"], capture_output=True, check=True)
    record = np.dtype([("took", "<u4"), ("valid", "<u4"), ("data", "<u2", len(UNITS))])
    found = np.frombuffer(done.stdout, record)
    for unit, (depth, stages) in enumerate(UNITS):
        took = found["took"] >> unit & 1
        valid = found["valid"] >> unit & 1
        head = np.where(valid, found["data"][:, unit].astype(int), -1)
        expected = _contract(depth, stages, want[:, unit], ready[:, unit])
        wrong = np.flatnonzero((np.stack([took, valid, head], axis=1) != expected).any(axis=1))
        assert not wrong.size, f"depth {depth}, {stages} stages: first difference in {wrong[0]}"
        if wanted == sink == 1.0 and depth >= stages + 3:
            assert took.all(), f"depth {depth}, {stages} stages: not one beat a cycle"
