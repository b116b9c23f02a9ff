"""Words from one clock to another: none lost, doubled or torn, at any ratio of the clocks."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from sephw import rtl
from sephw.tools import verilator

WORDS = 600
# Picoseconds: the oscillators of the boards against slow and fast networks, both ways, and equals.
PERIODS = [
    (40000, 16000),
    (16000, 40000),
    (83333, 10101),
    (10101, 83333),
    (20833, 320000),
    (320000, 20833),
    (10000, 10000),
    (2500, 320000),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory) -> Path:
    """sephw_crossing of 9 bits with its bench."""
    folder = tmp_path_factory.mktemp("crossing")
    shutil.copy(Path(__file__).parent / "crossing_bench.cpp", folder)
    source = (rtl.SOURCES / "sephw_crossing.sv").read_text()
    (folder / "sephw_crossing.sv").write_text(source.replace("BITS = 8", "BITS = 9"))
    return verilator.build(
        ["sephw_crossing.sv", "crossing_bench.cpp"],
        "sephw_crossing",
        folder,
        folder / "build",
        purpose="test",
    )


@pytest.mark.parametrize("busy", [16, 9, 2])
@pytest.mark.parametrize("periods", PERIODS)
def test_words_arrive_in_order(program, periods, busy) -> None:
    arguments = [*map(str, periods), str(WORDS), "5", str(busy)]
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=True)
    *words, cycles = done.stdout.splitlines()
    assert [int(word) for word in words] == [number % 512 for number in range(WORDS)]
    if busy == 16:
        # At most 6 cycles of each clock, as its header says, and the jitter of two edges; the fast
        # clock's cycles pass while the slow one's do.
        from_cycles, to_cycles = map(int, cycles.split())
        picoseconds = 6.2 * sum(periods)
        assert 3 < from_cycles <= picoseconds / periods[0] + 1
        assert 3 <= to_cycles <= picoseconds / periods[1] + 1
