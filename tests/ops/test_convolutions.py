"""Windows and convolutions against torch on feature maps; types, tables, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sephw.errors import SephwError
from sephw.ir import Folding, IntType
from sephw.ops import Conv8, PatternConv, SlidingWindow


@st.composite
def layers(draw):
    """A convolution: groups, channels, sizes, kernel, stride, padding."""
    groups = draw(st.sampled_from([1, 2, 4]))
    cin, cout = groups * draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    kernel, stride = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, (kernel - 1) // 2))
    least = max(1, kernel - 2 * padding)
    h, w = draw(st.integers(least, least + 6)), draw(st.integers(least, least + 6))
    return groups, cin, cout, kernel, stride, padding, h, w, draw(st.integers(0, 2**32 - 1))


@settings(max_examples=60, deadline=None)
@given(layers(), st.booleans())
def test_window_and_convolution_equal_torch(layer, pattern):
    groups, cin, cout, kernel, stride, padding, h, w, seed = layer
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 256, (2, h, w, cin), np.int64)
    weights = rng.integers(-128, 128, (cout, kernel, kernel, cin // groups), np.int64)
    if pattern:
        weights = np.where(weights < 0, -1, 1)
    expected = torch.nn.functional.conv2d(
        torch.tensor(x.transpose(0, 3, 1, 2)).double(),
        torch.tensor(weights.transpose(0, 3, 1, 2)).double(),
        stride=stride,
        padding=padding,
        groups=groups,
    )
    oh, ow = expected.shape[2:]
    window = SlidingWindow(
        height=h,
        width=w,
        channels=cin,
        dtype=IntType(8, False),
        kernel_height=kernel,
        kernel_width=kernel,
        stride=stride,
        padding_top=padding,
        padding_left=padding,
        output_height=oh,
        output_width=ow,
        groups=groups,
    )
    check_line_buffer(window)
    fields = {
        "height": oh,
        "width": ow,
        "in_channels": cin,
        "out_channels": cout,
        "kernel_height": kernel,
        "kernel_width": kernel,
        "groups": groups,
        "input_dtype": IntType(8, False),
    }
    flat = weights.reshape(cout, -1)
    conv = PatternConv(patterns=flat, **fields) if pattern else Conv8(weights=flat, **fields)
    (windows,) = window.reference(x)
    (found,) = conv.reference(windows)
    assert np.array_equal(found, expected.numpy().transpose(0, 2, 3, 1).astype(np.int64))


def check_line_buffer(op: SlidingWindow) -> None:
    """Play the schedule with a circular buffer of ``buffer_rows`` rows of row numbers."""
    lanes = op.channels // op.groups
    schedule = op.schedule(Folding(pe=lanes, simd=lanes))
    row_beats = op.width * op.groups
    slots = [[None] * row_beats for _ in range(op.buffer_rows)]
    wanted = iter(
        (op_y * op.stride - op.padding_top + ky, x * op.stride - op.padding_left + kx, group)
        for op_y in range(op.output_height)
        for x in range(op.output_width)
        for group in range(op.groups)
        for ky in range(op.kernel_height)
        for kx in range(op.kernel_width)
    )
    used = (op.output_height - 1) * op.stride - op.padding_top + op.kernel_height
    read = 0
    for reads, writes in zip(schedule.reads[0], schedule.writes[0], strict=True):
        if writes:
            y, x, group = next(wanted)
            if 0 <= y < op.height and 0 <= x < op.width:
                assert slots[y % op.buffer_rows][x * op.groups + group] == y
        if reads:
            row, beat = divmod(read, row_beats)
            if row < used:
                slots[row % op.buffer_rows][beat] = row
            read += 1
    assert next(wanted, None) is None
    assert read == op.height * row_beats


@pytest.mark.parametrize(("signed", "pattern"), [(s, p) for s in (0, 1) for p in (0, 1)])
def test_the_output_type_is_reached_and_never_left(signed, pattern):
    rng = np.random.default_rng(5)
    weights = rng.integers(-128, 128, (3, 20), np.int64)
    weights = np.where(weights < 0, -1, 1) if pattern else weights
    dtype = IntType(6, bool(signed))
    fields = {"height": 1, "width": 1, "in_channels": 20, "out_channels": 3, "input_dtype": dtype}
    conv = PatternConv(patterns=weights, **fields) if pattern else Conv8(weights=weights, **fields)
    extremes = [
        conv.reference(np.where((weights[c] > 0) == most, dtype.max, dtype.min)[None, None, None])
        for c in range(3)
        for most in (True, False)
    ]
    low, high = np.min(extremes), np.max(extremes)
    assert conv.output_type == IntType.covering(int(low), int(high))


def test_weights_at_the_ends_of_float32_stay_exact():
    # Partial sums beyond 2^24 (and, with 40-bit inputs, beyond 2^53) need wider arithmetic.
    for bits, channels in ((8, 1200), (12, 1200), (44, 900)):
        weights = np.full((1, channels), -127, np.int64)
        weights[0, ::2] = 127
        conv = Conv8(
            height=1,
            width=1,
            in_channels=channels,
            out_channels=1,
            input_dtype=IntType(bits, False),
            weights=weights,
        )
        x = np.full((1, 1, 1, channels), 2**bits - 1, np.int64)
        x[..., 1::2] -= 1
        assert conv.reference(x)[0].item() == 127 * (channels // 2)


def test_tables_are_word_major():
    patterns = np.where(np.random.default_rng(7).integers(0, 2, (8, 3 * 4)) > 0, 1, -1)
    conv = PatternConv(
        height=2,
        width=2,
        in_channels=8,
        out_channels=8,
        kernel_height=3,
        kernel_width=1,
        groups=2,
        input_dtype=IntType(8, False),
        patterns=patterns,
    )
    folding = Folding(pe=2, simd=2)
    (table,) = conv.hls(folding).tables
    neuron_folds, synapse_folds = 4 // 2, 12 // 2
    for group in range(2):
        for nf in range(neuron_folds):
            for sf in range(synapse_folds):
                for pe in range(2):
                    for s in range(2):
                        word = (group * neuron_folds + nf) * synapse_folds + sf
                        weight = patterns[group * 4 + nf * 2 + pe, sf * 2 + s]
                        assert table.values[word, pe * 2 + s] == (weight == 1)


def fields(**changes):
    return {
        "height": 1,
        "width": 1,
        "in_channels": 4,
        "out_channels": 4,
        "input_dtype": IntType(8, False),
        **changes,
    }


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: PatternConv(patterns=np.zeros((4, 4)), **fields()),
            "PatternConv: patterns hold 0; a pattern is −1 or +1 everywhere",
        ),
        (
            lambda: Conv8(weights=np.full((4, 4), 128), **fields()),
            "Conv8: weights hold 128; the range is −128..127",
        ),
        (
            lambda: Conv8(weights=np.ones((4, 3)), **fields()),
            "Conv8: weights have shape (4, 3), not (4, 4)",
        ),
        (
            lambda: Conv8(weights=np.ones((4, 4)), **fields(groups=3)),
            "Conv8: groups=3 does not divide in_channels=4",
        ),
        (
            lambda: Conv8(weights=np.ones((4, 4)), **fields(height=0)),
            "Conv8: height=0; it must be at least 1",
        ),
        (
            lambda: SlidingWindow(
                height=4,
                width=4,
                channels=1,
                dtype=IntType(8, False),
                kernel_height=3,
                kernel_width=3,
                padding_top=1,
                padding_left=1,
                stride=4,
                output_height=3,
                output_width=1,
            ),
            "SlidingWindow: a window of 3 rows with padding 1 and stride 4 lies wholly outside "
            "the 4 input rows",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(SephwError) as error:
        make()
    assert str(error.value) == message


def test_operators_cannot_be_changed():
    weights = np.ones((4, 4), np.int64)
    conv = Conv8(weights=weights, **fields())
    weights[:] = 2
    assert conv.weights.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        conv.weights[0] = 3


def test_work_and_memory_count_bits():
    conv = Conv8(weights=np.ones((4, 4)), **fields(height=3))
    assert (conv.work.macs_8bit, conv.work.weights_8bit, conv.work.macs_1bit) == (48, 16, 0)
    assert conv.memory(Folding(pe=4, simd=4)).weight_bits == 128
    assert conv.memory(Folding(pe=4, simd=4)).buffer_bits == 0
    assert conv.memory(Folding(pe=2, simd=4)).buffer_bits == 4 * 8
    pattern = PatternConv(patterns=np.ones((4, 4)), **fields())
    assert (pattern.work.macs_1bit, pattern.memory(Folding(1, 1)).weight_bits) == (16, 16)
