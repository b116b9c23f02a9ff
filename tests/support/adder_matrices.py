"""Matrices that every test of the adder graphs uses: (name, int64 (outputs, inputs), intervals)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sephw.adder_graph import Interval, MatrixProblem

UINT8 = Interval(0, 255)


def patterns(outputs: int, inputs: int, seed: int) -> NDArray[np.int64]:
    return 2 * np.random.default_rng(seed).integers(0, 2, (outputs, inputs), np.int64) - 1


def problem(name: str, matrix: NDArray[np.int64], interval: Interval = UINT8) -> MatrixProblem:
    return MatrixProblem(name, matrix, (interval,) * matrix.shape[1])


def small_integers(seed: int, outputs: int, inputs: int, bits: int) -> NDArray[np.int64]:
    half = 1 << (bits - 1)
    return np.random.default_rng(seed).integers(-half, half, (outputs, inputs), np.int64)


def odd_rows() -> NDArray[np.int64]:
    """A zero row and column, copies, negated and shifted copies, one input alone, all negative."""
    base = small_integers(3, 2, 6, 4)
    base[:, 2] = 0
    single = np.array([0, 0, 0, 5, 0, 0], np.int64)
    negative = np.array([-1, -1, 0, -1, -1, -1], np.int64)
    one = np.array([0, -1, 0, 0, 0, 0], np.int64)
    return np.stack([base[0], 0 * base[0], -base[0], 4 * base[1], base[1], single, negative, one])


def problems() -> list[MatrixProblem]:
    return [
        problem("random patterns", patterns(5, 18, 0)),
        problem("one pattern", patterns(1, 9, 1)),
        problem("two patterns", patterns(2, 25, 2)),
        problem("equal and opposite patterns", np.vstack([patterns(2, 9, 4), -patterns(2, 9, 4)])),
        problem("many patterns", patterns(14, 27, 5), Interval(0, 15)),
        problem("signed inputs", patterns(4, 12, 6), Interval(-16, 15)),
        problem("one input", np.array([[1], [-1], [7]], np.int64), Interval(-3, 9)),
        problem("4-bit weights", small_integers(7, 6, 8, 4)),
        problem("8-bit weights", small_integers(8, 5, 6, 8), Interval(-128, 127)),
        problem("odd rows", odd_rows(), Interval(-5, 200)),
        problem("zeros", np.zeros((2, 3), np.int64)),
    ]
