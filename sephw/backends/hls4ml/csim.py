"""C-simulation: an exported project compiled with g++ and run on images."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sephw.backends.hls4ml.feeds import FOLDER_MACRO, constant_input_files, top_of
from sephw.backends.layout import Layout, StreamInfo, read_stream_list
from sephw.errors import SephwError
from sephw.ir import Integers
from sephw.tools.ap_types import ap_types_directory
from sephw.tools.cxx import compile_library, find_compiler
from sephw.tools.file_cache import PROGRAMS, FileCache, cache_key, identity
from sephw.tools.precompiled import precompiled

_PURPOSE = "C-simulation"
# More optimization takes longer to compile than it saves on an export's images (docs/export.md).
_FLAGS = ("-std=c++17", "-w", "-fPIC", "-fvisibility=hidden", "-fno-gnu-unique")
# What every project includes; it takes as long to compile as a small network.
_COMMON = """\
#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>
"""
# The library finds what it reads beside itself, wherever it is.
_BESIDE = """\
#include <dlfcn.h>
#include <string>

static inline std::string sephw_beside(const char *name) {
    Dl_info info;
    dladdr(reinterpret_cast<void *>(&sephw_beside), &info);
    const std::string library(info.dli_fname);
    return library.substr(0, library.rfind('/') + 1) + name;
}
"""
_POINTER = ctypes.POINTER(ctypes.c_int64)


@dataclass(frozen=True, eq=False)
class CompiledProject:
    """A project's top function in this process. The library goes with this object."""

    name: str
    streams: tuple[StreamInfo, ...]
    input: StreamInfo
    output: StreamInfo
    _library: ctypes.CDLL
    _build: tempfile.TemporaryDirectory[str]

    def run(
        self, images: NDArray[np.integer], tensors: Collection[str] | None = None
    ) -> dict[str, Integers]:
        """Simulate frame after frame: int64 (N, h, w, c) per tensor.

        ``images`` (N, H, W, C) integers in the input's range. ``tensors`` names the streams to
        record, all but constant ones by default; the output is always among them, and the input is
        ``images`` itself.
        Raises SephwError for images of another shape or range, for an unknown tensor, and if an
        engine leaves beats behind or reads an empty stream.
        """
        frames = self._checked(images)
        wanted = {s.tensor for s in self.streams} if tensors is None else set(tensors)
        unknown = wanted - {s.tensor for s in self.streams}
        if unknown:
            raise SephwError(f"C-simulation of '{self.name}': no tensor '{sorted(unknown)[0]}'")
        count = len(frames)
        results: dict[str, Integers] = {}
        sinks = (_POINTER * len(self.streams))()
        for index, stream in enumerate(self.streams):
            if stream.constant:
                continue
            if stream.tensor == self.input.tensor:
                if stream.tensor in wanted:
                    results[stream.tensor] = frames
            elif stream.tensor in wanted or stream.tensor == self.output.tensor:
                values = np.zeros((count, *stream.shape), np.int64)
                results[stream.tensor] = values
                if stream.tensor != self.output.tensor:
                    sinks[index] = values.ctypes.data_as(_POINTER)
        message = self._library.sephw_run(
            frames.ctypes.data_as(_POINTER),
            count,
            self.input.words,
            self.output.words,
            results[self.output.tensor].ctypes.data_as(_POINTER),
            sinks,
        )
        if message:
            text = message.decode(errors="replace").strip().splitlines()[0]
            raise SephwError(f"C-simulation of '{self.name}': {text}")
        return results

    def _checked(self, images: NDArray[np.integer]) -> Integers:
        if images.shape[1:] != self.input.shape:
            raise SephwError(
                f"C-simulation of '{self.name}': images of shape {images.shape[1:]}, "
                f"the input takes {self.input.shape}"
            )
        frames = np.ascontiguousarray(images, dtype=np.int64)
        dtype = self.input.dtype
        if frames.size and (frames.min() < dtype.min or frames.max() > dtype.max):
            raise SephwError(
                f"C-simulation of '{self.name}': image values {frames.min()}..{frames.max()}, "
                f"the input takes {dtype.min}..{dtype.max}"
            )
        return frames


def compile_project(directory: Path, *, optimize: bool = True) -> CompiledProject:
    """Compile an exported project; nothing is written to ``directory``.

    ``optimize`` False takes less time to compile and more to run: for a few small images.
    Raises SephwError if it is no project, if there is no compiler, or with the compiler's first
    error line.
    """
    directory = directory.resolve()
    layout = read_stream_list(directory, "HLS")
    build = tempfile.TemporaryDirectory(prefix="sephw_csim_")
    try:
        library = _compile(directory, layout, Path(build.name), "-O1" if optimize else "-O0")
    except BaseException:
        build.cleanup()
        raise
    run = library.sephw_run
    run.argtypes = [
        _POINTER,
        ctypes.c_uint64,
        ctypes.c_uint64,
        ctypes.c_uint64,
        _POINTER,
        ctypes.POINTER(_POINTER),
    ]
    run.restype = ctypes.c_char_p
    return CompiledProject(
        name=layout.project,
        streams=tuple(layout.streams.values()),
        input=layout.streams[layout.input],
        output=layout.streams[layout.output],
        _library=library,
        _build=build,
    )


def _compile(directory: Path, layout: Layout, build: Path, level: str) -> ctypes.CDLL:
    # The first frame reads the tables; a copy stays where it is when the project moves.
    shutil.copytree(directory / "firmware" / "weights", build / "weights")
    feeds = build / "feeds"
    feeds.mkdir()
    for path in constant_input_files(layout, directory).values():
        shutil.copyfile(path, feeds / path.name)
    library = build / f"{layout.project}.so"
    beside = build / "sephw_beside.h"
    beside.write_text(_BESIDE, encoding="ascii")
    header, top = top_of(layout)
    options = [
        *_FLAGS,
        level,
        '-DWEIGHTS_DIR=sephw_beside("weights")',
        "-DSEPHW_TRACE",
        f"-DSEPHW_TOP={top}",
        f'-DSEPHW_TOP_HEADER="{header}"',
        f'-D{FOLDER_MACRO}=sephw_beside("feeds")',
    ]
    cache = FileCache.of_user(PROGRAMS)
    sources = sorted(p for p in directory.rglob("*") if p.suffix in (".h", ".cpp"))
    content = [part for p in sources for part in (str(p.relative_to(directory)), p.read_bytes())]
    key = cache_key(
        [identity(find_compiler(_PURPOSE)), layout.project, *options, _BESIDE, *content]
    )
    if not cache.fetch(key, library):
        # The compiler takes a precompiled header only before all others.
        common = precompiled(
            _COMMON, [*_FLAGS, level, f"-isystem{ap_types_directory()}"], purpose=_PURPOSE
        )
        flags: list[str | Path] = [
            *options,
            *common,
            "-include",
            beside,
            f"-I{directory}",
            f"-isystem{directory / 'firmware' / 'ap_types'}",
        ]
        files = [directory / "firmware" / f"{layout.project}.cpp", directory / "sephw_csim.cpp"]
        compile_library(files, library, flags, purpose=_PURPOSE)
        cache.keep(key, library)
    return ctypes.CDLL(str(library))
