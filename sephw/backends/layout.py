"""Names and shapes of a graph's engines and streams in a project, and its stream list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from sephw.errors import SephwError
from sephw.files import build, read_json
from sephw.ir import Graph, IntType, Node

STREAM_LIST = "streams.json"


@dataclass(frozen=True)
class StreamInfo:
    """One stream of a project. ``variable`` is its name in C++ and SystemVerilog.

    One frame is (``height``, ``width``, ``channels``) integers in ``words`` beats. ``node`` and
    ``module`` made it; both are empty for an input of the project. ``constant``: an input that
    brings the same at every pixel, weights; ``source_beats`` and ``source_cycles``:
    as of the tensor.
    """

    tensor: str
    variable: str
    node: str
    module: str
    height: int
    width: int
    channels: int
    bits: int
    signed: bool
    lanes: int
    words: int
    fifo_depth: int
    constant: bool = False
    source_beats: int = 0
    source_cycles: int = 0

    @property
    def dtype(self) -> IntType:
        """Type of one element."""
        return IntType(self.bits, self.signed)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels)."""
        return (self.height, self.width, self.channels)


@dataclass(frozen=True, eq=False)
class Layout:
    """Identifiers of a graph's nodes, and its streams by tensor, inputs first."""

    project: str
    engines: dict[str, str]
    streams: dict[str, StreamInfo]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def input(self) -> str:
        """The input of a project with one input beside constant ones."""
        (name,) = self.data_inputs
        return name

    @property
    def data_inputs(self) -> tuple[str, ...]:
        """The inputs that are not constant."""
        return tuple(name for name in self.inputs if not self.streams[name].constant)

    @property
    def output(self) -> str:
        """The output of a project with one output."""
        (name,) = self.outputs
        return name


def lay_out(graph: Graph) -> Layout:
    """Name everything; check that engines can be wired one to one.

    Raises SephwError where a stream is read by none or several engines, or with other lanes than
    it is made with.
    """
    _check_wiring(graph)
    engines = _identifiers((node.name for node in graph.nodes), "engine")
    makers: dict[str, Node] = {t: node for node in graph.nodes for t in node.outputs}
    tensors = (*graph.inputs, *(t for node in graph.nodes for t in node.outputs))
    variables = _identifiers(tensors, "stream")
    streams = {}
    for name in tensors:
        tensor, stream, maker = graph.tensors[name], graph.stream(name), makers.get(name)
        streams[name] = StreamInfo(
            tensor=name,
            variable=variables[name],
            node=maker.name if maker else "",
            module=tensor.module or (maker.module if maker else ""),
            height=tensor.height,
            width=tensor.width,
            channels=tensor.channels,
            bits=stream.dtype.bits,
            signed=stream.dtype.signed,
            lanes=stream.lanes,
            words=stream.words,
            fifo_depth=tensor.fifo_depth,
            constant=name in graph.constants,
            source_beats=tensor.source_beats,
            source_cycles=tensor.source_cycles,
        )
    project = _identifiers([graph.name], "top")[graph.name]
    return Layout(project, engines, streams, graph.inputs, graph.outputs)


def write_stream_list(layout: Layout, directory: Path) -> None:
    """Write ``streams.json``, the description of all streams for simulations and for people."""
    content = {
        "project": layout.project,
        "inputs": list(layout.inputs),
        "outputs": list(layout.outputs),
        "streams": [asdict(stream) for stream in layout.streams.values()],
    }
    (directory / STREAM_LIST).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_stream_list(directory: Path, what: str) -> Layout:
    """The layout of an exported project, without its engines; ``what``: HLS or RTL.

    Raises SephwError if the directory is no project that this package wrote.
    """
    path = directory / STREAM_LIST
    try:
        content = read_json(path, f"'{path}'", "export the model again")
        streams = [build(StreamInfo, entry) for entry in content["streams"]]
        by_tensor = {stream.tensor: stream for stream in streams}
        inputs, outputs = tuple(content["inputs"]), tuple(content["outputs"])
        return Layout(content["project"], {}, by_tensor, inputs, outputs)
    except (SephwError, ValueError, KeyError, TypeError, AttributeError):
        raise SephwError(
            f"'{directory}' is not an exported {what} project: no readable {STREAM_LIST}; "
            "export the model again"
        ) from None


def _check_wiring(graph: Graph) -> None:
    for node in graph.nodes:
        made = node.operator.input_streams(node.folding)
        for tensor, stream in zip(node.inputs, made, strict=True):
            lanes = graph.stream(tensor).lanes
            if lanes != stream.lanes:
                raise SephwError(
                    f"{node.where}: reads '{tensor}' with {stream.lanes} lanes, it is made with "
                    f"{lanes}; lower the graph by sephw.passes.lower"
                )
    for tensor in (*graph.inputs, *(t for node in graph.nodes for t in node.outputs)):
        readers = len(graph.consumers(tensor)) + (tensor in graph.outputs)
        if readers != 1:
            raise SephwError(
                f"tensor '{tensor}' is read {readers} times, a stream exactly once; "
                "lower the graph by sephw.passes.lower"
            )


def _identifier(name: str) -> str:
    return re.sub(r"_+", "_", re.sub(r"\W", "_", name, flags=re.ASCII)).strip("_")


def _identifiers(names: Iterable[str], suffix: str) -> dict[str, str]:
    """A distinct identifier for each name; the suffix keeps clear of keywords and macros."""
    result: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        stem = _identifier(name)
        stem = f"n{stem}" if not stem or stem[0].isdigit() else stem
        candidate, count = f"{stem}_{suffix}", 1
        while candidate in taken:
            count += 1
            candidate = f"{stem}_{count}_{suffix}"
        taken.add(candidate)
        result[name] = candidate
    return result
