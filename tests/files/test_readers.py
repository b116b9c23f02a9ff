"""The ways into files: regular, of bearable size, and one line where the content is damaged."""

import io
import json
import os
import socket
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from sephw.errors import SephwError, UsageError
from sephw.files import (
    build,
    parse_json,
    read_archive_of_arrays,
    read_array,
    read_bytes,
    read_json,
    reading,
    write_archive_of_arrays,
)
from sephw.files.archives import Archive


def refused(call, *arguments, **options):
    with pytest.raises(SephwError) as caught:
        call(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    for path, kind in (
        (tmp_path / "pipe", "a named pipe"),
        (Path("/dev/zero"), "a device"),
        (tmp_path, "a folder"),
        (tmp_path / "socket", "a socket"),
    ):
        text = f"it: is {kind}, not a file; give the path of a file"
        assert refused(read_bytes, path, "it") == text
        assert refused(read_json, path, "it", "fix it") == text
        assert refused(read_array, path, "it", "fix it") == text
    listening.close()


def test_a_pipe_that_takes_the_place_of_a_file_is_not_waited_for(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_text("x")
    state = (tmp_path / "file").stat()
    monkeypatch.setattr(Path, "stat", lambda self, **_: state)
    assert refused(read_bytes, tmp_path / "pipe", "it").startswith("it: is a named pipe")


def test_size_is_looked_at_before_the_content(tmp_path):
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)  # of holes: no room on the disk
    assert refused(read_bytes, tmp_path / "large", "it") == (
        "it: has 1,099,511,627,776 bytes, more than the 4,294,967,296 that are read; give the "
        "right file"
    )
    assert "more than the 268,435,456" in refused(read_json, tmp_path / "large", "it", "fix it")


@pytest.mark.parametrize(
    ("raised", "text"),
    [
        (KeyError("pe"), "it: cannot be read (it lacks 'pe'); mend it"),
        (RecursionError(), "it: nested too deeply; mend it"),
        (ZeroDivisionError("a\nb"), "it: cannot be read (ZeroDivisionError: a b); mend it"),
        (PermissionError(13, "no"), "it: cannot be read (no); mend it"),
        (FileNotFoundError(), "it: no such file; check the path"),
        (
            MemoryError("Unable to allocate 7 TiB"),
            "it: does not fit into memory (MemoryError: Unable to allocate 7 TiB); use smaller "
            "sizes or a machine with more memory",
        ),
        (UsageError("mine"), "mine"),
    ],
)
def test_whatever_a_library_raises_is_one_line(raised, text):
    with pytest.raises(UsageError) as caught, reading("it", "mend it", error=UsageError):
        raise raised
    assert str(caught.value) == text


def test_interrupts_pass_a_boundary():
    with pytest.raises(KeyboardInterrupt), reading("it", "mend it"):
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("[NaN]", "NaN is no number of JSON"),
        ("[-Infinity]", "-Infinity is no number of JSON"),
        ("[1e999]", "the number 1e999 is too large"),
        (f"[{'9' * 5000}]", "has 5000 digits"),
        ("{", "line 1, column 2"),
        ("", "line 1, column 1"),
    ],
)
def test_what_is_no_json(text, reason):
    assert reason in refused(parse_json, text, "it", "mend it")


def test_json_is_read_as_it_stands(tmp_path):
    content = {"a": [1, -2.5, None, True, "ü"], "b": {"c": (1 << 63) - 1}}
    (tmp_path / "a.json").write_text(json.dumps(content))
    assert read_json(tmp_path / "a.json", "it", "mend it") == content
    (tmp_path / "a.json").write_text("[]")
    assert refused(read_json, tmp_path / "a.json", "it", "mend it") == (
        "it is not a JSON object; mend it"
    )


def npy(array, header=None):
    content = io.BytesIO()
    np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=True)
    data = content.getvalue()
    if header is None:
        return data
    text = f"{header}\n".encode()
    return data[:8] + struct.pack("<H", len(text)) + text + data[10 + data[8] + 256 * data[9] :]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"zip?", "magic"),
        (npy(np.array([{}])), "elements of type object"),
        (npy(np.array(["a"])), "elements of type <U1"),
        (npy(np.zeros(2, "c8")), "elements of type complex64"),
        (npy(np.zeros(2, "M8[s]")), "elements of type"),
        (npy(np.zeros((1,) * 9)), "9 axes"),
        (npy(np.zeros(4))[:-1], "does not go with"),
        (npy(np.zeros(4)) + b"x", "does not go with"),
        (
            npy(np.zeros(1), "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"),
            "does not go with",
        ),
        (npy(np.zeros(1), "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"), "shape"),
        (npy(np.zeros(1), "{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}"), "shape"),
        (
            npy(np.zeros(1), "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,)}"),
            "elements of type",
        ),
        (npy(np.zeros(1), "__import__('os').abort()"), "cannot be read"),
    ],
)
def test_arrays_that_are_none(tmp_path, data, reason):
    (tmp_path / "a.npy").write_bytes(data)
    assert reason in refused(read_array, tmp_path / "a.npy", "it", "mend it")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", data)
    assert reason in refused(read_archive_of_arrays, tmp_path / "a.npz", "it", "mend it")


def test_arrays_are_read_as_numpy_writes_them(tmp_path):
    arrays = {
        "a": np.arange(6, dtype=np.int16).reshape(2, 3),
        "b": np.float32(2.5),
        "c": np.zeros((0, 3)),
        "d": np.asfortranarray(np.arange(6).reshape(2, 3)),
        "e": np.array([True]),
    }
    for name, array in arrays.items():
        np.save(tmp_path / f"{name}.npy", array)
        assert np.array_equal(read_array(tmp_path / f"{name}.npy", "it", "mend it"), array)
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "all.npz", **arrays)
        found = read_archive_of_arrays(tmp_path / "all.npz", "it", "mend it")
        assert found.keys() == arrays.keys()
        assert all(np.array_equal(found[name], arrays[name]) for name in arrays)


