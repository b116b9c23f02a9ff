"""Single cells side by side in one netlist, driven at random and compared with Python models."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from cell_models import Model

from sephw.backends.layout import Layout
from sephw.synth.netlist.read import read_netlist
from sephw.synth.netlist.verilog import verilog_text
from sephw.technologies import Technology
from sephw.tools.process import run
from sephw.tools.verilator import build

BENCH = Path(__file__).parents[1] / "netlist" / "cell_bench.cpp"
TOP = "cells"
# An asynchronous reset that is active from the first moment on has no edge yet.
START = 3
_CLOCK = 2
EMPTY = Layout(TOP, {}, {}, (), ())


@dataclass
class Placed:
    """A cell in the bench: where its pins lie in the stimuli, its outputs in the responses."""

    kind: str
    parameters: dict[str, str]
    inputs: dict[str, list[int | str]]
    outputs: dict[str, list[int]]
    model: Model

    def pins(self, row: int) -> dict[str, int]:
        """Values of its inputs in a row of stimuli: "0" and "1" are constants."""
        found = {}
        for name, bits in self.inputs.items():
            values = [int(b) if isinstance(b, str) else row >> b & 1 for b in bits]
            found[name] = sum(value << k for k, value in enumerate(values))
        return found


@dataclass
class Bench:
    """Cells of one technology; ``single``: ports of several bits are pins NAME0, NAME1, ..."""

    technology: Technology
    stimuli: int = 0
    responses: int = 0
    rare: int = 0
    cells: list[Placed] = field(default_factory=list)

    def fresh(self, count: int = 1) -> list[int | str]:
        """Inputs of their own, driven at random."""
        self.stimuli += count
        return list(range(self.stimuli - count, self.stimuli))

    def seldom(self) -> list[int | str]:
        """An input that is up in one cycle of eight."""
        (bit,) = self.fresh()
        self.rare |= 1 << int(bit)
        return [bit]

    def add(
        self,
        kind: str,
        model: Model,
        inputs: Mapping[str, int | Sequence[int | str]],
        outputs: Mapping[str, int],
        **parameters: str,
    ) -> None:
        """Place a cell. Inputs by port: a number of fresh ones, or a list."""
        wired = {
            name: self.fresh(bits) if isinstance(bits, int) else list(bits)
            for name, bits in inputs.items()
        }
        places = {}
        for name, bits in outputs.items():
            places[name] = list(range(self.responses, self.responses + bits))
            self.responses += bits
        self.cells.append(Placed(kind, parameters, wired, places, model))

    def netlist(
        self, clocks: Mapping[str, Sequence[str]], single: Mapping[str, Sequence[str]]
    ) -> Any:
        """The netlist as Yosys would write it; ``clocks`` and ``single`` ports by kind."""
        first_in, first_out = _CLOCK + 1, _CLOCK + 1 + self.stimuli

        def pin(bit: int | str, base: int) -> int | str:
            return bit if isinstance(bit, str) else base + bit

        cells = {}
        for index, cell in enumerate(self.cells):
            ports: dict[str, list[int | str]] = {}
            ways: dict[str, str] = {}
            ends = [(n, b, "input", first_in) for n, b in cell.inputs.items()]
            ends += [(n, b, "output", first_out) for n, b in cell.outputs.items()]
            for name, bits, way, base in ends:
                if name in single.get(cell.kind, ()):
                    for k, bit in enumerate(bits):
                        ports[f"{name}{k}"], ways[f"{name}{k}"] = [pin(bit, base)], way
                else:
                    ports[name], ways[name] = [pin(bit, base) for bit in bits], way
            for name in clocks.get(cell.kind, ()):
                ports[name], ways[name] = [_CLOCK], "input"
            cells[f"cell{index}"] = {
                "type": cell.kind,
                "parameters": cell.parameters,
                "connections": ports,
                "port_directions": ways,
            }
        ends_of = {
            "clk": ("input", [_CLOCK]),
            "stimuli": ("input", list(range(first_in, first_out))),
            "responses": ("output", list(range(first_out, first_out + self.responses))),
        }
        ports_of = {n: {"direction": way, "bits": bits} for n, (way, bits) in ends_of.items()}
        named = {name: {"bits": bits} for name, (_, bits) in ends_of.items()}
        return {"modules": {TOP: {"ports": ports_of, "cells": cells, "netnames": named}}}

    def rows(self, cycles: int, seed: int) -> list[int]:
        """Random stimuli after ``START`` rows in which every input rises and falls."""
        rng = np.random.default_rng(seed)
        size = -(-self.stimuli // 8)
        ones = (1 << self.stimuli) - 1
        first, *others = (
            [int.from_bytes(rng.bytes(size), "little") & ones for _ in range(cycles)]
            for _ in range(3)
        )
        masks = [ones & ~self.rare | a & b for a, b in zip(*others, strict=True)]
        drawn = [row & mask for row, mask in zip(first, masks, strict=True)]
        return [0, ones, 0, *drawn]

    def expect(self, rows: Sequence[int]) -> list[tuple[int, int]]:
        """(responses, known bits) in each cycle, by the models."""
        found = []
        for row in rows:
            value = known = 0
            pins = [cell.pins(row) for cell in self.cells]
            for cell, values in zip(self.cells, pins, strict=True):
                cell.model.settle(values)
                cell.model.fall(values)
                for name, (bits, mask) in cell.model.outputs(values).items():
                    for k, place in enumerate(cell.outputs[name]):
                        value |= (bits & mask) >> k << place & 1 << place
                        known |= mask >> k << place & 1 << place
            found.append((value, known))
            for cell, values in zip(self.cells, pins, strict=True):
                cell.model.rise(values)
        return found

    def first_difference(
        self, found: Sequence[int], expected: Sequence[tuple[int, int]]
    ) -> str | None:
        """Of the first cycle in which a known bit differs: the cells that do."""
        for cycle, (row, (value, known)) in enumerate(zip(found, expected, strict=True)):
            wrong = (row ^ value) & known
            if wrong and cycle >= START:
                names = {
                    f"{cell.kind} {cell.parameters} {name}[{k}]"
                    for cell in self.cells
                    for name, places in cell.outputs.items()
                    for k, place in enumerate(places)
                    if wrong >> place & 1
                }
                return f"cycle {cycle}: {sorted(names)[:4]}"
        return None


def run_bench(
    folder: Path, sources: Sequence[str], rows: Sequence[int], stimuli: int, responses: int
) -> list[int]:
    """Build the bench of ``sources`` in ``folder`` and run it; the responses of each cycle."""
    program = build([*sources, str(BENCH)], TOP, folder, folder / "build", purpose="bench of cells")
    size = _bytes(stimuli)
    (folder / "stimuli.bin").write_bytes(b"".join(row.to_bytes(size, "little") for row in rows))
    done = run([program, folder / "stimuli.bin", folder / "responses.bin"])
    assert done.returncode == 0, done.stderr
    data = (folder / "responses.bin").read_bytes()
    size = _bytes(responses)
    mask = (1 << responses) - 1
    return [
        int.from_bytes(data[at : at + size], "little") & mask for at in range(0, len(data), size)
    ]


def write_ours(folder: Path, technology: Technology, netlist: Any) -> str:
    """Translate a netlist as the product does; the name of the file."""
    (folder / "cells.json").write_text(json.dumps(netlist), encoding="utf-8")
    text = verilog_text(read_netlist(folder / "cells.json", technology), EMPTY)
    (folder / "cells.v").write_text(text, encoding="utf-8")
    return "cells.v"


def write_instances(folder: Path, netlist: Any) -> str:
    """The same netlist as plain instances, for another library of cells; the name of the file."""
    module = netlist["modules"][TOP]

    def bits_of(bits: Sequence[int | str]) -> str:
        return (
            "{"
            + ", ".join(f"1'b{b}" if isinstance(b, str) else f"n[{b}]" for b in bits[::-1])
            + "}"
        )

    def value(text: str) -> str:
        return f"{len(text)}'b{text}" if set(text) <= set("01") else f'"{text.strip()}"'

    top = max(b for port in module["ports"].values() for b in port["bits"])
    ports = module["ports"]
    lines = [
        f"module {TOP} (",
        ", ".join(
            f"{port['direction']} [{len(port['bits']) - 1}:0] {name}"
            for name, port in ports.items()
        ),
        ");",
        f"wire [{top}:0] n;",
        *(f"assign {bits_of(p['bits'])} = {n};" for n, p in ports.items() if n != "responses"),
        f"assign responses = {bits_of(ports['responses']['bits'])};",
    ]
    for name, cell in module["cells"].items():
        parameters = ", ".join(f".{k}({value(v)})" for k, v in cell["parameters"].items())
        pins = ", ".join(f".{k}({bits_of(v)})" for k, v in cell["connections"].items())
        lines.append(f"{cell['type']} #({parameters}) {name} ({pins});")
    (folder / "instances.v").write_text("\n".join([*lines, "endmodule", ""]), encoding="utf-8")
    return "instances.v"


def _bytes(bits: int) -> int:
    return -(-bits // 32) * 4
