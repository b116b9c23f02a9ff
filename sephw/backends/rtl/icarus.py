"""RTL simulation by Icarus Verilog: a second simulator, with unknown values.

Every register and memory starts unknown. So a beat that depends on something that no reset sets
and no frame has written is unknown, which ends a run.

    compiled = compile_for_icarus(folder_of_a_written_project)
    found = compiled.run(images, source_gaps=..., sink_stalls=..., resets=[ResetPulse(70, 1)])

``found`` is what the same call gives with Verilator (`sephw.backends.rtl.compile_project`): values
and cycles of every beat of every stream, to be compared with ``==``. Icarus takes a hundred times
as long to run and a tenth to build, so it suits small networks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from sephw.backends.layout import Layout, StreamInfo, read_stream_list
from sephw.backends.rtl.beats import words_per_beat
from sephw.backends.rtl.project import FILE_LIST
from sephw.backends.rtl.simulation import CompiledRtl, RunSettings
from sephw.errors import SephwError
from sephw.tools.icarus import compile_with_icarus

_PURPOSE = "RTL simulation by Icarus"
_TOP = "sephw_icarus"
_RESETS = "resets.txt"


def compile_for_icarus(directory: Path) -> CompiledRtl:
    """Build an exported project with a testbench of its own; nothing is written to ``directory``.

    ``CompiledRtl.run`` then takes everything but ``trace``; ``seed`` does nothing. Raises
    SephwError if it is no project, if Icarus is missing, or with its first error line.
    """
    directory = directory.resolve()
    layout = read_stream_list(directory, "RTL")
    made = tempfile.TemporaryDirectory(prefix="sephw_icarus_")
    try:
        bench = Path(made.name) / f"{_TOP}.sv"
        bench.write_text(testbench_text(layout), encoding="utf-8")
        files = (directory / FILE_LIST).read_text(encoding="utf-8").split()
        words = compile_with_icarus(
            [*files, str(bench)], _TOP, directory, Path(made.name) / "sephw.vvp", purpose=_PURPOSE
        )
    except BaseException:
        made.cleanup()
        raise
    return CompiledRtl(layout.project, layout, directory, partial(_command, words), made, _PURPOSE)


def _command(program: Sequence[str], settings: RunSettings) -> list[str]:
    if settings.trace is not None:
        raise SephwError(f"{_PURPOSE}: no waveforms; take them from Verilator's simulation")
    lines = "".join(f"{pulse.at_cycle} {pulse.cycles}\n" for pulse in settings.resets)
    (settings.folder / _RESETS).write_text(lines, encoding="ascii")
    return [
        *program,
        f"+folder={settings.folder}",
        f"+frames={settings.frames}",
        f"+quiet={settings.quiet_limit_cycles}",
        f"+stable={int(settings.check_stable)}",
    ]


def testbench_text(layout: Layout) -> str:
    """SystemVerilog that does with the top module what sephw_testbench.cpp does.

    The same files, the same moments: inputs change after the clock's fall, streams are sampled
    before its rise.
    """
    ends = {name: f"s_axis_{i}" for i, name in enumerate(layout.inputs)}
    ends |= {name: f"m_axis_{i}" for i, name in enumerate(layout.outputs)}
    sources = [(i, layout.streams[name]) for i, name in enumerate(layout.inputs)]
    sinks = [(i, layout.streams[name]) for i, name in enumerate(layout.outputs)]
    records = list(enumerate(layout.streams.values()))
    stems = [ends.get(name, f"dut.{stream.variable}") for name, stream in layout.streams.items()]
    ports = [
        f"      .{end}_{side}({end}_{side})"
        for end in ends.values()
        for side in ("tdata", "tvalid", "tready")
    ]
    lines = [
        "`timescale 1ns/1ps",
        f"module {_TOP};",
        *_VARIABLES,
        *_of_each(sources, _source_variables),
        *_of_each(sinks, _sink_variables),
        *_of_each(records, _record_variables),
        f"  {layout.project} dut (",
        "      .ap_clk(ap_clk), .ap_rst_n(ap_rst_n),",
        ",\n".join(ports),
        "  );",
        *_CLOCK,
        # Everything from the first frame on, in cycle 0.
        "  task restart;",
        "    begin",
        "      cycle = 0; quiet = 0; left = 0;",
        *_of_each(sources, _source_restart),
        *(f'      open_pattern("sink", {i}, sink_{i});' for i, _ in sinks),
        *_of_each(records, _record_restart),
        "    end",
        "  endtask",
        "  task drive;",
        "    begin",
        *_of_each(sources, _source_drive),
        *(f"      next_of(sink_{i}, up); m_axis_{i}_tready = up;" for i, _ in sinks),
        "    end",
        "  endtask",
        "  task sample;",
        "    begin",
        "      quiet = quiet + 1;",
        *_of_each(records, lambda k, stream: _record_sample(k, stream, stems[k])),
        *(
            f"      if (s_axis_{i}_tvalid && s_axis_{i}_tready) offered_{i} = 0;"
            for i, _ in sources
        ),
        "    end",
        "  endtask",
        # Sources offer whatever was next; sinks go on.
        "  task offer_in_reset;",
        "    begin",
        *(f"      s_axis_{i}_tvalid = 1;" for i, _ in sources),
        *(f"      next_of(sink_{i}, up); m_axis_{i}_tready = up;" for i, _ in sinks),
        "    end",
        "  endtask",
        *_RUN,
        "endmodule",
        "",
    ]
    return "\n".join(lines)


_VARIABLES = (
    "  reg ap_clk, ap_rst_n, up, ended;",
    "  string folder;",
    "  integer frames, stable, resets, byte_count, found;",
    "  longint cycle, quiet, quiet_limit, left, reset_at, reset_cycles, n;",
)
_CLOCK = (
    "  task fail(input integer status, input string message);",
    "    begin",
    '      $fdisplay(32\'h80000002, "%0s", message);',
    "      $finish_and_return(status);",
    "      ended = 1;",
    "    end",
    "  endtask",
    "  // A file of one byte a cycle, cyclic; 0: none, always up.",
    "  task open_pattern(input string stem, input integer port, inout integer file);",
    "    begin",
    "      if (file != 0) $fclose(file);",
    '      file = $fopen($sformatf("%0s/%0s_%0d.bin", folder, stem, port), "rb");',
    "    end",
    "  endtask",
    "  task next_of(input integer file, output reg is_up);",
    "    begin",
    "      found = 1;",
    "      if (file != 0) begin",
    "        found = $fgetc(file);",
    "        if (found < 0) begin",
    "          n = $rewind(file);",
    "          found = $fgetc(file);",
    "        end",
    "      end",
    "      is_up = found != 0;",
    "    end",
    "  endtask",
)
_RUN = (
    "  task next_reset;",
    '    if ($fscanf(resets, "%d %d", reset_at, reset_cycles) != 2) reset_at = -1;',
    "  endtask",
    "  task pulse(input longint cycles);",
    "    begin",
    "      ap_rst_n = 0;",
    "      for (n = 0; n < cycles; n = n + 1) begin",
    "        ap_clk = 0;",
    "        offer_in_reset;",
    "        #5 ap_clk = 1;",
    "        #5;",
    "      end",
    "      ap_rst_n = 1;",
    "      restart;",
    "    end",
    "  endtask",
    "  initial begin",
    "    ended = 0;",
    '    found = $value$plusargs("folder=%s", folder);',
    '    found = $value$plusargs("frames=%d", frames);',
    '    found = $value$plusargs("quiet=%d", quiet_limit);',
    '    found = $value$plusargs("stable=%d", stable);',
    f'    resets = $fopen($sformatf("%0s/{_RESETS}", folder), "r");',
    "    restart;",
    "    pulse(1);",
    "    next_reset;",
    "    while (!ended && ((left > 0 && quiet <= quiet_limit) || reset_at >= 0)) begin",
    "      while (reset_at == cycle) begin",
    "        pulse(reset_cycles);",
    "        next_reset;",
    "      end",
    "      ap_clk = 0;",
    "      drive;",
    "      #5 sample;",
    "      ap_clk = 1;",
    "      #5 cycle = cycle + 1;",
    "    end",
    "    if (!ended && left > 0)",
    '      fail(3, $sformatf("stalled in cycle %0d; beats missing: %0d", cycle, left));',
    "    else if (!ended) $finish;",
    "  end",
)


def _of_each(
    streams: Sequence[tuple[int, StreamInfo]], lines: Callable[[int, StreamInfo], list[str]]
) -> list[str]:
    """The lines of all numbered streams, one after the other."""
    return [line for number, stream in streams for line in lines(number, stream)]


def _opened(variable: str, name: str, mode: str) -> list[str]:
    """Open the file ``name`` of the run's folder from its start, in a restart as well."""
    return [
        f"      if ({variable} != 0) $fclose({variable});",
        f'      {variable} = $fopen($sformatf("%0s/{name}", folder), "{mode}");',
    ]


