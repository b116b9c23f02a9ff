"""A small network exported with both projects, and its amd/ folder for one target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from project_graphs import images_for, residual_graph

from sephw.backends.amd import write_amd
from sephw.backends.hls4ml import write_project as write_hls
from sephw.backends.rtl import write_project as write_rtl
from sephw.ir import Graph
from sephw.passes import LoweringStage
from sephw.targets import find_target

# Makes amd/ for a target, by name.
Folder = Callable[..., Path]
BUILD_ID = 0x0123456789ABCDEF


def small_graph() -> Graph:
    """Image 8 x 8 x 3, one lane in; signed logits out."""
    return residual_graph(name="small.net", until=LoweringStage.FIFO_DEPTHS)


def write_projects(graph: Graph, directory: Path, frames: int = 3) -> None:
    """``hls/`` and ``rtl/`` in ``directory``."""
    images = images_for(graph, frames)
    golden = graph.run(images.astype(np.int64))[graph.outputs[0]]
    write_hls(
        graph,
        directory / "hls",
        clock_ns=10.0,
        part="xc7z020clg400-1",
        samples=images,
        golden=golden,
    )
    write_rtl(
        graph,
        directory / "rtl",
        samples={graph.inputs[0]: images.astype(np.int64)},
        golden={graph.outputs[0]: golden},
    )


def write(graph: Graph, directory: Path, target: str = "pynq-z2", build_id: int = BUILD_ID) -> Path:
    """``amd/`` beside the projects; its path."""
    write_amd(
        graph,
        find_target(target),
        directory / "amd",
        hls=directory / "hls",
        rtl=directory / "rtl",
        build_id=build_id,
    )
    return directory / "amd"
