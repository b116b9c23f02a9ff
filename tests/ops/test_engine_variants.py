"""Engines have a room of their own: nothing else asks which one it is, a further one is one file.

Adding an engine touches one Python file in sephw/ops/families with a word in its list, and the
engine's files in rtl/ and hls/. `Paced` below is such a file.
"""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from fake_estimates import Guess, by_lanes
from small_graphs import chain

from sephw.errors import SephwError, UsageError
from sephw.explore import Goal, Margins, search
from sephw.explore.choices import Effort
from sephw.explore.text import table
from sephw.ir import (
    USUAL,
    Folding,
    HlsInstance,
    Operator,
    RtlInstance,
    Saving,
    Schedule,
    Structure,
)
from sephw.ir.folding import decode_folding, encode_folding
from sephw.ir.operator import check_choice
from sephw.ir.resources import Resources
from sephw.ir.serialize import load_graph, save_graph
from sephw.ops import (
    OPERATORS,
    BitParallel,
    Conv8,
    DigitSerial,
    Join,
    PatternConv,
    Select,
    families,
)
from sephw.ops.families import ConvolutionEngine, ConvolutionVariant
from sephw.ops.families.select_engine import SelectEngine
from sephw.passes import FoldingFile, fold, lower, read_folding_file, write_folding_file
from sephw.reports.build import _layer
from sephw.resources import estimate
from sephw.resources.model import load
from sephw.sim.timing import simulate
from sephw.technologies import ECP5, Device, Size

ROOT = Path(__file__).parents[2]
ROOM = ROOT / "sephw" / "ops" / "families"

# ---- A made-up engine: all that its one file would hold ----

PAUSES = (2, 3)


class Rest(StrEnum):
    """What it does between two issues."""

    IDLE = "idle"
    GATED = "gated"


@dataclass(frozen=True)
class Paced(ConvolutionVariant):
    """PE × SIMD lanes, an issue every ``issue_cycles``."""

    family: ClassVar[str] = "paced"

    issue_cycles: int
    rest: Rest = Rest.IDLE

    @property
    def label(self) -> str:
        return f"{self.family} {self.issue_cycles}"

    def describe(self) -> str:
        return f"{self.label}, clock gated" if self.saves else self.label

    @property
    def saves(self) -> frozenset[Saving]:
        return frozenset({Saving.REGISTERS} if self.rest is Rest.GATED else ())

    def alternatives(self, operator: Operator, saving: Saving) -> tuple[Paced, ...]:
        return (replace(self, rest=Rest.GATED),) if saving is Saving.REGISTERS else ()

    def check(self, operator: Operator, where: str) -> None:
        check_choice(where, "issue_cycles", self.issue_cycles, PAUSES)

    @classmethod
    def foldings(cls, operator) -> tuple[Folding, ...]:
        if operator.weight_bits > 1:
            return ()
        lanes = Select.foldings(operator)
        return tuple(replace(f, engine=cls(pause)) for f in lanes for pause in PAUSES)

    def build(self, operator, folding: Folding) -> ConvolutionEngine:
        return PacedEngine(operator, folding, Select(), self.issue_cycles)


@dataclass(frozen=True)
class PacedEngine(SelectEngine):
    issue_cycles: int

    @property
    def frame_cycles(self) -> int:
        return super().frame_cycles * self.issue_cycles

    def schedule(self) -> Schedule:
        return replace(super().schedule(), interval_cycles=self.issue_cycles)

    def structure(self, fifo_depths, *, solve: bool = True) -> Structure:
        parts = super().structure(fifo_depths, solve=solve)
        return replace(parts, counters=(*parts.counters, self.issue_cycles))

    def hls(self) -> HlsInstance:
        return replace(super().hls(), header="sephw_paced.h", function="paced")

    def rtl(self) -> RtlInstance:
        return replace(super().rtl(), module="sephw_paced")


@pytest.fixture
def paced(monkeypatch):
    """The one place where an engine is named."""
    monkeypatch.setattr(families, "VARIANTS", (*families.VARIANTS, Paced))


def pattern_of(graph) -> PatternConv:
    return next(n.operator for n in graph.nodes if isinstance(n.operator, PatternConv))


