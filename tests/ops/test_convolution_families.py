"""Adder families of 8-bit convolutions: lanes, streams around them, intervals, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from small_graphs import BYTE, network

from sephw.errors import SephwError
from sephw.ir import Folding
from sephw.ops import BitParallel, Conv8, DigitSerial
from sephw.passes import FoldingFile, LoweringStage, fold, lower

ADDERS = Folding(engine=BitParallel())
DIGITS = Folding(engine=DigitSerial(4))


def test_a_pixel_is_the_window_of_a_1x1_convolution():
    graph = fold(network(), {"reduce_node": ADDERS, "linear_node": DIGITS}, 2000)
    foldings = {node.name: node.folding for node in graph.nodes}
    assert foldings["reduce_node"] == Folding(4, 8, BitParallel())
    assert foldings["linear_node"] == Folding(10, 8, DigitSerial(4))
    wired = lower(graph, None, until=LoweringStage.WIDTH_CONVERTERS)
    (reduce,) = (node for node in wired.nodes if node.name == "reduce_node")
    source = wired.stream(reduce.inputs[0])
    assert (source.lanes, source.words) == (8, 8 * 8)


def test_the_window_before_a_kxk_convolution_follows():
    graph = fold(network(), {"stem_conv_node": ADDERS}, 2000)
    foldings = {node.name: node.folding for node in graph.nodes}
    assert foldings["stem_conv_node"] == Folding(8, 27, BitParallel())
    assert foldings["image_window3_node"] == Folding(pe=27, simd=3)


def test_networks_in_adder_families_compute_the_same():
    convolutions = {
        node.name: ADDERS for node in network().nodes if isinstance(node.operator, Conv8)
    }
    plain = network()
    adders = lower(network(), FoldingFile(convolutions, 2000), until=LoweringStage.WIDTH_CONVERTERS)
    images = np.random.default_rng(3).integers(0, 256, (2, 8, 8, 3))
    expected, found = plain.run(images), adders.run(images)
    assert np.array_equal(found[adders.outputs[0]], expected[plain.outputs[0]])


@pytest.mark.parametrize(("weight", "cycles"), [(0, 4), (1, 4), (-1, 5), (127, 8)])
def test_digits_of_the_wider_of_input_and_sum(weight, cycles):
    """A weight of 1 keeps 8 bits, −1 needs a sign, 127 has 15; zeros sum to one bit."""
    conv = Conv8(
        height=1,
        width=1,
        in_channels=1,
        out_channels=1,
        input_dtype=BYTE,
        weights=np.array([[weight]]),
    )
    folding = next(f for f in conv.further_foldings() if f.engine == DigitSerial(2))
    assert conv.schedule(folding).interval_cycles == cycles
    assert conv.frame_cycles(folding) == cycles


def test_no_memory():
    conv = Conv8(
        height=2,
        width=2,
        in_channels=2,
        out_channels=2,
        input_dtype=BYTE,
        weights=np.array([[3, 5], [7, -9]]),
    )
    for folding in conv.further_foldings():
        memory = conv.memory(folding)
        assert (memory.weight_bits, memory.buffer_bits) == (0, 0)
        assert conv.rtl(folding).memories == ()
        assert conv.hls(folding).tables == ()


@pytest.mark.parametrize(
    ("folding", "message"),
    [
        (
            Folding(engine=DigitSerial(3)),
            "Conv8 'net.reduce': digit_bits=3 is not legal; legal digit_bits: 1, 2, 4, 8",
        ),
        (
            Folding(2, 8, BitParallel()),
            "Conv8 'net.reduce': pe=2 is not legal; legal pe: 4",
        ),
        (
            Folding(4, 4, BitParallel()),
            "Conv8 'net.reduce': simd=4 is not legal; legal simd: 8",
        ),
    ],
    ids=str,
)
def test_refusals(folding, message):
    with pytest.raises(SephwError) as error:
        fold(network(), {"reduce_node": folding}, 2000)
    assert str(error.value) == message
