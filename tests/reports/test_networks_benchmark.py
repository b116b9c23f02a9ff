"""benchmarks.networks: what it reads, what it keeps, and that the published page is of its rows."""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.networks import PLANS, PUBLISHED, Row, page, publish, run_child, step_seconds
from sephw.networks import NETWORK_NAMES, make_network

ROOT = Path(__file__).parents[2]
ROW = Row(
    network="ResNet-32",
    remark="",
    input=(32, 32, 3),
    target="zcu104",
    frame_cycles_wanted=1000,
    layers=34,
    engines=180,
    macs_1bit=2,
    macs_8bit=1,
    parameters=30,
    patterns=10,
    bytes_r=120,
    bytes_b=82,
    bytes_bq=22,
    exact=True,
    representations=["torch", "qonnx", "integer", "csim"],
    images=5,
    compared=1234,
    differ=0,
    written=["hls", "rtl"],
    frame_interval_cycles=2000,
    frames_per_s=100.0,
    frames_per_s_link=90.0,
    clock_mhz=200.0,
    estimated={"lut": 300, "ff": 2, "bram": 3, "dsp": 4},
    available={"lut": 200, "ff": 20, "bram": 30, "dsp": 40},
    wall_s=90.0,
    peak_mb=1500,
    load=1.5,
    cores=2,
)


def test_every_network_at_its_real_size_is_planned():
    built = ("SEPNet", "ResNet")  # these two take arguments for their size
    assert set(PLANS) == set(NETWORK_NAMES) - {*built, "PRBNet"}
    for name in ("ResNet-20", "SEPNet-1.3M"):
        given = make_network(name, {}).arguments
        assert (given["height"], given["classes"]) in ((32, 10), (224, 1000))


def test_rows_of_other_networks_are_kept(tmp_path):
    publish(ROW, tmp_path)
    publish(replace(ROW, network="ResNet-20"), tmp_path)
    text = publish(replace(ROW, exact=False, differ=7), tmp_path)
    rows = json.loads((tmp_path / "networks.json").read_text())
    assert [(r["network"], r["differ"]) for r in rows] == [("ResNet-20", 0), ("ResNet-32", 7)]
    assert (tmp_path / "networks.md").read_text() == text == page(rows)
    lines = text.splitlines()
    assert (
        "| ResNet-32 | **NO** | torch, qonnx, integer, csim; rtl/ written, not run | 5 | 1,234 "
        "| 7 | 1.5 | 1.5 | 1.5 |"
    ) in lines
    assert (
        "| ResNet-32 | 2,000 | 100 | 90 | 300 (150%) | 2 (10%) | 3 (10%) | 4 (10%) "
        "| xc7z020, xc7z045, xczu3eg, xck26, xczu7ev |"
    ) in lines
    assert lines[-1].startswith("Not measured yet: SEPNet-CIFAR-S, ResNet-44, ")


def test_seconds_are_those_of_the_progress_lines():
    text = (
        "load     a.pth and its test images  1.5 s\nnote: not a step\n"
        "3/9 build    compile the C-simulation ...  10 s so far, about 52 s left as last time\n"
        "3/9 build    compile the C-simulation  62.6 s\nsephw: error: took 3 s\n"
    )
    assert step_seconds(text) == {"load": 1.5, "build": 62.6}


def test_memory_is_that_of_the_process():
    # Asked for by a process of its own: until it starts a program, a child is as large as its
    # parent, and a run of many tests is large.
    code = (
        "from benchmarks.networks import run_child\n"
        "code = \"import sys; x = b'x' * 200_000_000; sys.stderr.write('done'); sys.exit(3)\"\n"
        "print(run_child(['-c', code], 1))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, text, seconds, peak = ast.literal_eval(done.stdout)
    assert (status, text) == (3, "done")
    assert 195 <= peak <= 600 and seconds > 0


def test_a_process_that_takes_too_long_is_ended():
    status, _, seconds, _ = run_child(["-c", "import time; time.sleep(60)"], 0.01)
    assert status < 0 and seconds < 30


@pytest.mark.skipif(not (PUBLISHED / "networks.json").is_file(), reason="nothing published yet")
def test_published_page_is_that_of_the_published_rows():
    rows = json.loads((PUBLISHED / "networks.json").read_text("utf-8"))
    assert (PUBLISHED / "networks.md").read_text("utf-8") == page(rows)
    assert all(row["exact"] and not row["differ"] for row in rows)
