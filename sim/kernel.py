"""The inner loop of the exact cycle simulation, compiled by numba on first use.

Engines talk through FIFOs only, so the order in which they are worked off cannot change any time:
each advances until a beat or a credit that it needs is not known yet, and is taken up again when
a neighbour has moved. Nothing here counts cycle by cycle.

One ring of ``depth`` slots per stream is enough: slot k % depth holds the cycle from which beat k
is visible until that beat is read, and then the cycle in which it was read, which is what beat
k + depth needs to know of its credit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

# Bits of an event's mask: the low half says which inputs it reads, the high half what it writes.
MAX_PORTS = 8
# Recorded causes of a wait: an input's index, MAX_PORTS + an output's index, or one of these.
CAUSE_NONE = 255
CAUSE_PATTERN = 254


def _advance_all(
    frames: int,
    event_first: Any,
    event_count: Any,
    event_mask: Any,
    event_gap: Any,
    interval: Any,
    latency: Any,
    input_first: Any,
    input_stream: Any,
    output_first: Any,
    output_stream: Any,
    producer: Any,
    consumer: Any,
    ring_first: Any,
    depth: Any,
    ring: Any,
    pattern_first: Any,
    pattern_length: Any,
    next_on: Any,
    release_first: Any,
    release: Any,
    time_first: Any,
    times: Any,
    causes: Any,
    done: Any,
    last: Any,
    pushed: Any,
    popped: Any,
) -> int:
    """Work all engines off to the end of frame ``frames``; 1 if all got there, 0 at a deadlock.

    See sephw.sim.network.Wiring for the arrays. The state to go on from in the next call: ``ring``,
    ``done`` (events finished), ``last`` (cycle of the last event), ``pushed`` and ``popped``
    (beats so far). ``times`` and ``causes`` receive the events of this call, engine e's from
    ``time_first[e]`` on.
    """
    engines = len(event_count)
    write_slot = ring_first + pushed % depth
    read_slot = ring_first + popped % depth
    position = event_first + done % event_count
    slots = time_first - done
    # An engine is finished, or waits for one stream, or is in the queue (once).
    queue = np.arange(engines)
    waits_for = np.full(engines, -1)
    head, waiting = 0, engines
    finished = np.sum(done >= event_count * frames)
    while waiting > 0:
        e = queue[head]
        head = head + 1 if head + 1 < engines else 0
        waiting -= 1
        total = event_count[e] * frames
        n = done[e]
        if n >= total:
            continue
        in_first, in_count = input_first[e], input_first[e + 1] - input_first[e]
        out_first, out_count = output_first[e], output_first[e + 1] - output_first[e]
        pace, delay = interval[e], latency[e]
        at, end = position[e], event_first[e] + event_count[e]
        slot = slots[e]
        before = last[e]
        started = n
        paused = pattern_first[e] >= 0
        released = release_first[e] >= 0
        while n < total:
            mask = np.int64(event_mask[at])
            earliest = before + event_gap[at] * pace
            t, cause = earliest, CAUSE_NONE
            stuck = -1
            for p in range(in_count):
                if mask >> p & 1:
                    s = input_stream[in_first + p]
                    if popped[s] == pushed[s]:
                        stuck = s
                        break
                    visible = ring[read_slot[s]]
                    if visible > t:
                        t, cause = visible, p
            if stuck >= 0:
                waits_for[e] = stuck
                break
            for q in range(out_count):
                if mask >> (MAX_PORTS + q) & 1:
                    s = output_stream[out_first + q]
                    if pushed[s] >= depth[s]:
                        if pushed[s] - popped[s] == depth[s]:
                            stuck = s
                            break
                        credit = ring[write_slot[s]] + 1
                        if credit > t:
                            t, cause = credit, MAX_PORTS + q
            if stuck >= 0:
                waits_for[e] = stuck
                break
            if released and release[release_first[e] + n] > t:
                t, cause = release[release_first[e] + n], CAUSE_PATTERN
            if paused:
                wait = next_on[pattern_first[e] + t % pattern_length[e]]
                if wait > 0:
                    t, cause = t + wait, CAUSE_PATTERN
            for p in range(in_count):
                if mask >> p & 1:
                    s = input_stream[in_first + p]
                    ring[read_slot[s]] = t
                    read_slot[s] += 1
                    if read_slot[s] == ring_first[s] + depth[s]:
                        read_slot[s] = ring_first[s]
                    popped[s] += 1
            for q in range(out_count):
                if mask >> (MAX_PORTS + q) & 1:
                    s = output_stream[out_first + q]
                    ring[write_slot[s]] = t + delay
                    write_slot[s] += 1
                    if write_slot[s] == ring_first[s] + depth[s]:
                        write_slot[s] = ring_first[s]
                    pushed[s] += 1
            times[slot + n] = t
            causes[slot + n] = cause
            before = t
            n += 1
            at += 1
            if at == end:
                at = event_first[e]
        if n == started:
            continue
        done[e], position[e], last[e] = n, at, before
        if n == total:
            finished += 1
        for p in range(in_count):
            s = input_stream[in_first + p]
            other = producer[s]
            if waits_for[other] == s:
                waits_for[other] = -1
                queue[(head + waiting) % engines] = other
                waiting += 1
        for q in range(out_count):
            s = output_stream[out_first + q]
            other = consumer[s]
            if waits_for[other] == s:
                waits_for[other] = -1
                queue[(head + waiting) % engines] = other
                waiting += 1
    return 1 if finished == engines else 0


@cache
def compiled() -> Callable[..., int]:
    """The compiled loop; numba keeps the machine code on disk for the next process if it can.

    Numba refuses to compile where neither the folder of this file, nor the user's cache folder can
    be written, and when what it kept is damaged or the disk is full: then nothing is kept.
    """
    import numba  # type: ignore[import-untyped]

    @cache
    def uncached() -> Callable[..., int]:
        loop: Callable[..., int] = numba.njit(nogil=True)(_advance_all)
        return loop

    try:
        kept = numba.njit(cache=True, nogil=True)(_advance_all)
    except RuntimeError:
        return uncached()

    def loop(*arguments: Any) -> int:
        try:
            return int(kept(*arguments))
        except Exception:  # of reading or writing the cache: before the loop has begun
            return uncached()(*arguments)

    return loop
