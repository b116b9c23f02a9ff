"""However the program ends: the right status, in time, children gone, nothing half-written."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sephw.errors import SephwError, UsageError
from sephw.export.directory import ExportDirectory
from sephw.lifetime import exchange as exchange_module
from sephw.lifetime.exchange import exchange
from sephw.lifetime.guard import process_began
from sephw.lifetime.unfinished import (
    discard,
    is_unfinished,
    unfinished_folder,
    unfinished_path,
)
from sephw.lifetime.whole import write_whole
from sephw.synth.workplace import Workplace
from sephw.tools.process import run

# A program in the middle of its work: a child with a child of its own, an export, a synthesis, a
# temporary file.
PROGRAM = """
import os, subprocess, sys, tempfile, threading, time
from sephw.lifetime.ending import end_on_signals
end_on_signals()
from pathlib import Path
from sephw.export.directory import ExportDirectory
from sephw.lifetime.unfinished import own_temporary_folder
from sephw.synth.workplace import Workplace
from sephw.tools.process import run

own_temporary_folder()
code = '''
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(600)
'''
work = Path(sys.argv[1])
with ExportDirectory(work / "a" / "b") as directory, Workplace(work / "synth", "x") as place:
    for folder in (directory.path, place.path):
        (folder / "half").write_text("half")
    tempfile.mkdtemp()
    told = Path(sys.argv[2])
    words = [sys.executable, "-c", code, str(told / "child")]
    # As Yosys and g++ are run: the thread that starts a child may end before it.
    threading.Thread(target=run, args=(words,)).start()
    while not (told / "child").exists() or not (told / "child").read_text():
        time.sleep(0.01)
    print("ready", flush=True)
    BUSY
"""
BUSY = {
    "waits": "time.sleep(600)",
    "computes": "while True: sum(range(1000))",
    "swallows": "\n".join(
        (
            "class Swallows:",
            "        def __del__(self): time.sleep(0.02)",
            "    while True:",
            "        try: Swallows()",
            "        except BaseException: pass",
        )
    ),
}


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def becomes(condition, seconds=10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


@pytest.fixture
def program(tmp_path):
    """Start PROGRAM in one of its states; gives the process and the id of its grandchild."""
    for name in ("work", "told", "tmp"):
        (tmp_path / name).mkdir()

    def call(busy):
        code = PROGRAM.replace("BUSY", BUSY[busy])
        process = subprocess.Popen(
            [sys.executable, "-c", code, "work", "told"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(tmp_path / "tmp")},
            # A suite in the background or under nohup ignores signals; what it starts must not.
            preexec_fn=usual_signals,
        )
        assert process.stdout.readline() == "ready\n"
        return process, int((tmp_path / "told" / "child").read_text())

    return call


@pytest.mark.parametrize(
    ("number", "busy", "word"),
    [
        (signal.SIGINT, "waits", "interrupted"),
        (signal.SIGTERM, "computes", "terminated"),
        (signal.SIGHUP, "swallows", "hung up"),
    ],
)
def test_a_signal_ends_the_program_and_all_it_has_begun(program, tmp_path, number, busy, word):
    process, grandchild = program(busy)
    began = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < 2
    assert (process.returncode, out, err) == (128 + number, "", f"sephw: {word}\n")
    assert is_gone(grandchild)
    assert list((tmp_path / "work").iterdir()) == []
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_death_of_the_program_ends_all_it_has_begun(program, tmp_path):
    process, grandchild = program("waits")
    process.kill()
    process.wait()
    assert becomes(lambda: is_gone(grandchild))
    assert becomes(lambda: list((tmp_path / "work").iterdir()) == [])
    assert becomes(lambda: list((tmp_path / "tmp").iterdir()) == [])


def test_ignored_signals_stay_ignored():
    code = (
        "import os, signal\nsignal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from sephw.lifetime.ending import end_on_signals\nend_on_signals()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\nprint('goes on')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "goes on\n"


def test_forked_workers_do_not_take_over_the_handlers():
    code = (
        "import os, signal, time\n"
        "from sephw.lifetime.ending import end_on_signals\nend_on_signals()\n"
        "child = os.fork()\n"
        "if child == 0:\n    time.sleep(60)\n    os._exit(1)\n"
        "time.sleep(0.2)\nos.kill(child, signal.SIGTERM)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGTERM\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_waiting_for_a_program_is_cancellable():
    cancelled = threading.Event()
    threading.Timer(0.3, cancelled.set).start()
    began = time.monotonic()
    with pytest.raises(SephwError, match="was stopped before its end"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], cancelled=cancelled)
    assert time.monotonic() - began < 10


def usual_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def dead_process() -> tuple[int, int]:
    """Number and start of a process that is gone."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = process_began(child.pid)
    child.kill()
    child.communicate()
    assert began is not None
    return child.pid, began


