"""Whole networks: estimates of every engine beside what Yosys makes of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.characterize_data import DATA
from sephw.ir import Graph, Resources
from sephw.resources import estimate
from sephw.synth import synthesize_operator
from sephw.technologies import Technology

MODELS = Path(__file__).resolve().parent.parent / "models"
_FILE = DATA / "networks.json"


def shipped_graph(model: str) -> Graph:
    """The hardware graph of a shipped model at the default folding, FIFOs sized."""
    from sephw.checkpoint import build_network, load_checkpoint
    from sephw.frontend import export_qonnx, read_qonnx
    from sephw.nn import freeze
    from sephw.passes import FoldingFile, lower

    checkpoint = load_checkpoint(MODELS / f"{model}.pth")
    size = checkpoint.arguments
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        shape = (size["in_channels"], size["height"], size["width"])
        export_qonnx(freeze(build_network(checkpoint)), path, shape)
        graph = read_qonnx(path).graph
    return lower(replace(graph, name=model), FoldingFile())


def synthesize_engines(
    model: str, technology: Technology, progress: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Resources of every engine of a shipped model, by node name."""
    graph = shipped_graph(model)
    rows = []
    for done, node in enumerate(graph.nodes):
        depths = [graph.tensors[name].fifo_depth for name in node.outputs]
        with tempfile.TemporaryDirectory() as work:
            found = synthesize_operator(
                node.operator, node.folding, technology, fifo_depths=depths, work=Path(work)
            )
        rows.append({"node": node.name, "kind": node.operator.kind, **asdict(found)})
        progress(f"{model} {technology} {done + 1}/{len(graph.nodes)} {node.name}: {found}")
    return rows


def read() -> dict[str, dict[str, list[dict[str, Any]]]]:
    """Synthesized engines by network and technology."""
    if not _FILE.is_file():
        return {}
    found: dict[str, dict[str, list[dict[str, Any]]]] = json.loads(_FILE.read_text("utf-8"))
    return found


def write(found: dict[str, dict[str, list[dict[str, Any]]]]) -> None:
    """Write them, sorted."""
    _FILE.write_text(json.dumps(found, sort_keys=True, indent=0) + "\n", encoding="utf-8")


def estimated(model: str, technology: Technology) -> dict[str, Resources]:
    """Estimate of every engine of a shipped model."""
    graph = shipped_graph(model)
    return {
        node.name: estimate(
            node.operator,
            node.folding,
            [graph.tensors[name].fifo_depth for name in node.outputs],
            technology,
        ).resources
        for node in graph.nodes
    }
