"""The export with weights from outside: equality everywhere while they stream."""

from __future__ import annotations

import json
from pathlib import Path

from sephw.cli import run

# 8×8 pixels of 8×(9·2) patterns, 16×16 8-bit weights on 64 pixels of which 16 share each word, and
# the linear layer.
STREAMED = {
    "stages_0_0_prb1_pattern": {"pe": 2, "simd": 1, "weights": "stream"},
    "stages_0_0_prb1_pointwise": {"pe": 2, "simd": 2, "weights": "stream", "tile_pixels": 16},
    "classifier": {"pe": 1, "simd": 8, "weights": "stream"},
}


def export(model: Path, folder: Path, *arguments: str) -> int:
    folding = folder / "folding.json"
    folding.write_text(json.dumps({"frame_cycles": 4096, "nodes": STREAMED}))
    given = ["--folding", str(folding), "--samples", "2", "--target", "zcu104", *arguments]
    return run(["export", str(model), "--out", str(folder / "out"), *given])


def test_every_representation_is_equal_at_the_memory_s_pace(model, tmp_path, capsys):
    assert export(model, tmp_path, "--weight-bandwidth", "2") == 0
    out, printed = tmp_path / "out", capsys.readouterr()
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is True
    kinds = {row["representation"] for row in found["layers"]}
    assert kinds == {"qonnx", "integer", "csim", "rtlsim", "rtlsim-cycles"}
    graph = json.loads((out / "graph.json").read_text())
    assert graph["inputs"][1:] == [f"{name}_weights" for name in STREAMED]
    tensors = {tensor["name"]: tensor for tensor in graph["tensors"]}
    shapes = [tensors[name] for name in graph["inputs"][1:]]
    bits = {"uint1": 1, "int8": 8}
    traffic = [t["height"] * t["width"] * t["channels"] * bits[t["dtype"]] for t in shapes]
    # More than the slowest engine takes. Of the tiles' words, 4 times 4 blocks, none are read while
    # the last block is sent.
    interval = -(-(sum(traffic) + traffic[1] // 16) // 2)
    cycles = json.loads((out / "cycles.json").read_text())
    assert cycles["frame_interval_cycles"] == interval and cycles["timeline"]["settled"]
    report = json.loads((out / "report.json").read_text())
    layers = {layer["name"]: layer for layer in report["layers"]}
    for name, moved in zip(STREAMED, traffic, strict=True):
        assert layers[name]["weight_traffic"]["value"] == moved
        assert layers[name]["weight_memory"]["value"] == 0
    assert not any("weight_traffic" in v for n, v in layers.items() if n not in STREAMED)
    assert (
        f"  weights   of 'stages.0.0.prb1.pattern' and 2 more from external memory: "
        f"{sum(traffic):,} bits/frame [counted], "
    ) in printed.out
    assert "amd/" not in printed.out.replace("amd/ is left out", "")
    assert not (out / "amd").exists()
    assert (
        "note: amd/ is left out: StreamedConv 'stages.0.0.prb1.pattern' and 2 more: weights come "
        "through a stream, and the vendor project has no external memory port for them yet; "
        "connect s_axis_1 and following of rtl/ or hls/ yourself, or give weights=chip in the "
        "folding"
    ) in " ".join(printed.err.split())


def test_without_a_bandwidth_the_engines_set_the_pace(model, tmp_path):
    assert export(model, tmp_path, "--steps", "qonnx,cyclesim,report") == 0
    cycles = json.loads((tmp_path / "out" / "cycles.json").read_text())
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    slowest = max(layer["cycles"]["value"] for layer in report["layers"])
    assert cycles["frame_interval_cycles"] == slowest