def _bits(stream: StreamInfo) -> int:
    return stream.bits * stream.lanes


def _source_variables(i: int, stream: StreamInfo) -> list[str]:
    raw = 32 * words_per_beat(stream)
    return [
        f"  reg [{_bits(stream) - 1}:0] s_axis_{i}_tdata;",
        f"  reg s_axis_{i}_tvalid, offered_{i};",
        f"  wire s_axis_{i}_tready;",
        f"  reg [{raw - 1}:0] raw_{i}, beat_{i};",
        f"  integer input_{i} = 0, source_{i} = 0;",
        f"  longint beats_{i};",
    ]


def _source_restart(i: int, stream: StreamInfo) -> list[str]:
    return [
        *_opened(f"input_{i}", f"input_{i}.bin", "rb"),
        f'      open_pattern("source", {i}, source_{i});',
        f"      offered_{i} = 0;",
        f"      beats_{i} = {stream.words} * frames;",
    ]


def _source_drive(i: int, stream: StreamInfo) -> list[str]:
    """Offer the next beat where the pattern is up; the file has its bytes lowest first."""
    size = 4 * words_per_beat(stream)
    return [
        f"      next_of(source_{i}, up);",
        f"      if (!offered_{i} && beats_{i} > 0 && up) begin",
        f"        byte_count = $fread(raw_{i}, input_{i});",
        f"        if (byte_count != {size}) begin",
        f"          n = $rewind(input_{i});",
        f"          byte_count = $fread(raw_{i}, input_{i});",
        "        end",
        f"        for (n = 0; n < {size}; n = n + 1)",
        f"          beat_{i}[8*n+:8] = raw_{i}[8*({size}-1-n)+:8];",
        f"        s_axis_{i}_tdata = beat_{i}[{_bits(stream) - 1}:0];",
        f"        beats_{i} = beats_{i} - 1;",
        f"        offered_{i} = 1;",
        "      end",
        f"      s_axis_{i}_tvalid = offered_{i};",
    ]


