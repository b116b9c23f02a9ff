"""The contract of Invert in a copy of the package: HLS kernel, RTL engine, estimate, graph file."""

import sys
from pathlib import Path

import numpy as np

from sephw.ir import Graph, Node, Tensor
from sephw.ir.serialize import load_graph, save_graph
from sephw.ops import OPERATORS
from sephw.passes.lower import lower
from sephw.resources import estimate
from sephw.sim.cycles import run
from sephw.technologies import ECP5

folder = Path(sys.argv[1])
sys.path += [str(Path(sys.argv[2]) / name) for name in ("hls", "rtl")]
from case_project import write_cases  # noqa: E402
from engine_contract import differences, random_patterns, random_resets  # noqa: E402
from kernel_harness import run_cases  # noqa: E402

(operator,) = (o for o in OPERATORS if o.kind == "invert")
cases = list(operator.cases())
(folder / "hls").mkdir()
for case, outputs in zip(cases, run_cases(cases, folder / "hls"), strict=True):
    assert np.array_equal(outputs[0], (1 << case.operator.bits) - 1 - case.inputs[0])

project = write_cases(cases, folder / "rtl", seed=1)
sources = random_patterns(project.graph.inputs, 0.5, 3)
sinks = random_patterns(project.graph.outputs, 0.5, 4)
found = project.compile().run(
    project.images,
    source_gaps=sources,
    sink_stalls=sinks,
    check_stable=True,
    resets=random_resets(1),
    seed=1,
)
assert not (wrong := differences(project, found, sources, sinks)), "\n".join(wrong)

invert = cases[0].operator
(shape,), (dtype,) = invert.input_shapes, invert.input_types
tensors = {name: Tensor(name, *shape, dtype) for name in ("x", "y")}
node = Node("invert", "", invert, ("x",), ("y",), cases[0].folding)
graph = lower(Graph("inverter", (node,), tensors, ("x",), ("y",)), None)
save_graph(graph, folder / "graph.json", folder / "graph.npz")
graph = load_graph(folder / "graph.json", folder / "graph.npz", OPERATORS)
result = run(graph, cases[0].inputs[0])
assert np.array_equal(
    result.values["y"].reshape(cases[0].inputs[0].shape), 255 - cases[0].inputs[0]
)
assert estimate(invert, cases[0].folding, (4,), ECP5).resources.ff > 0
print("exact")