def of_dead_process(path: Path) -> Path:
    """The name that a process which is gone would have given."""
    own = f"-{os.getpid()}-{process_began(os.getpid())}-"
    process, began = dead_process()
    return path.with_name(path.name.replace(own, f"-{process}-{began}-"))


def left_behind(place: Path) -> Path:
    name = unfinished_path(place)
    path = of_dead_process(name)
    assert path != name
    path.mkdir()
    (path / "half").write_text("half")
    return path


def test_what_a_dead_process_left_is_removed_and_a_living_one_is_waited_for(tmp_path):
    left = left_behind(tmp_path / "o")
    other = left_behind(tmp_path / "other")
    with ExportDirectory(tmp_path / "o") as directory:
        assert not left.exists() and other.exists()
        found = is_unfinished(directory.path)
        assert found is not None and not found.is_orphaned and found.process == os.getpid()
        with pytest.raises(SephwError) as caught, ExportDirectory(tmp_path / "o"):
            pass
        assert str(caught.value) == (
            f"--out {tmp_path / 'o'}: process {os.getpid()} is making it; wait for its end, stop "
            "it, or choose another folder"
        )
    assert [p.name for p in tmp_path.iterdir()] == [other.name]


def test_a_number_that_was_given_again_is_another_process(tmp_path):
    path = unfinished_path(tmp_path / "o")
    began = process_began(os.getpid())
    later = path.with_name(path.name.replace(f"-{began}-", f"-{began + 1}-"))
    assert is_unfinished(later).is_orphaned and not is_unfinished(path).is_orphaned
    machine = path.name.split(".")[2][:8]
    elsewhere = later.with_name(later.name.replace(machine, "0" * 8))
    assert not is_unfinished(elsewhere).is_orphaned  # nobody here can tell


def write_export(out, text):
    with ExportDirectory(out) as directory:
        (directory.path / "file").write_text(text)
        (directory.path / "manifest.json").write_text(
            '{"format": "sephw-export", "files": {"file": ""}}'
        )
        directory.commit()


def test_synthesis_that_died_does_not_lock_an_export(tmp_path):
    out = tmp_path / "o"
    write_export(out, "one")
    left = left_behind(out / "synth")
    with Workplace(out / "synth", "x"):
        assert not left.exists()
        with pytest.raises(UsageError) as caught:
            ExportDirectory(out)
        assert str(caught.value) == (
            f"--out {out}: process {os.getpid()} is working in it; wait for its end or stop it"
        )
        with pytest.raises(SephwError, match="is making it"), Workplace(out / "synth", "x"):
            pass
    left_behind(out / "synth")
    write_export(out, "two")
    assert sorted(p.name for p in out.iterdir()) == ["file", "manifest.json"]


def test_an_export_that_came_first_stays(tmp_path, monkeypatch):
    out = tmp_path / "o"
    with ExportDirectory(out) as directory:
        (directory.path / "file").write_text("late")
        # As on another machine, whose processes cannot be seen from here.
        monkeypatch.setattr("sephw.lifetime.unfinished._machine", lambda: "0" * 8)
        monkeypatch.setattr("sephw.lifetime.unfinished._unfinished_beside", lambda place: iter(()))
        write_export(out, "first")
        with pytest.raises(UsageError, match="was made by another process meanwhile"):
            directory.commit()
    assert (out / "file").read_text() == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["o"]