def _sink_variables(i: int, stream: StreamInfo) -> list[str]:
    return [
        f"  wire [{_bits(stream) - 1}:0] m_axis_{i}_tdata;",
        f"  wire m_axis_{i}_tvalid;",
        f"  reg m_axis_{i}_tready;",
        f"  integer sink_{i} = 0;",
    ]


def _record_variables(k: int, stream: StreamInfo) -> list[str]:
    return [
        f"  integer record_{k} = 0;",
        f"  reg waits_{k};",
        f"  reg [{_bits(stream) - 1}:0] waiting_{k};",
    ]


def _record_restart(k: int, stream: StreamInfo) -> list[str]:
    return [
        *_opened(f"record_{k}", f"stream_{k}.bin", "wb"),
        f"      left = left + {stream.words} * frames;",
        f"      waits_{k} = 0;",
    ]


def _record_sample(k: int, stream: StreamInfo, stem: str) -> list[str]:
    """A beat that is offered is known in all its bits, and waits unchanged."""
    padding = 32 * words_per_beat(stream) - _bits(stream)
    data = f"{{{padding}'d0, {stem}_tdata}}" if padding else f"{stem}_tdata"
    taken = f"{stem}_tvalid && {stem}_tready"
    said = f"stream '{stream.tensor}': "
    return [
        f"      if (^{{{stem}_tvalid, {stem}_tready}} === 1'bx ||",
        f"          ({stem}_tvalid && ^{stem}_tdata === 1'bx))",
        f'        fail(5, $sformatf("{said}unknown bits in cycle %0d", cycle));',
        f"      if (stable != 0 && waits_{k} &&",
        f"          (!{stem}_tvalid || {stem}_tdata !== waiting_{k}))",
        f'        fail(4, $sformatf("{said}a waiting beat changed in cycle %0d", cycle));',
        f"      waits_{k} = {stem}_tvalid && !{stem}_tready;",
        f"      waiting_{k} = {stem}_tdata;",
        f"      if ({taken}) begin",
        "        quiet = 0; left = left - 1;",
        f'        $fwrite(record_{k}, "%u", cycle);',
        f'        $fwrite(record_{k}, "%u", {data});',
        "      end",
    ]
