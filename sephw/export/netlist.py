"""The synthesized netlist against the integers and the cycle simulation, stream by stream."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sephw.backends.rtl import CompiledRtl
from sephw.export.rtl import ByTensor, run_with_pauses
from sephw.ir import Graph, Integers
from sephw.synth import Synthesis
from sephw.synth.netlist import compile_netlist
from sephw.verify import CYCLES


@dataclass(frozen=True, eq=False)
class NetlistRuns:
    """Runs the netlist's simulation of ``graph``, and the cycle simulation under the same pauses.

    The pauses are those of `RtlRuns` for the same images. ``observed``: the bits that something in
    the netlist reads, of streams where that is not all.
    """

    graph: Graph
    compiled: CompiledRtl
    observed: ByTensor

    @classmethod
    def from_synthesis(
        cls, synthesis: Synthesis, graph: Graph, project: Path, directory: Path
    ) -> NetlistRuns:
        """Build the simulation of a synthesized RTL ``project``; its sources go to ``directory``.

        ``synthesis`` must be of the network's own top module. Raises SephwError as
        `compile_netlist` does.
        """
        compiled, observed = compile_netlist(
            synthesis.netlist, synthesis.technology, project, directory
        )
        return cls(graph, compiled, observed)

    def run(self, images: Integers) -> tuple[ByTensor, dict[str, ByTensor]]:
        """Values by tensor, and the cycles of beats, int64 (N, words), by their two names.

        Raises SephwError where the netlist stalls or moves a wrong number of beats.
        """
        values, simulated, measured = run_with_pauses(self.graph, self.compiled, images)
        return values, {CYCLES[0]: simulated, CYCLES[2]: measured}
