"""What stands between the DMA and the network, simulated: Verilog in Verilator, C++ with g++."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from amd_export import BUILD_ID, Folder
from project_graphs import images_for

from sephw import rtl
from sephw.ir import Graph
from sephw.tools import verilator

FRAME = ("sephw_axis_frame.sv", "sephw_modulo_counter.sv")
# IN_BITS, IN_BUS_BITS, OUT_BITS, OUT_BUS_BITS, OUT_BEATS, as in frame_bench.sv.
UNITS = [
    (8, 8, 21, 32, 10),
    (24, 32, 32, 32, 1),
    (5, 8, 8, 8, 3),
    (120, 128, 33, 64, 7),
    (64, 64, 1, 8, 2),
    (1, 8, 128, 128, 4),
    (40, 64, 17, 32, 100),
]


# ---- sephw_axis_frame ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("frame_bench")
    files = (*FRAME, "frame_bench.sv", "frame_bench.cpp")
    for name in files:
        folder = rtl.SOURCES if name in FRAME else Path(__file__).parent
        shutil.copy(folder / name, directory)
    verilator.lint(FRAME, "sephw_axis_frame", directory, purpose="test")
    return verilator.build(files, "frame_bench", directory, directory / "build", purpose="test")


@pytest.mark.parametrize("flow", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("back", [1.0, 0.5, 0.1])
def test_frame(bench: Path, tmp_path: Path, flow: float, back: float) -> None:
    """Every output in every cycle, with pauses on both sides and a reset in the middle."""
    cycles = 2000
    rng = np.random.default_rng([round(flow * 10), round(back * 10)])
    s_data, out_data = (
        [int.from_bytes(rng.bytes(16), "little") for _ in range(cycles)] for _ in range(2)
    )
    s_valid, out_valid = rng.random((2, cycles)) < flow
    in_ready, m_ready = rng.random((2, cycles)) < back
    rst_n = np.ones(cycles, bool)
    rst_n[:3] = rst_n[1234:1236] = False
    flags = rst_n + 2 * s_valid + 4 * in_ready + 8 * out_valid + 16 * m_ready
    stimulus = b"".join(
        s.to_bytes(16, "little") + o.to_bytes(16, "little") + int(f).to_bytes(4, "little")
        for s, o, f in zip(s_data, out_data, flags, strict=True)
    )
    (tmp_path / "patterns").write_bytes(stimulus)
    done = subprocess.run([bench, tmp_path / "patterns"], capture_output=True, check=True)
    assert len(done.stdout) == cycles * len(UNITS) * 36
    starts = range(0, len(done.stdout), 36)
    found = [int.from_bytes(done.stdout[i : i + 36], "little") for i in starts]
    beats = [0] * len(UNITS)
    for cycle in range(cycles):
        for unit, (in_bits, _, out_bits, bus_bits, frame) in enumerate(UNITS):
            last = beats[unit] == frame - 1
            if cycle:  # registers are anything before the first edge in reset
                expected = s_data[cycle] % (1 << in_bits) | out_data[cycle] % (1 << out_bits) << 128
                expected |= ((1 << bus_bits // 8) - 1) << 256
                sides = (in_ready, s_valid, m_ready, None, out_valid)
                for bit, side in enumerate(sides):
                    up = last if side is None else side[cycle]
                    expected |= int(up) << (272 + bit)
                assert found[cycle * len(UNITS) + unit] == expected, (cycle, unit)
            if not rst_n[cycle]:
                beats[unit] = 0
            elif out_valid[cycle] and m_ready[cycle]:
                beats[unit] = 0 if last else beats[unit] + 1


# ---- the module in the block design --------------------------------------------------------------


def test_sources_have_no_warning(folder: Folder) -> None:
    """Both wrappers as plain Verilog, with everything below them."""
    amd = folder()
    listed = (amd / "../rtl/files.f").read_text().split()
    engines = [*(f"../rtl/{name}" for name in listed), FRAME[0]]
    for route, sources in (("rtl", engines), ("hls", FRAME)):
        files = ["+1364-2005ext+v", f"from_{route}/sephw_accelerator.v", *sources]
        verilator.lint(files, "sephw_accelerator", amd, purpose="test")


def test_accelerator_gives_the_integers(graph: Graph, folder: Folder, tmp_path: Path) -> None:
    """The SystemVerilog route as the DMA sees it: the driver's bytes in, the driver's bytes out."""
    amd = folder()
    spec = importlib.util.spec_from_file_location("driver_of_bytes", amd / "driver.py")
    assert spec is not None and spec.loader is not None
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    settings = json.loads((amd / "accelerator.json").read_text())
    shutil.copy(Path(__file__).parent / "accelerator_bench.cpp", amd)
    project = (amd / "../rtl").resolve()
    names = (project / "files.f").read_text().split()
    program = verilator.build(
        [
            "from_rtl/sephw_accelerator.v",
            *(str(project / name) for name in names),
            FRAME[0],
            "accelerator_bench.cpp",
        ],
        "sephw_accelerator",
        amd,
        tmp_path / "build",
        purpose="test",
    )
    images = images_for(graph, 9)
    expected = graph.run(images.astype(np.int64))[graph.outputs[0]].reshape(9, 10)
    (tmp_path / "images").write_bytes(driver.pack(images, settings["input"]).tobytes())
    for seed in (1, 2):
        done = subprocess.run(
            [program, tmp_path / "images", str(seed), str(9 * 40)], cwd=project, capture_output=True
        )
        assert done.returncode == 0
        assert done.stderr.decode() == f"{BUILD_ID:016x}" == settings["build_id"]
        out = np.frombuffer(done.stdout, np.uint8).reshape(9, 40, 3)
        values, ends, kept = out.transpose(2, 0, 1)
        assert np.array_equal(driver.unpack(values.copy(), settings["output"]), expected)
        # TLAST ends a frame, and no other beat; every byte counts.
        assert np.array_equal(ends, np.tile(np.arange(40) == 39, (9, 1)))
        assert kept.all()


# ---- the function that HLS synthesizes -----------------------------------------------------------


def test_c_simulation(folder: Folder, tmp_path: Path) -> None:
    """The testbench of vitis_hls.tcl with g++ as C++14; its data beside it, as the tool has it."""
    amd = folder()
    hls = (amd / "../hls").resolve()
    program = tmp_path / "csim"
    subprocess.run(
        [
            "g++",
            "-std=c++14",
            "-O0",
            "-w",
            "-isystem",
            str(hls / "firmware" / "ap_types"),
            str(amd / "sephw_axis_top.cpp"),
            str(amd / "sephw_axis_test.cpp"),
            str(hls / "firmware" / "small_net_top.cpp"),
            "-o",
            str(program),
        ],
        check=True,
    )
    run = tmp_path / "run"
    shutil.copytree(hls / "firmware" / "weights", run / "weights")
    shutil.copytree(hls / "tb_data", run / "tb_data")
    done = subprocess.run([program], cwd=run, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "INFO: 3 of 3 frames are equal\n")
    # It can fail: one integer of the second frame changed.
    golden = run / "tb_data" / "tb_output_predictions.dat"
    lines = golden.read_text().splitlines()
    first, *rest = lines[1].split()
    lines[1] = " ".join([str(int(first) + 1), *rest])
    golden.write_text("\n".join(lines) + "\n")
    done = subprocess.run([program], cwd=run, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (
        1,
        "ERROR: frame 1 differs from its golden output\nINFO: 2 of 3 frames are equal\n",
    )
