"""The common base of the adder families: a whole window in and all channels out per issue.

The generated adders stand inside a generated engine, which connects them to the one in rtl/ (or
hls/) that issues, counts and holds the output. Names end in a hash of the graph: equal layers share
their files.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from sephw.adder_graph import emit_cpp
from sephw.ir import (
    AdderPart,
    Folding,
    HlsInstance,
    IntType,
    Memory,
    RtlInstance,
    Schedule,
    Structure,
)
from sephw.ops.common import integer_parameters
from sephw.ops.families.base import ConvolutionEngine, ConvolutionVariant
from sephw.ops.families.sizes import AdderSizes
from sephw.ops.parts import counter_bits, output_parts
from sephw.ops.port_wrapper import PortWrapper, StreamPort

if TYPE_CHECKING:
    from sephw.ops.convolution import FoldedConvolution

# Stages of an engine beside a level of adders per halving of the inputs: a guess.
_GUESSED_STAGES = 7
_KERNEL = """\
// {adders} behind streams, see sephw_graph_engine.h; generated.
#ifndef SEPHW_{guard}_H_
#define SEPHW_{guard}_H_

#include "sephw_{adders}.h"
#include "sephw_graph_engine.h"

namespace sephw {{

struct {name}_sums {{
    static void of(const {in_type} x[{inputs}], {out_type} y[{outputs}]) {{
#pragma HLS INLINE
        {adders}(x, y);
    }}
}};

template <typename CONFIG, class in_T, class out_T>
void {name}(hls::stream<in_T> &in, hls::stream<out_T> &out) {{
#pragma HLS INLINE
    graph_engine<in_T, out_T, CONFIG, {name}_sums>(in, out);
}}

}} // namespace sephw

#endif
"""


def _lane_type(dtype: IntType) -> str:
    return f"ap_{'' if dtype.signed else 'u'}int<{dtype.bits}>"


@dataclass(frozen=True)
class Adders:
    """Generated SystemVerilog: ``text`` of a module, ``connection`` its instance.

    In reach of the instance: ap_clk, load (up in the cycle of an issue), window, sums.
    ``in_register`` is 1 where window is wanted a cycle after load, from a register.
    """

    text: str
    connection: str
    in_register: int


@dataclass(frozen=True)
class WholeWindowVariant(ConvolutionVariant):
    """An engine made of an adder graph: all lanes."""

    whole_window: ClassVar[bool] = True
    solves_graph: ClassVar[bool] = True

    def whole(self, operator: FoldedConvolution) -> Folding:
        """The folding of ``operator``: a whole window in, all channels out."""
        return Folding(operator.out_channels, operator.input_shapes[0][2], self)

    def guessed_latency_cycles(self, folding: Folding, interval_cycles: int) -> int:
        pace = interval_cycles if interval_cycles > 1 else 0
        return _GUESSED_STAGES + folding.simd.bit_length() + pace


@dataclass(frozen=True)
class WholeWindowEngine(ConvolutionEngine):
    """One issue per output pixel."""

    @property
    def suffix(self) -> str:
        """The suffix of the RTL's names, which distinguishes the engines of one graph."""
        return ""

    @property
    @abstractmethod
    def interval_cycles(self) -> int:
        """Least distance of two issues."""

    @property
    @abstractmethod
    def stages(self) -> int:
        """Cycles from an issue to its sums."""

    @abstractmethod
    def _rtl_adders(self, module: str) -> Adders: ...

    @abstractmethod
    def _adder_structure(self, sizes: AdderSizes) -> Structure:
        """The parts of the adders, without what is around them."""

    def structure(self, fifo_depths: Sequence[int], *, solve: bool = True) -> Structure:
        operator = self.operator
        sizes = operator.adder_sizes if solve else operator.predicted_adder_sizes
        adders = self._adder_structure(sizes)
        interval = self.interval_cycles
        pace = counter_bits(interval - 1) + 1 if interval > 1 else 0
        # Negated outputs take a subtraction from 0 each.
        negated = AdderPart(sizes.negations, operator.output_type.bits)
        return replace(
            adders,
            outputs=output_parts(
                operator.output_streams(self.folding),
                fifo_depths,
                1 + sizes.depth + (interval if interval > 1 else 0),
            ),
            adders=(*adders.adders, negated),
            register_bits=adders.register_bits + pace,
        )

    @property
    def _key(self) -> str:
        return hashlib.sha256(repr(self.operator.adder_graph).encode()).hexdigest()[:12]

    @property
    def _pixels(self) -> int:
        return self.operator.height * self.operator.width

    @property
    def frame_cycles(self) -> int:
        return self._pixels * self.interval_cycles

    def schedule(self) -> Schedule:
        """A window in and a pixel out per issue. The output FIFO adds 2 cycles."""
        each = np.ones(self._pixels, np.uint8)
        return Schedule(
            reads=(each,),
            writes=(each,),
            latency_cycles=self.stages + 2,
            interval_cycles=self.interval_cycles,
        )

    def memory(self) -> Memory:
        """None: the constants are wiring."""
        return Memory()

    def hls(self) -> HlsInstance:
        """Bit-parallel adders for every digit width: an HLS kernel takes a window per cycle."""
        operator, name, adders = self.operator, f"graph_{self._key}", f"adders_{self._key}"
        text = emit_cpp(
            operator.adder_graph,
            adders,
            in_bits=operator.input_dtype.bits,
            out_bits=operator.output_type.bits,
        )
        kernel = _KERNEL.format(
            name=name,
            adders=adders,
            guard=name.upper(),
            in_type=_lane_type(operator.input_dtype),
            inputs=self.folding.simd,
            out_type=_lane_type(operator.output_type),
            outputs=self.folding.pe,
        )
        return HlsInstance(
            header=f"sephw_{name}.h",
            function=name,
            parameters=(
                *integer_parameters(operator),
                ("pe", self.folding.pe),
                ("simd", self.folding.simd),
                ("acc_bits", operator.output_type.bits),
                ("issues", self._pixels),
            ),
            generated=((f"sephw_{name}.h", kernel), (f"sephw_{adders}.h", text)),
        )

    def rtl(self) -> RtlInstance:
        operator = self.operator
        name, adders = f"graph_{self._key}{self.suffix}", f"adders_{self._key}{self.suffix}"
        core = self._rtl_adders(f"sephw_{adders}")
        in_bits = self.folding.simd * operator.input_dtype.bits
        out_bits = self.folding.pe * operator.output_type.bits
        engine = PortWrapper(
            f"sephw_{name}",
            "sephw_graph_engine",
            about=(
                f"Engine with the adders of sephw_{adders}; generated.",
                "",
                f"In, out, timing and invariant: sephw_graph_engine.sv. Latency {self.stages + 2} "
                "cycles, an issue every",
                f"{self.interval_cycles} or more.",
            ),
            inputs=(StreamPort(str(in_bits), "s_axis"),),
            outputs=(StreamPort(str(out_bits), "m_axis"),),
            settings=(
                ("IN_BITS", str(in_bits)),
                ("OUT_BITS", str(out_bits)),
                ("IN_REGISTER", str(core.in_register)),
                ("STAGES", str(self.stages)),
                ("INTERVAL", str(self.interval_cycles)),
                ("FIFO_DEPTH", "FIFO_DEPTH_0"),
            ),
            wires=(("load", 1), ("window", in_bits), ("sums", out_bits)),
            body=core.connection,
        )
        return RtlInstance(
            module=f"sephw_{name}",
            parameters=(),
            generated=(engine.source, (f"sephw_{adders}.sv", core.text)),
        )
