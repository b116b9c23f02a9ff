"""Number helpers of the contract against exact rational arithmetic and brute force."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sephw.frontend.values import dyadic, integer_rows
from sephw.nn.freeze.terms import normalize, shift_round
from sephw.nn.layers import pool_exponent, round_to_mantissa
from sephw.nn.transition import best_exponent

finite = st.floats(1e-9, 1e6).flatmap(lambda v: st.sampled_from([v, -v])) | st.just(0.0)


@given(st.lists(finite, min_size=1, max_size=8), st.integers(1, 8))
def test_round_to_mantissa_is_nearest(values, bits):
    scale = torch.tensor(values, dtype=torch.float64)
    rounded = round_to_mantissa(scale, bits)
    for value, result in zip(values, rounded.tolist(), strict=True):
        if value == 0:
            assert result == 0
            continue
        power = math.floor(math.log2(abs(value))) - (bits - 1)
        candidates = [
            Fraction(m) * Fraction(2) ** power for m in range(2 ** (bits - 1), 2**bits + 1)
        ]
        best = min(abs(c - abs(Fraction(value))) for c in candidates)
        assert abs(abs(Fraction(result)) - abs(Fraction(value))) == best
        assert (result < 0) == (value < 0)
        mantissa = Fraction(result) / Fraction(2) ** power
        assert mantissa.denominator == 1
        odd = abs(int(mantissa))
        while odd % 2 == 0:
            odd //= 2
        assert odd < 2**bits


def test_round_to_mantissa_passes_the_gradient():
    scale = torch.tensor([0.3, -1.7, 0.0], requires_grad=True)
    round_to_mantissa(scale, 4).sum().backward()
    assert scale.grad.tolist() == [1, 1, 1]


@given(st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=8), st.integers(0, 12))
def test_shift_round_is_round_half_away(values, shift):
    result = shift_round(np.array(values, np.int64), np.full(len(values), shift))
    for value, got in zip(values, result.tolist(), strict=True):
        exact = Fraction(abs(value), 2**shift)
        want = math.floor(exact + Fraction(1, 2)) * (1 if value >= 0 else -1)
        assert got == want


@given(st.lists(st.integers(-(2**15), 2**15), min_size=1, max_size=8), st.integers(-20, 20))
def test_normalize_keeps_the_number_and_makes_it_odd(values, exponent):
    mantissa, power = normalize(np.array(values, np.int64), np.full(len(values), exponent))
    for value, m, p in zip(values, mantissa.tolist(), power.tolist(), strict=True):
        assert Fraction(value) / Fraction(2) ** exponent == Fraction(m) / Fraction(2) ** p
        assert (m % 2 == 1) if value else (m, p) == (0, 0)


@given(st.lists(finite, min_size=1, max_size=8))
def test_dyadic_is_exact(values):
    mantissa, power = dyadic(np.array(values), "x", limit_bits=53)
    for value, m, p in zip(values, mantissa.tolist(), power.tolist(), strict=True):
        assert Fraction(value) == Fraction(m) / Fraction(2) ** p


def test_dyadic_refuses_wide_mantissas():
    with pytest.raises(Exception, match="x: a scale needs 52 mantissa bits; scales must be dyadic"):
        dyadic(np.array([0.1]), "x")


@given(
    st.lists(st.lists(st.integers(-128, 127), min_size=3, max_size=3), min_size=1, max_size=4),
    st.integers(-5, 12),
)
def test_integer_rows_is_exact(rows, exponent):
    weights = np.array(rows, np.float64) * 2.0**-exponent
    integers, powers = integer_rows(weights, "w")
    assert (np.ldexp(integers.astype(float), -powers[:, None]) == weights).all()
    assert (np.abs(integers) <= 128).all()


@given(st.integers(1, 5000))
def test_pool_exponent_is_ceil_log2(pixels):
    exponent = pool_exponent(pixels)
    assert 2**exponent >= pixels and (exponent == 0 or 2 ** (exponent - 1) < pixels)


def test_best_exponent_has_the_least_error():
    values = torch.rand(500, generator=torch.Generator().manual_seed(1)) * 3
    errors = {}
    for f in range(-8, 17):
        q = [min(max(math.floor(v * 2.0**f + 0.5), 0), 255) for v in values.tolist()]
        errors[f] = sum((a * 2.0**-f - v) ** 2 for a, v in zip(q, values.tolist(), strict=True))
    assert best_exponent(values, 8) == min(errors, key=errors.get) == 6
