"""JSON: an object of finite numbers within 64 bits, or a one-line error with the reason."""

from __future__ import annotations

import json
from math import isfinite
from pathlib import Path
from typing import Any, NoReturn

from sephw.errors import SephwError
from sephw.files.reading import MOST_TEXT_BYTES, read_bytes

_MOST_DIGITS = 20
"""Of an integer, its sign included."""


def read_json(
    path: Path,
    what: str,
    fix: str,
    *,
    missing: str = "does not exist; check the path",
    most_bytes: int = MOST_TEXT_BYTES,
    error: type[SephwError] = SephwError,
) -> dict[str, Any]:
    """The object in a JSON file; ``what`` names the file in messages.

    Raises ``error``, one line: no file (``missing``), no regular file, too large, no JSON, no
    object (``fix`` says what to do), a number that is not finite or beyond 64 bits.
    """
    try:
        data = read_bytes(path, what, most_bytes=most_bytes, error=error)
    except FileNotFoundError:
        raise error(f"{what} {missing}") from None
    except OSError as failure:
        raise error(f"{what} cannot be read: {failure.strerror}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise error(f"{what} is not JSON: it is not UTF-8 text; {fix}") from None
    content = parse_json(text, what, fix, error=error)
    if not isinstance(content, dict):
        raise error(f"{what} is not a JSON object; {fix}")
    return content


def parse_json(text: str, what: str, fix: str, *, error: type[SephwError] = SephwError) -> Any:
    """The value that ``text`` holds; raises ``error`` as `read_json` does."""
    try:
        return json.loads(text, parse_constant=_constant, parse_int=_integer, parse_float=_real)
    except json.JSONDecodeError as failure:
        raise error(
            f"{what} is not JSON: line {failure.lineno}, column {failure.colno}: {failure.msg}; "
            f"{fix}"
        ) from None
    except ValueError as failure:
        raise error(f"{what}: {failure}; {fix}") from None
    except RecursionError:
        raise error(f"{what} is not JSON that can be read: nested too deeply; {fix}") from None


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError(f"the number {digits[:_MOST_DIGITS]}… has {len(digits)} digits")
    return int(digits)


def _real(digits: str) -> float:
    value = float(digits)
    if not isfinite(value):
        raise ValueError(f"the number {digits[:_MOST_DIGITS]} is too large")
    return value
