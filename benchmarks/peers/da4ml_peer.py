"""da4ml's own Verilog of the layer's constant sums, alone and between our window and requantizer.

da4ml makes the adders, a vector every cycle, without flow control and without a window: the layer
takes both from this package.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.layer import ACTIVATION_BITS, KERNEL, Integers, Layer
from benchmarks.peers.measure import TECHNOLOGIES, Design, cells
from benchmarks.peers.ours import Configuration, convolution, measured, row
from benchmarks.peers.result import Row, Scope
from sephw.ir import Folding
from sephw.ops import PatternConv
from sephw.ops.convolution import FoldedConvolution
from sephw.ops.families import BitParallel, ConvolutionVariant
from sephw.ops.families.adder_graph import BitParallelEngine
from sephw.ops.families.whole_window import Adders

NAME = "da4ml"
# Its delay unit is an adder, so this is one adder between two registers, as in our own graphs.
LATENCY_CUTOFF = 1
_PROJECT = "da4ml_sums"
_WRAPPER = f"{_PROJECT}_wrapper"


@dataclass(frozen=True)
class Emitted:
    """da4ml's Verilog: ``text`` of all modules, ``cycles`` from inputs to sums.

    ``lane_bits``: of a sum at the ports of the wrapper.
    """

    text: str
    cycles: int
    lane_bits: int


def dense(layer: Layer) -> Integers:
    """The layer's matrix without groups, int64 (out channels, windows in our order).

    Inputs are ordered (group, ky, kx, channel of the group); other groups' weights are 0.
    """
    own = layer.patterns.reshape(layer.groups, layer.channels // layer.groups, -1)
    groups, rows, columns = own.shape
    matrix = np.zeros((groups, rows, groups, columns), np.int64)
    for group in range(groups):
        matrix[group, :, group] = own[group]
    return matrix.reshape(layer.channels, KERNEL * KERNEL * layer.channels)


@lru_cache(maxsize=4)
def emit(layer: Layer) -> Emitted:
    """Solve the layer and write its Verilog, both by da4ml as its documentation says."""
    from da4ml.codegen import VerilogModel  # type: ignore[import-untyped, import-not-found, unused-ignore]
    from da4ml.trace import (  # type: ignore[import-untyped, import-not-found, unused-ignore]
        FixedVariableArrayInput,
        HWConfig,
        comb_trace,
    )

    matrix = dense(layer)
    count = matrix.shape[1]
    inputs: Any = FixedVariableArrayInput((count,), HWConfig(1, -1, -1))
    zeros = np.zeros(count, np.int64)
    activations = inputs.quantize(zeros, zeros + ACTIVATION_BITS, zeros)
    logic = comb_trace(inputs, activations @ matrix.T.astype(np.float64))
    with tempfile.TemporaryDirectory() as made:
        model: Any = VerilogModel(
            logic, _PROJECT, made, latency_cutoff=LATENCY_CUTOFF, print_latency=False
        )
        model.write()
        files = sorted(Path(made, "src").rglob("*.v"))
        text = "\n".join(file.read_text("utf-8") for file in files)
        wrapper = Path(made, "src", f"{_WRAPPER}.v").read_text("utf-8")
        # A register before each stage and one behind the last.
        cycles = len(model._pipe.solutions) + 1
    found = re.search(r"output \[(\d+):0\] model_out", wrapper)
    assert found is not None
    return Emitted(text, cycles, (int(found[1]) + 1) // layer.channels)


@dataclass(frozen=True)
class Da4mlEngine(BitParallelEngine):
    """Our streams around da4ml's adders."""

    @property
    def stages(self) -> int:
        return self._emitted.cycles

    @property
    def _key(self) -> str:
        return f"da4ml_g{self.operator.groups}"

    @property
    def _emitted(self) -> Emitted:
        assert isinstance(self.operator, Da4mlConv)
        return self.operator.emitted

    def _rtl_adders(self, module: str) -> Adders:
        emitted, operator = self._emitted, self.operator
        bits, lane = operator.output_type.bits, emitted.lane_bits
        lanes = [
            f"  assign sums[{i * bits}+:{bits}] = all_bits[{i * lane}+:{bits}];"
            for i in range(operator.out_channels)
        ]
        connection = [
            f"  wire [{operator.out_channels * lane - 1}:0] all_bits;",
            f"  {_WRAPPER} adders (.clk(ap_clk), .model_inp(window), .model_out(all_bits));",
            *lanes,
            "  wire unused = &{1'b0, load};",
        ]
        return Adders(emitted.text, connection="\n".join(connection), in_register=0)


@dataclass(frozen=True)
class Da4mlAdders(BitParallel):
    """A folding's word for them."""

    def build(self, operator: FoldedConvolution, folding: Folding) -> Da4mlEngine:
        return Da4mlEngine(operator, folding)


@dataclass(frozen=True, eq=False, kw_only=True)
class Da4mlConv(PatternConv):
    """The layer's convolution with da4ml's adders in the place of ours."""

    emitted: Emitted

    @property
    def variants(self) -> tuple[type[ConvolutionVariant], ...]:
        return (Da4mlAdders,)


def rows(layer: Layer, work: Path) -> list[Row]:
    """The adders alone, and the engine and the layer around them."""
    emitted = emit(layer)
    ours = convolution(layer)
    values = {f.name: getattr(ours, f.name) for f in fields(ours)}
    conv = Da4mlConv(**values, emitted=emitted)
    configuration = Configuration("one adder per register", Folding(engine=Da4mlAdders()))
    around = measured(
        layer, conv, configuration, work, NAME, "adders by da4ml, streams and window by sephw"
    )
    engine = next(r for r in around if r.scope is Scope.ENGINE)
    design = Design(_WRAPPER, {"adders.v": emitted.text}, {})
    bare = [
        row(
            layer,
            NAME,
            configuration.name,
            Scope.ADDERS,
            technology,
            cells(design, technology, work / f"da4ml_adders_g{layer.groups}"),
            engine.cycles,
            engine.checked,
            engine.wrong,
        )
        for technology in TECHNOLOGIES
    ]
    return [*bare, *around]
