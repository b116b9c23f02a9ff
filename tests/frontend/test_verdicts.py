"""Every node of a file is judged by the reader's own walk, all refusals at once."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import foreign_networks
from onnx_mutations import mutated
from onnx_networks import OnnxNetwork, inception, strided

from sephw.errors import SephwError
from sephw.frontend import ModelVerdict, NodeState, judge_qonnx, read_qonnx
from sephw.frontend.handlers import HANDLERS
from sephw.ir.serialize import graph_digest

EXACT, THRESHOLDS = NodeState.EXACT, NodeState.THRESHOLDS
REFUSED, NOT_REACHED = NodeState.REFUSED, NodeState.NOT_REACHED


def judged(model: onnx.ModelProto, folder: Path) -> ModelVerdict:
    path = folder / "made.onnx"
    onnx.save(model, path)
    return judge_qonnx(path)


def unsupported(kind: str) -> str:
    return f"operator {kind} is not supported"


@pytest.mark.parametrize("make", [inception, strided])
def test_what_is_taken_is_exact_and_read_as_the_reader_reads_it(make, tmp_path):
    path = make(tmp_path / "taken.onnx")
    found = judge_qonnx(path)
    assert {node.state for node in found.nodes} == {EXACT} and found.refusals == ()
    assert len(found.nodes) == len(onnx.load(path).graph.node)
    assert found.read is not None
    assert graph_digest(found.read.graph) == graph_digest(read_qonnx(path).graph)


def test_what_float32_rounds_is_taken_as_thresholds(tmp_path):
    net = foreign_networks.ForeignNetwork(4, 4, 2)
    x = net.norm("norm", net.conv("conv", net.image(), 4, (3, 3)), 4)
    net.rounded("act", net.node("LeakyRelu", "leaky", [x], alpha=0.1), 0.25, 4)
    found = judged(net.model_of((1, 2, 4, 4)), tmp_path)
    assert [(n.operator, n.state) for n in found.nodes] == [
        ("Quant", EXACT),
        ("Conv", EXACT),
        ("BatchNormalization", THRESHOLDS),
        ("LeakyRelu", THRESHOLDS),
        ("Quant", THRESHOLDS),
    ]
    assert found.refusals == () and found.read is not None


def several() -> OnnxNetwork:
    """Two branches: in one a scale, an attribute and an operator are refused, in the other none."""
    net = OnnxNetwork(6, 6, 2)
    stem = net.act("stem.act", net.conv("stem.conv", net.image(), 4, (3, 3)))
    net.constant("odd.step", 0.3)
    width = net.constant("odd.bits", 8)
    x = net.conv("left.conv", stem, 4, (3, 3))
    x = net.made(
        net.node(
            "Quant",
            "left.act",
            [x, "odd.step", "zero", width],
            signed=1,
            narrow=1,
            rounding_mode="CEIL",
        ),
        4,
    )
    x = net.made(net.node("Selu", "left.selu", [x], gamma=1.5), 4)
    weights = net.constant("left.wide.weight", np.ones((4, 4, 3, 3)))
    x = net.made(net.node("Conv", "left.wide", [x, weights], dilations=[2, 2], pads=[2] * 4), 4)
    x = net.act("left.end", x)
    net.nodes[-1].attribute.append(onnx.helper.make_attribute("observer", "minmax"))
    y = net.act("right.act", net.conv("right.conv", stem, 4, pattern=True))
    net.concat("join", x, y)
    return net


def test_all_refusals_at_once(tmp_path):
    found = judged(several().model(), tmp_path)
    assert found.read is None and found.refusals == ()
    refused = {
        f"{node.operator} {node.label}": [r.reason for r in node.refusals]
        for node in found.nodes
        if node.state is REFUSED
    }
    assert refused == {
        "Quant left.act": [
            "activation scale must be one power of two, not 0.3",
            "signed activations",
            "narrow=1 leaves the largest of 256 values out",
        ],
        "Selu left.selu": [unsupported("Selu")],
        "Conv left.wide": ["dilations [2, 2]"],
        # Whatever it reads.
        "Quant left.end": ["attribute 'observer' is not understood"],
    }
    fixes = [r.fix for node in found.nodes for r in node.refusals]
    assert all(fixes) and fixes[-2:] == [
        "use dilations of 1",
        "export the node without it (understood: signed, narrow, rounding_mode)",
    ]
    waiting = {f"{n.operator} {n.label}": n.waits_for for n in found.nodes if n.waits_for}
    assert waiting == {
        f"{kind} left.end": ("Conv 'left.wide'",) for kind in ("Add", "Relu", "Quant")
    } | {"Concat join": ("Quant 'left.end'",)}
    # What goes on behind a refusal says so; the other branch does not.
    assumed = {f"{n.operator} {n.label}": n.assumes for n in found.nodes if n.assumes}
    assert assumed == {
        "Selu left.selu": ("Quant 'left.act'",),
        "Conv left.wide": ("Selu 'left.selu'",),
    }
    right = [node.state for node in found.nodes if node.label.startswith(("right", "stem"))]
    assert set(right) == {EXACT} and len(right) == 10


def test_nodes_behind_a_refusal_are_judged_as_behind_the_mended_node(tmp_path):
    def network(step: float) -> onnx.ModelProto:
        net = OnnxNetwork(8, 8, 2)
        x = net.conv("first", net.image(), 4, (3, 3))
        names = [net.constant("step", step), "zero", net.constant("bits", 8)]
        given = {"signed": 0, "narrow": 0, "rounding_mode": "FLOOR"}
        x = net.made(net.node("Quant", "act", [x, *names], **given), 4)
        x = net.act("second.act", net.conv("second", x, 4, (3, 3), stride=2))
        x = net.conv("third", x, 4)
        net.constant("third.factor", 1 / 3)
        x = net.made(net.node("Mul", "third", [x, "third.factor"]), 4)
        net.max_pool("pool", net.act("third.act", x), 9, 1)
        return net.model()

    mended, broken = (judged(network(step), tmp_path) for step in (2.0**-6, 0.02))
    assert [(n.operator, n.label) for n in mended.nodes if n.refusals] == [("MaxPool", "pool")]
    assert {n.state for n in mended.nodes} == {EXACT, THRESHOLDS, REFUSED}
    assert [
        (n.label, n.state, n.refusals) for n in broken.nodes if (n.operator, n.label) != _SCALED
    ] == [(n.label, n.state, n.refusals) for n in mended.nodes if (n.operator, n.label) != _SCALED]
    (scaled,) = [n for n in broken.nodes if (n.operator, n.label) == _SCALED]
    assert [r.reason for r in scaled.refusals] == [
        "activation scale must be one power of two, not 0.02"
    ]


_SCALED = ("Quant", "act")

FOREIGN = {
    "mlp_of_bits": (
        [],
        {
            "Shape shape": [unsupported("Shape")],
            "Gather batch": [unsupported("Gather")],
            "Unsqueeze column": [unsupported("Unsqueeze")],
        },
        [
            "Concat target",
            "Reshape flat",
            "Sub centre",
            "BipolarQuant in",
            "MatMul fc",
            "BatchNormalization norm",
            "BipolarQuant out",
        ],
        [],
    ),
    "speech": (
        ["output 'norm2.BatchNormalization' is what float32 rounds on the way"],
        {
            "Quant in": ["takes the input as 8 signed, narrow bits times 0.83"],
            "MatMul fc1": ["weights need more than 8 bits on a power-of-two grid"],
            "Quant act1": ["activation scale must be one power of two, not 0.142857"],
        },
        [],
        ["BatchNormalization norm1", "Relu relu1", "BatchNormalization norm2"],
    ),
    "jet_tagger": (
        ["input 'x' is (1, 5)"],
        {
            "Quant in": ["takes the input as 6 signed bits times 0.03125"],
            "Quant act1": ["signed activations"],
            "Softmax softmax": [unsupported("Softmax")],
        },
        [],
        [],
    ),
    "one_bit_layer": (
        ["input 'x' is (1, 3)"],
        {
            "BipolarQuant in": ["reads the input before it is quantized", "activations of ±1"],
            "BipolarQuant out": ["activations of ±1"],
        },
        [],
        [],
    ),
    "channels_last": (
        [],
        {
            "Quant in": ["takes the input as 4 signed bits times 0.0625"],
            "Conv conv": ["channels come last (qonnx.custom_op.channels_last)"],
            "Resize up": [unsupported("Resize")],
        },
        ["LeakyRelu leaky", "Quant act", "Concat join"],
        [],
    ),
    "keras_image": (
        [],
        {
            "Transpose turn": ["transposes an activation"],
            "Selu selu": [unsupported("Selu")],
            "Softmax softmax": [unsupported("Softmax")],
        },
        ["Conv conv", "BatchNormalization norm", "Flatten flat"],
        [],
    ),
    "keras_series": (
        ["input 'x' is (1, 2, 4)"],
        {"Softmax softmax": [unsupported("Softmax")]},
        ["Conv conv", "Relu relu"],
        [],
    ),
    "float_mlp": (
        ["input 'x' is (70000, 3)", "output 'sigmoid.Sigmoid' is what float32 rounds on the way"],
        {
            "MatMul fc1": ["reads the input before it is quantized"],
            "MatMul fc2": ["its input is not quantized"],
        },
        [],
        ["Sigmoid sigmoid"],
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_files_of_other_tools(name, tmp_path):
    model = getattr(foreign_networks, name)()
    found = judged(model, tmp_path)
    whole, refused, waiting, thresholds = FOREIGN[name]
    assert [refusal.reason for refusal in found.refusals] == whole
    assert {
        f"{node.operator} {node.label}": [r.reason for r in node.refusals]
        for node in found.nodes
        if node.state is REFUSED
    } == refused
    called = [f"{n.operator} {n.label}" for n in found.nodes if n.state is NOT_REACHED]
    assert called == waiting
    called = [f"{n.operator} {n.label}" for n in found.nodes if n.state is THRESHOLDS]
    assert called == thresholds
    # Every node of the file stands in the table, in the file's order and by its own name.
    assert [n.onnx_name for n in found.nodes] == [node.name for node in model.graph.node]


def test_a_file_without_nodes_to_judge_is_one_error(tmp_path):
    with pytest.raises(SephwError, match="opset 6; opsets 7 to "):
        judged(foreign_networks.old_opset(), tmp_path)


@pytest.mark.parametrize("kind", sorted(HANDLERS))
def test_unknown_attributes_are_refused_whatever_the_node_reads(kind, tmp_path):
    """Of ONNX' own operators by onnx' checker, of QONNX' by the table."""
    net = OnnxNetwork(4, 4, 2)
    x = net.node("Shape", "unknown", [net.image()])
    (domain, *_) = HANDLERS[kind].domains
    count = HANDLERS[kind].inputs if domain else onnx.defs.get_schema(kind, 18).min_input
    net.node(kind, "odd", [x] * count, new_attribute=1, **({"domain": domain} if domain else {}))
    path = tmp_path / "odd.onnx"
    path.write_bytes(net.model().SerializeToString())
    if not domain:
        with pytest.raises(SephwError, match=r"checker refuses it .*Unrecognized attribute: new_a"):
            judge_qonnx(path)
        return
    odd = judge_qonnx(path).nodes[-1]
    assert odd.state is REFUSED and odd.operator == kind
    assert odd.refusals[0].reason == "attribute 'new_attribute' is not understood"


