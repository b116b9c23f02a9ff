"""The C++ compiler."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from sephw.errors import SephwError
from sephw.tools.process import run

_ERROR = re.compile(r"^.*?(?:fatal )?error: .*$", re.MULTILINE)


def find_compiler(purpose: str) -> Path:
    """The path of g++. Raises SephwError that starts with ``purpose`` where it is not on the
    PATH.
    """
    found = shutil.which("g++")
    if found is None:
        raise SephwError(
            f"{purpose}: no C++ compiler on the PATH; "
            "install one with 'apt-get install g++' or 'dnf install gcc-c++'"
        )
    return Path(found)


def first_error(stderr: str) -> str:
    """The first error line of a compiler's or linker's output, or its last line."""
    match = _ERROR.search(stderr)
    if match is not None:
        return match.group(0).strip()
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def compile_library(
    sources: Sequence[Path],
    library: Path,
    flags: Sequence[str | Path],
    *,
    purpose: str,
    jobs: int = 2,
) -> None:
    """Compile ``sources``, each with ``flags``, ``jobs`` at a time, and link a shared library.

    Objects go beside ``library``. Raises SephwError with the compiler's first error line.
    """
    compiler = find_compiler(purpose)
    # Messages in one language, with plain quotation marks.
    environment = {**os.environ, "LC_ALL": "C"}
    objects = [library.parent / f"{index}_{source.stem}.o" for index, source in enumerate(sources)]

    cancelled = threading.Event()

    def compile_one(source: Path, target: Path) -> None:
        done = run(
            [compiler, *flags, "-c", source, "-o", target],
            environment=environment,
            cancelled=cancelled,
        )
        if done.returncode != 0:
            raise SephwError(f"{purpose}: {source.name}: {first_error(done.stderr)}")

    with ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(compile_one, *pair) for pair in zip(sources, objects, strict=True)]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:  # one has failed, or the user interrupts
            cancelled.set()
            pool.shutdown(cancel_futures=True)
            raise
    done = run([compiler, *flags, "-shared", *objects, "-o", library], environment=environment)
    if done.returncode != 0:
        raise SephwError(f"{purpose}: linking: {first_error(done.stderr)}")
