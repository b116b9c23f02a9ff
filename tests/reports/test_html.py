"""report.html: well-formed, alone in the world, the figures of report.json, hostile names."""

import dataclasses
import re
from dataclasses import dataclass

import export_folder
import pytest
from read_html import read_html

from sephw.ir import Resources
from sephw.reports import (
    Estimates,
    Findings,
    Source,
    Subject,
    as_dict,
    build_report,
    read_provenance,
    render_html,
)
from sephw.reports.speed import Speed
from sephw.resources.held_out import ErrorBars
from sephw.sim.timeline import Timeline
from sephw.sim.timing import simulate
from sephw.targets import find_device
from sephw.technologies import ECP5

HOSTILE = '<script>alert("x")</script>&amp;\'"><img src=x onerror=alert(1)>{{ 7*7 }}'


@dataclass(frozen=True)
class Cost:
    resources: Resources
    fmax_mhz: float


@pytest.fixture(scope="module")
def graph():
    return export_folder.small_graph()


def estimates(graph, luts=100):
    engines = {
        node.name: Cost(Resources(luts, 40, 2, 1), 90.0 + i) for i, node in enumerate(graph.nodes)
    }
    one = dict.fromkeys(("lut", "ff", "bram", "dsp"), (1.0, 1.0))
    bars = ErrorBars(one | {"lut": (0.95, 1.1)}, one, one, 9, 0.8)
    return Estimates(ECP5, engines, {"lut": (0.9, 1.2), "fmax": (0.8, 1.1)}, bars)


def make(graph, **parts):
    return build_report(
        graph,
        Speed(simulate(graph)),
        Subject("small (SEPNet)", "ulx3s-85f", "LFE5U-85F", 10.0),
        Findings(**parts),
    )


@pytest.fixture(scope="module")
def full(graph):
    return make(
        graph,
        device=find_device("ecp5-85f"),
        estimates=estimates(graph),
        synthesis=export_folder.synthesis(graph),
        verification=export_folder.verification(graph),
        timeline=Timeline.from_dict(export_folder.cycles(graph)["timeline"]),
        provenance=read_provenance(export_folder.manifest()),
    )


@pytest.fixture(scope="module")
def bare(graph):
    return make(graph)


def at(plain, path):
    for word in path.split("/"):
        plain = plain[int(word) if isinstance(plain, list) else word]
    return plain


def section(page, name):
    return next(e for e in page.all("section") if e.attributes["id"] == name)