def test_its_foldings_are_those_of_the_operators_that_it_suits(paced):
    operator = pattern_of(chain())
    mine = [f for f in operator.further_foldings() if isinstance(f.engine, Paced)]
    assert {f.engine.issue_cycles for f in mine} == set(PAUSES)
    for folding in mine:
        operator.check_folding(folding, "")
        schedule = operator.schedule(folding)
        assert schedule.frame_cycles == operator.frame_cycles(folding)
        assert operator.cost_kind(folding) == "pattern_conv:paced"
        assert operator.hls(folding).function == "paced"
        assert operator.rtl(folding).module == "sephw_paced"
        assert operator.structure(folding, [4]).counters[-1] == folding.engine.issue_cycles
    conv = next(Conv8.cases()).operator
    assert not any(isinstance(f.engine, Paced) for f in conv.further_foldings())
    with pytest.raises(SephwError) as error:
        conv.check_folding(Folding(2, 4, Paced(2)), "Conv8 'x'")
    assert str(error.value) == (
        "Conv8 'x': family=paced is not legal; legal family: select, adder-graph, digit-serial"
    )


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"pe": 1, "simd": 1}, "the key 'issue_cycles' is missing"),
        ({"issue_cycles": 2}, "the key 'pe' is missing"),
        (
            {"pe": 1, "simd": 1, "issue_cycles": 0},
            "issue_cycles=0; it must be a whole number from 1",
        ),
        (
            {"pe": 1, "simd": 1, "issue_cycles": 2, "rest": "long"},
            'rest="long" is not legal; legal rest: idle, gated',
        ),
        (
            {"pe": 1, "simd": 1, "issue_cycles": 2, "digit_bits": 4},
            "digit_bits=4 is an option of family digit-serial, not of paced; leave it away, or "
            "give family=digit-serial",
        ),
        (
            {"pe": 1, "simd": 1, "issue_cycles": 2, "digits": 4},
            "unknown key 'digits'; known keys: 'family', 'issue_cycles', 'pe', 'rest', 'simd'",
        ),
    ],
)
def test_files_say_what_they_may_hold(paced, tmp_path, entry, message):
    path = tmp_path / "folding.json"
    path.write_text(json.dumps({"nodes": {"pattern_node": {"family": "paced", **entry}}}))
    with pytest.raises(UsageError) as error:
        read_folding_file(path)
    assert str(error.value) == f"folding file '{path}': node 'pattern_node': {message}"


def test_files_give_it_back(paced, tmp_path):
    wanted = {"pattern_node": Folding(2, 2, Paced(3, Rest.GATED))}
    graph = fold(chain(), wanted, 5000)
    path = tmp_path / "folding.json"
    write_folding_file(path, graph)
    entry = '{"pe": 2, "simd": 2, "family": "paced", "issue_cycles": 3, "rest": "gated"}'
    assert f'"pattern_node": {entry}' in path.read_text()
    assert read_folding_file(path).nodes == {n.name: n.folding for n in graph.nodes}
    files = (tmp_path / "graph.json", tmp_path / "graph.npz")
    save_graph(graph, *files)
    assert [n.folding for n in load_graph(*files, OPERATORS).nodes] == [
        n.folding for n in graph.nodes
    ]
    with pytest.raises(SephwError) as error:
        fold(chain(), {"pattern_node": Folding(2, 2, Paced(7))}, 5000)
    assert str(error.value) == (
        "PatternConv 'net.pattern': issue_cycles=7 is not legal; legal issue_cycles: 2, 3"
    )


def test_passes_timing_and_integers(paced):
    wanted = FoldingFile({"pattern_node": Folding(4, 2, Paced(3))}, 1 << 14)
    usual = FoldingFile({"pattern_node": Folding(4, 2)}, 1 << 14)
    images = np.random.default_rng(1).integers(0, 256, (2, 6, 6, 4))
    slow, fast = lower(chain(), wanted), lower(chain(), usual)
    assert np.array_equal(slow.run(images)["map"], fast.run(images)["map"])
    cycles = pattern_of(fast).frame_cycles(Folding(4, 2))
    assert simulate(slow).frame_interval_cycles == 3 * cycles
    assert simulate(slow).bottleneck == "pattern_node"


