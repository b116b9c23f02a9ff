"""Foreign QONNX: what is exact is read, what is not is refused by node name."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from sephw.errors import SephwError
from sephw.frontend import read_qonnx


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value, np.float32), name)


def quant(data, scale, output, bits="bits8", **attributes):
    settings = {"signed": 0, "narrow": 0, "rounding_mode": "FLOOR"} | attributes
    return helper.make_node(
        "Quant",
        [data, scale, "zero", bits],
        [output],
        name=f"quant_{output}",
        domain="qonnx.custom_op.general",
        **settings,
    )


def model(tmp_path, nodes, initializers, shape=(1, 2, 4, 4)):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)],
        [constant("zero", 0), constant("bits8", 8), constant("step", 2.0**-8), *initializers],
    )
    path = tmp_path / "foreign.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), path)
    return path


def refusal(tmp_path, nodes, initializers=(), **kwargs):
    with pytest.raises(SephwError) as error:
        read_qonnx(model(tmp_path, nodes, initializers, **kwargs))
    return str(error.value)


def test_a_hand_written_join_is_exact(tmp_path):
    """1×1 convolution with weights 3/8 and −5/4, scaled by 3/4, plus 1/16, on a grid of 1/16."""
    weights = np.array([[[[0.375]], [[-1.25]]], [[[0.0]], [[0.5]]]])
    nodes = [
        quant("x", "step", "q"),
        helper.make_node("Conv", ["q", "w"], ["acc"], name="conv"),
        helper.make_node("Mul", ["acc", "m"], ["scaled"], name="mul"),
        helper.make_node("Add", ["b", "scaled"], ["biased"], name="add"),
        helper.make_node("Relu", ["biased"], ["clipped"], name="relu"),
        quant("clipped", "sixteenth", "y"),
    ]
    extra = [
        constant("w", weights),
        constant("m", np.array([0.75, 1.5]).reshape(1, 2, 1, 1)),
        constant("b", 0.0625),
        constant("sixteenth", 0.0625),
    ]
    result = read_qonnx(model(tmp_path, nodes, extra))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 4, 4, 2))
    x = images / 256
    first = x[..., 0] * 0.375 - x[..., 1] * 1.25
    y = np.stack([first * 0.75, x[..., 1] * 0.5 * 1.5], axis=-1) + 0.0625
    want = np.clip(np.floor(np.maximum(y, 0) * 16), 0, 255).astype(np.int64)
    got = result.graph.run(images)[result.graph.outputs[0]]
    assert np.array_equal(got, want)


@pytest.mark.parametrize(("mantissa", "bits"), [(65793, None), (65795, 25)])
def test_the_budget_is_that_of_each_channel(tmp_path, mantissa, bits):
    """Channel 0 is wide, channel 1 narrow with a long factor: 255 · 65793 = 2^24 - 1 fits."""
    nodes = [
        quant("x", "step", "q"),
        helper.make_node("Conv", ["q", "w"], ["acc"], name="conv"),
        helper.make_node("Mul", ["acc", "m"], ["scaled"], name="mul"),
        quant("scaled", "sixteenth", "y"),
    ]
    extra = [
        constant("w", np.array([[[[127.0]], [[127.0]]], [[[1.0]], [[0.0]]]])),
        constant("m", np.array([2.0**-8, mantissa * 2.0**-17]).reshape(1, 2, 1, 1)),
        constant("sixteenth", 0.0625),
    ]
    graph = read_qonnx(model(tmp_path, nodes, extra)).graph
    assert graph.nodes[-1].operator.kind == ("join" if bits is None else "thresholds")
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 2))
    wide = (images.sum(3) * 127 * 16) >> 16
    # float32 rounds a product of 25 bits, as an executor of the file does.
    product = (images[..., 0] * mantissa * 2.0**-25).astype(np.float32)
    narrow = np.floor(product * np.float32(16)).astype(np.int64)
    if bits is not None:
        twice = [*nodes[:3], helper.make_node("Add", ["scaled", "acc"], ["s"], name="add")]
        # Twice the accumulator takes a bit more.
        assert refusal(tmp_path, [*twice, quant("s", "sixteenth", "y")], extra) == (
            f"Quant 'quant_y': needs {bits + 1} bits, more than float32 holds exactly; use "
            "weights, scales and biases of fewer bits, or fewer input channels"
        )
    want = np.clip(np.stack([wide, narrow], axis=3), 0, 255)
    assert np.array_equal(graph.run(images)[graph.outputs[0]], want)


def test_refusals_name_the_node(tmp_path):
    entry = quant("x", "step", "q")
    tenth = constant("tenth", 0.1)
    assert refusal(tmp_path, [entry, quant("q", "tenth", "y")], [tenth]) == (
        "Quant 'quant_y': activation scale must be one power of two, not 0.1; round it to one "
        "(sephw.nn.QuantReLU trains with one)"
    )
    assert refusal(tmp_path, [entry, quant("q", "step", "y", signed=1)]) == (
        "Quant 'quant_y': signed activations; put a Relu before it and set signed=0"
    )
    doubled = helper.make_node("Add", ["q", "q"], ["d"], name="add")
    rounded = [entry, doubled, quant("d", "step", "y", rounding_mode="ROUND")]
    assert refusal(tmp_path, rounded) == (
        "Quant 'quant_y': rounding_mode ROUND is not exact in hardware; use FLOOR, and add half "
        "a step to the bias before it (sephw.nn.freeze does)"
    )
    scaled = [
        entry,
        helper.make_node("Mul", ["q", "tenth"], ["y"], name="mul"),
        helper.make_node("Add", ["y", "q"], ["s"], name="add"),
        quant("s", "step", "z"),
    ]
    assert refusal(tmp_path, scaled, [tenth]).startswith("Quant 'quant_z': needs ")
    unread = [helper.make_node("Relu", ["x"], ["y"], name="relu")]
    assert refusal(tmp_path, unread) == (
        "Relu 'relu': reads the input before it is quantized; put a Quant of scale 1/256 and 8 "
        "unsigned bits (sephw's input) before it"
    )
    assert refusal(tmp_path, [entry, helper.make_node("Sin", ["q"], ["y"], name="sin")]).startswith(
        "Sin 'sin': operator Sin is not supported; express it with Add, AveragePool, "
    )
    mean = [entry, helper.make_node("GlobalAveragePool", ["q"], ["y"], name="pool")]
    assert refusal(tmp_path, mean, shape=(1, 2, 3, 3)) == (
        "GlobalAveragePool 'pool': an average over 9 pixels is not exact; use a ReduceSum "
        "over axes 2 and 3 and a Mul by 2^-4 (sephw.nn.GlobalPool2d)"
    )
    wide = constant("w", np.full((1, 2, 1, 1), 1 + 2.0**-9))
    conv = [entry, helper.make_node("Conv", ["q", "w"], ["y"], name="conv")]
    assert refusal(tmp_path, conv, [wide]) == (
        "Conv 'conv': weights need more than 8 bits on a power-of-two grid; give them a Quant of "
        "at most 8 bits and a power-of-two scale (stage BQ)"
    )


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(SephwError) as error:
        read_qonnx(tmp_path / "no.onnx")
    assert str(error.value) == f"{tmp_path / 'no.onnx'}: no such file; check the path"
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not onnx")
    with pytest.raises(SephwError) as error:
        read_qonnx(broken)
    text = str(error.value)
    assert text.startswith(f"{broken}: not an ONNX file, or damaged (DecodeError: ")
    assert text.endswith("; export it again") and "\n" not in text
