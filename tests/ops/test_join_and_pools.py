"""Join, pools, fork and converter: rounding, widths, refusals."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sephw.errors import SephwError
from sephw.ir import Folding, IntType
from sephw.ops import Fork, GlobalPool, Join, MaxPool, SlidingWindow, WidthConverter

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
            "Join: 5 branches; it takes 1 to 4: join some of them before",
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
