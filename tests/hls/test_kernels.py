"""Every kernel, every case of its operator: equal to the integer reference, no beat too many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from kernel_harness import compile_cases, run_cases

from sephw.ir import Case, Folding, IntType, Operator
from sephw.ops import OPERATORS, Conv8, Join, PatternConv, SlidingWindow

each_operator = pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.kind)


def assert_exact(cases: list[Case], directory: Path) -> None:
    for case, outputs in zip(cases, run_cases(cases, directory), strict=True):
        expected = case.operator.reference(*case.inputs)
        for got, want in zip(outputs, expected, strict=True):
            assert np.array_equal(got, want), f"{case.operator.kind}: {case.label}"


@each_operator
def test_kernel_equals_reference(operator: type[Operator], tmp_path: Path) -> None:
    assert_exact(list(operator.cases()), tmp_path)


@each_operator
@pytest.mark.parametrize("standard", ["c++11"])
def test_kernel_compiles_as_older_cxx(
    operator: type[Operator], standard: str, tmp_path: Path
) -> None:
    """The project scripts for Vitis HLS that hls4ml writes ask for C++11."""
    compile_cases(list(operator.cases())[:4], tmp_path, standard, "-fsyntax-only")


def test_random_windows(tmp_path: Path) -> None:
    """The row schedule over kernels, strides, paddings and maps smaller than the kernel."""
    rng = np.random.default_rng(20)
    cases: list[Case] = []
    while len(cases) < 24:
        height, width = rng.integers(1, 9, 2).tolist()
        kernel_height, kernel_width = rng.integers(1, 6, 2).tolist()
        stride, groups = int(rng.integers(1, 4)), int(rng.choice([1, 2]))
        top, left = int(rng.integers(kernel_height)), int(rng.integers(kernel_width))
        # Any output size whose last window still touches the map.
        rows = int(rng.integers(1, (height - 1 + top) // stride + 2))
        columns = int(rng.integers(1, (width - 1 + left) // stride + 2))
        operator = SlidingWindow(
            height=height,
            width=width,
            channels=4,
            dtype=IntType(8, signed=False),
            kernel_height=kernel_height,
            kernel_width=kernel_width,
            stride=stride,
            padding_top=top,
            padding_left=left,
            output_height=rows,
            output_width=columns,
            groups=groups,
        )
        lanes = int(rng.choice([1, 2]))
        frames = rng.integers(0, 256, (2, height, width, 4))
        for folding in (Folding(lanes, lanes), *operator.further_foldings()):
            cases.append(Case(f"window {len(cases)}", operator, folding, (frames,)))
    assert_exact(cases, tmp_path)


def test_folded_convolutions(tmp_path: Path) -> None:
    """Every folding of two grouped layers computes the same."""
    rng = np.random.default_rng(21)
    shape = {
        "height": 2,
        "width": 3,
        "in_channels": 4,
        "out_channels": 8,
        "kernel_height": 3,
        "kernel_width": 1,
        "groups": 2,
        "input_dtype": IntType(8, signed=False),
    }
    patterns = rng.choice([-1, 1], (8, 6))
    weights = rng.integers(-128, 128, (8, 6))
    for operator in (PatternConv(patterns=patterns, **shape), Conv8(weights=weights, **shape)):
        frames = rng.integers(0, 256, (3, *operator.input_shapes[0]))
        directory = tmp_path / operator.kind
        directory.mkdir()
        assert_exact(
            [
                Case(str(f), operator, f, (frames,))
                for f in (*operator.legal_foldings(), *operator.further_foldings())
            ],
            directory,
        )


def test_sums_beyond_32_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(22)
    wide = IntType(28, signed=True)
    conv = Conv8(
        height=1,
        width=2,
        in_channels=8,
        out_channels=2,
        input_dtype=wide,
        weights=rng.choice([-128, 127], (2, 8)),
    )
    frames = rng.choice([wide.min, wide.max], (3, 1, 2, 8)).astype(np.int64)
    sums = IntType(40, signed=True)
    join = Join(
        height=1,
        width=2,
        channels=2,
        input_dtypes=(sums, sums),
        output_dtype=IntType(32, True),
        mantissas=np.array([[15, -15], [-15, 15]]),
        shifts=np.array([[0, 3], [4, 0]]),
        bias=np.array([1 << 40, -(1 << 41)]),
        shift=9,
    )
    branches = tuple(rng.integers(sums.min, sums.max + 1, (4, 1, 2, 2)) for _ in range(2))
    for label, case in (
        ("conv8", Case("wide", conv, Folding(pe=1, simd=4), (frames,))),
        ("join", Case("wide", join, Folding(pe=2, simd=2), branches)),
    ):
        directory = tmp_path / label
        directory.mkdir()
        assert_exact([case], directory)
