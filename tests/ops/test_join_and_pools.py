"""Join, pools, fork and converter: rounding, widths, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sephw.errors import SephwError
from sephw.ir import Folding, IntType
from sephw.ops import (
    AveragePool,
    Concat,
    Fork,
    GlobalPool,
    Join,
    MaxPool,
    SlidingWindow,
    WidthConverter,
)

BYTE = IntType(8, False)
SUM = IntType(20, True)


def join(mantissas, shifts, bias, *, shift=0, inputs=(SUM,), output=BYTE):
    return Join(
        height=1,
        width=1,
        channels=len(bias),
        input_dtypes=inputs,
        mantissas=np.array(mantissas),
        shifts=np.array(shifts),
        bias=np.array(bias),
        shift=shift,
        output_dtype=output,
    )


@pytest.mark.parametrize(
    ("x", "expected"), [(-1, -1), (-8, -1), (-9, -2), (7, 0), (8, 1), (500, 7), (-500, -8)]
)
def test_join_floors_and_saturates(x, expected):
    operator = join([[1]], [[0]], [0], shift=3, output=IntType(4, True))
    assert operator.reference(np.array([[[[x]]]]))[0].item() == expected


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 4),
    st.integers(0, 20),
    st.lists(st.integers(-(2**19), 2**19 - 1), min_size=4, max_size=4),
    st.integers(0, 2**32 - 1),
)
def test_join_sum_fits_its_accumulator_in_any_order(branches, shift, values, seed):
    rng = np.random.default_rng(seed)
    operator = join(
        rng.integers(-127, 128, (branches, 1)),
        rng.integers(0, 8, (branches, 1)),
        rng.integers(-(2**15), 2**15, 1),
        shift=shift,
        inputs=(SUM,) * branches,
    )
    terms = [int(operator.bias[0])]
    for j in range(branches):
        terms.append(int(operator.mantissas[j, 0]) * values[j] << int(operator.shifts[j, 0]))
    for order in (terms, terms[::-1]):
        total = 0
        for term in order:
            total += term
            assert operator.acc_type.min <= total <= operator.acc_type.max
    x = [np.array([[[[v]]]]) for v in values[:branches]]
    assert operator.reference(*x)[0].item() == max(0, min(255, sum(terms) >> shift))


def test_max_pool_equals_torch():
    x = np.random.default_rng(1).integers(0, 256, (2, 7, 6, 4), np.int64)
    expected = torch.nn.functional.max_pool2d(
        torch.tensor(x.transpose(0, 3, 1, 2)).double(), 3, stride=2, padding=1
    )
    for groups in (1, 2, 4):
        window = SlidingWindow(
            height=7,
            width=6,
            channels=4,
            dtype=BYTE,
            kernel_height=3,
            kernel_width=3,
            stride=2,
            padding_top=1,
            padding_left=1,
            output_height=4,
            output_width=3,
            groups=groups,
        )
        pool = MaxPool(
            height=4,
            width=3,
            channels=4,
            kernel_height=3,
            kernel_width=3,
            groups=groups,
            dtype=BYTE,
        )
        found = pool.reference(*window.reference(x))[0]
        assert np.array_equal(found, expected.numpy().transpose(0, 2, 3, 1).astype(np.int64))


@st.composite
def pools(draw):
    """Kernel, stride, padding and a map that has at least one window."""
    kernel = draw(st.tuples(st.integers(1, 5), st.integers(1, 5)))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    size = tuple(
        draw(st.integers(max(1, k - 2 * p), k + 6)) for k, p in zip(kernel, padding, strict=True)
    )
    return kernel, draw(st.integers(1, 3)), padding, size, draw(st.integers(0, 2**32 - 1))


@settings(max_examples=60, deadline=None)
@given(pools())
def test_average_pool_is_the_padded_sum(pool):
    kernel, stride, padding, size, seed = pool
    x = np.random.default_rng(seed).integers(0, 256, (2, *size, 4), np.int64)
    # Ones for weights, one group a channel: sums, without a division.
    expected = torch.nn.functional.conv2d(
        torch.tensor(x.transpose(0, 3, 1, 2)).double(),
        torch.ones(4, 1, *kernel).double(),
        stride=stride,
        padding=padding,
        groups=4,
    )
    for groups in (1, 2):
        window = SlidingWindow(
            height=size[0],
            width=size[1],
            channels=4,
            dtype=BYTE,
            kernel_height=kernel[0],
            kernel_width=kernel[1],
            stride=stride,
            padding_top=padding[0],
            padding_left=padding[1],
            output_height=expected.shape[2],
            output_width=expected.shape[3],
            groups=groups,
        )
        operator = AveragePool(
            height=expected.shape[2],
            width=expected.shape[3],
            channels=4,
            kernel_height=kernel[0],
            kernel_width=kernel[1],
            groups=groups,
            dtype=BYTE,
        )
        (found,) = operator.reference(*window.reference(x))
        assert np.array_equal(found, expected.numpy().transpose(0, 2, 3, 1).astype(np.int64))


def test_average_pool_type_is_the_largest_sum():
    fields = {"height": 1, "width": 1, "channels": 1, "kernel_height": 3, "kernel_width": 3}
    assert AveragePool(dtype=BYTE, **fields).output_types == (IntType(12, False),)
    signed = AveragePool(dtype=IntType(8, True), **fields)
    assert signed.output_types == (IntType(12, True),)
    assert signed.reference(np.full((1, 1, 1, 9), -128))[0].item() == 9 * -128


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 6), min_size=2, max_size=8),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_concat_by_its_schedule(counts, lanes, height, seed):
    """Beats taken in the order of the schedule, put down one after the other, are the result."""
    channels = tuple(lanes * count for count in counts)
    operator = Concat(height=height, width=2, channels=channels, dtype=BYTE)
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(0, 256, (1, height, 2, count)) for count in channels]
    schedule = operator.schedule(Folding(lanes, lanes))
    waiting = [iter(x.reshape(-1, lanes)) for x in inputs]
    taken = [
        next(waiting[port])
        for issue in range(schedule.issues)
        for port in range(len(channels))
        if schedule.reads[port][issue]
    ]
    assert all(next(rest, None) is None for rest in waiting)
    assert (np.sum(schedule.reads, axis=0) == 1).all() and schedule.writes[0].all()
    expected = torch.cat([torch.tensor(x) for x in inputs], dim=3).numpy()
    assert np.array_equal(np.concatenate(taken), expected.ravel())
    assert np.array_equal(operator.reference(*inputs)[0], expected)


def test_lanes_of_a_concat_divide_every_input():
    operator = Concat(height=1, width=1, channels=(12, 18, 30), dtype=BYTE)
    assert [folding.simd for folding in operator.legal_foldings()] == [1, 2, 3, 6]
    with pytest.raises(SephwError) as error:
        operator.check_folding(Folding(4, 4), "Concat 'net.block'")
    assert str(error.value) == "Concat 'net.block': pe=4 is not legal; legal pe: 1, 2, 3, 6"


def test_global_pool_type_is_the_largest_sum():
    operator = GlobalPool(height=8, width=8, channels=1, dtype=BYTE)
    assert operator.output_types == (IntType(14, False),)
    x = np.full((1, 8, 8, 1), 255)
    assert operator.reference(x)[0].item() == 64 * 255


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: join(np.ones((5, 1)), np.zeros((5, 1)), [0], inputs=(BYTE,) * 5),
            "Join: 5 branches; it takes 1 to 4: quantize a sum of some of them before",
        ),
        (
            lambda: join([[1, 2]], [[0, 0]], [0]),
            "Join: mantissas has shape (1, 2), not (1, 1)",
        ),
        (
            lambda: join([[1]], [[-1]], [0]),
            "Join: a shift is negative; scale mantissas and bias up instead",
        ),
        (
            lambda: join([[127]], [[40]], [0]),
            "Join: its sum takes 67 bits; at most 63 are computed exactly",
        ),
        (
            lambda: Concat(height=1, width=1, channels=(1,) * 9, dtype=BYTE),
            "Concat: 9 inputs; it takes 2 to 8: concatenate some before",
        ),
        (
            lambda: Concat(height=1, width=1, channels=(4, 0), dtype=BYTE),
            "Concat: channels=(4, 0); each input must have at least 1",
        ),
        (
            lambda: Fork(height=1, width=1, channels=1, dtype=BYTE, copies=5),
            "Fork: copies=5; it makes 2 to 4: fork a copy again for more",
        ),
        (
            lambda: WidthConverter(
                height=2, width=1, channels=12, dtype=BYTE, lanes_in=4, lanes_out=6
            ),
            "WidthConverter: neither of lanes_in=4 and lanes_out=6 divides the other; "
            "convert by way of their greatest common divisor",
        ),
        (
            lambda: WidthConverter(
                height=1, width=1, channels=6, dtype=BYTE, lanes_in=2, lanes_out=4
            ),
            "WidthConverter: lanes_out=4 does not divide 6 elements",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(SephwError) as error:
        make()
    assert str(error.value) == message


def test_a_converter_has_one_folding():
    operator = WidthConverter(height=2, width=2, channels=8, dtype=BYTE, lanes_in=8, lanes_out=2)
    assert operator.legal_foldings() == (Folding(pe=2, simd=8),)
    schedule = operator.schedule(operator.folding)
    assert schedule.reads[0].tolist() == [1, 0, 0, 0] * 4
    assert schedule.writes[0].tolist() == [1] * 16