def test_its_cost_is_that_of_its_parts_until_it_is_characterized(paced):
    operator = pattern_of(chain())
    once = load(ECP5).luts
    assert "once:pattern_conv:paced" not in once and "once:pattern_conv:select" in once
    found, usual = (
        estimate(operator, folding, (4,), ECP5).resources
        for folding in (Folding(2, 2, Paced(3)), Folding(2, 2))
    )
    # A counter of three.
    assert found.ff == usual.ff + 3 and found.bram == usual.bram and found.lut > 0


def test_the_search_chooses_and_names_it(paced):
    def estimator(operator, folding, fifo_depths, technology, **options):
        guess = by_lanes(operator, folding, fifo_depths, technology, **options)
        cheap = isinstance(folding.engine, Paced)
        return Guess(Resources(1), guess.fmax_mhz) if cheap else guess

    roomy = Resources(10**6, 10**6, 10**6, 10**6)
    goal = Goal(
        Device(ECP5, Size("test", "test", roomy)),
        clock_mhz=110.0,
        fps=110e6 / 5000,
        margins=Margins(1.0, 1.0, 1.0, 1.0),
        minimize="lut",
    )
    found = search(chain(4), goal, estimator=estimator, effort=Effort(adder_graph_bits=0))
    (node,) = (n for n in found.nodes if n.name == "pattern_node")
    assert isinstance(node.folding.engine, Paced)
    assert node.folding.engine.describe() in table(found)
    assert f'"family": "paced", "issue_cycles": {node.folding.engine.issue_cycles}' in json.dumps(
        found.as_dict()
    )


def test_reports_name_it(paced):
    graph = lower(chain(), FoldingFile({"pattern_node": Folding(4, 2, Paced(3))}, 1 << 14))
    (node,) = (n for n in graph.nodes if n.name == "pattern_node")
    layer = _layer(graph, node, None, None, None)
    assert (layer.family, layer.variant, layer.whole_window) == ("paced", "paced 3", False)
    assert layer.options == {"family": "paced", "issue_cycles": 3}
    assert (layer.pe, layer.simd) == (4, 2)
    assert layer.cycles.value == node.operator.frame_cycles(node.folding)


# ---- Values and files ----


def test_a_folding_is_one_value():
    """What says nothing is the usual engine, however it was made."""
    assert Folding(2, 4, Select()) == Folding(2, 4) and Folding(2, 4, Select()).engine is USUAL
    assert Folding(2, 4, BitParallel()).engine != USUAL
    assert hash(Folding(2, 4, Select())) == hash(Folding(2, 4))
    assert str(Folding(2, 4, DigitSerial(1))) == "digit-serial digit_bits=1 pe=2 simd=4"


OLD = [
    ({"pe": 2, "simd": 4}, Folding(2, 4)),
    ({"pe": 2, "simd": 4, "family": "select"}, Folding(2, 4)),
    ({"pe": 8, "simd": 36, "family": "adder-graph"}, Folding(8, 36, BitParallel())),
    (
        {"pe": 8, "simd": 36, "family": "digit-serial", "digit_bits": 2},
        Folding(8, 36, DigitSerial(2)),
    ),
    (
        {"pe": 2, "simd": 4, "multipliers": "lut"},
        Folding(2, 4, Select(families.Multipliers.LUT)),
    ),
    ({"pe": 2, "simd": 4, "multipliers": "dsp"}, Folding(2, 4)),
    (
        {"pe": 2, "simd": 4, "weights": "stream"},
        Folding(2, 4, Select(weights=families.WeightPlace.STREAM)),
    ),
    ({"pe": 2, "simd": 4, "weights": "chip"}, Folding(2, 4)),
    ({"pe": 2, "simd": 4, "adder_levels": 2}, Folding(2, 4, Select(adder_levels=2))),
    (
        {"pe": 2, "simd": 4, "weights": "stream", "tile_pixels": 4},
        Folding(2, 4, Select(weights=families.WeightPlace.STREAM, tile_pixels=4)),
    ),
    # What files of the first version could say of the other engines, which is nothing there.
    (
        {"pe": 8, "simd": 36, "family": "adder-graph", "multipliers": "dsp", "weights": "chip"},
        Folding(8, 36, BitParallel()),
    ),
]


