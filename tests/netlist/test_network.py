"""A whole network, synthesized: every stream of its netlist, and faults put into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from every_operator import SHAPE, every_operator
from small_graphs import GraphBuilder

from sephw.backends.rtl import write_project
from sephw.errors import SephwError
from sephw.export.netlist import NetlistRuns
from sephw.ir import Folding, Graph, Integers
from sephw.ops import OPERATORS
from sephw.passes import FoldingFile, lower
from sephw.synth import Synthesis, SynthesisSettings, synthesize
from sephw.synth.count import owner
from sephw.technologies import ECP5, GOWIN, ICE40, Technology
from sephw.verify import CheckedTensor, Verification, describe, verify

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 16))


def tiny() -> Graph:
    """A pattern convolution beside a 1×1 convolution: block RAM, multipliers, carries."""
    b = GraphBuilder("tiny", seed=3)
    x = b.input("image", 4, 4, 16)
    pattern = b.conv("pattern", x, 32, 3, pattern=1, groups=4)
    point = b.conv("point", x, 32)
    graph = b.build(x, b.join("map", pattern, point))
    foldings = {"point_node": Folding(pe=1, simd=2)}
    return lower(graph, FoldingFile(foldings, 1 << 20))


@dataclass(frozen=True)
class Built:
    """The network in RTL and as a netlist."""

    graph: Graph
    project: Path
    synthesis: Synthesis
    folder: Path

    def cells(self, node: str, kind: str) -> list[str]:
        """Cells of a kind in a node's engine."""
        cells = module_of(json.loads(self.synthesis.netlist.read_text()))["cells"]
        instance = self.synthesis.instances[node]
        return sorted(
            name
            for name, cell in cells.items()
            if cell["type"] == kind and owner(name, [instance]) is not None
        )

    def runs(self) -> NetlistRuns:
        return NetlistRuns.from_synthesis(
            self.synthesis, self.graph, self.project, self.folder / "netlist"
        )

    def run(self) -> Verification:
        return checked(self.graph, self.runs())

    def changed(self, folder: Path, change: Callable[[dict[str, Any]], None]) -> Built:
        """The same with a fault in the netlist."""
        content = json.loads(self.synthesis.netlist.read_text())
        change(module_of(content))
        netlist = folder / "netlist.json"
        netlist.write_text(json.dumps(content))
        return replace(self, synthesis=replace(self.synthesis, netlist=netlist), folder=folder)


def module_of(netlist: dict[str, Any]) -> dict[str, Any]:
    (module,) = netlist["modules"].values()
    return module  # type: ignore[no-any-return]


def checked(graph: Graph, runs: NetlistRuns, images: Integers = IMAGES) -> Verification:
    tensors = [
        CheckedTensor(tensor, node.module, ())
        for node in graph.nodes
        for tensor in node.outputs
        if tensor not in graph.weight_tensors
    ]
    values, cycles = runs.run(images)
    found = {"integer": graph.run(images), "netlist": values}
    observed = {"netlist": runs.observed}
    return verify(tensors, found, cycles, data="random", samples=["a", "b", "c"], observed=observed)


def build(technology: Technology, folder: Path, graph: Graph) -> Built:
    project = folder / "rtl"
    write_project(graph, project, samples={}, golden={})
    synthesis = synthesize(
        project,
        graph,
        technology,
        folder / "synth",
        SynthesisSettings(600),
        progress=lambda _: None,
    )
    return Built(graph, project, synthesis, folder)


