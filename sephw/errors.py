"""Errors that a user sees: one line with the thing, the reason and the fix."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class SephwError(Exception):
    """A failure the user can act on; its message is one complete line.

    The command line prints it as ``sephw: error: MESSAGE`` and exits with status 2. Control
    characters, as names from foreign files may have, are shown escaped.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(_CONTROL.sub(lambda found: repr(found[0])[1:-1], message))


class UsageError(SephwError):
    """The request itself is wrong: an unknown option value, name or path."""
