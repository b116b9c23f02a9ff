"""Child processes and compiler messages."""

from __future__ import annotations

import sys

import pytest

from sephw.errors import SephwError
from sephw.tools.cxx import first_error
from sephw.tools.process import run


def test_output_and_status() -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = run([sys.executable, "-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_no_shell() -> None:
    done = run([sys.executable, "-c", "import sys; print(sys.argv[1])", "$HOME; exit 1"])
    assert done.stdout == "$HOME; exit 1\n"


def test_missing_program() -> None:
    with pytest.raises(SephwError) as error:
        run(["no-such-program-here"])
    assert str(error.value) == (
        "'no-such-program-here' cannot be started: No such file or directory"
    )


def test_timeout() -> None:
    with pytest.raises(SephwError) as error:
        run([sys.executable, "-c", "import time; time.sleep(60)"], timeout_seconds=0.2)
    assert str(error.value) == f"'{sys.executable}' did not finish within 0.2 s; it was stopped"


def test_first_error() -> None:
    assert first_error("a.cpp: In f:\na.cpp:3:1: warning: w\na.cpp:4:2: error: bad\n  4 | x\n") == (
        "a.cpp:4:2: error: bad"
    )
    assert first_error(
        "a.cpp:1:10: fatal error: no.h: No such file\ncompilation terminated.\n"
    ) == ("a.cpp:1:10: fatal error: no.h: No such file")
    assert first_error("cannot find -lfoo\ncollect2 failed\n\n") == "collect2 failed"
    assert first_error("") == "no message"
