"""Estimates against what Yosys made, committed and fresh; what refuses; what ships."""

import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.characterize import wanted
from benchmarks.characterize_data import TECHNOLOGIES, PointFile
from benchmarks.characterize_fit import errors, held_out
from benchmarks.characterize_layers import LATER, build, layer
from sephw.errors import SephwError
from sephw.ir import Folding, IntType, Saving
from sephw.ops import (
    AveragePool,
    BitParallel,
    Concat,
    Fork,
    Multipliers,
    PatternConv,
    Select,
    WidthConverter,
)
from sephw.resources import accuracy, estimate
from sephw.resources.features import Features
from sephw.resources.model import FILE_ENDING, Model
from sephw.synth import synthesize_operator
from sephw.technologies import CHARACTERIZATION, ECP5, FAMILIES, GOWIN, XC7

ROOT = Path(__file__).resolve().parents[2]
# Technologies that have held-out layers; the others' errors are not known yet.
JUDGED = tuple(t for t in TECHNOLOGIES if any(map(held_out, PointFile.load(t).points)))
# Adder graphs above so many weights take long to solve.
MOST_WEIGHTS = 300


def quick(made) -> bool:
    if not made.folding.engine.solves_graph:
        return True
    return made.operator.matrix.size <= MOST_WEIGHTS


@pytest.fixture(scope="module")
def compared():
    """(technology, layer number, kind, estimate, synthesized) of the committed points."""
    rows = []
    for technology in TECHNOLOGIES:
        for index, point in PointFile.load(technology).points.items():
            made = build(point)
            if not quick(made):
                continue
            found = estimate(
                made.operator, made.folding, made.fifo_depths, technology, solve=True
            ).resources
            kind = made.operator.cost_kind(made.folding)
            rows.append((technology, index, kind, found, point))
    return rows


def test_block_rams_and_multipliers_of_all_points_are_exact(compared):
    assert {row[0] for row in compared} == set(TECHNOLOGIES)
    wrong = [
        (str(technology), index, (found.bram, found.dsp), (point["bram"], point["dsp"]))
        for technology, index, _, found, point in compared
        if (found.bram, found.dsp) != (point["bram"], point["dsp"])
    ]
    assert wrong == []


@pytest.mark.parametrize("technology", JUDGED, ids=str)
def test_luts_of_held_out_layers_are_within_the_published_errors(compared, technology):
    published = accuracy(technology).by_kind
    rows = [row for row in compared if row[0] is technology and held_out(row[1])]
    assert rows
    for _, index, kind, found, point in rows:
        error = abs(found.lut - point["lut"]) / point["lut"]
        # Estimates are rounded to whole LUTs.
        assert error <= published[kind].largest + 0.5 / point["lut"] + 1e-4, (index, kind)


@pytest.mark.parametrize("technology", JUDGED, ids=str)
def test_flip_flops_of_held_out_layers_are_within_the_published_errors(compared, technology):
    published = accuracy(technology).ff
    pairs = [
        (found.ff, point["ff"])
        for which, index, _, found, point in compared
        if which is technology and held_out(index)
    ]
    assert errors(pairs).largest <= published.largest


def test_no_layer_is_both_fitted_and_held_out():
    share = np.mean([held_out(index) for index in range(400)])
    assert 0.2 < share < 0.3
    assert held_out(7) == held_out(7)


def test_later_kinds_have_numbers_of_their_own():
    kinds = {layer(LATER + index).operator.kind for index in range(40)}
    assert kinds == {"average_pool", "concat"}
    assert not kinds & {layer(index).operator.kind for index in range(40)}
    numbers = [index for _, index in wanted(40, (ECP5,))]
    assert numbers == [*range(40), *range(LATER, LATER + 4)]


def test_points_are_of_the_layers_that_their_numbers_make():
    for technology in TECHNOLOGIES:
        for index, point in PointFile.load(technology).points.items():
            made = layer(index).point
            assert {name: point[name] for name in made} == made


def _pattern() -> PatternConv:
    signs = np.random.default_rng(5).integers(0, 2, (10, 9 * 5))
    return PatternConv(
        height=6,
        width=6,
        in_channels=5,
        out_channels=10,
        kernel_height=3,
        kernel_width=3,
        input_dtype=IntType(7, False),
        patterns=2 * signs - 1,
    )


def test_an_unseen_kind_has_once_the_mean_of_the_others():
    luts = {"once:a": 10.0, "once:b": 20.0, "adder": 2.0}
    model = Model(luts, {}, 0.0, accuracy(ECP5))
    assert model.lut(Features(3, {"once:a": 1, "adder": 4, "gates:9": 5})) == 3 + 10 + 8
    assert model.lut(Features(0, {"once:c": 1, "adder": 4})) == 15 + 8


