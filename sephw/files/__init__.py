"""Readers of files of unknown origin: one for each format, which refuses instead of failing."""

from sephw.files.arrays import read_archive_of_arrays, read_array, write_archive_of_arrays
from sephw.files.json_text import parse_json, read_json
from sephw.files.reading import check_file, out_of_memory, read_bytes, read_text, reading
from sephw.files.values import build, matches_type

__all__ = [
    "build",
    "check_file",
    "matches_type",
    "out_of_memory",
    "parse_json",
    "read_archive_of_arrays",
    "read_array",
    "read_bytes",
    "read_json",
    "read_text",
    "reading",
    "write_archive_of_arrays",
]
