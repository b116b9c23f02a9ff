"""Compiles every case of one operator into one program and runs it on binary files."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from sephw.hls import HEADERS
from sephw.ir import Case, HlsTable, Integers, IntType
from sephw.tools.ap_types import ap_types_directory
from sephw.tools.cxx import find_compiler
from sephw.tools.process import run

COMPILED_STANDARD = "c++17"
# Warnings are errors. Pragmas are Vitis's; labels name its loops.
FLAGS = (
    "-O0",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unknown-pragmas",
    "-Wno-unused-label",
    # ap_types shifts negative values, as every compiler in use defines it.
    "-fsanitize=address,undefined",
    "-fno-sanitize=shift",
    "-fno-sanitize-recover=all",
)

# What every program begins with; compiled once, since that takes as long as some kernels.
COMMON = """\
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include "ap_int.h"
#include "hls_stream.h"
"""
# Kernels may rely on value_type, size and [] of a beat, on nothing else.
PRELUDE = """\
%s

template <class T, unsigned N> struct beat {
    typedef T value_type;
    static const unsigned size = N;
    T lanes[N];
    T &operator[](std::size_t i) { return lanes[i]; }
    const T &operator[](std::size_t i) const { return lanes[i]; }
};

template <class T> void feed(std::ifstream &file, hls::stream<T> &stream, unsigned words) {
    for (unsigned w = 0; w < words; w++) {
        T value;
        for (unsigned i = 0; i < T::size; i++) {
            std::int64_t x;
            file.read(reinterpret_cast<char *>(&x), sizeof x);
            value[i] = static_cast<long long>(x);
        }
        stream.write(value);
    }
}

template <class T> void drain(std::ofstream &file, hls::stream<T> &stream) {
    while (!stream.empty()) {
        const T value = stream.read();
        for (unsigned i = 0; i < T::size; i++) {
            const std::int64_t x = value[i].to_int64();
            file.write(reinterpret_cast<const char *>(&x), sizeof x);
        }
    }
}
"""


def element_type(dtype: IntType) -> str:
    """The C++ type of one stream or table element."""
    return f"ap_{'' if dtype.signed else 'u'}int<{dtype.bits}>"


def compile_cases(cases: Sequence[Case], directory: Path, standard: str, *flags: str) -> Path:
    """The compiled program of all cases; any warning fails the test."""
    source = directory / "cases.cpp"
    source.write_text(_program(cases))
    for case in cases:
        for name, text in case.operator.hls(case.folding).generated:
            (directory / name).write_text(text)
    program = directory / "cases"
    common = common_headers(standard)
    done = run(
        [
            find_compiler("test"),
            f"-std={standard}",
            *FLAGS,
            *flags,
            "-isystem",
            ap_types_directory(),
            "-include",
            common,
            "-I",
            HEADERS,
            "-I",
            directory,
            source,
            "-o",
            program,
        ]
    )
    assert done.returncode == 0, done.stderr
    return program


@cache
def common_headers(standard: str) -> Path:
    """A file of COMMON, with what the compiler made of it beside it where many programs need it."""
    folder = Path(tempfile.mkdtemp(prefix="sephw-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    header = folder / "common.h"
    header.write_text(COMMON)
    if standard == COMPILED_STANDARD:
        done = run(
            [
                find_compiler("test"),
                f"-std={standard}",
                *FLAGS,
                "-isystem",
                ap_types_directory(),
                "-x",
                "c++-header",
                header,
                "-o",
                folder / "common.h.gch",
            ]
        )
        assert done.returncode == 0, done.stderr
    return header


def run_cases(cases: Sequence[Case], directory: Path) -> list[list[Integers]]:
    """Outputs of the kernel per case: int64 (N, h, w, c) for each output of the operator."""
    program = compile_cases(cases, directory, COMPILED_STANDARD)
    for number, case in enumerate(cases):
        for port, values in enumerate(case.inputs):
            values.astype("<i8").tofile(directory / f"{number}.in{port}")
    done = run([program], directory=directory)
    # hls::stream tells of reads from an empty stream and of beats left over, on stdout.
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    results = []
    for number, case in enumerate(cases):
        shapes = case.operator.output_shapes
        outputs = []
        for port, shape in enumerate(shapes):
            flat = np.fromfile(directory / f"{number}.out{port}", "<i8")
            assert flat.size == len(case.inputs[0]) * int(np.prod(shape)), case.label
            outputs.append(flat.reshape(-1, *shape))
        results.append(outputs)
    return results


def _program(cases: Sequence[Case]) -> str:
    headers = dict.fromkeys(case.operator.hls(case.folding).header for case in cases)
    includes = "\n".join(f'#include "{header}"' for header in headers)
    blocks = "\n".join(_case(number, case) for number, case in enumerate(cases))
    calls = "".join(f"    case{number}();\n" for number in range(len(cases)))
    return f"{PRELUDE % includes}\n{blocks}\nint main() {{\n{calls}}}\n"


def _case(number: int, case: Case) -> str:
    instance = case.operator.hls(case.folding)
    streams_in = case.operator.input_streams(case.folding)
    streams_out = case.operator.output_streams(case.folding)
    types = [element_type(table.dtype) for table in instance.tables]
    lines = [f"// {case.label}", instance.config(f"config{number}", types)]
    lines += [_table(number, table) for table in instance.tables]
    lines += [f"void case{number}() {{"]
    ends = [("in", streams_in, "ifstream"), ("out", streams_out, "ofstream")]
    names: dict[str, list[str]] = {"in": [], "out": []}
    for end, streams, file in ends:
        for port, stream in enumerate(streams):
            name = f"{end}{port}"
            lines += [
                f"    typedef beat<{element_type(stream.dtype)}, {stream.lanes}> {name}_t;",
                f'    hls::stream<{name}_t> {name}("{name}");',
                f'    std::{file} {name}_file("{number}.{name}", std::ios::binary);',
            ]
            names[end].append(name)
    lines += [f"    for (int frame = 0; frame < {len(case.inputs[0])}; frame++) {{"]
    for port, stream in enumerate(streams_in):
        lines += [f"        feed(in{port}_file, in{port}, {stream.words});"]
    tables = [f"{table.name}{number}" for table in instance.tables]
    lines += [f"        {instance.call(f'config{number}', names['in'], names['out'], tables)};"]
    for port in range(len(streams_out)):
        lines += [f"        drain(out{port}_file, out{port});"]
    return "\n".join([*lines, "    }", "}", ""])


def _table(number: int, table: HlsTable) -> str:
    values = ", ".join(map(str, table.values.ravel().tolist()))
    words, lanes = table.values.shape
    return (
        f"const {element_type(table.dtype)} {table.name}{number}[{words}][{lanes}] = {{{values}}};"
    )