@pytest.mark.parametrize(("entry", "folding"), OLD, ids=lambda value: str(value)[:60])
def test_every_key_is_read_and_written_as_ever(entry, folding):
    assert decode_folding(entry, families.VARIANTS) == folding
    said = {k: v for k, v in entry.items() if v not in ("select", "dsp", "chip")}
    assert encode_folding(folding) == said
    assert list(encode_folding(folding))[:2] == ["pe", "simd"]


def test_every_option_has_a_file_of_old():
    options = {option.name for variant in families.VARIANTS for option in fields(variant)}
    assert options == {key for entry, _ in OLD for key in entry} - {"pe", "simd", "family"}


def test_every_engine_says_what_it_is():
    for variant in families.VARIANTS:
        for operator in (PatternConv, Conv8):
            case = next(operator.cases())
            for folding in variant.foldings(case.operator):
                chosen = case.operator.variant(folding)
                assert type(chosen) is variant
                assert chosen.describe().startswith(chosen.label)
                assert chosen.label.startswith(variant.family)
                for saving in Saving:
                    for other in chosen.alternatives(case.operator, saving):
                        assert saving in other.saves and saving not in chosen.saves
                        case.operator.check_folding(replace(folding, engine=other), "")
    assert len({variant.family for variant in families.VARIANTS}) == len(families.VARIANTS)


# ---- Nothing else asks ----

_CASES = "its contract cases are of several engines"
_LEGAL = "says which values the options of its engine may have"
NAMES_ENGINES = {
    "sephw/ops/__init__.py": "exports them, for foldings that are made in Python",
    "sephw/ops/conv8.py": _CASES,
    "sephw/ops/pattern_conv.py": _CASES,
    "sephw/ops/streamed_conv.py": f"its one engine is streamed; {_CASES}",
    "sephw/ops/convolution.py": _LEGAL,
    "sephw/ops/join.py": _LEGAL,
    "sephw/explore/finn.py": "FINN's file has words for this engine, and for no other",
}
NAMES_OPTIONS = {
    "sephw/nn/binarize/refuse.py": "torch has an operation of the name 'select'",
    "reports/plain.py": "report.json has had digit_bits since its first version",
}


def sources():
    for folder in ("sephw", "sim", "reports"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if ROOM not in path.parents and not path.is_relative_to(ROOT / "sephw" / "sim"):
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


def test_engines_are_named_in_their_room_alone():
    room = set()
    for path in ROOM.glob("*.py"):
        classes = [
            n for n in ast.parse(path.read_text("utf-8")).body if isinstance(n, ast.ClassDef)
        ]
        room |= {node.name for node in classes}
    # What all of them have in common, and what operators tell them.
    room -= {"AdderSizes", "ConvolutionEngine", "ConvolutionVariant", "SelectChoices"}
    assert {"Select", "BitParallel", "DigitSerial", "Multipliers", "SelectEngine"} <= room
    found = set()
    for name, tree in sources():
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sephw.ops")
            for alias in node.names
        }
        reached = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        if room & (imported | reached):
            found.add(name)
    assert found == set(NAMES_ENGINES)


def test_words_of_engines_are_asked_for_nowhere():
    """Neither ``family == "select"`` nor ``options["digit_bits"]``."""
    words = {variant.family for variant in families.VARIANTS}
    words |= {option.name for variant in families.VARIANTS for option in fields(variant)}
    # Too many other things are called so.
    words -= {"weights", "multipliers"}
    found = set()
    for name, tree in sources():
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
        if words & {text for text in texts if isinstance(text, str)}:
            found.add(name)
    assert found == {"sephw/ir/folding.py", *NAMES_OPTIONS}


def test_operators_have_no_members_that_only_convolutions_use():
    alone = {"streamed", "tile_buffers", "traffic_bits", "demand_bits", "select_choices"}
    assert not [name for name in alone if hasattr(Operator, name)]
    assert not {option.name for option in fields(Select)} & set(dir(Operator))
    assert issubclass(Join, Operator) and not hasattr(Join, "streamed")
