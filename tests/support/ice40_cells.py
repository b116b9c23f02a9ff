"""Every kind of iCE40 cell side by side."""

from __future__ import annotations

import numpy as np
from cell_bench import Bench
from cell_models import FlipFlop, Formula, Ice40BlockRam, Ice40Mac
from cell_values import bits, lut

from sephw.technologies import CELL_MODELS, ICE40

CLOCKS = {
    "SB_RAM40_4K": ["RCLK", "WCLK"],
    "SB_MAC16": ["CLK"],
    **{kind: ["C"] for kind in ICE40.require(CELL_MODELS) if kind.startswith("SB_DFF")},
}
PIPELINE = ("TOP_8x8_MULT_REG", "BOT_8x8_MULT_REG", "PIPELINE_16x16_MULT_REG1")
FROM_CD = {"TOPADDSUB_UPPERINPUT": "1", "BOTADDSUB_UPPERINPUT": "1"}


def ice40_logic(bench: Bench, rng: np.random.Generator) -> None:
    names = ["I0", "I1", "I2", "I3"]
    for table in map(int, rng.integers(0, 1 << 16, 40)):
        bench.add(
            "SB_LUT4",
            Formula(lambda p, t=table: {"O": lut(t, *(p[name] for name in names))}, {"O": 1}),
            dict.fromkeys(names, 1),
            {"O": 1},
            LUT_INIT=bits(table, 16),
        )
    bench.add(
        "SB_CARRY",
        Formula(lambda p: {"CO": (p["I0"] + p["I1"] + p["CI"]) // 2}, {"CO": 1}),
        {"I0": 1, "I1": 1, "CI": 1},
        {"CO": 1},
    )
    for edge in ("", "N"):
        for enable in ("", "E"):
            for reset, value, asynchronous in (
                ("", 0, False),
                ("SR", 0, False),
                ("SS", 1, False),
                ("R", 0, True),
                ("S", 1, True),
            ):
                pin = reset[-1:]
                bench.add(
                    f"SB_DFF{edge}{enable}{reset}",
                    FlipFlop(
                        "D",
                        lambda p, e=enable: not e or bool(p["E"]),
                        lambda p, r=pin: bool(r) and bool(p[r]),
                        value,
                        not edge,
                        asynchronous,
                        bool(enable),
                    ),
                    {"D": 1, **({"E": 1} if enable else {}), **({pin: 1} if pin else {})},
                    {"Q": 1},
                )


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
            "SB_RAM40_4K",
            Ice40BlockRam(rows, read, write, collide),
            {
                "RADDR": address(),
                "WADDR": address(),
                "MASK": 16,
                "WDATA": 16,
                "RE": 1,
                "RCLKE": 1,
                "WE": 1,
                "WCLKE": 1,
            },
            {"RDATA": 16},
            READ_MODE=bits(read, 2),
            WRITE_MODE=bits(write, 2),
            **parameters,
        )


def ice40_multipliers(bench: Bench) -> None:
    """Sum and accumulator over both halves, as synthesis uses them, and the plain product."""
    sum_of_both = {
        "TOPADDSUB_LOWERINPUT": "10",
        "BOTADDSUB_LOWERINPUT": "10",
        "TOPADDSUB_CARRYSELECT": "10",
    }
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
            **dict.fromkeys("ABCD", 16),
            "CE": 1,
            "AHOLD": 1,
            "BHOLD": 1,
            "CHOLD": 1,
            "DHOLD": 1,
            "CI": 1,
            "ADDSUBTOP": minus,
            "ADDSUBBOT": minus,
            "OLOADTOP": load,
            "OLOADBOT": load,
            "OHOLDTOP": hold,
            "OHOLDBOT": hold,
            "IRSTTOP": reset,
            "IRSTBOT": reset,
            "ORSTTOP": reset,
            "ORSTBOT": reset,
        }
        bench.add(
            "SB_MAC16",
            Ice40Mac(signs, frozenset(registers), select, adder),
            pins,
            {"O": 32},
            A_SIGNED=str(int(signs[0])),
            B_SIGNED=str(int(signs[1])),
            TOPOUTPUT_SELECT=bits(select, 2),
            BOTOUTPUT_SELECT=bits(select, 2),
            **dict.fromkeys(registers, "1"),
            **adder,
        )


def ice40_bench(*, collide: bool) -> Bench:
    bench, rng = Bench(ICE40), np.random.default_rng(6)
    ice40_logic(bench, rng)
    ice40_block_rams(bench, rng, collide=collide)
    ice40_multipliers(bench)
    return bench
