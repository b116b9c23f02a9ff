"""FIFO depths by hand: they take effect, strange names are refused."""

import pytest
from small_graphs import chain

from sephw.errors import UsageError
from sephw.passes import fold, set_fifo_depths


def test_depths_take_effect_and_nothing_else_changes():
    graph = fold(chain(), {}, 1000)
    made = graph.nodes[0].outputs[0]
    changed = set_fifo_depths(graph, {made: 77})
    assert changed.tensors[made].fifo_depth == 77
    assert graph.tensors[made].fifo_depth != 77
    others = [name for name in graph.tensors if name != made]
    assert all(changed.tensors[n] == graph.tensors[n] for n in others)
    assert changed.nodes == graph.nodes


def test_a_name_that_no_engine_has_is_refused():
    graph = fold(chain(), {}, 1000)
    made = graph.nodes[0].outputs[0]
    with pytest.raises(UsageError) as error:
        set_fifo_depths(graph, {f"{made}x": 7})
    text = str(error.value)
    assert text.startswith(f"folding: no engine has the output FIFO '{made}x'; close names: ")
    assert f"'{made}'" in text and text.endswith("; graph.json lists them all")