RACER = """
import sys, time
from pathlib import Path
from sephw.errors import SephwError
from sephw.export.directory import ExportDirectory
out, text, start = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
time.sleep(max(0, start - time.time()))
try:
    with ExportDirectory(out) as directory:
        for i in range(20):
            (directory.path / f"{i}").write_text(text)
            time.sleep(0.01)
        files = ", ".join(f'"{i}": ""' for i in range(20))
        (directory.path / "manifest.json").write_text(
            '{"format": "sephw-export", "files": {' + files + '}}'
        )
        directory.commit()
except SephwError as error:
    print(error)
    sys.exit(2)
"""


def test_two_exports_race_for_one_directory(tmp_path):
    out = tmp_path / "o"
    for former in (False, True):
        start = str(time.time() + 0.5)
        racers = [
            subprocess.Popen(
                [sys.executable, "-c", RACER, out, f"{former}{i}", start],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for i in range(2)
        ]
        said = [racer.communicate(timeout=60)[0] for racer in racers]
        assert sorted(racer.returncode for racer in racers) == [0, 2], said
        winner = [racer.returncode for racer in racers].index(0)
        (line,) = said[1 - winner].splitlines()
        assert line.startswith(f"--out {out}: process ") or "by another process meanwhile" in line
        assert {(out / f"{i}").read_text() for i in range(20)} == {f"{former}{winner}"}
        assert [p.name for p in tmp_path.iterdir()] == ["o"]


@pytest.mark.parametrize("in_one_step", [True, False])
def test_folders_change_places(tmp_path, monkeypatch, in_one_step):
    if not in_one_step:
        monkeypatch.setattr(exchange_module.ctypes, "CDLL", lambda *_, **__: object())
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    exchange(tmp_path / "one", tmp_path / "other")
    assert (tmp_path / "one" / "file").read_text() == "other"
    assert (tmp_path / "other" / "file").read_text() == "one"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one", "other"]
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "none", tmp_path / "other")
    assert (tmp_path / "other" / "file").read_text() == "one"


def test_death_between_the_steps_of_an_exchange_is_repaired(tmp_path):
    code = (
        "import os, sys\nfrom pathlib import Path\n"
        "from sephw.lifetime import exchange as module\n"
        "module.ctypes.CDLL = lambda *_, **__: object()\n"
        "rename, count = Path.rename, []\n"
        "def dying(self, target):\n"
        "    count.append(1)\n"
        "    if len(count) == 2: os.kill(os.getpid(), 9)\n"
        "    return rename(self, target)\n"
        "Path.rename = dying\n"
        "module.exchange(Path(sys.argv[1]), Path(sys.argv[2]))\n"
    )
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    subprocess.run([sys.executable, "-c", code, tmp_path / "one", tmp_path / "other"], check=False)
    assert becomes(lambda: (tmp_path / "other").exists())
    assert (tmp_path / "other" / "file").read_text() == "other"


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "model.pth"
    write_whole(path, b"one")
    old = os.umask(0o027)
    write_whole(path, b"two")
    os.umask(old)
    assert path.read_bytes() == b"two" and path.stat().st_mode & 0o777 == 0o640
    left = of_dead_process(unfinished_path(path))
    left.write_bytes(b"ha")
    path.unlink()
    path.mkdir()
    (path / "in the way").mkdir()
    with pytest.raises(OSError, match=r"model\.pth"):
        write_whole(path, b"three")
    assert [p.name for p in tmp_path.iterdir()] == ["model.pth"]
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is no regular file"):
        write_whole(tmp_path / "pipe", b"four")
    assert (tmp_path / "pipe").is_fifo()


def test_long_names_are_possible(tmp_path):
    place = tmp_path / ("n" * 250)
    folder = unfinished_folder(place, "it")
    with pytest.raises(SephwError, match="is making it"):
        unfinished_folder(place, "it")
    discard(folder)
    assert list(tmp_path.iterdir()) == []
