"""Emitted SystemVerilog in Verilator and emitted C++ in g++, against matrix times vector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from adder_matrices import patterns, problem, problems
from numpy.typing import NDArray

from sephw.adder_graph import (
    DIGIT_BITS,
    MatrixProblem,
    SolverOptions,
    emit_cpp,
    emit_parallel,
    emit_serial,
    merge,
    schedule,
    solve,
)
from sephw.adder_graph.ports import Ports, ports
from sephw.errors import SephwError
from sephw.rtl.hierarchy import scan, sources_of
from sephw.tools.ap_types import ap_types_directory
from sephw.tools.cxx import find_compiler
from sephw.tools.process import run
from sephw.tools.verilator import build, lint

FRESH = SolverOptions(use_cache=False, restarts=0)
CYCLES = 400

MAIN = """
#include "Vtop.h"
int main() {
    VerilatedContext context;
    Vtop top(&context);
    for (int cycle = 0; cycle < %d; cycle++) {
        top.clk = 0; top.eval();
        top.clk = 1; top.eval();
    }
    top.final();
    return 0;
}
"""

DEVICE = """
module drive_{name} (input wire clk);
  logic [{in_width}:0] stimuli[0:{last}];
  initial $readmemh("{name}.mem", stimuli);
  int cycle = 0;
  wire [{in_width}:0] stimulus = stimuli[cycle];
  wire [{out_width}-1:0] out_data;
  {name} device (.clk{load}, .in_data(stimulus[{in_width}-1:0]), .out_data);
  // Sampled before the edge: what stands in this cycle.
  always_ff @(posedge clk) begin
    $display("{name} %0d %h", cycle, out_data);
    cycle <= cycle + 1;
  end
endmodule
"""


@dataclass(frozen=True)
class Device:
    """An emitted module, the cycles in which it takes a vector, and how long it needs."""

    name: str
    case: MatrixProblem
    text: str
    lanes: Ports
    loads: tuple[int, ...]
    latency: int
    serial: bool
    vectors: NDArray[np.int64]


def make_device(
    index: int, case: MatrixProblem, digit_bits: int, in_bits: int | None = None
) -> Device:
    graph = solve(case, FRESH)
    lanes = ports(graph, in_bits)
    name = f"device_{index}_{digit_bits}"
    rng = np.random.default_rng(index)
    if digit_bits == 0:
        text, interval = emit_parallel(graph, name, in_bits=in_bits), 1
        latency = schedule(graph).latency_cycles
    else:
        core = emit_serial(graph, name, digit_bits, in_bits=in_bits)
        text, interval, latency = core.text, core.interval_cycles, core.latency_cycles
    # Mostly without a gap, sometimes with one of any length.
    gaps = np.where(rng.random(CYCLES) < 0.7, interval, interval + rng.integers(0, 7, CYCLES))
    loads = [int(t) for t in np.cumsum(gaps) if t + latency < CYCLES]
    low, high = np.array([(i.low, i.high) for i in case.inputs], np.int64).T
    vectors = rng.integers(low, high + 1, (len(loads), len(low)))
    vectors[0], vectors[1] = low, high
    return Device(name, case, text, lanes, tuple(loads), latency, digit_bits > 0, vectors)


def pack(values: NDArray[np.int64], bits: int) -> int:
    return sum((int(v) & ((1 << bits) - 1)) << (lane * bits) for lane, v in enumerate(values))


def unpack(word: int, lanes: int, bits: int, signed: bool) -> list[int]:
    values = [(word >> (lane * bits)) & ((1 << bits) - 1) for lane in range(lanes)]
    return [v - (1 << bits) if signed and v >> (bits - 1) else v for v in values]


def write(folder: Path, device: Device) -> str:
    """Module and stimuli; returns the text that drives it. Between loads the data is garbage."""
    width = len(device.case.inputs) * device.lanes.in_bits
    rng = np.random.default_rng(1)
    words = [int.from_bytes(rng.bytes(width // 8 + 1), "little") % (1 << width)] * CYCLES
    for cycle, vector in zip(device.loads, device.vectors, strict=True):
        words[cycle] = pack(vector, device.lanes.in_bits) | (1 << width)
    lines = "".join(f"{word:x}\n" for word in words)
    (folder / f"{device.name}.mem").write_text(lines)
    (folder / f"{device.name}.sv").write_text(device.text)
    return DEVICE.format(
        name=device.name,
        in_width=width,
        last=CYCLES - 1,
        out_width=len(device.case.matrix) * device.lanes.out_bits,
        load=f", .load(stimulus[{width}])" if device.serial else "",
    )


def write_sources(directory: Path, *texts: str) -> list[str]:
    """What emitted texts instantiate beside their own modules; names of the files."""
    found = [scan(text) for text in texts]
    own = {module for modules in found for module in modules.defined}
    sources = sources_of({m for modules in found for m in modules.instantiated} - own)
    for name, text in sources.items():
        (directory / name).write_text(text)
    return list(sources)


def test_emitted_modules(tmp_path: Path) -> None:
    """Bit-parallel and digit-serial with 1, 2, 4 and 8 bits; every load, gaps and none."""
    cases = [*problems(), problem("16 to 16", patterns(16, 144, 0))]
    devices = [make_device(k, case, 0) for k, case in enumerate(cases)]
    some = [c for c in cases if c.name in ("random patterns", "8-bit weights", "odd rows")]
    devices += [make_device(k, c, d) for d in DIGIT_BITS for k, c in enumerate(some)]
    devices.append(make_device(20, problem("8 to 8", patterns(8, 36, 0)), 1))
    devices.append(make_device(21, cases[0], 4, in_bits=11))
    devices.append(make_device(22, problem("zeros", np.zeros((2, 3), np.int64)), 2))
    sources = write_sources(tmp_path, *(device.text for device in devices))
    top = "".join(write(tmp_path, device) for device in devices)
    top += "module top (input wire clk);\n"
    top += "".join(f"  drive_{d.name} d_{d.name} (.clk);\n" for d in devices) + "endmodule\n"
    (tmp_path / "top.sv").write_text(top)
    (tmp_path / "main.cpp").write_text(MAIN % CYCLES)
    files = ["top.sv", *(f"{d.name}.sv" for d in devices), *sources, "main.cpp"]
    program = build(files, "top", tmp_path, tmp_path / "build", purpose="emitted modules")
    done = run([program], directory=tmp_path)
    assert done.returncode == 0, done.stderr
    seen: dict[tuple[str, int], int] = {}
    for line in done.stdout.splitlines():
        words = line.split()
        if len(words) == 3:
            seen[words[0], int(words[1])] = int(words[2].replace("x", "0"), 16)
    for device in devices:
        expected = (device.vectors @ device.case.matrix.T).tolist()
        lanes = device.lanes
        found = [
            unpack(
                seen[device.name, load + device.latency],
                len(device.case.matrix),
                lanes.out_bits,
                lanes.out_signed,
            )
            for load in device.loads
        ]
        assert len(found) >= 8
        assert found == expected, f"{device.name}: {device.case.name}"


# Wider digits make the same instances as one bit does, so two matrices are enough for them.
LINTED = [
    pytest.param(case, digit_bits, id=f"{case.name}-{digit_bits}")
    for case in problems()
    for digit_bits in (0, *DIGIT_BITS)
    if digit_bits <= 1 or case.name in ("odd rows", "8-bit weights")
]


@pytest.mark.parametrize(("case", "digit_bits"), LINTED)
def test_lint(case: MatrixProblem, digit_bits: int, tmp_path: Path) -> None:
    device = make_device(0, case, digit_bits)
    (tmp_path / f"{device.name}.sv").write_text(device.text)
    files = [f"{device.name}.sv", *write_sources(tmp_path, device.text)]
    lint(files, device.name, tmp_path, purpose="lint")


def test_cpp(tmp_path: Path) -> None:
    """One program with every function; prints the sums of each vector."""
    cases = problems()
    graphs = [solve(case, FRESH) for case in cases]
    body, expected = [], []
    rng = np.random.default_rng(0)
    for k, (case, graph) in enumerate(zip(cases, graphs, strict=True)):
        (tmp_path / f"f{k}.h").write_text(emit_cpp(graph, f"f{k}"))
        low, high = np.array([(i.low, i.high) for i in case.inputs], np.int64).T
        vectors = np.vstack([low, high, rng.integers(low, high + 1, (20, len(low)))])
        expected += (vectors @ case.matrix.T).ravel().tolist()
        lanes = ports(graph)
        x = f"ap_{'' if lanes.in_signed else 'u'}int<{lanes.in_bits}>"
        y = f"ap_{'' if lanes.out_signed else 'u'}int<{lanes.out_bits}>"
        values = ",".join(map(str, vectors.ravel().tolist()))
        body.append(f"""
    {{ static const int v[] = {{{values}}};
      for (int n = 0; n < {len(vectors)}; n++) {{
        {x} x[{len(low)}]; {y} y[{len(case.matrix)}];
        for (int i = 0; i < {len(low)}; i++) x[i] = v[n * {len(low)} + i];
        sephw::f{k}(x, y);
        for (int o = 0; o < {len(case.matrix)}; o++) std::printf("%lld\\n", (long long)y[o]); }} }}
