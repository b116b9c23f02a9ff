"""A precompiled header that many programs include, in the user's cache."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from sephw.tools.cxx import find_compiler
from sephw.tools.file_cache import cache_key, identity
from sephw.tools.process import run


def precompiled(text: str, flags: Sequence[str | Path], *, purpose: str) -> tuple[str, ...]:
    """Options that make g++ begin with the header ``text``; none where it cannot be cached.

    ``flags`` are those of the programs that change the meaning of the header. A cache that cannot
    be used, or a header that does not compile, costs time only. Raises SephwError that starts with
    ``purpose`` where there is no compiler.
    """
    compiler = find_compiler(purpose)
    key = cache_key([identity(compiler), text, *map(str, flags)])
    folder = user_cache_path("sephw", appauthor=False) / f"headers-{key[:16]}"
    header, compiled = folder / "common.h", folder / "common.h.gch"
    try:
        if not compiled.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _put(header, text)
            partial = folder / f".{os.getpid()}.gch"
            done = run([compiler, *flags, "-x", "c++-header", header, "-o", partial])
            if done.returncode != 0:
                return ()
            partial.replace(compiled)
    except OSError:
        return ()
    return ("-include", str(header))


def _put(path: Path, text: str) -> None:
    """Write the file atomically."""
    partial = path.parent / f".{os.getpid()}.{path.name}"
    partial.write_text(text, encoding="ascii")
    partial.replace(path)
