"""The export with pattern layers in the adder families: equality everywhere, and refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shipped import shipped

from sephw.cli import run
from sephw.passes import LoweringStage, fold, lower, read_folding_file

ROOT = Path(__file__).resolve().parents[2]
FOLDING = {
    "frame_cycles": 2048,
    "nodes": {
        "stages_0_0_prb1_pattern": {"family": "adder-graph"},
        "stages_0_0_prb2_pattern": {"family": "digit-serial", "digit_bits": 1},
        "stages_1_1_prb1_pattern": {"family": "digit-serial", "digit_bits": 4},
    },
}


def folding_file(folder: Path, **entry: object) -> Path:
    """The folding above, with the first pattern layer's entry replaced."""
    nodes = {**FOLDING["nodes"], **({"stages_0_0_prb1_pattern": entry} if entry else {})}
    path = folder / "folding.json"
    path.write_text(json.dumps({**FOLDING, "nodes": nodes}))
    return path


def test_every_representation_is_equal(model, tmp_path):
    folding, out = folding_file(tmp_path), tmp_path / "out"
    status = run(
        ["export", str(model), "--out", str(out), "--samples", "2", "--folding", str(folding)]
    )
    assert status == 0
    found = json.loads((out / "verify.json").read_text())
    assert found["exact"] is True
    kinds = {row["representation"] for row in found["layers"]}
    assert kinds == {"qonnx", "integer", "csim", "rtlsim", "rtlsim-cycles"}
    nodes = {n["name"]: n for n in json.loads((out / "graph.json").read_text())["nodes"]}
    assert nodes["stages_0_0_prb1_pattern"]["folding"]["family"] == "adder-graph"
    assert nodes["stages_0_0_prb2_pattern"]["folding"]["digit_bits"] == 1
    for folder, pattern in (("rtl", "sephw_adders_*.sv"), ("hls/firmware/nnet_utils", "*adders_*")):
        assert len(list((out / folder).glob(pattern))) == 3


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"family": "digit-serial", "digit_bits": 3},
            "PatternConv 'stages.0.0.prb1.pattern': digit_bits=3 is not legal; "
            "legal digit_bits: 1, 2, 4, 8",
        ),
        (
            {"family": "adder-graph", "pe": 2, "simd": 4},
            "PatternConv 'stages.0.0.prb1.pattern': pe=2 is not legal; legal pe: 8",
        ),
    ],
)
def test_illegal_families_name_the_module(model, tmp_path, capsys, entry, message):
    folding, out = folding_file(tmp_path, **entry), tmp_path / "out"
    arguments = ["--steps", "qonnx", "--out", str(out), "--folding", str(folding)]
    assert run(["export", str(model), *arguments]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"sephw: error: {message}"
    assert not out.exists()


EXAMPLES = sorted((ROOT / "examples" / "foldings").glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_fit_the_shipped_model(path):
    _, graph = shipped(path.stem.split("_")[0])
    folding = read_folding_file(path)
    folded = fold(graph, folding.nodes, folding.frame_cycles)
    lower(folded, None, until=LoweringStage.WIDTH_CONVERTERS).validate()
    found = {node.name: node.folding for node in folded.nodes}
    for name, wanted in folding.nodes.items():
        assert found[name].engine == wanted.engine
