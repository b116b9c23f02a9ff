"""FINN+'s RTL library as the layer: padding, sliding window, matrix-vector unit, weight stream.

From the wheel on PyPI, unpacked. Its parts that configure weights and sizes at run time (AXI-lite)
are left out, to its advantage. The matrix-vector unit refuses 1-bit weights, so they are 2-bit;
its behavioral form is used, in which Yosys finds the multipliers.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from benchmarks.peers.environment import PeerEnvironment
from benchmarks.peers.foreign import Foreign, graph_of
from benchmarks.peers.layer import ACTIVATION_BITS, KERNEL, Layer
from benchmarks.peers.measure import TECHNOLOGIES, Design, cells, frame_interval, play, wrong
from benchmarks.peers.ours import FRAMES, row
from benchmarks.peers.result import Row, Scope
from sephw.backends.rtl import write_project
from sephw.ir import IntType

NAME = "FINN+ RTL"
WEIGHT_BITS = 2
_GENERATE = Path(__file__).with_name("finn_generate.py")
# In order: packages first. Below finn-rtllib.
_SOURCES = (
    "mvu/mvu_pkg.sv",
    "mvu/add_multi.sv",
    "mvu/replay_buffer.sv",
    "mvu/mvu.sv",
    "mvu/mvu_vvu_8sx9_dsp58.sv",
    "mvu/mvu_vvu_axi.sv",
    "memstream/hdl/memstream.sv",
    "fmpadding/hdl/fmpadding.sv",
    "swg/swg_pkg.sv",
    "swg/swg_common.sv",
)
# A check in simulation only, with a delay that synthesis does not read.
_WATCHDOG = re.compile(r"if\(1\) begin : blkRecoveryWatch.*?end : blkRecoveryWatch", re.DOTALL)
# Verilator takes no constant function inside a generate block; it moves to the module.
_FUNCTION = re.compile(
    r"typedef int unsigned  leaf_load_t.*?endfunction : init_leaf_loads", re.DOTALL
)
_BEFORE = "\tlocalparam int unsigned  L = "

_TOP = Template("""\
// FINN+'s padding, sliding window, weight stream and matrix-vector unit behind two streams.
module finn_layer #(
    parameter int FIFO_DEPTH_0 = 0  // every module of a project has it; there is no FIFO here
) (
    input  wire ap_clk,
    input  wire ap_rst_n,
    input  wire [$in_top:0] s_axis_0_tdata,
    input  wire s_axis_0_tvalid,
    output wire s_axis_0_tready,
    output wire [$out_top:0] m_axis_0_tdata,
    output wire m_axis_0_tvalid,
    input  wire m_axis_0_tready
);
  wire [$in_top:0] padded;
  wire padded_valid, padded_ready;
  wire [$window_top:0] window;
  wire window_valid, window_ready;
  wire [$weight_top:0] weights;
  wire weights_valid, weights_ready;
  wire [$sums_top:0] sums;
  assign m_axis_0_tdata = sums[$out_top:0];

  fmpadding #(
      .XCOUNTER_BITS($counter), .YCOUNTER_BITS($counter), .NUM_CHANNELS($channels),
      .SIMD($window_simd), .ELEM_BITS($bits), .INIT_XON(1), .INIT_XOFF($size + 1),
      .INIT_XEND($size + 1), .INIT_YON(1), .INIT_YOFF($size + 1), .INIT_YEND($size + 1)
  ) padding (
      .ap_clk(ap_clk), .ap_rst_n(ap_rst_n), .we(1'b0), .wa(5'd0), .wd(32'd0),
      .s_axis_tready(s_axis_0_tready), .s_axis_tvalid(s_axis_0_tvalid),
      .s_axis_tdata(s_axis_0_tdata),
      .m_axis_tready(padded_ready), .m_axis_tvalid(padded_valid), .m_axis_tdata(padded)
  );

  window_impl #(
      .BIT_WIDTH($bits), .SIMD($window_simd), .MMV_IN(1), .MMV_OUT($pixels)
  ) windows (
      .ap_clk(ap_clk), .ap_rst_n(ap_rst_n),
      .in0_V_V_TVALID(padded_valid), .in0_V_V_TREADY(padded_ready), .in0_V_V_TDATA(padded),
      .out_V_V_TVALID(window_valid), .out_V_V_TREADY(window_ready), .out_V_V_TDATA(window)
  );

  memstream #(
      .SETS(1), .DEPTH($depth), .WIDTH($weight_top + 1), .INIT_FILE("weights.mem")
  ) weight_stream (
      .clk(ap_clk), .rst(!ap_rst_n), .config_ce(1'b0), .config_we(1'b0), .config_address('0),
      .config_d0('0), .config_rack(), .config_q0(), .sidx('0), .svld(1'b0), .srdy(),
      .ordy(weights_ready), .ovld(weights_valid), .odat(weights)
  );

  mvu_vvu_axi #(
      .IS_MVU(1), .VERSION(1), .MW($columns), .MH($channels), .PE($pe), .SIMD($simd),
      .ACTIVATION_WIDTH($bits), .WEIGHT_WIDTH($weight_bits), .ACCU_WIDTH($sum_bits),
      .NARROW_WEIGHTS(1), .SIGNED_ACTIVATIONS(0), .FORCE_BEHAVIORAL(1)
  ) unit (
      .ap_clk(ap_clk), .ap_clk2x(1'b0), .ap_rst_n(ap_rst_n),
      .s_axis_weights_tdata($weights), .s_axis_weights_tvalid(weights_valid),
      .s_axis_weights_tready(weights_ready),
      .s_axis_input_tdata(window), .s_axis_input_tvalid(window_valid),
      .s_axis_input_tready(window_ready),
      .m_axis_output_tdata(sums), .m_axis_output_tvalid(m_axis_0_tvalid),
      .m_axis_output_tready(m_axis_0_tready)
  );
endmodule
""")


@dataclass(frozen=True)
class Configuration:
    """Folding of the matrix-vector unit; ``parallel``: whole windows at once.

    ``dsp``: False for its multiplications in logic.
    """

    pe: int
    simd: int
    parallel: bool = False
    dsp: bool = True

    @property
    def name(self) -> str:
        """As the page calls it."""
        where = "" if self.dsp else ", multipliers in logic"
        return f"PE {self.pe} × SIMD {self.simd}{where}"


CONFIGURATIONS = (
    Configuration(1, 16),
    Configuration(4, 16),
    Configuration(16, 16),
    Configuration(1, 16, dsp=False),
    Configuration(4, 16, dsp=False),
    Configuration(16, 144, parallel=True),
)


@dataclass(frozen=True)
class Generated:
    """Sources and weights of one folding."""

    sources: dict[str, str] = field(default_factory=dict)
    memories: dict[str, str] = field(default_factory=dict)


def rows(
    layer: Layer, configuration: Configuration, environment: PeerEnvironment, work: Path
) -> list[Row]:
    """The layer, sums out, on every technology."""
    folder = (
        work
        / f"finn_{configuration.pe}x{configuration.simd}_{'dsp' if configuration.dsp else 'logic'}"
    )
    made = generate(layer, configuration, environment, folder)
    lanes = layer.channels if configuration.parallel else configuration.simd
    peer = Foreign(
        module="finn_layer",
        size=layer.size,
        in_channels=layer.channels,
        out_channels=layer.channels,
        input_dtype=IntType(ACTIVATION_BITS, False),
        output_dtype=IntType(sum_bits(layer), True),
        in_lanes=lanes,
        out_lanes=configuration.pe,
        generated=tuple(made.sources.items()),
    )
    project = folder / "rtl"
    # The library's packages have to be read first; the file list is in alphabetical order.
    write_project(graph_of(peer), project, samples={}, golden={})
    names = [*made.sources, "peers_top.sv"]
    (project / "files.f").write_text("".join(f"{name}\n" for name in names))
    for name, text in made.memories.items():
        (project / name).write_text(text)
    images = layer.images(FRAMES)
    run = play(project, images)
    expected = layer.expected(images)
    cycles = frame_interval(run.pops["sums"], FRAMES)
    differ = wrong(run.values["sums"], expected)
    design = Design("finn_layer", made.sources, made.memories, slang=True, dsp=configuration.dsp)
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
            f"{WEIGHT_BITS}-bit weights",
        )
        for technology in TECHNOLOGIES
    ]


def generate(
    layer: Layer, configuration: Configuration, environment: PeerEnvironment, folder: Path
) -> Generated:
    """Sources in the order in which they are read, and the weights."""
    folder.mkdir(parents=True, exist_ok=True)
    library = environment.finn / "finn" / "finn-rtllib"
    sources = {Path(name).name: (library / name).read_text("utf-8") for name in _SOURCES}
    sources["mvu.sv"] = _WATCHDOG.sub("", sources["mvu.sv"])
    adders = sources["add_multi.sv"]
    moved = _FUNCTION.findall(adders)[0]
    adders = _FUNCTION.sub("", adders).replace(_BEFORE, f"{moved}\n{_BEFORE}")
    sources["add_multi.sv"] = adders
    simd = layer.channels if configuration.parallel else configuration.simd
    arguments = (layer.size, layer.channels, simd, int(configuration.parallel))
    printed = environment.run(_GENERATE, [str(environment.finn), *map(str, arguments)], folder)
    values = json.loads(printed.splitlines()[-1])
    text = Path(values["template"]).read_text("utf-8").replace("$TOP_MODULE_NAME$", "window")
    for key, lines in values["values"].items():
        text = text.replace(key, "\n".join(lines))
    sources["window.sv"] = text.replace("$RAM_STYLE$", '"auto"')
    sources["finn_layer.sv"] = top(layer, configuration, simd)
    return Generated(sources, {"weights.mem": weight_file(layer, configuration)})


def top(layer: Layer, configuration: Configuration, window_simd: int) -> str:
    """The wrapper: written here, for the library's ports."""
    columns = KERNEL * KERNEL * layer.channels
    pixels = KERNEL * KERNEL if configuration.parallel else 1
    pe, simd = configuration.pe, configuration.simd
    weights = pe * simd * WEIGHT_BITS
    padding = -weights % 8
    sums = pe * sum_bits(layer)
    return _TOP.substitute(
        in_top=window_simd * ACTIVATION_BITS - 1,
        out_top=sums - 1,
        sums_top=-(-sums // 8) * 8 - 1,
        window_top=window_simd * pixels * ACTIVATION_BITS - 1,
        weight_top=weights - 1,
        weights=f"{{{padding}'d0, weights}}" if padding else "weights",
        counter=(layer.size + 2).bit_length(),
        size=layer.size,
        channels=layer.channels,
        bits=ACTIVATION_BITS,
        window_simd=window_simd,
        pixels=pixels,
        columns=columns,
        depth=layer.channels * columns // (pe * simd),
        pe=pe,
        simd=simd,
        weight_bits=WEIGHT_BITS,
        sum_bits=sum_bits(layer),
    )


def weight_file(layer: Layer, configuration: Configuration) -> str:
    """One word per cycle of a pixel: (neuron fold, synapse fold), lanes (PE, SIMD)."""
    pe, simd = configuration.pe, configuration.simd
    matrix = layer.patterns.reshape(layer.channels, -1)
    folded = matrix.reshape(layer.channels // pe, pe, -1, simd).transpose(0, 2, 1, 3)
    lines = []
    for word in folded.reshape(-1, pe * simd):
        bits = "".join(f"{int(w) & 3:02b}" for w in reversed(word))
        lines.append(f"{int(bits, 2):0{-(-len(bits) // 4)}x}\n")
    return "".join(lines)


def sum_bits(layer: Layer) -> int:
    """Bits of a signed sum of any patterns."""
    columns = KERNEL * KERNEL * layer.channels // layer.groups
    return (columns * ((1 << ACTIVATION_BITS) - 1)).bit_length() + 1
