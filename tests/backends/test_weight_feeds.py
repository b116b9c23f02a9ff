"""The HLS project of a network whose weights come from outside: C-simulation and testbench."""

from __future__ import annotations

import numpy as np
import pytest
from project_graphs import images_for, residual_graph

from sephw.backends.amd import write_amd
from sephw.backends.amd.plan import plan_accelerator
from sephw.backends.board.project import BoardRates, write_board
from sephw.backends.hls4ml import compile_project, write_project
from sephw.backends.weight_ports import weight_stream_refusal
from sephw.errors import SephwError
from sephw.ir import Folding, Graph
from sephw.ops import Select, WeightPlace
from sephw.passes import LoweringStage
from sephw.synth import Request, run_flow
from sephw.targets import find_target
from sephw.tools.ap_types import ap_types_directory
from sephw.tools.cxx import find_compiler
from sephw.tools.process import run

FOLDINGS = {
    "stem": Folding(4, 3, Select(weights=WeightPlace.STREAM)),
    "blocks.0.pattern": Folding(2, 2, Select(weights=WeightPlace.STREAM, tile_pixels=4)),
    "classifier": Folding(2, 4, Select(weights=WeightPlace.STREAM)),
}

NO_PORT = (
    "StreamedConv 'net.stem' and 2 more: weights come through a stream, and {} has no external "
    "memory port for them yet; connect s_axis_1 and following of rtl/ or hls/ yourself, or give "
    "weights=chip in the folding"
)


def streamed(foldings: dict[str, Folding]) -> Graph:
    return residual_graph(frame_cycles=1024, foldings=foldings, until=LoweringStage.WEIGHT_STREAMS)


def test_what_has_no_port_for_weights_says_so(tmp_path) -> None:
    graph = streamed(FOLDINGS)
    for make in (
        lambda: plan_accelerator(graph, find_target("zcu104"), 1),
        lambda: write_amd(
            graph, find_target("pynq-z2"), tmp_path / "amd", hls=None, rtl=tmp_path, build_id=1
        ),
    ):
        with pytest.raises(SephwError) as error:
            make()
        assert str(error.value) == NO_PORT.format("the vendor project")
    board = find_target("ulx3s-25f")
    with pytest.raises(SephwError) as error:
        write_board(graph, board, tmp_path, tmp_path / "board", BoardRates(50))
    assert str(error.value) == NO_PORT.format("the board's top")
    request = Request(device=board.device, target=board)
    with pytest.raises(SephwError) as error:
        run_flow(graph, tmp_path, request, tmp_path / "synth", progress=lambda _: None)
    assert str(error.value) == NO_PORT.format("the board's top")
    assert not list(tmp_path.iterdir())


def test_one_layer_is_named_alone() -> None:
    foldings = {"classifier": FOLDINGS["classifier"]}
    graph = streamed(foldings)
    refused = weight_stream_refusal(graph, "it")
    assert str(refused).startswith("StreamedConv 'net.classifier': weights come through a stream")
    assert weight_stream_refusal(residual_graph(), "it") is None


def test_every_layer_is_equal(tmp_path) -> None:
    graph = streamed(FOLDINGS)
    images = images_for(graph, 4)
    golden = graph.run(images.astype(np.int64))
    project = tmp_path / "hls"
    write_project(
        graph,
        project,
        clock_ns=10,
        part="xczu7ev-ffvc1156-2-e",
        samples=images,
        golden=golden[graph.outputs[0]],
    )
    found = compile_project(project).run(images)
    assert set(found) == set(golden) - set(graph.constants)
    for tensor, values in found.items():
        assert np.array_equal(values, golden[tensor]), tensor
    # The project's own testbench, in the folder that Vitis runs it in.
    name = next(path for path in project.glob("*_test.cpp")).name
    sources = [name, f"firmware/{name.replace('_test', '')}"]
    built = run(
        [
            find_compiler("test"),
            "-std=c++17",
            "-w",
            "-I.",
            "-isystem",
            ap_types_directory(),
            '-DWEIGHTS_DIR="firmware/weights"',
            *sources,
            "-o",
            tmp_path / "tb",
        ],
        directory=project,
    )
    assert built.returncode == 0, built.stderr
    done = run([tmp_path / "tb"], directory=project)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "INFO: 4 of 4 frames are equal"
