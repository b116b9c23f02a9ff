"""What a solver prints from C stays off standard output, and nothing else does."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from sephw.explore.quiet import quiet

LIBRARY = ctypes.CDLL(None)


def test_only_what_is_printed_meanwhile_is_lost(capfd: pytest.CaptureFixture[str]) -> None:
    print("before")
    LIBRARY.puts(b"before, by C")
    with quiet():
        LIBRARY.puts(b"noise")
        os.write(1, b"more noise\n")
    LIBRARY.puts(b"after, by C")
    LIBRARY.fflush(None)
    print("after")
    lines = capfd.readouterr().out.splitlines()
    assert sorted(lines) == ["after", "after, by C", "before", "before, by C"]


def test_after_an_error_and_from_several_threads(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="found"), quiet():
        raise ValueError("found")

    def work(number: int) -> int:
        with quiet():
            LIBRARY.printf(b"%d\n", number)
            return number

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(200))) == list(range(200))
    print(json.dumps("result"))
    assert capfd.readouterr().out == '"result"\n'


def test_without_a_standard_output() -> None:
    code = (
        "import os; os.close(1)\n"
        "from sephw.explore.quiet import quiet\n"
        "with quiet(): done = True\n"
        "os._exit(7 if done else 1)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 7
