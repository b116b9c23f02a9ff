"""Caches are optional: nothing fails where neither the home nor the installation can be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sephw.sim import kernel
from sephw.tools import user_folders
from sephw.tools.file_cache import FileCache
from sephw.tools.user_folders import cache_folder, log_folder, yowasp_folder
from sephw.tools.yowasp import yowasp_command


@pytest.fixture
def no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home that cannot be made, whoever runs this; where temporary files go."""
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "YOWASP_CACHE_DIR", "NUMBA_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/dev/null/home")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(user_folders, "_temporary", user_folders._temporary.__wrapped__)
    return tmp_path


def test_folders_of_the_user_else_of_temporary_files(
    no_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = no_home / f"sephw-{os.geteuid()}"
    for folder in (cache_folder(), log_folder(), yowasp_folder()):
        assert folder.parent == own
    assert own.stat().st_mode & 0o777 == 0o700
    own.chmod(0o777)  # as others may write it, nothing in it is trusted
    assert cache_folder().parent != own
    assert cache_folder().parents[1] == no_home
    own.rmdir()
    own.symlink_to(no_home)
    assert cache_folder().parents[1] == no_home and cache_folder().parent != own
    monkeypatch.setenv("HOME", str(no_home / "home"))
    assert cache_folder() == no_home / "home" / ".cache" / "sephw"
    assert yowasp_folder() == no_home / "home" / ".cache" / "YoWASP"


def test_tools_and_programs_are_kept_there(no_home: Path) -> None:
    made = no_home / "program"
    made.write_text("x")
    FileCache.of_user("programs").keep("k", made)
    assert FileCache.of_user("programs").fetch("k", no_home / "again")
    (no_home / "loud.py").write_text(
        "import os\ndef go(words):\n    print(os.environ['YOWASP_CACHE_DIR'], words)\n"
    )
    done = subprocess.run(
        [*yowasp_command("loud", "go"), "-q", "a"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(no_home)},
    )
    assert done.stdout == f"{yowasp_folder()} ['-q', 'a']\n"


LOOP = """
import sys
import numba
from sephw.sim import kernel
try:
    numba.njit(cache=True)(kernel._advance_all)
except RuntimeError as error:
    assert "cannot cache function" in str(error)
else:
    sys.exit("the cache works here")
assert callable(kernel.compiled())
"""


def test_the_cycle_simulation_compiles_where_numba_can_keep_nothing(no_home: Path) -> None:
    """An installation that this user cannot write: numba is left the user's folder alone."""
    done = subprocess.run(
        [sys.executable, "-c", LOOP],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "UserWideCacheLocator"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_damaged_cache_of_machine_code_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(*, nogil: bool, cache: bool = False):
        def broken(*_: object) -> int:
            raise EOFError("Ran out of input")

        return (lambda _: broken) if cache else (lambda function: function)

    monkeypatch.setattr("numba.njit", njit)
    monkeypatch.setattr(kernel, "_advance_all", lambda *values: sum(values))
    assert kernel.compiled.__wrapped__()(1, 2) == 3