@pytest.mark.parametrize(
    ("operator", "folding", "depths"),
    [
        (_pattern(), Folding(5, 5), (9,)),
        (
            Concat(height=3, width=3, channels=(6, 2, 4), dtype=IntType(8, False)),
            Folding(2, 2),
            (19,),
        ),
        (
            AveragePool(
                height=3,
                width=3,
                channels=6,
                kernel_height=3,
                kernel_width=3,
                dtype=IntType(8, False),
            ),
            Folding(3, 3),
            (5,),
        ),
        (
            Fork(height=3, width=3, channels=5, dtype=IntType(11, True), copies=3),
            Folding(5, 5),
            (6, 2, 33),
        ),
        (
            WidthConverter(
                height=3, width=3, channels=14, dtype=IntType(5, False), lanes_in=14, lanes_out=2
            ),
            Folding(2, 14),
            (7,),
        ),
    ],
    ids=["pattern", "concat", "average pool", "fork", "converter"],
)
def test_a_fresh_engine_is_as_good_as_the_held_out_ones(operator, folding, depths, tmp_path):
    found = synthesize_operator(operator, folding, ECP5, fifo_depths=depths, work=tmp_path)
    guess = estimate(operator, folding, depths, ECP5).resources
    assert (guess.bram, guess.dsp) == (found.bram, found.dsp)
    assert guess.ff == found.ff
    assert abs(guess.lut - found.lut) / found.lut <= accuracy(ECP5).lut.largest


@pytest.mark.parametrize("in_blocks", [False, True])
def test_a_wide_fifo_is_of_lut_ram_or_of_blocks(in_blocks, tmp_path):
    """103 beats of 128 bits: LUTs by default, or four blocks of 36 bits."""
    operator = WidthConverter(
        height=8, width=8, channels=64, dtype=IntType(8, False), lanes_in=1, lanes_out=16
    )
    found = synthesize_operator(
        operator,
        operator.folding,
        ECP5,
        fifo_depths=(103,),
        work=tmp_path,
        fifos_in_blocks=in_blocks,
    )
    guess = estimate(operator, operator.folding, (103,), ECP5, fifos_in_blocks=in_blocks).resources
    assert found.bram == guess.bram == (4 if in_blocks else 0)
    assert guess.ff == found.ff
    # 7 rows of 16 words, 32 memories of 4 bits a row, 4 LUTs each.
    memory = 7 * 32 * 4
    assert (found.lut < memory / 8) if in_blocks else (found.lut > memory)
    assert abs(guess.lut - found.lut) <= accuracy(ECP5).lut.largest * memory


def test_adder_graphs_are_solved_only_when_asked_to(monkeypatch):
    operator = _pattern()
    folding = next(f for f in operator.further_foldings() if f.engine == BitParallel())
    monkeypatch.setattr(type(operator), "adder_graph", property(lambda self: pytest.fail()))
    assert estimate(operator, folding, (4,), ECP5).resources.lut > 0


def test_products_in_logic_take_no_multipliers():
    made = layer(3)
    assert made.operator.kind == "conv8" and Saving.DSP_BLOCKS not in made.folding.engine.saves
    in_dsp, in_luts = (
        estimate(made.operator, Folding(1, 8, Select(multipliers=kind)), (7,), ECP5).resources
        for kind in (Multipliers.DSP, Multipliers.LUT)
    )
    assert (in_dsp.dsp, in_luts.dsp) == (8, 0)
    assert in_luts.lut > in_dsp.lut


def test_clocks_are_estimated_only_where_engines_were_routed():
    operator = _pattern()
    clocks = {t: estimate(operator, Folding(1, 1), (2,), t).fmax_mhz for t in FAMILIES}
    for technology, mhz in clocks.items():
        assert np.isfinite(mhz) == (accuracy(technology).fmax is not None)
    assert np.isfinite(clocks[ECP5]) and not np.isfinite(clocks[XC7])


def test_every_technology_has_a_model():
    assert set(TECHNOLOGIES) == set(FAMILIES)


def test_a_technology_without_points_is_refused():
    with pytest.raises(SephwError) as caught:
        estimate(_pattern(), Folding(1, 1), (2,), replace(GOWIN, characterization=None))
    assert str(caught.value) == (
        "resource model: gowin has not been characterized; estimates exist for ecp5, ice40, "
        "xc7; choose a device of these"
    )


def test_the_model_ships_with_the_package():
    for technology in FAMILIES:
        folder = technology.require(CHARACTERIZATION).folder
        assert folder.relative_to(ROOT / "sephw")
        assert (folder / f"{technology.name}{FILE_ENDING}").is_file()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "sephw" in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    # What git ignores, the wheel leaves out.
    data = "sephw/technologies/data/ecp5_model.json"
    ignored = subprocess.run(["git", "check-ignore", "-q", data], cwd=ROOT, check=False)
    assert ignored.returncode == 1
