"""Errors that a user sees: one line with the thing, the reason and the fix."""


class SephwError(Exception):
    """A failure the user can act on; its message is one complete line.

    The command line prints it as ``sephw: error: MESSAGE`` and exits with status 2.
    """


class UsageError(SephwError):
    """The request itself is wrong: an unknown option value, name or path."""
