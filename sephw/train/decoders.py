"""Processes that decode image files while another one trains.

They are started as new programs, not forked. Beside the main thread of a process that trains run
those of gloo and of the progress; a fork takes over their locks as they are at that moment, and
one that is held is never released in the child. For the same reason a decoder shares no lock with
the process that trains: a socket carries requests, and memory of its own the images.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.reduction import recv_handle, send_handle
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sephw.data.folders import ImageFiles, read_centre, read_random
from sephw.errors import SephwError
from sephw.lifetime.guard import die_with_parent

# Far longer than any batch takes; a file server that answers no more ends the run.
BATCH_SECONDS = 600.0


@dataclass(frozen=True, eq=False)
class DecodeRequest:
    """A request to decode one batch of images to `size` (height, width).

    `numbers` are the indices of `files` in their data set: with `seed` they decide everything
    random. Without a seed images are not augmented but centred.
    """

    files: ImageFiles
    numbers: tuple[int, ...]
    size: tuple[int, int]
    augment: str = "none"
    seed: int | None = None

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(N, channels, height, width)."""
        return (len(self.numbers), self.files.channels, *self.size)


def decode(request: DecodeRequest) -> NDArray[np.uint8]:
    """Decode a request: uint8 (N, channels, height, width). Raises SephwError naming a damaged
    file.
    """
    images = np.empty(request.shape, np.uint8)
    _decode_into(images, request)
    return images


def _decode_into(images: NDArray[np.uint8], request: DecodeRequest) -> None:
    for place, number in enumerate(request.numbers):
        if request.seed is None:
            image = read_centre(request.files, place, *request.size)
        else:
            seed = (request.seed, number)
            image = read_random(request.files, place, *request.size, request.augment, seed)
        images[place] = image.transpose(2, 0, 1)


class Decoders:
    """A pool of ``processes`` that decode, until `close`; with none the caller decodes by itself.

    The first batch starts them. They import the calling program's main module, as multiprocessing
    does: guard it with ``if __name__ == "__main__"``.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._decoders: list[_Decoder] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def images(self, batches: Iterable[DecodeRequest]) -> Iterator[NDArray[np.uint8]]:
        """Yield the images of each batch in order; each process decodes one batch ahead.

        Raises SephwError where a process exits, or a batch takes longer than `BATCH_SECONDS`. One
        iteration at a time; leaving it before its end ends the processes.
        """
        if self._processes == 0:
            yield from map(decode, batches)
            return
        if not self._decoders:
            self._decoders = [_Decoder() for _ in range(self._processes)]
        coming, at_work = iter(batches), deque[_Decoder]()
        try:
            for decoder, request in zip(self._decoders, coming, strict=False):
                decoder.submit(request)
                at_work.append(decoder)
            while at_work:
                decoder = at_work.popleft()
                images = decoder.receive()
                if (following := next(coming, None)) is not None:
                    decoder.submit(following)
                    at_work.append(decoder)
                yield images
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the processes, whatever they do."""
        for decoder in self._decoders:
            decoder.end()
        self._decoders = []


class _Decoder:
    """One process, the socket to it, and the memory where it puts the images of a batch."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_serve, args=(theirs,), daemon=True)
        # What an interrupt of the terminal means its parent decides, also while it starts.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self._memory = os.memfd_create("sephw-images")
        assert self._process.pid is not None  # it was started
        send_handle(self._connection, self._memory, self._process.pid)
        self._shape = (0, 0, 0, 0)

    def submit(self, request: DecodeRequest) -> None:
        """Send a request; no other one may be pending."""
        self._shape = request.shape
        os.ftruncate(self._memory, max(1, int(np.prod(self._shape))))
        try:
            self._connection.send(request)
        except OSError:
            raise self._ended_early() from None

    def receive(self) -> NDArray[np.uint8]:
        """The images of the pending request."""
        try:
            if not self._connection.poll(BATCH_SECONDS):
                raise SephwError(
                    f"a batch of images is not decoded after {BATCH_SECONDS / 60:g} minutes: the "
                    "disk or its server stands still; see to it, then add --resume to go on"
                )
            problem: str | None = self._connection.recv()
        except (EOFError, OSError):
            raise self._ended_early() from None
        if problem is not None:
            raise SephwError(problem)
        return _array(self._memory, self._shape).copy()

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self._connection.close()
        os.close(self._memory)

    def _ended_early(self) -> SephwError:
        return SephwError(
            "a process that decodes images has ended by itself, as when memory is short; give "
            "fewer --workers (0: none), and --resume to go on"
        )


def _array(memory: int, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """The memory behind a descriptor, which has that size, as an array."""
    return np.frombuffer(mmap.mmap(memory, 0), np.uint8).reshape(shape)


def _serve(connection: Connection) -> None:
    """The loop of a decoder process: answer each `DecodeRequest` with None or an error message."""
    die_with_parent()
    memory = recv_handle(connection)
    while True:
        try:
            request: DecodeRequest = connection.recv()
        except EOFError:
            return
        problem = None
        try:
            _decode_into(_array(memory, request.shape), request)
        except SephwError as error:
            problem = str(error)
        connection.send(problem)
