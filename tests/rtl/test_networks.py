"""Whole networks: every stream's values and cycles in RTL equal the reference and the simulator."""

from __future__ import annotations

import numpy as np
import pytest
from engine_contract import random_resets
from project_graphs import images_for, residual_graph

from sephw.backends.rtl import compile_project, write_project
from sephw.ir import Folding
from sephw.ops import BitParallel, DigitSerial
from sephw.passes import LoweringStage
from sephw.sim import cycles

FRAMES = 4
NETWORKS = {
    "small foldings": {"frame_cycles": 32768},
    "fast": {"frame_cycles": 512, "width": 16},
    "mixed by hand": {
        "frame_cycles": 4096,
        "blocks": 2,
        "groups": 2,
        "foldings": {
            "blocks.0.pattern": Folding(4, 1),
            "blocks.1.pattern": Folding(1, 4),
            "blocks.0.point": Folding(2, 4),
            "blocks.0.join": Folding(8, 8),
        },
    },
    "adder families": {
        "frame_cycles": 1024,
        "blocks": 3,
        "foldings": {
            "blocks.0.pattern": Folding(engine=BitParallel()),
            "blocks.1.pattern": Folding(engine=DigitSerial(1)),
            "blocks.2.pattern": Folding(engine=DigitSerial(4)),
            "blocks.0.join": Folding(8, 8),
        },
    },
    "digits beside memories": {
        "frame_cycles": 8192,
        "blocks": 2,
        "groups": 1,
        "foldings": {
            "blocks.1.pattern": Folding(engine=DigitSerial(2)),
            # Not the whole window that its reader wants: a width converter collects it.
            "blocks.1.window": Folding(2, 2),
        },
    },
    "8-bit convolutions as adders": {
        "frame_cycles": 2048,
        "blocks": 2,
        "width": 4,
        "groups": 2,
        "foldings": {
            "stem": Folding(engine=BitParallel()),
            # 1×1: no window before them, a pixel of all channels instead.
            "blocks.0.point": Folding(engine=BitParallel()),
            "blocks.1.point": Folding(engine=DigitSerial(2)),
            "blocks.1.pattern": Folding(engine=BitParallel()),
            "classifier": Folding(engine=DigitSerial(8)),
        },
    },
}


def pattern(seed: int, density: float, length: int = 1013) -> np.ndarray:
    """A cyclic pattern, up in about ``density`` of its cycles."""
    return np.random.default_rng(seed).random(length) < density


@pytest.mark.parametrize("name", NETWORKS)
def test_values_and_cycles(name: str, tmp_path) -> None:
    graph = residual_graph(**NETWORKS[name], until=LoweringStage.FIFO_DEPTHS)
    images = images_for(graph, FRAMES).astype(np.int64)
    golden = graph.run(images)
    output = graph.outputs[0]
    write_project(
        graph,
        tmp_path / "rtl",
        samples={graph.inputs[0]: images},
        golden={output: golden[output]},
    )
    compiled = compile_project(tmp_path / "rtl")
    for seed, (gaps, stalls) in enumerate(
        (
            (None, None),
            (pattern(1, 0.5), None),
            (None, pattern(2, 0.3)),
            (pattern(3, 0.2), pattern(4, 0.7)),
            (pattern(5, 0.02), pattern(6, 0.02)),
        )
    ):
        found = compiled.run(
            images,
            source_gaps=gaps,
            sink_stalls=stalls,
            check_stable=True,
            resets=random_resets(seed),
            seed=seed + 1,
        )
        expected = cycles.run(graph, images, source_gaps=gaps, sink_stalls=stalls)
        for tensor in graph.tensors:
            assert np.array_equal(found.values[tensor], golden[tensor]), tensor
            assert np.array_equal(found.pops[tensor], expected.pops[tensor]), tensor
