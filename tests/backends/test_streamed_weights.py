"""The HLS project of a network whose weights come from outside: C-simulation and testbench."""

from __future__ import annotations

import numpy as np
from project_graphs import images_for, residual_graph

from sephw.backends.hls4ml import compile_project, write_project
from sephw.ir import Folding, WeightPlace
from sephw.passes import stream_weights
from sephw.tools.ap_types import ap_types_directory
from sephw.tools.cxx import find_compiler
from sephw.tools.process import run

FOLDINGS = {
    "stem": Folding(4, 3, weights=WeightPlace.STREAM),
    "blocks.0.pattern": Folding(2, 2, weights=WeightPlace.STREAM),
    "classifier": Folding(2, 4, weights=WeightPlace.STREAM),
}


def test_every_layer_is_equal(tmp_path) -> None:
    graph = stream_weights(residual_graph(frame_cycles=1024, foldings=FOLDINGS))
    images = images_for(graph, 4)
    golden = graph.run(images.astype(np.int64))
    project = tmp_path / "hls"
    write_project(
        graph, project, clock_ns=10, part="xczu7ev-ffvc1156-2-e", samples=images,
        golden=golden[graph.outputs[0]],
    )  # fmt: skip
    found = compile_project(project).run(images)
    assert set(found) == set(golden) - set(graph.constants)
    for tensor, values in found.items():
        assert np.array_equal(values, golden[tensor]), tensor
    # The project's own testbench, in the folder that Vitis runs it in.
    name = next(path for path in project.glob("*_test.cpp")).name
    sources = [name, f"firmware/{name.replace('_test', '')}"]
    built = run(
        [find_compiler("test"), "-std=c++17", "-w", "-I.", "-isystem", ap_types_directory(),
         '-DWEIGHTS_DIR="firmware/weights"', *sources, "-o", tmp_path / "tb"],
        directory=project,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    done = run([tmp_path / "tb"], directory=project)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "INFO: 4 of 4 frames are equal"
