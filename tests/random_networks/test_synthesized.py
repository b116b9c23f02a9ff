"""Held-out random networks: which are taken, and that a run goes on from the committed rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.random_networks import held_out
from benchmarks.random_networks.check import Outcome, Status
from benchmarks.random_networks.describe import Case, Convolution, Join, Norm, Weights
from benchmarks.random_networks.draw import draw
from benchmarks.random_networks.held_out import FILE, HeldOut, Row, measure, read, write
from benchmarks.random_networks.held_out_page import errors_of, page, pair_of
from sephw.ir.resources import RESOURCE_KINDS
from sephw.resources.held_out import measured
from sephw.technologies import find_technology

SEED = 1


def row(index: int, lut: int = 90) -> Row:
    technology = held_out.technology_of(index).name
    estimated, synthesized = ({"lut": count, "ff": 10, "bram": 0, "dsp": 1} for count in (lut, 100))
    luts = {"join select": (2, lut, 100)}
    return Row(SEED, index, technology, 2, estimated, synthesized, 3, luts)


@pytest.fixture
def no_tools(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every third network is taken and number 12 is not exact; which ones were synthesized."""
    done: list[int] = []

    def synthesized(seed, index, note):
        done.append(index)
        return "a Yosys", row(index)

    def checked(cases):
        wrong = draw(SEED, 12)
        return [Outcome(Status.MISMATCH if c == wrong else Status.EXACT) for c in cases]

    taken = {draw(SEED, index).network.seed for index in range(0, 60, 3)}
    monkeypatch.setattr(held_out, "selected", lambda case, *_: case.network.seed in taken or None)
    monkeypatch.setattr(held_out, "check_all", checked)
    monkeypatch.setattr(held_out, "_measured", synthesized)
    return done


def test_a_run_goes_on_behind_the_committed_rows(tmp_path: Path, no_tools: list[int]) -> None:
    path, notes = tmp_path / "rows.json", []
    write(HeldOut("a Yosys", (row(0), row(3))), path)
    found = measure(7, SEED, notes.append, path=path)
    assert no_tools == [6, 9, 15, 18, 21]
    assert found == read(path) and [r.index for r in found.networks] == [0, 3, *no_tools]
    assert any("1:12 is left out, mismatch" in note for note in notes)
    # Nothing is left to do, and another one is the next in turn.
    assert measure(7, SEED, notes.append, path=path) == found
    assert measure(8, SEED, notes.append, path=path).networks[-1].index == 24


def test_an_interrupted_run_keeps_its_rows(tmp_path: Path, no_tools: list[int]) -> None:
    path = tmp_path / "rows.json"

    def interrupt(note: str) -> None:
        if note.startswith("2 of 9"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(9, SEED, interrupt, path=path)
    assert [r.index for r in read(path).networks] == [0, 3]
    assert len(measure(4, SEED, lambda _: None, path=path).networks) == 4
    assert no_tools == [0, 3, 6, 9]
    assert measure(9, SEED, lambda _: None, path=path, most_seconds=0) == read(path)


def test_committed_rows_are_of_the_networks_that_are_taken(tmp_path: Path) -> None:
    """Of the four with fewest engines, and their estimates are those of the model as it is."""
    rows = sorted(read().networks, key=lambda r: r.engines)[:4]
    assert len(rows) == 4
    for one in rows:
        technology = held_out.technology_of(one.index)
        assert one.technology == technology.name
        graph = held_out.selected(draw(one.seed, one.index), technology, tmp_path / str(one.index))
        assert graph is not None and len(graph.nodes) == one.engines
        estimated = held_out.estimated_resources(graph, technology)
        assert {kind: getattr(estimated, kind) for kind in RESOURCE_KINDS} == one.estimated


def test_networks_of_more_luts_or_engines_are_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smallest = min(read().networks, key=lambda r: r.estimated["lut"])
    case = draw(smallest.seed, smallest.index)
    technology = find_technology(smallest.technology)
    monkeypatch.setattr(held_out, "MOST_LUTS", smallest.estimated["lut"])
    assert held_out.selected(case, technology, tmp_path / "a") is not None
    monkeypatch.setattr(held_out, "MOST_LUTS", smallest.estimated["lut"] - 1)
    assert held_out.selected(case, technology, tmp_path / "b") is None
    monkeypatch.undo()
    monkeypatch.setattr(held_out, "MOST_ENGINES", smallest.engines - 1)
    assert held_out.selected(case, technology, tmp_path / "c") is None


@pytest.mark.parametrize("change", [{"weights": Weights.DEAD}, {"norm": Norm.ZERO}])
def test_networks_of_constants_are_not_taken(tmp_path: Path, change) -> None:
    small = sorted(read().networks, key=lambda r: r.engines)
    one, case = next((r, c) for r in small if _convolution(c := draw(r.seed, r.index)))
    technology = find_technology(one.technology)
    assert held_out.selected(case, technology, tmp_path / "a") is not None
    part, branch = _convolution(case)
    constant = replace(
        part, branches=tuple(replace(b, **change) if b is branch else b for b in part.branches)
    )
    parts = tuple(constant if p is part else p for p in case.network.parts)
    case = replace(case, network=replace(case.network, parts=parts))
    assert held_out.selected(case, technology, tmp_path / "b") is None


def _convolution(case: Case) -> tuple[Join, Convolution] | None:
    """The first one, and the sum that it is of."""
    found = (
        (part, branch)
        for part in case.network.parts
        if isinstance(part, Join)
        for branch in part.branches
        if isinstance(branch, Convolution)
    )
    return next(found, None)


def test_committed_rows_are_within_the_limits_and_of_one_network_each() -> None:
    rows = read().networks
    assert len({(one.seed, one.index) for one in rows}) == len(rows) >= 80
    for one in rows:
        assert one.engines <= held_out.MOST_ENGINES
        assert one.estimated["lut"] <= held_out.MOST_LUTS
        # Engines, their LUTs as estimated and as synthesized add up; no LUT lies between them.
        if one.luts:
            sums = tuple(map(sum, zip(*one.luts.values(), strict=True)))
            assert sums == (one.engines, one.estimated["lut"], one.synthesized["lut"])


def test_the_bars_know_every_row() -> None:
    for one in read().networks:
        assert pair_of(one) in measured(find_technology(one.technology)).networks


def test_errors_by_hand() -> None:
    rows = (row(0, 90), row(10, 110), row(20, 100))
    assert errors_of(rows, "lut") == pytest.approx([-0.1, 0.1, 0.0])
    # None has any.
    assert errors_of(rows, "bram") == []


def test_the_published_page_is_of_the_committed_rows() -> None:
    published = FILE.parents[3] / "reports/published/held_out_networks.md"
    assert published.read_text("utf-8") == page(read())
