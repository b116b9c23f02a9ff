"""QONNX file → hardware graph. Scales end here: the graph holds integers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sephw.errors import SephwError
from sephw.files import reading
from sephw.frontend.builder import GraphBuilder, Layer
from sephw.frontend.onnx_file import image_input, load_model
from sephw.frontend.walk import INPUT, OnnxWalk
from sephw.ir import Graph


@dataclass(frozen=True, eq=False)
class ReadResult:
    """The graph, and the tensors that torch, QONNX and the graph have in common."""

    graph: Graph
    layers: tuple[Layer, ...]


class RefusedError(SephwError):
    """A node, or an end of the network, is refused; `judge_model` finds all of them."""


@dataclass(frozen=True, eq=False)
class PortableForms:
    """Forms of nodes that hold for any batch and tool, by their output in ONNX.

    ``pads``: (top, left, bottom, right) of a pool's windows, where none is rounded up. ``shapes``:
    targets of reshapes that keep the input's batch.
    """

    pads: Mapping[str, tuple[int, int, int, int]]
    shapes: Mapping[str, tuple[int, ...]]


def read_qonnx(path: Path) -> ReadResult:
    """Read a QONNX file as either torch exporter of Brevitas writes it.

    One uint8-like input (N, C, H, W), quantized first; one output. Raises SephwError naming the
    file, or the node (its PyTorch module where known) for anything that cannot be made exact.
    """
    return read_model(path, load_model(path))[0]


def read_model(path: Path, model: Any) -> tuple[ReadResult, PortableForms]:
    """Read a checked model; ``path`` is for errors and the graph's name. See `read_qonnx`."""
    with reading(str(path), "report the file as a defect of sephw"):
        image = image_input(path, model)
        walk = OnnxWalk(path, model, collects=False, builder=GraphBuilder(batch=image.batch))
        try:
            output = walk.run(image)
        except SephwError as error:
            raise RefusedError(str(error)) from None
        return read_result(walk, output), PortableForms(walk.builder.pads, walk.builder.shapes)


def read_result(walk: OnnxWalk, output: str) -> ReadResult:
    """The graph of a walk that ended in the tensor ``output`` and refused nothing."""
    graph = walk.builder.graph(walk.path.stem, (INPUT,), (output,))
    return ReadResult(graph, tuple(walk.builder.layers))