@pytest.mark.parametrize("name", ["full", "bare"])
def test_one_file_that_asks_for_nothing_else(name, request):
    text = render_html(request.getfixturevalue(name))
    page = read_html(text)
    assert not re.search(r"https?:|//[a-z]|@import|url\(|<link|<iframe|fetch\(|import\(", text)
    for element in page.all():
        assert "src" not in element.attributes and "srcset" not in element.attributes
        link = element.attributes.get("href")
        assert link is None or link.startswith("#")
    ids = [e.attributes["id"] for e in page.all() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    for link in page.all("a"):
        assert link.attributes["href"].removeprefix("#") in ids
    assert all("on" not in {a[:2] for a in e.attributes} for e in page.all())


@pytest.mark.parametrize("name", ["full", "bare"])
def test_tables_can_be_read_without_seeing(name, request):
    page = read_html(render_html(request.getfixturevalue(name)))
    for table in page.all("table"):
        assert len(list(table.all("caption"))) == 1
        heads = list(table.all("th"))
        assert heads and all(head.attributes.get("scope") for head in heads)
        widths = set()
        held = 0
        for row in table.all("tr"):
            cells = [c for c in row.children if getattr(c, "tag", "") in ("th", "td")]
            spans = [int(c.attributes.get("rowspan", "1")) for c in cells]
            widths.add(len(cells) + (held > 0))
            held = max([held - 1, *(span - 1 for span in spans)])
        assert len(widths) == 1
    for drawing in page.all("svg"):
        assert "aria-label" in drawing.attributes or drawing.attributes.get("aria-hidden") == "true"


def test_every_figure_is_that_of_report_json(full):
    page, plain = read_html(render_html(full)), as_dict(full)
    shown = [e for e in page.all("data") if "data-path" in e.attributes]
    assert len(shown) > 25
    for element in shown:
        figure = at(plain, element.attributes["data-path"])
        assert float(element.attributes["value"]) == figure["value"]
        text = element.text.strip()
        # At most rounded: as many digits as are shown are right.
        digits = len(text.partition(".")[2])
        assert float(text.replace(",", "")) == pytest.approx(
            figure["value"], abs=0.501 * 10**-digits
        )


def test_every_engine_is_in_the_table(full):
    table = next(
        e for e in read_html(render_html(full)).all("table") if e.attributes.get("id") == "engines"
    )
    plain = as_dict(full)["layers"]
    rows = [row for row in table.all("tr") if "data-layer" in row.attributes]
    assert [int(row.attributes["data-layer"]) for row in rows] == list(range(len(plain)))
    for row, layer in zip(rows, plain, strict=True):
        cells = [c for c in row.all("td") if "data-key" in c.attributes]
        keys = [c.attributes["data-key"] for c in cells]
        assert {"cycles", "activity/busy", "estimated/lut", "fifo_memory"} < set(keys)
        assert [k for k in keys if k.startswith("synthesized/")] == [
            f"synthesized/{kind}" for kind in ("lut", "ff", "bram", "dsp")
        ]
        for cell, key in zip(cells, keys, strict=True):
            assert float(cell.attributes["data-value"]) == at(layer, key)["value"]
        assert next(row.all("th")).text == (layer["module"] or layer["name"])


def test_sums_by_part_are_those_of_the_engines(full):
    plain = as_dict(full)["layers"]
    parts, kinds = section(read_html(render_html(full)), "where").all("table")
    for table in (parts, kinds):
        rows = [row for row in table.all("tr") if any(row.all("td"))]
        luts = [int(list(row.all("td"))[1].text.split()[0].replace(",", "")) for row in rows]
        assert sum(luts) == sum(layer["synthesized"]["lut"]["value"] for layer in plain)
        assert sum(int(next(row.all("td")).text) for row in rows) == len(plain)


def test_estimated_synthesized_and_routed_stand_beside_each_other(full):
    table = next(section(read_html(render_html(full)), "resources").all("table"))
    rows = [[c.text.strip() for c in (*r.all("th"), *r.all("td"))] for r in table.all("tr")][1:]
    engines = len(full.layers)
    total = sum(100 + i for i in range(engines)) + 7
    assert rows[0][:6] == [
        "LUT",
        "estimated",
        f"{100 * engines:,}",
        f"{round(95 * engines):,} – {round(110 * engines):,}",
        "83,640",
        rows[0][5],
    ]
    assert rows[1][:2] == ["synthesized", f"{total:,}"]
    assert rows[2][:2] == ["routed", f"{total + 11:,}"]
    assert len(rows) == 4 * 3


def test_clocks_and_worst_path(full):
    text = section(read_html(render_html(full)), "resources").text
    assert re.search(r"clk\s*61\.25\s*50\s*✓ yes", text)
    first = full.layers[0]
    title = f"{first.module or first.name} ({first.kind.replace('_', ' ')})"
    assert f"Worst path, clock clk: {title} → outside the engines, 16.327 ns" in text
    interval = full.total("frame_interval").value
    assert full.total("throughput_routed").value == round(61.25e6 / interval, 3)
    assert full.total("throughput_board").value == round(50e6 / interval, 3)
    assert full.total("throughput_routed").source is Source.ROUTED


@pytest.mark.parametrize("wrong", [False, True])
def test_verification_matrix(graph, wrong):
    report = make(graph, verification=export_folder.verification(graph, wrong=wrong))
    page = read_html(render_html(report))
    (table,) = section(page, "verification").all("table")
    head, compared, different, *rows = [
        [c.text.strip() for c in (*r.all("th"), *r.all("td"))] for r in table.all("tr")
    ]
    assert head[1:] == [
        "torch",
        "qonnx",
        "integer",
        "csim",
        "rtlsim",
        "netlist",
        "rtlsim-cycles",
        "netlist-cycles",
    ]
    assert compared[1:] == [
        "reference",
        "600",
        "600",
        "not run",
        "500",
        "not run",
        "40",
        "not run",
    ]
    assert different[1:] == ["", "0", "✗ 3" if wrong else "0", "", "0", "", "0", ""]
    assert [row[1:] for row in rows] == [
        ["ref", "=", "≠ 3" if wrong else "=", "", "–", "", "–", ""],
        ["–", "–", "ref", "", "=", "", "–", ""],
        ["–", "–", "–", "", "–", "", "=", ""],
    ]
    summary = section(page, "summary").text
    assert ("✗ no" in summary, "✓ yes" in summary) == (wrong, not wrong)
    if wrong:
        assert "sample 1 (image 2), row 2, column 3, channel 4 is 5, expected 6" in summary


def test_what_has_not_been_run_says_how_to_run_it(bare):
    page = read_html(render_html(bare))
    summary = section(page, "summary").text
    assert "not run" in summary and "not known" in summary
    missing = [e.text for e in page.all("p") if e.attributes.get("class") == "missing"]
    # Nothing says where this network came from, so nothing says how to export it again.
    assert missing == [
        "Not run: synthesis. To run it, in this folder: sephw synth .",
        "Not run: cycle simulation. To run it, export the model again.",
        "Not run: verification. To run it, export the model again.",
    ]


def test_a_design_that_is_too_large(graph):
    report = make(graph, device=find_device("ecp5-25f"), estimates=estimates(graph, 10_000))
    page = read_html(render_html(report))
    summary = section(page, "summary").text
    used = 10_000 * len(graph.nodes)
    assert "✗ no estimated" in " ".join(summary.split())
    assert f"{used:,} of 24,288" in summary
    assert "sephw explore . --target ulx3s-85f --out ../folding.json" in summary
    assert "✗" in section(page, "resources").text


def test_hostile_names_are_text(graph):
    hostile = export_folder.renamed(graph, HOSTILE)
    verification = export_folder.verification(hostile, wrong=True)
    report = make(
        hostile,
        device=find_device("ecp5-85f"),
        synthesis={**export_folder.synthesis(hostile), "top": HOSTILE},
        verification=dataclasses.replace(verification, data=HOSTILE),
        timeline=Timeline.from_dict(export_folder.cycles(hostile)["timeline"]),
        provenance=read_provenance(export_folder.manifest(model_file=HOSTILE)),
    )
    page = read_html(render_html(dataclasses.replace(report, network=HOSTILE)))
    assert len(list(page.all("script"))) == 1 and not list(page.all("img"))
    assert next(page.all("title")).text == f"{HOSTILE} on ulx3s-85f"
    table = next(e for e in page.all("table") if e.attributes.get("id") == "engines")
    names = [next(r.all("th")).text for r in table.all("tr") if "data-layer" in r.attributes]
    assert set(names) == {HOSTILE}
    assert HOSTILE in section(page, "origin").text


def test_timeline_has_a_strip_for_every_engine(full):
    table = next(section(read_html(render_html(full)), "timeline").all("table"))
    rows = [row for row in table.all("tr") if any(row.all("svg"))]
    assert len(rows) == len(full.layers)
    for row, layer in zip(rows, full.layers, strict=True):
        busy, starved, blocked = (
            float(cell.text.strip().lstrip("<").split()[0]) for cell in list(row.all("td"))[1:4]
        )
        assert busy + starved + blocked == pytest.approx(100, abs=1.6)
        assert busy == pytest.approx(
            100 * layer.activity.busy.value / full.total("frame_interval").value, abs=0.51
        )


def test_same_report_same_text(full):
    assert render_html(full) == render_html(dataclasses.replace(full))
