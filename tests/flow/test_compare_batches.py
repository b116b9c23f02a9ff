"""How many images are compared at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_graphs import network

from sephw.export.compare import BATCH, batch_size


@pytest.mark.parametrize(
    ("elements", "images"), [(1_000, BATCH), (1 << 23, BATCH), (1 << 24, 4), (1 << 30, 1)]
)
def test_all_layers_of_a_batch_fit_into_memory(elements, images):
    graph = network()
    first = next(iter(graph.tensors.values()))
    one = replace(first, height=1, width=elements, channels=1)
    assert batch_size(replace(graph, tensors={first.name: one})) == images
