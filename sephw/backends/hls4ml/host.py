"""One hls4ml layer class that carries any engine, and the graph as an hls4ml model.

Imports hls4ml; the other modules of this package import this one only where they need it.
hls4ml's own optimiser passes find nothing to do here: every precision, stream width, FIFO depth
and constant table is set explicitly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import hls4ml
from hls4ml.backends.template import FunctionCallTemplate, LayerConfigTemplate
from hls4ml.model.graph import ModelGraph
from hls4ml.model.layers import Layer, register_layer
from hls4ml.model.types import IntegerPrecisionType
from hls4ml.utils.config import create_config

from sephw.backends.layout import Layout, StreamInfo
from sephw.hls import HEADERS
from sephw.ir import Graph, HlsInstance, IntType, Node

BACKEND = "Vitis"
# hls4ml names the compiled library after a random stamp; a fixed one keeps projects reproducible.
STAMP = "sephw"


@dataclass(frozen=True, eq=False)
class HlsEngine:
    """The data from which one node's layer writes its C++."""

    name: str
    instance: HlsInstance
    inputs: tuple[StreamInfo, ...]
    outputs: tuple[StreamInfo, ...]
    traced: tuple[tuple[StreamInfo, int], ...]


class SephwEngine(Layer):  # type: ignore[misc]
    """An engine of any kind, as an hls4ml layer."""

    def initialize(self) -> None:
        engine: HlsEngine = self.get_attr("engine")
        for stream in engine.outputs:
            self.add_output_variable(
                shape=list(stream.shape),
                out_name=stream.variable,
                var_name=stream.variable,
                type_name=f"{stream.variable}_t",
                precision=_precision(stream.dtype),
            )
        for table in engine.instance.tables:
            name = f"{engine.name}_{table.name}"
            self.add_weights_variable(
                name=name,
                var_name=name,
                type_name=f"{name}_t",
                precision=_precision(table.dtype),
                data=table.values,
            )


class _EngineConfig(LayerConfigTemplate):  # type: ignore[misc]
    """``struct config_<engine>`` with the instance's parameters and table types."""

    def __init__(self) -> None:
        super().__init__(SephwEngine)

    def format(self, node: Any) -> str:
        engine: HlsEngine = node.get_attr("engine")
        types = [f"{engine.name}_{table.name}_t" for table in engine.instance.tables]
        return engine.instance.config(f"config_{engine.name}", types)


class _EngineCall(FunctionCallTemplate):  # type: ignore[misc]
    """The kernel call, and the record of its outputs in C-simulation."""

    def __init__(self) -> None:
        super().__init__(SephwEngine)

    def transform(self, model: Any, node: Any) -> bool:
        changed: bool = super().transform(model, node)
        header = node.get_attr("engine").instance.header
        node.set_attr("include_header", [f"nnet_utils/{header}", "nnet_utils/sephw_trace.h"])
        return changed

    def format(self, node: Any) -> list[str]:
        engine: HlsEngine = node.get_attr("engine")
        call = engine.instance.call(
            f"config_{engine.name}",
            [node.get_input_variable(stream.variable).name for stream in engine.inputs],
            [node.get_output_variable(stream.variable).name for stream in engine.outputs],
            [f"{engine.name}_{table.name}" for table in engine.instance.tables],
        )
        lines = [f"{call};"]
        if engine.traced:
            calls = [f"sephw::trace({s.variable}, {index});" for s, index in engine.traced]
            lines += ["#ifdef SEPHW_TRACE", *calls, "#endif"]
        return lines


def build_model(
    graph: Graph, layout: Layout, directory: Path, *, clock_ns: float, part: str
) -> ModelGraph:
    """The graph as an hls4ml model that writes to ``directory``."""
    _register()
    source = layout.streams[layout.input]
    # Numbers of the project that are free: everything else is set layer by layer.
    config = create_config(
        output_dir=str(directory),
        project_name=layout.project,
        backend=BACKEND,
        part=part,
        clock_period=clock_ns,
        io_type="io_stream",
        write_weights_txt=True,
    )
    config["HLSConfig"] = {"Model": {"Precision": _ap_type(source.dtype), "ReuseFactor": 1}}
    inputs = [source, *(s for s in layout.streams.values() if s.constant)]
    layers: list[dict[str, Any]] = [
        {"class_name": "Input", "name": s.variable, "input_shape": list(s.shape)} for s in inputs
    ]
    precisions = {}
    for layer, stream in zip(layers[1:], inputs[1:], strict=True):
        layer["type_name"] = f"{stream.variable}_t"
        precisions[stream.variable] = {"Precision": {"result": _ap_type(stream.dtype)}}
    config["HLSConfig"]["LayerName"] = precisions
    order = {name: index for index, name in enumerate(layout.streams)}
    for node in graph.nodes:
        engine = _engine(node, layout, order)
        layers.append(
            {
                "class_name": "SephwEngine",
                "name": engine.name,
                "inputs": [s.variable for s in engine.inputs],
                "outputs": [s.variable for s in engine.outputs],
                "engine": engine,
            }
        )
    last = next(node for node in graph.nodes if layout.output in node.outputs)
    model = ModelGraph.from_layer_list(
        config, layers, inputs=[s.variable for s in inputs], outputs=[layout.engines[last.name]]
    )
    # hls4ml packs a pixel into each beat; engines have their own lanes and FIFO depths.
    for stream in layout.streams.values():
        variable = model.get_layer_output_variable(stream.variable)
        variable.type.n_elem, variable.type.n_pack = stream.lanes, 1
        # hls4ml's and the tool's own least; one word may not be written while it is read.
        variable.pragma = ("stream", max(2, stream.fifo_depth))
        if stream.node:
            # hls4ml itself declares the beat type of one output per layer only.
            maker = model.graph[layout.engines[stream.node]]
            maker.set_attr(f"{stream.variable}_beat_t", variable.type)
    model.config.config["Stamp"] = STAMP
    return model


def write_model(model: ModelGraph) -> None:
    """Write the project without hls4ml's random stamp."""
    hls4ml.writer.get_writer(BACKEND).write_hls(model)


def _engine(node: Node, layout: Layout, order: dict[str, int]) -> HlsEngine:
    outputs = tuple(layout.streams[name] for name in node.outputs)
    return HlsEngine(
        name=layout.engines[node.name],
        instance=node.operator.hls(node.folding),
        inputs=tuple(layout.streams[name] for name in node.inputs),
        outputs=outputs,
        traced=tuple((s, order[s.tensor]) for s in outputs if s.tensor != layout.output),
    )


@cache
def _register() -> None:
    """Make the layer, its templates and the headers known to hls4ml, once per process."""
    register_layer("SephwEngine", SephwEngine)
    backend = hls4ml.backends.get_backend(BACKEND)
    backend.register_template(_EngineConfig)
    backend.register_template(_EngineCall)
    for header in sorted(HEADERS.glob("*.h")):
        backend.register_source(header)


def _precision(dtype: IntType) -> IntegerPrecisionType:
    return IntegerPrecisionType(width=dtype.bits, signed=dtype.signed)


def _ap_type(dtype: IntType) -> str:
    return f"ap_{'' if dtype.signed else 'u'}int<{dtype.bits}>"
