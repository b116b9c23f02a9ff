"""The open ap_types headers (ap_int.h, hls_stream.h), which come with hls4ml."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from sephw.errors import SephwError


def ap_types_directory() -> Path:
    """Where the headers are; hls4ml itself is not imported.

    Raises SephwError if hls4ml is not installed.
    """
    spec = find_spec("hls4ml")
    if spec is None or spec.origin is None:
        raise SephwError("hls4ml is not installed; install it with 'pip install hls4ml==1.3.0'")
    return Path(spec.origin).parent / "templates" / "vivado" / "ap_types"
