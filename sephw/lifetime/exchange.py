"""Exchange of two paths in one step."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from sephw.lifetime.guard import release, restore_at_end

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
# Kernels, C libraries and file systems that cannot.
_CANNOT = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)


def exchange(one: Path, other: Path) -> None:
    """Exchange two folders.

    Where the system cannot do that in one step, it takes three, and the death of this process
    between them is repaired. Raises OSError, and then nothing has changed.
    """
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        _in_steps(one, other)
        return
    paths = (os.fsencode(one), os.fsencode(other))
    if function(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], ctypes.c_uint(_RENAME_EXCHANGE)) == 0:
        return
    code = ctypes.get_errno()
    if code not in _CANNOT:
        raise OSError(code, os.strerror(code), str(other))
    _in_steps(one, other)


def _in_steps(one: Path, other: Path) -> None:
    between = one.with_name(f"{one.name}.old")
    restore_at_end(between, other)
    try:
        other.rename(between)
        try:
            one.rename(other)
        except OSError:
            between.rename(other)
            raise
        between.rename(one)
    finally:
        release(between)
