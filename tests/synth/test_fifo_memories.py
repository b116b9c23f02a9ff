"""Synthesis obeys the graph: FIFOs are in block RAM where it says so, and nowhere else."""

from pathlib import Path

from small_graphs import chain

from sephw.backends.layout import lay_out
from sephw.backends.rtl import write_project
from sephw.passes import FoldingFile, lower
from sephw.passes.choose_fifo_memories import with_fifos_in_blocks
from sephw.synth.engine import engine_of_node
from sephw.synth.recipes import engine_script
from sephw.targets import find_device

DEVICE = find_device("ecp5-25f")
MACRO = "-D SEPHW_FIFOS_IN_BLOCKS=1"


def test_the_engines_that_the_graph_names(tmp_path: Path) -> None:
    plain = lower(chain(4), FoldingFile({}, 100), device=DEVICE)
    (first, *_, last) = plain.nodes
    graph = with_fifos_in_blocks(plain, DEVICE, {first.name, last.name})
    for name, project in (("plain", plain), ("blocks", graph)):
        write_project(project, tmp_path / name, samples={}, golden={})
    found, names = set(), lay_out(graph).engines
    for node in graph.nodes:
        engine = engine_of_node(graph, node, names[node.name], tmp_path / "blocks")
        files = [name for name, _ in engine.sources]
        script = engine_script(
            DEVICE.technology, files, "engine", dsp=True, fifos_in_blocks=engine.fifos_in_blocks
        )
        found |= {node.name} if MACRO in script else set()
    assert found == {first.name, last.name}
    assert len(plain.nodes) > 2
    # The SystemVerilog is the same: the memory is for the synthesis of an engine to say.
    for path in sorted((tmp_path / "plain").rglob("*")):
        if path.is_file():
            twin = tmp_path / "blocks" / path.relative_to(tmp_path / "plain")
            assert path.read_bytes() == twin.read_bytes(), path.name