def taken_or_first_refusal(path: Path) -> str | None:
    try:
        read_qonnx(path)
    except SephwError as error:
        return str(error)
    return None


@pytest.mark.parametrize("seed", range(80))
def test_the_first_refusal_of_the_reader_is_among_all(seed, tmp_path):
    """On mutated files; what the reader takes, the walk takes whole, and the reverse."""
    base = several().model() if seed % 3 == 0 else onnx.load(inception(tmp_path / "i.onnx"))
    changed = mutated(base, 70_000 + seed)
    path = tmp_path / "mutated.onnx"
    path.write_bytes(changed if isinstance(changed, bytes) else changed.SerializeToString())
    first = taken_or_first_refusal(path)
    try:
        found = judge_qonnx(path)
    except SephwError as error:
        assert str(error) == first
        return
    whole = [(f"{path}: ", refusal) for refusal in found.refusals]
    nodes = [(f"{n.operator} '{n.label}': ", r) for n in found.nodes for r in n.refusals]
    said = [f"{where}{r.reason}" + (f"; {r.fix}" if r.fix else "") for where, r in whole + nodes]
    assert first is None or first in said
    assert (first is None) == (found.read is not None) == (not said)


def test_numbers_of_another_type_are_refused_and_gone_on_with(tmp_path):
    net = OnnxNetwork(5, 5, 2)
    x = net.act("act", net.conv("conv", net.image(), 3))
    net.nodes[-1].input[2] = net.constant("zero.int", 0, np.int64)
    net.max_pool("pool", x, 7, 1)
    found = judged(net.model(), tmp_path)
    assert [(n.label, [r.reason for r in n.refusals]) for n in found.nodes if n.refusals] == [
        ("act", ["input 2 is int64"]),
        ("pool", ["a kernel of 7 on 5 pixels padded by 0 and 0"]),
    ]


def test_weights_that_are_refused_do_not_hide_what_follows(tmp_path):
    net = OnnxNetwork(5, 5, 2)
    x = net.conv("wide", net.image(), 3)
    net.initializers = [
        onnx.numpy_helper.from_array(np.full((3, 2, 1, 1), 0.3, np.float32), t.name)
        if t.name == "wide.weight"
        else t
        for t in net.initializers
    ]
    x = net.act("act", x)
    net.max_pool("pool", x, 7, 1)
    found = judged(net.model(), tmp_path)
    assert [(n.label, [r.reason for r in n.refusals]) for n in found.nodes if n.refusals] == [
        ("wide", ["weights need more than 8 bits on a power-of-two grid"]),
        ("pool", ["a kernel of 7 on 5 pixels padded by 0 and 0"]),
    ]
