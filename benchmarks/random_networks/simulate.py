"""The RTL of several networks as one program: their graphs side by side in one top module."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.backends.rtl import CompiledRtl, compile_project, write_project
from sephw.backends.rtl.icarus import compile_for_icarus
from sephw.backends.rtl.project import quiet_limit_cycles
from sephw.export.rtl import ByTensor, pauses
from sephw.ir import Graph, Integers
from sephw.sim import cycles
from sephw.sim.periodic import frame_interval
from sephw.verify import CYCLES


class Simulator(StrEnum):
    """What runs the RTL. Icarus has unknown values; it builds faster and runs slower."""

    VERILATOR = "verilator"
    ICARUS = "icarus"


@dataclass(frozen=True, eq=False)
class Job:
    """A folded network and its images, int64 (N, H, W, C); ``seed``: of its pauses."""

    graph: Graph
    images: Integers
    seed: int


@dataclass(frozen=True, eq=False)
class Simulated:
    """What was simulated of one network; a `sephw.export.compare.Simulation` that is done."""

    values: ByTensor
    cycles: dict[str, ByTensor]

    @property
    def observed(self) -> ByTensor:
        """Every bit of every stream."""
        return {}

    def run(self, images: Integers) -> tuple[ByTensor, dict[str, ByTensor]]:
        """What the images of the program gave."""
        return self.values, self.cycles


@dataclass(frozen=True, eq=False)
class Pauses:
    """When source and sink of one network move."""

    gaps: NDArray[np.bool_]
    stalls: NDArray[np.bool_]
    quiet_limit_cycles: int


def simulate_rtl(
    jobs: Mapping[int, Job], folder: Path, simulator: Simulator
) -> dict[int, Simulated]:
    """RTL of all networks, and the cycle simulation of each under the same pauses.

    All have as many images. The project goes to ``folder``. Raises SephwError as the product does.
    """
    merged = side_by_side({number: job.graph for number, job in jobs.items()})
    write_project(merged, folder, samples={}, golden={})
    moves = {number: _pauses(job) for number, job in jobs.items()}
    images: dict[str, Integers] = {}
    gaps: dict[str, NDArray[np.bool_]] = {}
    stalls: dict[str, NDArray[np.bool_]] = {}
    for number, job in jobs.items():
        graph = job.graph
        images.update((named(number, t), job.images) for t in _of_images(graph))
        gaps.update((named(number, t), moves[number].gaps) for t in graph.inputs)
        stalls.update((named(number, t), moves[number].stalls) for t in graph.outputs)
    found = _compiled(folder, simulator).run(
        images,
        source_gaps=gaps,
        sink_stalls=stalls,
        check_stable=True,
        quiet_limit_cycles=max(one.quiet_limit_cycles for one in moves.values()),
    )
    result: dict[int, Simulated] = {}
    for number, job in jobs.items():
        graph = job.graph
        expected = cycles.run(
            graph, job.images, source_gaps=moves[number].gaps, sink_stalls=moves[number].stalls
        )
        shape = (len(job.images), -1)
        result[number] = Simulated(
            {t: found.values[named(number, t)] for t in graph.tensors if t not in graph.constants},
            {
                CYCLES[0]: {t: expected.pops[t].reshape(shape) for t in graph.tensors},
                CYCLES[1]: {t: found.pops[named(number, t)].reshape(shape) for t in graph.tensors},
            },
        )
    return result


def _compiled(project: Path, simulator: Simulator) -> CompiledRtl:
    if simulator is Simulator.ICARUS:
        return compile_for_icarus(project)
    return compile_project(project, optimize=False)


def side_by_side(graphs: Mapping[int, Graph]) -> Graph:
    """One graph of several that have nothing in common."""
    tensors = {
        named(number, name): replace(tensor, name=named(number, name))
        for number, graph in graphs.items()
        for name, tensor in graph.tensors.items()
    }
    nodes = tuple(
        replace(
            node,
            name=named(number, node.name),
            inputs=tuple(named(number, name) for name in node.inputs),
            outputs=tuple(named(number, name) for name in node.outputs),
        )
        for number, graph in graphs.items()
        for node in graph.nodes
    )
    inputs = tuple(named(n, name) for n, graph in graphs.items() for name in graph.inputs)
    outputs = tuple(named(n, name) for n, graph in graphs.items() for name in graph.outputs)
    merged = Graph("networks", nodes, tensors, inputs, outputs)
    merged.validate()
    return merged


def named(number: int, name: str) -> str:
    """What a network's node or tensor is called in the common graph."""
    return f"net{number}_{name}"


def _of_images(graph: Graph) -> tuple[str, ...]:
    return tuple(name for name in graph.inputs if name not in graph.constants)


def _pauses(job: Job) -> Pauses:
    """Pauses as an export's verification has them."""
    _, interval = frame_interval(job.graph)
    gaps, stalls = (pauses(job.seed + i, len(job.images) * interval, 2 * interval) for i in (0, 1))
    return Pauses(gaps, stalls, 4 * interval + quiet_limit_cycles(job.graph))
