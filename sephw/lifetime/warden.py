"""A program of its own: waits until the one that started it is gone, then tidies up behind it.

Standard input brings a JSON object a line: {"group": id, "began": ticks} a process group to kill,
{"ended": id} one that is done, {"path": text} a file or folder to remove, {"empty": text} a folder
to remove if it is empty, {"back": [from, to]} what to move back where nothing is, {"kept": text} a
path that stays. The end of the input, which the death of the writer makes, is the signal to act.
"""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import sys
import time

_ATTEMPTS = 40
_PAUSE_SECONDS = 0.02


def _began(process: int) -> int | None:
    """When a process started, in clock ticks since boot; None where there is none."""
    try:
        text = pathlib.Path(f"/proc/{process}/stat").read_bytes()
        return int(text.rsplit(b")", 1)[1].split()[19])
    except (OSError, IndexError, ValueError):
        return None


def _remove(path: pathlib.Path) -> None:
    for _ in range(_ATTEMPTS):  # a dying process may still write into it
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(_PAUSE_SECONDS)


def main() -> None:
    """Read until the input ends, then act."""
    groups: dict[int, int | None] = {}
    paths: dict[str, None] = {}
    empty: dict[str, None] = {}
    back: dict[str, str] = {}
    for line in sys.stdin.buffer:
        try:
            said = json.loads(line)
        except ValueError:
            continue
        for key, value in said.items():
            if key == "group":
                groups[value] = said["began"]
            elif key == "ended":
                groups.pop(value, None)
            elif key == "path":
                paths[value] = None
            elif key == "empty":
                empty[value] = None
            elif key == "back":
                back[value[0]] = value[1]
            elif key == "kept":
                paths.pop(value, None)
                empty.pop(value, None)
                back.pop(value, None)
    for group, began in groups.items():
        # The leader may be gone before its children: then nobody else has its number.
        if _began(group) in (None, began):
            with contextlib.suppress(OSError):
                os.killpg(group, signal.SIGKILL)
    for old, place in back.items():
        if not pathlib.Path(place).exists():
            with contextlib.suppress(OSError):
                pathlib.Path(old).rename(place)
    for path in paths:
        _remove(pathlib.Path(path))
    for path in sorted(empty, key=len, reverse=True):
        with contextlib.suppress(OSError):
            pathlib.Path(path).rmdir()


if __name__ == "__main__":
    # A terminal's interrupt and the like are for the others.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    main()
