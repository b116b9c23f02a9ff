"""Bits of an adder graph's outputs that never change, against all values of the inputs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sephw.adder_graph import AdderGraph, Interval
from sephw.adder_graph.graph import Adder, Output
from sephw.ops.families.sizes import constant_output_bits


def test_by_hand():
    # x and y from 0 to 3; 3x = x + 2x, x − y.
    graph = AdderGraph(
        (Interval(0, 3), Interval(0, 3)),
        (Adder(0, 0, 0, 1, False), Adder(0, 0, 1, 0, True)),
        (
            Output(None),  # 0: all 8 bits
            Output(2, 1),  # 6x, 0 to 18: 4 bits change above one 0
            Output(3, 2),  # 4(x − y) has a sign: two 0
            Output(0, 0, True),  # −x: 0 − x, of which synthesis sees nothing
        ),
    )
    assert constant_output_bits(graph, 8) == 8 + 4 + 2 + 0


@settings(max_examples=60, deadline=None)
@given(
    low=st.integers(-4, 0),
    shifts=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.booleans()), max_size=5),
    subtract=st.booleans(),
)
def test_no_bit_that_is_counted_ever_changes(low, shifts, subtract):
    graph = AdderGraph(
        (Interval(low, 5), Interval(low, 5)),
        (Adder(0, 0, 1, 1, subtract),),
        tuple(Output(node, shift, negate) for node, shift, negate in shifts),
    )
    values = np.array([(x, y) for x in range(low, 6) for y in range(low, 6)])
    sums = values @ graph.matrix.T
    bits = sums[:, :, None] >> np.arange(10) & 1
    constant = int((bits == bits[:1]).all(axis=0).sum())
    assert 0 <= constant_output_bits(graph, 10) <= constant
