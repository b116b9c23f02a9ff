"""The proofs of formal/ hold, and do not hold of a broken FIFO. All of them: formal/prove.py."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tools

ROOT = Path(__file__).resolve().parents[2]


def _prove(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "formal" / "prove.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_proofs_hold() -> None:
    tasks = (
        "output:prove_2_1",
        "output:prove_5_3",
        "output:cover_3_2",
        "width_converter:prove_1_3",
        "width_converter:prove_3_1",
        "fork:prove",
        "part_select:prove_18",
        "crossing:prove",
    )
    done = _prove(*tasks)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" holds (") == len(tasks)


@pytest.mark.parametrize(
    ("file", "right", "wrong", "proof"),
    [
        ("sephw_fifo.sv", "(!head_valid || head_ready)", "1'b1", "output:prove_3_2"),
        ("sephw_credit.sv", "count == ONE", "count == '0", "output:prove_3_2"),
        ("sephw_part_select.sv", "16'hCACA", "16'hACAC", "part_select:prove_18"),
        ("sephw_crossing.sv", "!request && !acknowledged[1]", "!request", "crossing:prove"),
        ("sephw_crossing.sv", "(!m_valid || m_ready)", "1'b1", "crossing:prove"),
        ("sephw_fork.sv", "(&available)", "(|available)", "fork:prove"),
        (
            "sephw_width_converter.sv",
            "issue && first",
            "issue && last",
            "width_converter:prove_3_1",
        ),
    ],
)
def test_broken_rtl_is_refused(tmp_path: Path, file, right, wrong, proof) -> None:
    rtl = tmp_path / "rtl"
    shutil.copytree(ROOT / "rtl", rtl)
    text = (rtl / file).read_text()
    assert right in text
    (rtl / file).write_text(text.replace(right, wrong))
    done = _prove("--rtl", str(rtl), proof)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{proof} DOES NOT HOLD" in done.stdout
    assert "Assert failed" in done.stdout


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "outputs",
            "there is no proof 'outputs'; the proofs are crossing, fork, output, part_select, "
            "width_converter",
        ),
        ("fork:all", "proof 'fork' has no task 'all'; it has prove, cover"),
    ],
)
def test_unknown_proof(argument: str, message: str) -> None:
    done = _prove(argument)
    assert (done.returncode, done.stderr) == (2, f"sephw: error: {message}\n")
