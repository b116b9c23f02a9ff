"""Small networks, and boards around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from small_graphs import GraphBuilder, chain, network

from sephw.backends.board import (
    BoardProject,
    BoardRates,
    CompiledBoard,
    TestFrames,
    compile_board,
    write_board,
)
from sephw.backends.rtl import write_project
from sephw.host import Accelerator, Retries
from sephw.ir import Folding, Graph, IntType, Tensor
from sephw.ops import BitParallel, DigitSerial
from sephw.passes import FoldingFile, lower
from sephw.targets import find_target

# In the board's time.
RETRIES = Retries(attempts=8, margin_seconds=0.001)
MHZ = 8.0


def ready(graph: Graph, frame_cycles: int, foldings: Mapping[str, Folding] | None = None) -> Graph:
    """Folded, with forks, width converters and sized FIFOs."""
    return lower(graph, FoldingFile(dict(foldings or {}), frame_cycles))


def classifier() -> Graph:
    """A residual network with engines of all families: signed 28-bit outputs, one lane out."""
    foldings = {
        "pattern_node": Folding(engine=DigitSerial(2)),
        "point_node": Folding(engine=BitParallel()),
    }
    return ready(network(4), 2048, foldings)


def feature_map() -> Graph:
    """A pattern convolution: unsigned bytes, several beats and lanes in and out."""
    return ready(chain(3), 16)


def nibbles() -> Graph:
    """4-bit images, a single output beat of 9 signed bits."""
    b = GraphBuilder("nibbles", seed=3)
    b.tensors["image"] = Tensor("image", 1, 1, 6, IntType(4, False))
    sums = b.conv("sums", "image", 3, pattern=1)
    return ready(b.build("image", b.join("out", sums, shift=3, output=IntType(9, True))), 8)


@dataclass(frozen=True, eq=False)
class Design:
    """A graph's RTL project and a board around it, in ``directory``."""

    graph: Graph
    directory: Path
    project: BoardProject

    def images(self, count: int, seed: int = 0) -> np.ndarray:
        """Seeded uint8 images; the first two are full of bytes that frames escape."""
        tensor = self.graph.tensors[self.graph.inputs[0]]
        top = 1 << tensor.dtype.bits
        rng = np.random.default_rng(seed)
        images = rng.integers(0, top, (count, *tensor.shape), np.uint8)
        images[:2] = np.array([0x7E, 0x7D])[:count].reshape(-1, 1, 1, 1) % top
        return images

    def outputs(self, images: np.ndarray) -> np.ndarray:
        """int64 (N, outputs) of the integer reference."""
        found = self.graph.run(images.astype(np.int64))[self.graph.outputs[0]]
        return found.reshape(len(images), -1)

    def compile(self) -> CompiledBoard:
        """The board's top, built."""
        return compile_board(self.directory / "rtl", self.directory / "board")


def design(
    graph: Graph, directory: Path, *, target: str = "ulx3s-85f", clock_mhz: float = MHZ
) -> Design:
    """Write both projects."""
    golden_in = np.random.default_rng(9).integers(
        0,
        1 << graph.tensors[graph.inputs[0]].dtype.bits,
        (4, *graph.tensors[graph.inputs[0]].shape),
        np.int64,
    )
    write_project(graph, directory / "rtl", samples={}, golden={})
    project = write_board(
        graph,
        find_target(target),
        directory / "rtl",
        directory / "board",
        BoardRates(clock_mhz),
        frames=TestFrames(golden_in, graph.run(golden_in)[graph.outputs[0]]),
    )
    return Design(graph, directory, project)


def connect(found: Design, board, **how) -> Accelerator:
    """The host's driver on a simulated board, in the board's time."""
    return Accelerator(
        how.pop("port", None) or board.plug_in(),
        found.directory,
        retries=RETRIES,
        clock=board.clock,
    )
