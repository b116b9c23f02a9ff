"""An Inception network in every representation: QONNX, integers, C++, SystemVerilog, cycles."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_networks import OnnxNetwork, inception, strided

from sephw.backends import hls4ml, rtl
from sephw.errors import SephwError
from sephw.frontend import capture_qonnx, read_qonnx
from sephw.ops import AveragePool, Concat
from sephw.passes import FoldingFile, lower
from sephw.sim import cycles

PART = "xc7z020clg400-1"


NETWORKS = {"inception": inception, "strided": strided}


@pytest.fixture(scope="module", params=NETWORKS)
def path(request, tmp_path_factory):
    name = request.param
    return NETWORKS[name](tmp_path_factory.mktemp(name) / f"{name}.onnx")


@pytest.fixture(scope="module")
def result(path):
    return read_qonnx(path)


def images_of(graph):
    shape = graph.tensors[graph.inputs[0]].shape
    return np.random.default_rng(5).integers(0, 256, (4, *shape), np.int64)


def folded(graph, frame_cycles):
    return lower(graph, FoldingFile({}, frame_cycles))


def test_every_layer_of_the_file_is_equal(path, result):
    images = images_of(result.graph)
    found = capture_qonnx(path, result.layers, images)
    values = result.graph.run(images)
    nodes = {node.module for node in result.graph.nodes}
    assert {layer.module for layer in result.layers} == nodes
    for layer in result.layers:
        assert np.array_equal(found[layer.tensor], values[layer.tensor]), layer.module
        assert len(np.unique(values[layer.tensor])) > 4, layer.module


def test_operators(tmp_path):
    graph = read_qonnx(inception(tmp_path / "inception.onnx")).graph
    kinds = [type(node.operator) for node in graph.nodes]
    assert (kinds.count(Concat), kinds.count(AveragePool)) == (2, 1)
    first = next(n.operator for n in graph.nodes if n.name == "first_join")
    assert first.channels == (4, 8, 4, 4)


@pytest.mark.parametrize("frame_cycles", [1500, 6000])
def test_hardware(result, frame_cycles, tmp_path):
    """Values in C++ and RTL, and the RTL's cycles under back-pressure, equal the models'."""
    images = images_of(result.graph)
    graph = folded(result.graph, frame_cycles)
    golden = graph.run(images)
    output = graph.outputs[0]
    if frame_cycles == 1500:
        hls4ml.write_project(
            graph,
            tmp_path / "hls",
            clock_ns=5.0,
            part=PART,
            samples=images.astype(np.uint8),
            golden=golden[output],
        )
        found = hls4ml.compile_project(tmp_path / "hls").run(images.astype(np.uint8))
        for tensor, values in golden.items():
            assert np.array_equal(found[tensor], values), tensor
    rtl.write_project(
        graph, tmp_path / "rtl", samples={graph.inputs[0]: images}, golden={output: golden[output]}
    )
    compiled = rtl.compile_project(tmp_path / "rtl")
    rng = np.random.default_rng(1)
    slow, quick = rng.random(1013) < 0.15, rng.random(1013) < 0.6
    for gaps, stalls in ((None, None), (quick, slow), (slow, quick)):
        run = compiled.run(images, source_gaps=gaps, sink_stalls=stalls, check_stable=True)
        expected = cycles.run(graph, images, source_gaps=gaps, sink_stalls=stalls)
        for tensor in graph.tensors:
            assert np.array_equal(run.values[tensor], golden[tensor]), tensor
            assert np.array_equal(run.pops[tensor], expected.pops[tensor]), tensor


def test_more_inputs_than_an_engine_takes(tmp_path):
    net = OnnxNetwork(3, 4, 2)
    x = net.image()
    parts = [net.act(f"b{n}.act", net.conv(f"b{n}", x, 1 + n % 3)) for n in range(19)]
    net.concat("wide", *parts)
    result = read_qonnx(net.save(tmp_path / "wide.onnx"))
    joins = [n for n in result.graph.nodes if isinstance(n.operator, Concat)]
    assert [len(n.inputs) for n in joins] == [8, 8, 5]
    images = np.random.default_rng(2).integers(0, 256, (2, 3, 4, 2), np.int64)
    values = result.graph.run(images)
    names = [node.outputs[0] for node in result.graph.nodes if node.name.endswith("_act")]
    expected = np.concatenate([values[name] for name in names], axis=3)
    assert np.array_equal(values[result.graph.outputs[0]], expected)
    # Nineteen readers: forks behind forks, and still no deadlock.
    graph = folded(result.graph, 500)
    run = cycles.run(graph, images)
    assert np.array_equal(run.values[graph.outputs[0]].reshape(expected.shape), expected)


@pytest.mark.parametrize("kernel", [2, 3, 4, 6])
def test_onnxruntime_averages_every_sum_exactly(kernel, tmp_path):
    """All sums that k×k bytes have, by ONNX Runtime: the division, then the factor."""
    count = kernel * kernel
    sums = np.arange(count * 255 + 1)
    pixels = np.minimum(np.maximum(sums[:, None] - 255 * np.arange(count), 0), 255)
    x = pixels.reshape(len(sums), 1, kernel, kernel)
    factor = np.float32(count * 2.0 ** -(count - 1).bit_length())
    graph = helper.make_graph(
        [
            helper.make_node("AveragePool", ["x"], ["a"], kernel_shape=[kernel] * 2),
            helper.make_node("Mul", ["a", "f"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(factor.reshape(()), "f")],
    )
    import onnxruntime

    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    (found,) = session.run(None, {"x": (x / 256).astype(np.float32)})
    exact = sums / 256 * 2.0 ** -(count - 1).bit_length()
    assert (found.ravel().astype(np.float64) == exact).all()


def refusal(net: OnnxNetwork, tmp_path) -> str:
    with pytest.raises(SephwError) as error:
        read_qonnx(net.save(tmp_path / "refused.onnx"))
    return str(error.value)


def test_refusals(tmp_path):
    net = OnnxNetwork(4, 4, 2)
    x = net.image()
    one = net.act("a", net.conv("a.conv", x, 2))
    other = net.act("b", net.conv("b.conv", x, 2), step_bits=7)
    net.concat("block", one, other)
    assert refusal(net, tmp_path) == (
        "Concat 'block': 'b' has steps of 2^-7 and uint8, 'a' 2^-8 and uint8; give their "
        "quantizers one scale and bit width"
    )
    net.nodes.pop()
    narrow = net.act("c", net.conv("c.conv", x, 2), bits=4)
    net.concat("block", one, narrow)
    assert refusal(net, tmp_path) == (
        "Concat 'block': 'c' has steps of 2^-8 and uint4, 'a' 2^-8 and uint8; give their "
        "quantizers one scale and bit width"
    )
    net.nodes.pop()
    net.concat("block", one, net.max_pool("p", one, 2, 2))
    assert refusal(net, tmp_path) == "Concat 'block': 'p' is 2×2, 'a' 4×4; make them equal"
    net.nodes.pop()
    net.concat("block", one, one, axis=2)
    assert refusal(net, tmp_path) == (
        "Concat 'block': joins axis 2; only channels are joined, use axis 1"
    )
    net.nodes.pop()
    net.concat("block", one, net.conv("d", x, 2))
    assert refusal(net, tmp_path) == (
        "Concat 'block': its input is not quantized; put a quantizer (Quant; sephw.nn.QuantReLU) "
        "before it"
    )


def test_averages_that_are_not_exact_are_refused(tmp_path):
    net = OnnxNetwork(6, 6, 2)
    x = net.image()
    net.average_pool("pool", x, 3, 1, 1)
    net.nodes.pop()
    net.shapes["pool.AveragePool"] = 2
    net.quant("act", "pool.AveragePool")
    assert refusal(net, tmp_path) == (
        "Quant 'act': reads an average over 9 values, which is not exact; multiply it by 9·2^-4 "
        "first (a sum times a power of two)"
    )
    net = OnnxNetwork(6, 6, 2)
    net.average_pool("pool", net.image(), 5, 1, 2)
    assert refusal(net, tmp_path) == (
        "Mul 'pool': float32 rounds averages over 25 values times 0.78125; write the sum as a "
        "depthwise convolution with weights 1, or pool 3×3"
    )
    net = OnnxNetwork(6, 6, 2)
    net.average_pool("pool", net.image(), 3, 1, 1)
    del net.nodes[-2].attribute[:]
    net.nodes[-2].attribute.extend(
        [
            helper.make_attribute("kernel_shape", [3, 3]),
            helper.make_attribute("pads", [1] * 4),
        ]
    )
    assert refusal(net, tmp_path) == (
        "AveragePool 'pool': averages at the border are over fewer values; use count_include_pad=1"
    )
