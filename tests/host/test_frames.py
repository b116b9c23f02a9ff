"""Frames: what is sent comes back, and nothing else ever does."""

from __future__ import annotations

import numpy as np
import pytest
from fake_board import bodies, frame
from hypothesis import given, settings
from hypothesis import strategies as st

from sephw.host import frames

BODY = st.one_of(
    st.binary(min_size=1, max_size=200), st.text("\x7d\x7e\x5d\x5e", min_size=1).map(str.encode)
)


@given(BODY)
@settings(max_examples=200, deadline=None)
def test_encoding_is_the_documented_one(body: bytes) -> None:
    line = frames.encode(body)
    assert line == frame(body)
    assert line.count(0x7E) == 2
    assert bodies(line) == [body]


@given(st.lists(BODY, max_size=5), st.integers(1, 50))
@settings(max_examples=200, deadline=None)
def test_frames_come_out_as_they_went_in_however_they_are_cut(sent, piece: int) -> None:
    line, decoder, found = b"".join(map(frame, sent)), frames.Decoder(), []
    for at in range(0, len(line), piece):
        found += decoder.feed(line[at : at + piece])
    assert found == sent
    assert (decoder.damaged, decoder.received) == (0, len(line))


@given(st.binary(max_size=100), BODY)
@settings(max_examples=200, deadline=None)
def test_the_next_frame_but_one_after_garbage_is_whole(garbage: bytes, body: bytes) -> None:
    assert frames.Decoder().feed(garbage + b"\x7e" + frame(body))[-1] == body


BODY_UNDER_FIRE = bytes([0x82, 0x34, 0x12, 0x7E, 0x7D, 0x5E, 0x00, 0xFF, 0x20, 0x81])


def _damaged_lines() -> dict[str, list[bytes]]:
    line = frame(BODY_UNDER_FIRE)
    bits = range(8 * len(line))

    def flipped(*positions: int) -> bytes:
        out = bytearray(line)
        for position in positions:
            out[position // 8] ^= 1 << position % 8
        return bytes(out)

    places = range(len(line))
    return {
        "one bit": [flipped(i) for i in bits],
        "two bits": [flipped(i, j) for i in bits for j in range(i)],
        "byte lost": [line[:i] + line[i + 1 :] for i in places],
        "byte added": [line[:i] + bytes([b]) + line[i:] for i in places for b in range(256)],
        "byte changed": [line[:i] + bytes([b]) + line[i + 1 :] for i in places for b in range(256)],
        "two bytes swapped": [
            line[:i] + line[i + 1 : i + 2] + line[i : i + 1] + line[i + 2 :] for i in places
        ],
        "cut": [line[:i] for i in places],
    }


@pytest.mark.parametrize("damage", list(_damaged_lines()))
def test_no_small_damage_makes_another_body(damage: str) -> None:
    for line in _damaged_lines()[damage]:
        # The closing flag of the next frame ends whatever the damage has opened.
        found = frames.Decoder().feed(line + b"\x7e")
        assert set(found) <= {BODY_UNDER_FIRE}, (damage, line.hex())


def test_random_bytes_are_no_frames() -> None:
    rng, decoder = np.random.default_rng(0), frames.Decoder()
    # Flags often, so that many pieces of a frame's length are checked.
    noise = rng.integers(0, 256, 300_000, np.uint8)
    noise[rng.random(len(noise)) < 0.1] = 0x7E
    assert decoder.feed(noise.tobytes()) == []
    assert decoder.damaged > 10_000


def test_the_check_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the CRC the damage above would come through: these tests can fail."""
    line = bytearray(frame(BODY_UNDER_FIRE))
    line[2] ^= 1
    assert frames.Decoder().feed(bytes(line)) == []
    monkeypatch.setattr(frames, "crc", lambda body: bytes(line)[-5:-1])
    assert frames.Decoder().feed(bytes(line)) != []


def test_endless_noise_takes_no_memory() -> None:
    decoder = frames.Decoder(longest=100)
    decoder.feed(b"\x7e")
    for _ in range(20):
        decoder.feed(bytes(70))
        assert len(decoder._frame) <= 101
    assert decoder.feed(b"\x7e" + frame(b"later")) == [b"later"]
    assert decoder.damaged == 1