""")
    includes = "".join(f'#include "f{k}.h"\n' for k in range(len(cases)))
    main = f"#include <cstdio>\n{includes}int main() {{{''.join(body)} return 0; }}\n"
    (tmp_path / "main.cpp").write_text(main)
    done = run(
        [
            find_compiler("emitted C++"),
            "-std=c++11",
            "-O0",
            "-w",
            "-isystem",
            ap_types_directory(),
            tmp_path / "main.cpp",
            "-o",
            tmp_path / "main",
        ]
    )
    assert done.returncode == 0, done.stderr
    found = [int(line) for line in run([tmp_path / "main"]).stdout.split()]
    assert found == expected


def test_text_is_reproducible() -> None:
    case = problem("again", patterns(6, 18, 3))
    first, second = (merge([solve(case, FRESH)] * 2) for _ in range(2))
    assert emit_parallel(first, "m") == emit_parallel(second, "m")
    assert emit_serial(first, "m", 2) == emit_serial(second, "m", 2)
    assert emit_cpp(first, "m") == emit_cpp(second, "m")


def test_errors() -> None:
    graph = solve(problem("small", patterns(3, 9, 0)), FRESH)
    with pytest.raises(SephwError) as caught:
        emit_serial(graph, "m", 3)
    assert str(caught.value) == "digit_bits is 3; legal digit_bits: 1, 2, 4, 8"
    with pytest.raises(SephwError) as caught:
        emit_parallel(graph, "m", in_bits=7)
    assert str(caught.value) == "adder graph: in_bits=7 cannot hold its inputs; give 8 or more"
    with pytest.raises(SephwError) as caught:
        emit_cpp(graph, "m", out_bits=4)
    assert str(caught.value) == "adder graph: out_bits=4 cannot hold its outputs; give 13 or more"
