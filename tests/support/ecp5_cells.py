"""Every kind of ECP5 cell side by side."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from cell_bench import Bench
from cell_models import DistributedRam, Ecp5BlockRam, Ecp5Port, FlipFlop, Formula, Pins
from cell_values import bits, lut, signed

from sephw.technologies import ECP5

CLOCKS = {
    "TRELLIS_FF": ["CLK"],
    "TRELLIS_DPR16X4": ["WCK"],
    "DP16KD": ["CLKA", "CLKB"],
}
SINGLE = {
    "DP16KD": ["DIA", "DIB", "ADA", "ADB", "CSA", "CSB", "DOA", "DOB"],
    "MULT18X18D": ["A", "B", "P"],
}


def ecp5_logic(bench: Bench, rng: np.random.Generator) -> None:
    one = {"Z": 1}
    for table in (0, 0xFFFF, 0xAAAA, 0x8000, 0x6996, *map(int, rng.integers(0, 1 << 16, 60))):
        bench.add(
            "LUT4",
            Formula(lambda p, t=table: {"Z": lut(t, p["A"], p["B"], p["C"], p["D"])}, one),
            dict.fromkeys("ABCD", 1),
            one,
            INIT=bits(table, 16),
        )
    # Constants are worked into the table.
    for place in "ABCD":
        for constant in "01":
            table = int(rng.integers(0, 1 << 16))
            pins = {**dict.fromkeys("ABCD", 1), place: [constant]}
            bench.add(
                "LUT4",
                Formula(lambda p, t=table: {"Z": lut(t, p["A"], p["B"], p["C"], p["D"])}, one),
                pins,
                one,
                INIT=bits(table, 16),
            )
    bench.add(
        "PFUMX",
        Formula(lambda p: {"Z": p["ALUT"] if p["C0"] else p["BLUT"]}, one),
        {"ALUT": 1, "BLUT": 1, "C0": 1},
        one,
    )
    bench.add(
        "L6MUX21",
        Formula(lambda p: {"Z": p["D1"] if p["SD"] else p["D0"]}, one),
        {"D0": 1, "D1": 1, "SD": 1},
        one,
    )


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
        "CCU2C",
        Formula(add_or_subtract, outs),
        shared,
        outs,
        INIT0=bits(0x96AA, 16),
        INIT1=bits(0x96AA, 16),
        INJECT1_0="NO",
        INJECT1_1="NO",
    )
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
            "CCU2C",
            Formula(stages, outs),
            pins,
            outs,
            INIT0=bits(tables[0], 16),
            INIT1=bits(tables[1], 16),
            INJECT1_0=cut0,
            INJECT1_1=cut1,
        )


def ecp5_flip_flops(bench: Bench) -> None:
    active: dict[str, Callable[[int], bool]] = {
        "0": lambda v: False,
        "1": lambda v: True,
        "INV": lambda v: not v,
        "on": bool,
    }
    for ce in ("1 ", "0 ", "CE", "INV"):
        for lsr in ("LSR", "INV"):
            for mode, regset, clk in (
                ("LSR_OVER_CE", "RESET", "CLK"),
                ("LSR_OVER_CE", "SET", "INV"),
                ("ASYNC", "SET", "CLK"),
                ("ASYNC", "RESET", "INV"),
            ):
                enable = active[ce.strip() if ce != "CE" else "on"]
                reset = active["INV" if lsr == "INV" else "on"]
                bench.add(
                    "TRELLIS_FF",
                    FlipFlop(
                        "DI",
                        lambda p, f=enable: f(p["CE"]),
                        lambda p, f=reset: f(p["LSR"]),
                        int(regset == "SET"),
                        clk == "CLK",
                        mode == "ASYNC",
                        False,
                    ),
                    {"DI": 1, "CE": 1, "LSR": 1},
                    {"Q": 1},
                    GSR="DISABLED",
                    CEMUX=ce,
                    LSRMUX=lsr,
                    CLKMUX=clk,
                    SRMODE=mode,
                    REGSET=regset,
                )
    # Without any parameter: always enabled, with a reset.
    bench.add(
        "TRELLIS_FF",
        FlipFlop("DI", lambda p: True, lambda p: bool(p["LSR"]), 0, True, False, False),
        {"DI": 1, "CE": 1, "LSR": 1},
        {"Q": 1},
    )


def ecp5_distributed_rams(bench: Bench, rng: np.random.Generator) -> None:
    for wre, clk in (("WRE", "WCK"), ("INV", "INV"), ("1 ", "WCK"), ("0 ", "WCK")):
        words = [int(w) for w in rng.integers(0, 16, 16)]
        init = sum(word << 4 * k for k, word in enumerate(words))
        writes: dict[str, Callable[[Pins], bool]] = {
            "WRE": lambda p: bool(p["WRE"]),
            "INV": lambda p: not p["WRE"],
            "1 ": lambda p: True,
            "0 ": lambda p: False,
        }
        bench.add(
            "TRELLIS_DPR16X4",
            DistributedRam(words, writes[wre], clk == "WCK"),
            {"DI": 4, "WAD": 4, "WRE": 1, "RAD": 4},
            {"DO": 4},
            WCKMUX=clk,
            WREMUX=wre,
            INITVAL=bits(init, 64),
        )


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
                **data,
                **ones,
                "WEB": ["0"] if a == 36 else 1,
                "CSA": ["0", "0", "0"],
                "CSB": [*bench.seldom(), "0", "0"],
                "OCEA": ["0"],
                "OCEB": ["1"],
                "RSTA": bench.seldom(),
                "RSTB": bench.seldom(),
            },
            {"DOB": b} if a == 36 and b < 36 else {"DOA": min(a, 18), "DOB": min(b, 18)},
            DATA_WIDTH_A=bits(a, 32),
            DATA_WIDTH_B=bits(b, 32),
            REGMODE_A="NOREG",
            REGMODE_B="NOREG",
            RESETMODE="SYNC",
            CSDECODE_A="0b000",
            CSDECODE_B="0b000",
            CLKAMUX="CLKA",
            CLKBMUX="CLKB",
            GSR="AUTO",
            WRITEMODE_A=mode,
            WRITEMODE_B=mode,
            **parameters,
        )


def ecp5_multipliers(bench: Bench) -> None:
    for sign_a in "01":
        for sign_b in "01":

            def product(p: Pins) -> dict[str, int]:
                a = signed(p["A"], 18, bool(p["SIGNEDA"]))
                b = signed(p["B"], 18, bool(p["SIGNEDB"]))
                return {"P": a * b & (1 << 36) - 1}

            bench.add(
                "MULT18X18D",
                Formula(product, {"P": 36}),
                {"A": 18, "B": 18, "SIGNEDA": [sign_a], "SIGNEDB": [sign_b]},
                {"P": 36},
            )


def ecp5_bench(*, memories: bool) -> Bench:
    bench, rng = Bench(ECP5), np.random.default_rng(5)
    ecp5_logic(bench, rng)
    ecp5_carries(bench, rng)
    ecp5_flip_flops(bench)
    ecp5_distributed_rams(bench, rng)
    if memories:  # without these two, what Yosys has models of
        ecp5_block_rams(bench, rng)
        ecp5_multipliers(bench)
    return bench
