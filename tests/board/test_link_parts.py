"""UART, CRC and frames in RTL by themselves: bytes and timing against zlib and the driver."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest

from sephw import rtl
from sephw.host.frames import encode
from sephw.tools import verilator

CLOCKS_PER_BIT = (4, 5, 8, 11, 27)
PARTS = (
    "sephw_crc32.sv",
    "sephw_link_receive.sv",
    "sephw_link_transmit.sv",
    "sephw_uart_rx.sv",
    "sephw_uart_tx.sv",
)
BENCH = ("link_bench.sv", "link_bench.cpp")
EVENT = np.dtype(
    [
        ("cycle", "<u4"),
        ("crc", "<u4"),
        ("unit", "u1"),
        ("kind", "S1"),
        ("data", "u1"),
        ("spare", "V5"),
    ]
)


def _bodies() -> list[bytes]:
    rng = np.random.default_rng(2)
    found = [bytes([b]) for b in (0x00, 0x7D, 0x7E, 0xFF)] + [bytes(range(256))]
    found += [rng.bytes(int(rng.integers(1, 40))) for _ in range(30)]
    special = np.array([0x7D, 0x7E, 0x5D, 0x5E, 0x20], np.uint8)
    found += [rng.choice(special, int(rng.integers(1, 20))).tobytes() for _ in range(15)]
    # Bodies whose CRC has bytes to escape.
    while sum(b in zlib.crc32(found[-1]).to_bytes(4, "little") for b in (0x7D, 0x7E)) == 0:
        found.append(rng.bytes(3))
    return found


@pytest.fixture(scope="module")
def events(tmp_path_factory) -> tuple[list[bytes], np.ndarray]:
    """What came out of every unit for `_bodies`."""
    directory = tmp_path_factory.mktemp("link_bench")
    for name in BENCH:
        shutil.copy(Path(__file__).parent / name, directory)
    for name in PARTS:
        shutil.copy(rtl.SOURCES / name, directory)
    program = verilator.build(
        [*PARTS, *BENCH], "link_bench", directory, directory / "build", purpose="test"
    )
    bodies = _bodies()
    given = b"".join(len(body).to_bytes(4, "little") + body for body in bodies)
    done = subprocess.run([program], input=given, capture_output=True, check=True)
    return bodies, np.frombuffer(done.stdout, EVENT)


@pytest.mark.parametrize("unit", range(len(CLOCKS_PER_BIT)))
def test_frames_through_both_ends(events, unit) -> None:
    bodies, everything = events
    found = everything[everything["unit"] == unit]
    line = found[found["kind"] == b"B"]
    assert line["data"].tobytes() == b"".join(map(encode, bodies))
    assert not np.isin(found["kind"], [b"!", b"X"]).any()
    # Byte follows byte without a gap, frames one after the other.
    steps = np.diff(line["cycle"])
    inside = np.ones(len(steps), bool)
    inside[np.cumsum([len(encode(body)) for body in bodies])[:-1] - 1] = False
    assert set(steps[inside]) == {10 * CLOCKS_PER_BIT[unit]}
    received: list[bytes] = []
    for event in found:
        if event["kind"] == b"F":
            received.append(b"")
        if event["kind"] in (b"F", b"D"):
            received[-1] += bytes([event["data"]])
        if event["kind"] == b"G":
            assert event["crc"] == zlib.crc32(received[-1])
    assert received == bodies
    assert (found["kind"] == b"G").sum() == len(bodies)
