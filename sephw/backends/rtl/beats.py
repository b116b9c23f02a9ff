"""Feature maps as the beats of a stream: lane 0 in the low bits, packed into 32-bit words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sephw.backends.layout import StreamInfo
from sephw.ir import Integers

Words = NDArray[np.uint32]
_WORD_BITS = 32


def words_per_beat(stream: StreamInfo) -> int:
    """32-bit words that hold one beat."""
    return -(-stream.bits * stream.lanes // _WORD_BITS)


def pack(values: Integers, stream: StreamInfo) -> Words:
    """uint32 (beats, words per beat) from int64 (N, h, w, c); at most 64 bits a lane."""
    lanes = values.reshape(-1, stream.lanes).astype(np.uint64)
    lanes &= np.uint64((1 << stream.bits) - 1)
    words = np.zeros((len(lanes), words_per_beat(stream) + 2), np.uint64)
    for lane in range(stream.lanes):
        word, offset = divmod(lane * stream.bits, _WORD_BITS)
        low, high = lanes[:, lane] << np.uint64(offset), lanes[:, lane] >> np.uint64(64 - offset)
        words[:, word] |= low & np.uint64(0xFFFFFFFF)
        words[:, word + 1] |= low >> np.uint64(_WORD_BITS)
        if offset:
            words[:, word + 2] |= high
    return words[:, : words_per_beat(stream)].astype(np.uint32)


def unpack(words: Words, stream: StreamInfo) -> Integers:
    """int64 (N, h, w, c) from uint32 (beats, words per beat): the inverse of ``pack``."""
    padded = np.zeros((len(words), words.shape[1] + 2), np.uint64)
    padded[:, : words.shape[1]] = words
    values = np.empty((len(words), stream.lanes), np.uint64)
    for lane in range(stream.lanes):
        word, offset = divmod(lane * stream.bits, _WORD_BITS)
        both = padded[:, word] | padded[:, word + 1] << np.uint64(_WORD_BITS)
        values[:, lane] = both >> np.uint64(offset)
        if offset:
            values[:, lane] |= padded[:, word + 2] << np.uint64(64 - offset)
    # The sign bit goes to the top and comes back with its copies.
    spare = np.uint64(64 - stream.bits)
    signed = (values << spare).view(np.int64)
    if stream.signed:
        return (signed >> np.int64(spare)).reshape(-1, *stream.shape)
    return ((values << spare) >> spare).astype(np.int64).reshape(-1, *stream.shape)
