"""Proof that an adder graph multiplies by a given matrix."""

from __future__ import annotations

import numpy as np

from sephw.adder_graph.graph import AdderGraph, Integers
from sephw.errors import SephwError


def check(graph: AdderGraph, matrix: Integers, *, vectors: int = 16) -> None:
    """Compare ``graph`` with int64 (outputs, inputs).

    A graph is linear, so its coefficients decide; random vectors within the input intervals, and
    both ends of these, go through the additions as well. Raises SephwError naming a difference.
    """
    made = graph.matrix
    if made.shape != matrix.shape:
        raise SephwError(
            f"adder graph: it computes {made.shape[0]}×{made.shape[1]}, the matrix is "
            f"{matrix.shape[0]}×{matrix.shape[1]}; solve it again for this matrix"
        )
    if not np.array_equal(made, matrix):
        row, column = np.argwhere(made != matrix)[0].tolist()
        raise SephwError(
            f"adder graph: output {row} takes input {column} times {made[row, column]}, the "
            f"matrix says {matrix[row, column]}; solve it again for this matrix"
        )
    low = np.array([i.low for i in graph.inputs], np.int64)
    high = np.array([i.high for i in graph.inputs], np.int64)
    drawn = np.random.default_rng(0).integers(low, high + 1, (vectors, len(low)))
    data = np.vstack([low, high, drawn])
    expected = data @ matrix.T
    found = graph.evaluate(data)
    if not np.array_equal(found, expected):
        vector, output = np.argwhere(found != expected)[0].tolist()
        raise SephwError(
            f"adder graph: output {output} of vector {vector} is {found[vector, output]}, the "
            f"matrix gives {expected[vector, output]}; solve it again for this matrix"
        )
