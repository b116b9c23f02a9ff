"""The amd/ folder: what is in it, for which networks and targets, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from amd_export import BUILD_ID, Folder, small_graph, write
from project_graphs import PIXEL, Builder, residual_graph

from sephw.backends.amd import has_amd_flow, write_amd
from sephw.backends.amd.plan import plan_accelerator
from sephw.errors import SephwError, UsageError
from sephw.ir import Folding, Graph, IntType
from sephw.ops import Conv8, Join
from sephw.targets import TARGETS, find_target

COMMON = {
    "accelerator.json",
    "build.sh",
    "driver.py",
    "processing_system.tcl",
    "settings.tcl",
    "sephw_axis_frame.sv",
    "sephw_modulo_counter.sv",
    "vivado.tcl",
}
HLS = {
    "from_hls/sephw_accelerator.v",
    "sephw_axis_test.cpp",
    "sephw_axis_top.cpp",
    "sephw_axis_top.h",
    "vitis_hls.tcl",
}
RTL = {"from_rtl/sephw_accelerator.v"}


def files(directory: Path) -> dict[str, bytes]:
    paths = (p for p in sorted(directory.rglob("*")) if p.is_file())
    return {str(p.relative_to(directory)): p.read_bytes() for p in paths}


def test_files(graph: Graph, export: Path, folder: Folder, tmp_path: Path) -> None:
    """The same bytes for the same arguments, and nothing of the place where they were made."""
    amd = folder()
    made = files(amd)
    assert set(made) == COMMON | HLS | RTL
    assert (amd / "build.sh").stat().st_mode & 0o111
    shutil.move(amd, tmp_path / "first")
    assert files(folder()) == made
    text = b"".join(made.values())
    assert str(export).encode() not in text and str(Path.cwd()).encode() not in text
    assert b"../hls/firmware/small_net_top.h" in made["sephw_axis_top.h"]
    # Nothing was written to the projects.
    assert {p.name for p in export.iterdir()} == {"hls", "rtl"}


@pytest.mark.parametrize(("route", "there"), [("hls", HLS), ("rtl", RTL)])
def test_one_route(graph: Graph, export: Path, tmp_path: Path, route: str, there: set[str]) -> None:
    projects: dict[str, Path | None] = {"hls": None, "rtl": None} | {route: export / route}
    write_amd(graph, find_target("kv260"), tmp_path, build_id=1, **projects)
    assert set(files(tmp_path)) == COMMON | there
    settings = (tmp_path / "settings.tcl").read_text()
    assert f"set routes {{{route}}}\nset route {{{route}}}\n" in settings


def test_settings(folder: Folder) -> None:
    """What the driver reads; lanes of 8 bits are padded to a width that a DMA has."""
    assert json.loads((folder("ultra96") / "accelerator.json").read_text()) == {
        "format": "sephw-dma-accelerator",
        "version": 1,
        "name": "small_net",
        "build_id": "0123456789abcdef",
        "target": "ultra96",
        "part": "xczu3eg-sbva484-1-i",
        "clock_mhz": 200.0,
        "image_shape": [8, 8, 3],
        "output_shape": [1, 1, 10],
        "outputs": 10,
        "input": {"bits": 8, "signed": False, "lanes": 3, "beats": 64, "beat_bytes": 4},
        "output": {"bits": 32, "signed": True, "lanes": 1, "beats": 10, "beat_bytes": 4},
    }


@pytest.mark.parametrize(("lanes", "bits"), [(1, 8), (2, 16), (4, 32), (6, 64), (12, 128)])
def test_bus_widths(lanes: int, bits: int) -> None:
    plan = plan_accelerator(residual_graph(colours=lanes), find_target("pynq-z2"), 0)
    assert (plan.source.lanes, plan.in_bus_bits) == (lanes, bits)


def test_targets(graph: Graph, export: Path, tmp_path: Path) -> None:
    names = {target.name for target in TARGETS if has_amd_flow(target)}
    assert names == {"pynq-z2", "zcu104", "kv260", "ultra96"}
    with pytest.raises(UsageError) as error:
        write(graph, tmp_path, "ulx3s-85f")
    assert str(error.value) == (
        "target 'ulx3s-85f' has no Vivado project with a PYNQ driver; use one of pynq-z2, zcu104, "
        "kv260, ultra96"
    )
    assert not list(tmp_path.iterdir())


def _one_engine(shape: tuple[int, int, int], simd: int = 1, pixel: IntType = PIXEL) -> Graph:
    """A 1×1 convolution to two channels that reads ``simd`` lanes."""
    builder = Builder("wide", shape, pixel)
    operator = Conv8(
        height=shape[0],
        width=shape[1],
        in_channels=shape[2],
        out_channels=2,
        kernel_height=1,
        kernel_width=1,
        groups=1,
        input_dtype=pixel,
        weights=np.ones((2, shape[2]), np.int64),
    )
    name = builder.add("scores", operator, "image")
    builder.nodes[0] = replace(builder.nodes[0], folding=Folding(1, simd))
    return builder.graph(name)


def test_refused_networks(graph: Graph, export: Path, tmp_path: Path) -> None:
    def refused(graph: Graph, **options: object) -> str:
        with pytest.raises(SephwError) as error:
            plan_accelerator(graph, find_target("pynq-z2"), **({"build_id": 0} | options))
        return str(error.value)

    assert refused(graph, build_id=1 << 64) == (
        "build_id 18446744073709551616 does not fit into 64 bits; give 0..18446744073709551615"
    )
    assert refused(graph, build_id=-1) == (
        "build_id -1 does not fit into 64 bits; give 0..18446744073709551615"
    )
    one = _one_engine((4, 4, 1))
    (node,) = one.nodes
    scores = one.tensors["scores"]
    second = replace(node, name="second", inputs=("image2",), outputs=("scores2",))
    tensors = {
        **one.tensors,
        "image2": replace(one.tensors["image"], name="image2"),
        "scores2": replace(scores, name="scores2"),
    }
    two = Graph("two", (node, second), tensors, ("image", "image2"), ("scores", "scores2"))
    assert refused(two) == "graph 'two': 2 inputs; the DMA serves one of each"
    assert refused(_one_engine((4, 4, 1), pixel=IntType(4, False))) == (
        "graph 'wide': input 'image' is uint4; the driver sends uint8 images"
    )
    join = Join(
        height=4,
        width=4,
        channels=2,
        input_dtypes=(scores.dtype,),
        mantissas=np.ones((1, 2), np.int64),
        shifts=np.zeros((1, 2), np.int64),
        bias=np.zeros(2, np.int64),
        shift=0,
        output_dtype=IntType(65, True),
    )
    builder = Builder("wide", (4, 4, 1))
    builder.add("scores", node.operator, "image")
    assert refused(builder.graph(builder.add("logits", join, "scores"))) == (
        "graph 'wide': output 'logits' is int65; the driver reads at most 64 bits"
    )
    assert refused(_one_engine((1, 1, 256), simd=256)) == (
        "graph 'wide': stream 'image' is 2048 bits wide, a DMA takes at most 1024; fold its first "
        "or last engine to fewer lanes"
    )
    assert refused(_one_engine((8192, 8192, 1))) == (
        "graph 'wide': a frame of 'image' is 67108864 bytes, one transfer is at most 67108863; "
        "use smaller images"
    )


def test_refused_projects(graph: Graph, export: Path, tmp_path: Path) -> None:
    target = find_target("pynq-z2")

    def refused(hls: Path | None, rtl: Path | None) -> str:
        with pytest.raises(SephwError) as error:
            write_amd(graph, target, tmp_path / "amd", hls=hls, rtl=rtl, build_id=0)
        assert not (tmp_path / "amd").exists()
        return str(error.value)

    assert refused(None, None) == (
        "graph 'small.net': neither an HLS nor an RTL project for Vivado; export with the step hls "
        "or rtl"
    )
    assert refused(tmp_path, None) == (
        f"'{tmp_path}' is not an exported HLS project: no readable streams.json; export the model "
        "again"
    )
    other = tmp_path / "other"
    other.mkdir()
    content = json.loads((export / "rtl" / "streams.json").read_text()) | {"project": "other_top"}
    (other / "streams.json").write_text(json.dumps(content))
    assert refused(None, other) == (
        f"'{other}' is the RTL project of 'other_top', not of 'small_net_top'; export the model "
        "again"
    )
    special = tmp_path / "c{d" / "hls"
    shutil.copytree(export / "hls", special)
    assert refused(special, None) == (
        f"'{special}': braces, quotation marks, backslashes and line ends cannot stand in the "
        "scripts; rename the folder"
    )


def test_same_network_elsewhere(graph: Graph, tmp_path: Path) -> None:
    """The plan depends on graph and target alone."""
    again = plan_accelerator(small_graph(), find_target("pynq-z2"), BUILD_ID)
    assert again == plan_accelerator(graph, find_target("pynq-z2"), BUILD_ID)
