"""Directories as an export leaves them, made of a small graph without a network behind it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from small_graphs import network

from sephw.ir import Graph
from sephw.ir.serialize import save_graph
from sephw.passes import FoldingFile, lower
from sephw.sim.cycles import run_frames
from sephw.sim.latency import ALONE
from sephw.sim.timeline import settled_timeline
from sephw.verify import Difference, LayerCheck, Verification


def small_graph() -> Graph:
    """About twenty engines, folded and wired."""
    return lower(network(4), FoldingFile({}, 900))


def renamed(graph: Graph, module: str) -> Graph:
    """The same graph with ``module`` as the PyTorch module of every engine."""
    nodes = tuple(replace(node, module=module) for node in graph.nodes)
    return graph.with_nodes(nodes, graph.tensors)


def manifest(target: str = "ulx3s-85f", model_file: str = "small.pth") -> dict[str, Any]:
    """Contents of manifest.json, the files left out."""
    return {
        "format": "sephw-export",
        "version": 1,
        "name": "small",
        "exact": True,
        "model": {
            "file": model_file,
            "sha256": "0123456789abcdef" * 4,
            "network": "SEPNet",
            "arguments": {},
            "stage": "BQ",
            "classes": ["a", "b"],
            "test_percent": 97.123,
        },
        "options": {
            "data": "digits",
            "samples": 3,
            "folding": None,
            "target": target,
            "part": "part",
            "clock_ns": 10.0,
            "steps": ["qonnx", "rtl", "report"],
        },
        "invocation": {
            "model": f"models/{model_file}",
            "called_from": "../..",
            "own_folder": False,
            "options": [{"option": "--target", "value": target}],
        },
        "versions": {"sephw": "0.1.0", "torch": "2.13.0"},
    }


def synthesis(graph: Graph) -> dict[str, Any]:
    """synth.json: 100 + i LUT, 50 + i FF, 1 BRAM, i mod 3 DSP of engine i; some glue."""
    engines = {
        node.name: {
            "module": node.module,
            "operator": node.operator.kind,
            "folding": "",
            "lut": 100 + i,
            "ff": 50 + i,
            "bram": 1,
            "dsp": i % 3,
        }
        for i, node in enumerate(graph.nodes)
    }
    glue = {"lut": 7, "ff": 8, "bram": 0, "dsp": 0}
    total = {kind: sum(engine[kind] for engine in engines.values()) + glue[kind] for kind in glue}
    available = {"lut": 83640, "ff": 83640, "bram": 208, "dsp": 156}
    return {
        "format": "sephw-synth",
        "version": 1,
        "name": "small",
        "device": "ecp5-85f",
        "technology": "ecp5",
        "top": "small_board",
        "tools": {"yosys": "0.70", "nextpnr": "0.11"},
        "target": "ulx3s-85f",
        "clock_mhz": 50.0,
        "synthesized": {
            "source": "synthesized",
            "total": total,
            "available": available,
            "glue": glue,
            "engines": engines,
            "netlist": "netlist.json",
        },
        "routed": {
            "source": "routed",
            "part": "LFE5U-85F-6 CABGA381",
            "used": {**total, "lut": total["lut"] + 11},
            "available": available,
            "asked_mhz": 50.0,
            "fmax_mhz": {"clk": 61.25, "link": 55.5},
            "constraint_mhz": {"clk": 50.0, "link": 25.0},
            "timing_met": True,
            "worst_path": {
                "clock": "clk",
                "from_engine": graph.nodes[0].name,
                "to_engine": "",
                "delay_ns": 16.327,
                "logic_ns": 6.027,
                "routing_ns": 10.3,
                "hops": 9,
                "from_cell": "top.a[3]",
                "to_cell": "top.b",
            },
            "seed": 1,
            "bitstream": "bitstream.bit",
        },
        "note": "",
    }


def verification(graph: Graph, *, wrong: bool = False) -> Verification:
    """Of torch, qonnx and integer; a stream of hardware only; ``wrong``: one difference."""
    first, second = graph.nodes[0], graph.nodes[1]
    tensor, hardware = second.outputs[0], first.outputs[0]
    found = Difference((1, 2, 3, 4), 5, 6) if wrong else None
    checks = (
        LayerCheck(tensor, second.module, "qonnx", "torch", 600, 0),
        LayerCheck(tensor, second.module, "integer", "torch", 600, 3 if wrong else 0, found),
        LayerCheck(hardware, first.module, "rtlsim", "integer", 500, 0),
        LayerCheck("image", "", "rtlsim-cycles", "cyclesim", 40, 0),
    )
    ran = ("torch", "qonnx", "integer", "rtlsim", "cyclesim")
    return Verification("digits", ("image 1", "image 2"), ran, checks)


def cycles(graph: Graph) -> dict[str, Any]:
    """Contents of cycles.json, as far as a report reads them."""
    return {
        "latency": {"alone": run_frames(graph, 1).latency.as_dict(ALONE)},
        "timeline": settled_timeline(graph).as_dict(),
    }


def write_export(folder: Path, graph: Graph, **contents: dict[str, Any] | None) -> Path:
    """An export in ``folder``; ``manifest``, ``cycles``, ``verify``, ``synth``: None leaves out."""
    folder.mkdir(parents=True)
    save_graph(graph, folder / "graph.json", folder / "graph.npz")
    for name, content in contents.items():
        if content is not None:
            path = folder / ("synth/synth.json" if name == "synth" else f"{name}.json")
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(content), "utf-8")
    return folder