def test_bytes_of_an_archive_of_arrays_are_those_of_the_zip_format(tmp_path):
    """Every byte is written here a second time, from the format's description."""
    arrays = {"one": np.array([1, -2, 3], np.int8), "two.w": np.array([[7]], ">i4")}
    write_archive_of_arrays(tmp_path / "a.npz", arrays)
    body, directory = b"", b""
    for name, values in arrays.items():
        kind = {"one": "|i1", "two.w": "<i4"}[name]
        head = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {values.shape}, }}".encode()
        head += b" " * (-(10 + len(head) + 1) % 64) + b"\n"
        data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head
        data += values.astype(kind).tobytes()
        entry = f"{name}.npy".encode()
        # Stored, no flags, 1 January 1980 at 0:00.
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, 0, 0, 33, zlib.crc32(data), len(data), len(data), len(entry), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<BB", 20, 3) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0o644 << 16, len(body)) + entry
        body += b"PK\x03\x04" + common + entry + data
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 2, 2, len(directory), len(body), 0)
    assert (tmp_path / "a.npz").read_bytes() == body + directory + end


def bomb(path, names=("a.png",), size=1 << 20, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            archive.writestr(name, b"\0" * size)
    return path


def test_zips_are_measured_by_what_they_claim(tmp_path):
    path = bomb(tmp_path / "a.zip")
    assert refused(Archive, path, "it", 1000, 1 << 30) == (
        "it: 'a.png' would unpack to 1,048,576 bytes, more than the 1,000 that are read; leave it "
        "out"
    )
    path = bomb(tmp_path / "b.zip", [f"{i}.png" for i in range(9)])
    assert "would unpack to 9,437,184 bytes, more than the 5,000,000" in (
        refused(Archive, path, "it", 2 << 20, 5_000_000)
    )
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = bomb(tmp_path / "c.zip", method=method)
        text = refused(Archive, path, "it", 2 << 20, 1 << 30)
        # Either claims more than deflate could keep, or is of another method.
        assert "which no file can be" in text or f"packed by method {method}" in text


def test_entries_that_lie_in_each_other_are_refused(tmp_path):
    path = bomb(tmp_path / "a.zip", size=5000, method=zipfile.ZIP_STORED)
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    entry, end = data[start : data.index(b"PK\x05\x06")], data[data.index(b"PK\x05\x06") :]
    count = 9
    copies = b"".join(entry.replace(b"a.png", b"%d.png" % i) for i in range(count))
    end = end[:8] + struct.pack("<HHI", count, count, len(copies)) + end[16:]
    path.write_bytes(data[:start] + copies + end)
    assert "they lie in each other; pack the archive again" in (
        refused(Archive, path, "it", 1 << 20, 1 << 30)
    )


@pytest.mark.parametrize("claimed", [10, 1_040_000])
def test_an_entry_that_is_not_as_large_as_it_claims(tmp_path, claimed):
    path = bomb(tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", claimed)
    path.write_bytes(data)
    with Archive(path, "it", 1 << 20, 1 << 30) as archive:
        assert "it: 'a.png' " in refused(archive.read, "a.png")


def test_encrypted_and_damaged_entries(tmp_path):
    path = bomb(tmp_path / "a.zip", size=100)
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    assert "is encrypted; pack" in refused(Archive, path, "it", 1 << 20, 1 << 30)
    path.write_bytes(b"PK\x03\x04" * 9)
    assert "it: not a readable zip (" in refused(Archive, path, "it", 1 << 20, 1 << 30)


@dataclass(frozen=True)
class Sample:
    count: int
    name: str
    shape: tuple[int, int] = (1, 1)
    rest: tuple[str, ...] = ()
    share: float | None = None
    on: bool = False


def test_values_are_built_by_the_types_that_fields_declare():
    good = {"count": 3, "name": "a", "shape": (2, 3), "rest": ("x",), "share": 1, "on": True}
    assert build(Sample, good) == Sample(**good)
    for key, value in (
        ("count", "3"),
        ("count", 3.0),
        ("count", True),
        ("count", None),
        ("name", 3),
        ("shape", (1, 2, 3)),
        ("shape", [1, 2]),
        ("shape", (1, "2")),
        ("rest", ("a", 1)),
        ("share", "1"),
        ("share", True),
        ("on", 1),
        ("more", 1),
    ):
        with pytest.raises(ValueError, match=key):
            build(Sample, {**good, key: value})
    with pytest.raises(ValueError, match="lacks 'name'"):
        build(Sample, {"count": 1})


def test_files_are_opened_in_one_place():
    """Images, zips, NumPy's files and JSON of users go through `sephw.files`."""
    root = Path(__file__).parents[2]
    allowed = {
        "Image.open": {"files/images.py"},
        "zipfile.": {
            "files/archives.py",
            "files/arrays.py",
            "torch_file.py",
            "backends/board/driver.py",
        },
        "np.load": set(),
        "np.savez": {"data/cache.py"},
        "torch.load": {"torch_file.py"},
        "pickle.load": set(),
    }
    for path in (root / "sephw").rglob("*.py"):
        name, text = path.relative_to(root / "sephw").as_posix(), path.read_text("utf-8")
        for word, places in allowed.items():
            assert word not in text or name in places, f"{name} uses {word}"
