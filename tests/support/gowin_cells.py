"""Every kind of Gowin cell side by side."""

from __future__ import annotations

import numpy as np
from cell_bench import Bench
from cell_models import (
    DistributedRam,
    Ecp5Port,
    FlipFlop,
    Formula,
    GowinBlockRam,
    GowinDualRam,
    Pins,
)
from cell_values import bits, lut, signed

from sephw.technologies import CELL_MODELS, GOWIN

CLOCKS = {
    **{kind: ["CLK"] for kind in GOWIN.require(CELL_MODELS) if kind.startswith("DFF")},
    "RAM16SDP1": ["CLK"],
    "RAM16SDP2": ["CLK"],
    "RAM16SDP4": ["CLK"],
    "DPB": ["CLKA", "CLKB"],
    "DPX9B": ["CLKA", "CLKB"],
    "SDPB": ["CLKA", "CLKB"],
    "SDPX9B": ["CLKA", "CLKB"],
    "SP": ["CLK"],
    "SPX9": ["CLK"],
}


def gowin_logic(bench: Bench, rng: np.random.Generator) -> None:
    for size in (1, 2, 3, 4):
        names = [f"I{k}" for k in range(size)]
        for table in map(int, rng.integers(0, 1 << (1 << size), 6)):
            bench.add(
                f"LUT{size}",
                Formula(
                    lambda p, t=table, n=tuple(names): {"F": lut(t, *(p[x] for x in n))}, {"F": 1}
                ),
                dict.fromkeys(names, 1),
                {"F": 1},
                INIT=bits(table, 1 << size),
            )
    for size in (5, 6, 7, 8):
        bench.add(
            f"MUX2_LUT{size}",
            Formula(lambda p: {"O": p["I1"] if p["S0"] else p["I0"]}, {"O": 1}),
            {"I0": 1, "I1": 1, "S0": 1},
            {"O": 1},
        )
    for kind in ("IBUF", "OBUF"):
        bench.add(kind, Formula(lambda p: {"O": p["I"]}, {"O": 1}), {"I": 1}, {"O": 1})
    bench.add("VCC", Formula(lambda p: {"V": 1}, {"V": 1}), {}, {"V": 1})
    bench.add("GND", Formula(lambda p: {"G": 0}, {"G": 1}), {}, {"G": 1})


def gowin_adders(bench: Bench) -> None:
    """Carries by arithmetic: a + b + carry, a - b - 1 + carry, and what they compare."""

    def total(p: Pins, minus: bool) -> dict[str, int]:
        value = p["I0"] + (1 - p["I1"] if minus else p["I1"]) + p["CIN"]
        return {"SUM": value & 1, "COUT": value >> 1}

    def unequal(p: Pins) -> dict[str, int]:
        same = p["I0"] == p["I1"]
        return {"SUM": int(same) ^ p["CIN"], "COUT": p["CIN"] if same else 1}

    formulas = {
        0: lambda p: total(p, False),
        1: lambda p: total(p, True),
        2: lambda p: total(p, not p["I3"]),
        3: unequal,
        4: lambda p: total(p, True),
    }
    for mode, formula in formulas.items():
        outs = {"SUM": 1, "COUT": 1}
        pins = {"I0": 1, "I1": 1, "I3": 1, "CIN": 1}
        bench.add("ALU", Formula(formula, outs), pins, outs, ALU_MODE=bits(mode, 32))


def gowin_flip_flops(bench: Bench) -> None:
    for edge in ("", "N"):
        for reset, pin in (
            ("", ""),
            ("S", "SET"),
            ("R", "RESET"),
            ("P", "PRESET"),
            ("C", "CLEAR"),
        ):
            for enable in ("", "E"):
                bench.add(
                    f"DFF{edge}{reset}{enable}",
                    FlipFlop(
                        "D",
                        lambda p, e=enable: not e or bool(p["CE"]),
                        lambda p, r=pin: bool(r) and bool(p[r]),
                        int(reset in ("S", "P")),
                        not edge,
                        reset in ("P", "C"),
                        False,
                    ),
                    {"D": 1, **({"CE": 1} if enable else {}), **({pin: 1} if pin else {})},
                    {"Q": 1},
                )


def gowin_distributed_rams(bench: Bench, rng: np.random.Generator) -> None:
    for width in (1, 2, 4):
        words = [int(w) for w in rng.integers(0, 1 << width, 16)]
        contents = {
            f"INIT_{k}": bits(sum((word >> k & 1) << n for n, word in enumerate(words)), 16)
            for k in range(width)
        }
        bench.add(
            f"RAM16SDP{width}",
            DistributedRam(words, lambda p: bool(p["WRE"]), True, width),
            {"DI": width, "WAD": 4, "WRE": 1, "RAD": 4},
            {"DO": width},
            **contents,
        )


