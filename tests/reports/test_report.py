"""Report figures against counts done by hand, and the three renderers."""

import io
import json

import numpy as np
import pytest
from rich.console import Console

from sephw.ir import Folding, Graph, IntType, Node, Tensor
from sephw.ops import Conv8, PatternConv
from sephw.reports import (
    Source,
    Subject,
    as_dict,
    build_report,
    model_bytes,
    render_text,
    slowest_table,
)
from sephw.reports.speed import Speed
from sephw.sim.latency import Latency
from sephw.sim.timing import Timing

UINT8 = IntType(8, signed=False)


@pytest.fixture(scope="module")
def report():
    # 1x1 map of 9*4 inputs -> 3 pattern responses; then 3 -> 2 classes with 8-bit weights.
    pattern = PatternConv(
        height=1,
        width=1,
        in_channels=4,
        out_channels=3,
        kernel_height=3,
        kernel_width=3,
        groups=1,
        input_dtype=UINT8,
        patterns=np.ones((3, 36), np.int64),
    )
    middle = pattern.output_types[0]
    dense = Conv8(
        height=1,
        width=1,
        in_channels=3,
        out_channels=2,
        kernel_height=1,
        kernel_width=1,
        groups=1,
        input_dtype=middle,
        weights=np.full((2, 3), -3, np.int64),
    )
    graph = Graph(
        "tiny",
        (
            Node("n0", "prb.pattern", pattern, ("x",), ("acc",), Folding(pe=3, simd=4)),
            Node("n1", "classifier", dense, ("acc",), ("logits",), Folding(pe=1, simd=3)),
        ),
        {
            "x": Tensor("x", 1, 1, 36, UINT8),
            "acc": Tensor("acc", 1, 1, 3, middle, fifo_depth=5),
            "logits": Tensor("logits", 1, 1, 2, dense.output_types[0]),
        },
        ("x",),
        ("logits",),
    )
    graph.validate()
    return build_report(
        graph,
        Speed(Timing(20, Latency(40, 41), "n0", {"n0": 9, "n1": 2}, {}), Latency(30, 35)),
        Subject("tiny", "board", "part-1", 10.0),
    )


def test_layer_figures(report):
    pattern, dense = report.layers
    assert (pattern.weights_1bit.value, pattern.macs_1bit.value) == (108, 108)
    assert (pattern.weights_8bit.value, pattern.macs_8bit.value) == (0, 0)
    assert (dense.weights_8bit.value, dense.macs_8bit.value) == (6, 6)
    assert pattern.cycles.value == 9  # 36 inputs, 4 a cycle, all 3 filters at once
    assert dense.cycles.value == 2
    assert pattern.weight_memory.value == 108 and dense.weight_memory.value == 48
    # one beat holds 3 responses of 0..36*255 = 14 bits; 5 beats
    assert pattern.fifo_memory.value == 5 * 3 * 14
    assert pattern.shape == (1, 1, 3) and pattern.module == "prb.pattern"


def test_totals(report):
    assert report.total("parameters").value == 108 + 6 + 2
    assert report.total("model_bytes_r").value == 4 * 116
    assert report.total("model_bytes_b").value == 14 + 4 * 8
    assert report.total("model_bytes_bq").value == 14 + 8
    assert report.total("throughput").value == 5_000_000
    assert report.bottleneck == "n0"
    found = {
        name: report.total(f"latency_{name}").value
        for name in (
            "alone_first_output",
            "alone_last_output",
            "paced_first_output",
            "paced_last_output",
            "alone_last_output_us",
            "paced_last_output_us",
        )
    }
    assert list(found.values()) == [30, 35, 40, 41, 0.35, 0.41]
    assert report.total("mac_rate").value == 0.57
    with pytest.raises(KeyError):
        report.total("watts")


def test_papers_reconstruction():
    # "1.3M": 1,326,504 parameters, 183,168 of them patterns: 5.31 / 4.60 / 1.17 MB
    sizes = model_bytes(183_168, 1_326_504 - 183_168)
    assert [round(size / 1e6, 2) for size in sizes] == [5.31, 4.60, 1.17]
    sizes = model_bytes(349_056, 1_658_280 - 349_056)
    assert [round(size / 1e6, 2) for size in sizes] == [6.63, 5.28, 1.35]


def test_every_figure_says_its_source(report):
    figures = [total.figure for total in report.totals]
    figures += [figure for layer in report.layers for _, figure in layer.figures()]
    assert all(isinstance(figure.source, Source) and figure.unit for figure in figures)
    assert report.total("frame_interval").source is Source.SIMULATED
    assert report.total("throughput").source is Source.ESTIMATED
    assert report.layers[0].cycles.source is Source.ESTIMATED


def test_plain_values_survive_json(report):
    plain = as_dict(report)
    assert json.loads(json.dumps(plain)) == plain
    assert plain["totals"]["frame_interval"] == {
        "value": 20,
        "unit": "cycles/frame",
        "source": "simulated",
    }
    assert plain["layers"][0]["folding"] == {
        "family": "select",
        "digit_bits": 0,
        "pe": 3,
        "simd": 4,
    }


def test_text_is_fixed_width(report):
    text = render_text(report)
    lines = text.splitlines()
    assert lines[0] == "tiny on board (part-1), clock 10 ns, not verified"
    start = next(i for i, line in enumerate(lines) if line.startswith("-"))
    # every number ends below the end of its column's rule
    ends = [i for i, c in enumerate(lines[start] + " ") if c == " " and lines[start][i - 1] == "-"]
    for row in lines[start + 1 : start + 3]:
        padded = row.ljust(len(lines[start])) + " "
        assert all(padded[end] == " " for end in ends)
    assert "frame interval" in text and "[estimated]" in text and text.endswith("\n")
    assert not any(line != line.rstrip() for line in lines)


def test_terminal_table(report):
    console = Console(width=100, file=io.StringIO())
    console.print(slowest_table(report, most=1))
    shown = console.file.getvalue()
    assert "prb.pattern" in shown and "108" in shown and "classifier" not in shown