@pytest.fixture(scope="module")
def ecp5(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    yield build(ECP5, tmp_path_factory.mktemp("ecp5"), tiny())


def assert_exact(built: Built, found: Verification) -> None:
    assert found.exact, describe(found.first_mismatch, found.samples)  # type: ignore[arg-type]
    assert found.representations == ("integer", "netlist", "cyclesim")
    tensors = {tensor for node in built.graph.nodes for tensor in node.outputs}
    values = {c.name: c.elements for c in found.checks if c.representation == "netlist"}
    beats = {c.name: c.elements for c in found.checks if c.representation == "netlist-cycles"}
    assert set(values) == tensors and set(beats) == tensors | {"image"}
    assert values["image_window3"] == 3 * 16 * 9 * 16 and values["map"] == 3 * 16 * 32
    assert beats["pattern"] == 3 * 16 * 32 and beats["image"] == 3 * 16


def test_every_stream_of_an_ecp5_netlist_is_equal(ecp5: Built) -> None:
    assert ecp5.synthesis.total.bram > 0 and ecp5.synthesis.total.dsp > 0
    runs = ecp5.runs()
    assert_exact(ecp5, checked(ecp5.graph, runs))
    # The same program, told of a stream that has fewer beats.
    layout = runs.compiled.layout
    short = {**layout.streams, "map": replace(layout.streams["map"], words=1)}
    told = replace(runs.compiled, layout=replace(layout, streams=short))
    with pytest.raises(SephwError) as error:
        replace(runs, compiled=told).run(IMAGES)
    assert str(error.value) == (
        "netlist simulation of 'tiny_top': stream 'map' moved 1536 beats, expected 3"
    )


# Elements of a frame whose low bit nothing reads: those of a global pool before a requantizer
# without multiplications. Synthesis for the others keeps their registers.
PARTIAL = {ECP5: 0, ICE40: 0, GOWIN: 2}


@pytest.mark.parametrize("technology", PARTIAL)
def test_every_operator_in_the_netlist_of_each_technology(
    technology: Technology, tmp_path: Path
) -> None:
    graph = every_operator()
    assert {type(node.operator) for node in graph.nodes} == set(OPERATORS)
    assert graph.inputs == ("image", "tiled_node_weights")
    images = np.random.default_rng(0).integers(0, 8, (3, *SHAPE))
    values = graph.run(images)
    assert all(len(np.unique(values[t])) > 1 for t in graph.tensors if t not in graph.constants)
    built = build(technology, tmp_path, graph)
    assert built.synthesis.total.bram > 0 and built.synthesis.total.dsp > 0
    if technology is ECP5:
        # A product for each of a word's weights.
        assert built.synthesis.engines["tiled_node"].dsp == 4
    runs = built.runs()
    found = checked(graph, runs, images)
    assert found.exact, describe(found.first_mismatch, found.samples)  # type: ignore[arg-type]
    beats = {c.name: c.elements for c in found.checks if c.representation == "netlist-cycles"}
    assert beats.keys() == graph.tensors.keys()
    # Words of a frame: two tiles, 2·12 weights in fours.
    assert beats["tiled_node_weights"] == 3 * 2 * 2 * 12 // 4
    partial = {c.name: c.partial for c in found.checks if c.partial}
    assert partial == ({"total": PARTIAL[technology]} if PARTIAL[technology] else {})
    # What is read is compared all the same.
    for tensor, bit in (("total", 1), ("total", 0), ("wide", 0)):
        wrong = {name: v ^ ((name == tensor) << bit) for name, v in values.items()}
        seen = verify(
            [CheckedTensor(tensor, "", ())],
            {"integer": wrong, "netlist": values},
            data="",
            samples=["a", "b", "c"],
            observed={"netlist": runs.observed},
        )
        assert seen.exact == (tensor in partial and bit == 0)


def flip(text: str, bit: int) -> str:
    at = len(text) - 1 - bit
    return text[:at] + ("1" if text[at] == "0" else "0") + text[at + 1 :]


def test_wrong_bits_in_a_block_ram_and_in_a_lut_are_found(ecp5: Built, tmp_path: Path) -> None:
    """Of one engine's weights, and of a LUT before the register of another one's sum."""
    (memory,) = ecp5.cells("point_node", "DP16KD")
    module = module_of(json.loads(ecp5.synthesis.netlist.read_text()))
    pins = {name: cell["connections"] for name, cell in module["cells"].items()}
    loaded = {bit for name in ecp5.cells("pattern_node", "TRELLIS_FF") for bit in pins[name]["DI"]}
    lut = next(n for n in ecp5.cells("pattern_node", "CCU2C") if loaded & {*pins[n]["S0"]})
    # The bit for data inputs of 0; other inputs are constants.
    row = sum(pins[lut][f"{pin}0"] == ["1"] and 1 << k for k, pin in enumerate("ABCD"))

    def change(module: dict[str, Any]) -> None:
        for cell, name, bit in ((memory, "INITVAL_00", 0), (lut, "INIT0", row)):
            values = module["cells"][cell]["parameters"]
            values[name] = flip(values[name], bit)

    found = ecp5.changed(tmp_path, change).run()
    wrong = {check.name: check for check in found.checks if check.mismatches}
    # Nothing before them; the layer behind them may round a difference away.
    assert wrong.keys() - {"map"} == {"point", "pattern"}
    assert describe(wrong["point"], found.samples).startswith(
        "layer 'net.point' (tensor 'point'), netlist against integer: sample 0 (a), row 0, "
        "column 0, channel 0 is "
    )
    # It is one weight: one channel of every pixel.
    assert 0 < wrong["point"].mismatches <= 3 * 16
    assert found.first_mismatch in (wrong["point"], wrong["pattern"])


def test_swapped_wires_are_found(ecp5: Built, tmp_path: Path) -> None:
    multiplier = ecp5.cells("point_node", "MULT18X18D")[0]

    def change(module: dict[str, Any]) -> None:
        pins = module["cells"][multiplier]["connections"]
        pins["A0"], pins["A1"] = pins["A1"], pins["A0"]

    found = ecp5.changed(tmp_path, change).run()
    assert {check.name for check in found.checks if check.mismatches} - {"map"} == {"point"}
    assert {c.representation for c in found.checks if c.mismatches} == {"netlist"}


def test_a_stuck_handshake_is_found(ecp5: Built, tmp_path: Path) -> None:
    def change(module: dict[str, Any]) -> None:
        (valid,) = module["netnames"]["point_stream_tvalid"]["bits"]
        (driver,) = (
            cell for cell in module["cells"].values() if valid in cell["connections"].get("Q", ())
        )
        driver["connections"]["DI"] = ["0"]

    stuck = ecp5.changed(tmp_path, change)
    with pytest.raises(SephwError) as error:
        stuck.run()
    message = str(error.value)
    assert message.startswith("netlist simulation of 'tiny_top': stalled in cycle ")
    assert "'point' 1536" in message
