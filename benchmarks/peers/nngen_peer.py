"""NNgen's accelerator of the layer: Verilog with an AXI master, run against a memory.

It is a whole accelerator: it fetches weights and map from memory and writes the sums back, in
32 bits, so its LUTs hold DMA and control that the streaming engines do without.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.peers.environment import PeerEnvironment
from benchmarks.peers.layer import Layer
from benchmarks.peers.measure import TECHNOLOGIES, Design, cells, wrong
from benchmarks.peers.ours import row
from benchmarks.peers.result import NOT_SYNTHESIZED, Row, Scope
from sephw.errors import SephwError
from sephw.tools.process import run
from sephw.tools.verilator import build

NAME = "NNgen"
_GENERATE = Path(__file__).with_name("nngen_generate.py")
_TIMEOUT_SECONDS = 3600.0
_DRIVER = """\
#include "Vtop.h"
#include "verilated.h"
int main(int argc, char **argv) {
    Verilated::commandArgs(argc, argv);
    Vtop top;
    for (long cycle = 0; cycle < 200000000L && !Verilated::gotFinish(); ++cycle) {
        top.RESETN = cycle >= 100;
        top.CLK = 0;
        top.eval();
        top.CLK = 1;
        top.eval();
    }
    return 0;
}
"""


@dataclass(frozen=True)
class Configuration:
    """NNgen's settings. ``synthesized``: False where only its values are checked.

    ``ram_words``: least size of an on-chip memory, which NNgen would set to 4,096.
    """

    par_ich: int = 1
    par_och: int = 1
    act_bits: int = 8
    act_signed: bool = True
    weight_bits: int = 1
    axi_bits: int = 32
    ram_words: int = 1
    synthesized: bool = True

    @property
    def name(self) -> str:
        """As the page calls it."""
        kind = "int" if self.act_signed else "uint"
        return (
            f"par_ich {self.par_ich}, par_och {self.par_och}, {kind}{self.act_bits} × "
            f"{self.weight_bits} bit"
            + (f", memories from {self.ram_words:,} words" if self.ram_words > 1 else "")
        )


# Its 1-bit layer negates in the type of the activations: unsigned ones come out wrong, and the
# least signed one. The same width, signed, is what the sizes are of; int16 holds the layer's own
# values.
CONFIGURATIONS = (
    Configuration(act_signed=False, synthesized=False),
    Configuration(act_bits=16, synthesized=False),
    Configuration(),
    Configuration(act_signed=False, weight_bits=2),
    Configuration(ram_words=4096),
    Configuration(par_ich=2, par_och=2),
)


def rows(
    layer: Layer, configuration: Configuration, environment: PeerEnvironment, work: Path
) -> list[Row]:
    """The layer, sums out, on every technology."""
    settings = asdict(configuration)
    folder = work / ("nngen_" + "_".join(str(value) for value in settings.values()))
    folder.mkdir(parents=True, exist_ok=True)
    own_values = not configuration.act_signed or configuration.act_bits > 8
    images = layer.images(2)[:1] if own_values else layer.images(2, signed=True)[:1].clip(-127)
    np.save(folder / "patterns.npy", layer.patterns)
    np.save(folder / "images.npy", images)
    environment.run(_GENERATE, [str(folder), json.dumps(settings)], folder)
    (folder / "driver.cpp").write_text(_DRIVER, encoding="utf-8")
    program = build(["test.v", "driver.cpp"], "test", folder, folder / "sim", purpose=NAME)
    printed = run([program], directory=folder, timeout_seconds=_TIMEOUT_SECONDS).stdout
    cycles, sums = read(printed, layer)
    expected = layer.expected(images)
    differ = wrong(sums, expected)
    note = "" if own_values else "activations −127..127"
    if not configuration.synthesized:
        return [not_synthesized(layer, configuration, cycles, expected.size, differ)]
    design = Design("nngen_layer", {"layer.v": (folder / "layer.v").read_text("utf-8")}, {})
    return [
        row(
            layer,
            NAME,
            configuration.name,
            Scope.LAYER,
            technology,
            cells(design, technology, folder),
            cycles,
            expected.size,
            differ,
            note,
        )
        for technology in TECHNOLOGIES
    ]


def not_synthesized(
    layer: Layer, configuration: Configuration, cycles: int, checked: int, differ: int
) -> Row:
    """What simulation alone found."""
    return Row(
        NAME,
        configuration.name,
        Scope.LAYER,
        layer.groups,
        NOT_SYNTHESIZED,
        0,
        0,
        0,
        0,
        layer.macs,
        cycles,
        checked,
        differ,
    )


def read(printed: str, layer: Layer) -> tuple[int, np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """(cycles of the last run, its sums) of what the test module printed."""
    words = [line.split() for line in printed.splitlines()]
    cycles = [int(w[1]) for w in words if w[:1] == ["cycles"]]
    values = np.array([int(w[1]) for w in words if w[:1] == ["out"]], np.int64)
    shape = (1, layer.size, layer.size, layer.channels)
    if not cycles or values.size != np.prod(shape):
        raise SephwError(
            f"{NAME}: its simulation ended with {values.size} sums; "
            "look at test.v in its folder below --work"
        )
    # Words of 32 bits, as the simulation prints them without a sign.
    return cycles[-1], (((values + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)).reshape(shape)