def gowin_block_rams(bench: Bench, rng: np.random.Generator) -> None:
    shapes = [("SDPB", 32, 32), ("SDPB", 8, 2), ("SDPB", 1, 16), ("SDPB", 4, 4)]
    shapes += [("SDPX9B", 36, 36), ("SDPX9B", 9, 18), ("SDPX9B", 18, 9)]
    shapes += [("SP", 32, 32), ("SP", 4, 4), ("SP", 1, 1), ("SPX9", 36, 36), ("SPX9", 18, 18)]
    for index, (kind, write, read) in enumerate(shapes):
        unit, single = 9 if "X9" in kind else 8, kind.startswith("SP")
        asynchronous = bool(index & 1)
        memory = [int(v) for v in rng.integers(0, 1 << unit, 2048)]
        contents = {
            f"INIT_RAM_{k:02X}": bits(
                sum(memory[32 * k + j] << unit * j for j in range(32)), 32 * unit
            )
            for k in range(64)
        }

        def address() -> list[int | str]:
            return [*bench.fresh(6), *bench.fresh() * 8]

        seldom: list[int | str] = [*bench.seldom(), "0", "0"]
        pins: dict[str, int | list[int | str]] = {"DI": 4 * unit, "OCE": ["1"]}
        if single:
            pins |= {"CE": 1, "WRE": 1, "RESET": bench.seldom(), "BLKSEL": seldom}
            pins["AD"] = address()
            settings = {"BIT_WIDTH": bits(read, 32), "WRITE_MODE": bits(index % 3, 32)}
        else:
            pins |= {"CEA": 1, "CEB": 1, "RESETA": ["0"], "RESETB": bench.seldom()}
            pins |= {"BLKSELA": seldom, "BLKSELB": seldom, "ADA": address(), "ADB": address()}
            settings = {"BIT_WIDTH_0": bits(write, 32), "BIT_WIDTH_1": bits(read, 32)}
        settings["RESET_MODE"] = "ASYNC" if asynchronous else "SYNC"
        bench.add(
            kind,
            GowinBlockRam(unit, memory, write, read, single, index % 3, asynchronous),
            pins,
            {"DO": 4 * unit},
            READ_MODE="0",
            **settings,
            **contents,
        )


def gowin_dual_rams(bench: Bench, rng: np.random.Generator) -> None:
    for index, (kind, a, b) in enumerate(
        [("DPB", 16, 16), ("DPB", 8, 2), ("DPB", 1, 4), ("DPX9B", 18, 18), ("DPX9B", 9, 18)]
    ):
        unit, asynchronous = 9 if "X9" in kind else 8, bool(index & 1)
        memory = [int(v) for v in rng.integers(0, 1 << unit, 2048)]
        contents = {
            f"INIT_RAM_{k:02X}": bits(
                sum(memory[32 * k + j] << unit * j for j in range(32)), 32 * unit
            )
            for k in range(64)
        }
        through = ("NORMAL", "WRITETHROUGH")
        pins: dict[str, int | list[int | str]] = {}
        for letter in "AB":
            pins |= {f"CE{letter}": 1, f"WRE{letter}": 1, f"RESET{letter}": bench.seldom()}
            pins |= {f"OCE{letter}": ["1"], f"DI{letter}": 2 * unit}
            pins[f"BLKSEL{letter}"] = [*bench.seldom(), "0", "0"]
            pins[f"AD{letter}"] = [*bench.fresh(6), *bench.fresh() * 8]
        bench.add(
            kind,
            GowinDualRam(
                memory,
                Ecp5Port("A", a, through[index % 2], unit),
                Ecp5Port("B", b, through[index // 2 % 2], unit),
                asynchronous,
            ),
            pins,
            {"DOA": a, "DOB": b},
            READ_MODE0="0",
            READ_MODE1="0",
            WRITE_MODE0=bits(index % 2, 32),
            WRITE_MODE1=bits(index // 2 % 2, 32),
            BIT_WIDTH_0=bits(a, 32),
            BIT_WIDTH_1=bits(b, 32),
            RESET_MODE="ASYNC" if asynchronous else "SYNC",
            **contents,
        )


def gowin_multipliers(bench: Bench) -> None:
    for size in (9, 18):
        for signs in (("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")):

            def product(p: Pins, size: int = size) -> dict[str, int]:
                a = signed(p["A"], size, bool(p["ASIGN"]))
                b = signed(p["B"], size, bool(p["BSIGN"]))
                return {"DOUT": a * b & (1 << 2 * size) - 1}

            bench.add(
                f"MULT{size}X{size}",
                Formula(product, {"DOUT": 2 * size}),
                {"A": size, "B": size, "ASIGN": [signs[0]], "BSIGN": [signs[1]]},
                {"DOUT": 2 * size},
            )


def gowin_bench(*, blocks: bool) -> Bench:
    """``blocks``: with block RAM and multipliers, of which Yosys has no models."""
    bench, rng = Bench(GOWIN), np.random.default_rng(7)
    gowin_logic(bench, rng)
    gowin_adders(bench)
    gowin_flip_flops(bench)
    gowin_distributed_rams(bench, rng)
    if blocks:
        inverted = Formula(lambda p: {"O": 1 - p["I"]}, {"O": 1})
        bench.add("INV", inverted, {"I": 1}, {"O": 1})
        gowin_block_rams(bench, rng)
        gowin_dual_rams(bench, rng)
        gowin_multipliers(bench)
    return bench
