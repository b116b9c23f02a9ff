"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LIKENESS = 0.7


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """ "did you mean 'export'? ", with a space behind it, or "" where nothing is like `name`."""
    names = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), names, 1, _LIKENESS)
    return f"did you mean '{names[near[0]]}'? " if near else ""
