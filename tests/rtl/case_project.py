"""Many engines side by side in one top module, each with its own ports: one build for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sephw.backends.rtl import CompiledRtl, compile_project, write_project
from sephw.ir import Case, Graph, Integers, Node, Tensor

DEPTHS = (1, 2, 3, 5, 16, 40)


@dataclass(frozen=True, eq=False)
class CaseProject:
    """Cases as the unconnected nodes of one graph."""

    graph: Graph
    cases: dict[str, Case]
    frames: int
    directory: Path

    @property
    def images(self) -> dict[str, Integers]:
        """Frames of every input."""
        return {
            name: case.inputs[port]
            for node, case in self.pairs
            for port, name in enumerate(node.inputs)
        }

    @property
    def pairs(self) -> tuple[tuple[Node, Case], ...]:
        """Every node with its case."""
        return tuple((node, self.cases[node.name]) for node in self.graph.nodes)

    def compile(self) -> CompiledRtl:
        """Build the testbench."""
        return compile_project(self.directory)


def write_cases(cases: Sequence[Case], directory: Path, seed: int) -> CaseProject:
    """Write the project; FIFO depths are drawn from ``DEPTHS``."""
    rng = np.random.default_rng(seed)
    frames = 3
    nodes, tensors, by_name = [], {}, {}
    inputs: list[str] = []
    outputs: list[str] = []
    for number, case in enumerate(cases):
        operator = case.operator
        name = f"c{number}_{operator.kind}"

        def add(stem, shapes, types, name=name):
            names = []
            for port, (shape, dtype) in enumerate(zip(shapes, types, strict=True)):
                tensor = f"{name}_{stem}{port}"
                depth = int(rng.choice(DEPTHS))
                tensors[tensor] = Tensor(tensor, *shape, dtype, fifo_depth=depth)
                names.append(tensor)
            return tuple(names)

        ins = add("in", operator.input_shapes, operator.input_types)
        outs = add("out", operator.output_shapes, operator.output_types)
        nodes.append(Node(name, f"case '{case.label}'", operator, ins, outs, case.folding))
        by_name[name] = replace(case, inputs=tuple(_frames(x, frames) for x in case.inputs))
        inputs += ins
        outputs += outs
    graph = Graph("cases", tuple(nodes), tensors, tuple(inputs), tuple(outputs))
    graph.validate()
    write_project(graph, directory, samples={}, golden={})
    return CaseProject(graph, by_name, frames, directory)


def _frames(values: Integers, count: int) -> Integers:
    return values[np.arange(count) % len(values)]
