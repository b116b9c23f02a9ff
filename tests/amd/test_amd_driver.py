"""The PYNQ driver as it is exported, on a board with memory, caches, DMA and the network."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from amd_drive import beats_of, load
from amd_export import BUILD_ID, Folder
from amd_pynq import RECEIVE, SEND, Board
from project_graphs import images_for

from sephw.ir import Graph

NAME = "small_net"


@dataclass
class Setup:
    """An export on a board; ``expected`` gives the integers of images."""

    folder: Path
    board: Board
    driver: ModuleType
    images: np.ndarray
    expected: Callable[[np.ndarray], np.ndarray]

    def accelerator(self, **options: Any) -> Any:
        return self.driver.Accelerator(self.folder / f"{NAME}.bit", **options)

    def refused(self, call: Callable[[], Any]) -> str:
        with pytest.raises(self.driver.AcceleratorError) as error:
            call()
        return str(error.value)


def make(
    folder: Path,
    images: np.ndarray,
    expected: Callable[[np.ndarray], np.ndarray],
    monkeypatch: pytest.MonkeyPatch,
) -> Setup:
    """A board that knows the frames of ``images`` and answers them with ``expected``."""
    settings = json.loads((folder / "accelerator.json").read_text())
    for ending in ("bit", "hwh"):
        (folder / f"{NAME}.{ending}").write_text("")
    answers = {
        beats_of(image.ravel().tolist(), settings["input"]): beats_of(
            values.ravel().tolist(), settings["output"]
        )
        for image, values in zip(images, expected(images), strict=True)
    }
    board = Board(settings, lambda frame: [answers[frame]], BUILD_ID)
    monkeypatch.setitem(sys.modules, "pynq", board.module)
    return Setup(folder, board, load(folder / "driver.py"), images, expected)


@pytest.fixture
def setup(graph: Graph, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """The small network on a PYNQ-Z2, with the integers of its reference."""

    def expected(images: np.ndarray) -> np.ndarray:
        return graph.run(images.astype(np.int64))[graph.outputs[0]].reshape(len(images), 10)

    return make(folder(), images_for(graph, 12), expected, monkeypatch)


# ---- results -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 2, 5, 12])
@pytest.mark.parametrize("batch", [1, 2, 5, 256])
def test_predict(setup: Setup, batch: int, count: int) -> None:
    images = setup.images[:count]
    with setup.accelerator(batch=batch) as accelerator:
        assert accelerator.name == NAME
        for given in (images, images[::-1]):
            found = accelerator.predict(given)
            assert found.dtype == np.int64 and found.shape == (count, 10)
            assert np.array_equal(found, setup.expected(given))
    assert setup.board.loaded == [setup.folder / f"{NAME}.bit"]
    assert not setup.board.buffers


def test_classes(setup: Setup) -> None:
    found = setup.accelerator().classes(setup.images)
    assert found.dtype == np.int64
    rows = setup.expected(setup.images).tolist()
    assert found.tolist() == [row.index(max(row)) for row in rows]


@pytest.mark.parametrize(
    ("shape", "classes"), [((1, 5, 2), (12, 1, 5)), ((5, 1, 2), (12, 5, 1)), ((1, 1, 10), (12,))]
)
def test_classes_of_maps(setup: Setup, shape, classes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every pixel, over its channels; one channel has none, which is said at once."""
    settings = json.loads((setup.folder / "accelerator.json").read_text())
    accelerator = setup.accelerator()
    accelerator._settings["output_shape"] = list(shape)
    found = accelerator.classes(setup.images)
    rows = setup.expected(setup.images)
    assert settings["outputs"] == rows.shape[1] and found.shape == classes
    for index in range(shape[0] * shape[1]):
        pixels = rows[:, index * shape[2] : (index + 1) * shape[2]].tolist()
        assert found.reshape(len(rows), -1)[:, index].tolist() == [p.index(max(p)) for p in pixels]
    accelerator._settings["output_shape"] = [2, 5, 1]
    started = len(setup.board.started)
    assert setup.refused(lambda: accelerator.classes(setup.images)) == (
        f"'{NAME}' gives one value per pixel, no classes; use predict"
    )
    assert len(setup.board.started) == started


def test_runs_on_the_boards_python(folder: Folder) -> None:
    """Images of PYNQ have Python 3.8 and later, NumPy, and nothing of this package."""
    tree = ast.parse((folder() / "driver.py").read_text(), feature_version=(3, 8))
    named = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    modules = {n.module if isinstance(n, ast.ImportFrom) else n.names[0].name for n in named}
    assert modules == {"__future__", "importlib", "json", "time", "pathlib", "typing", "numpy"}


@pytest.mark.parametrize("ahead", [1, 2, 12])
@pytest.mark.parametrize("slow", [1, 7])
def test_any_network_and_memory(setup: Setup, ahead: int, slow: int) -> None:
    """A network that takes one frame at a time, or all; a slow or fast memory."""
    setup.board.ahead, setup.board.slow = ahead, slow
    found = setup.accelerator().predict(setup.images)
    assert np.array_equal(found, setup.expected(setup.images))


FORMATS = [
    # (input lanes, input beat bytes, output bits, signed, lanes, beat bytes, outputs)
    (1, 1, 1, False, 1, 1, 3),
    (1, 1, 5, False, 3, 2, 9),
    (5, 8, 21, True, 1, 4, 10),
    (2, 2, 21, True, 2, 8, 10),
    (3, 4, 8, True, 1, 1, 7),
    (15, 16, 33, True, 1, 8, 4),
    (16, 16, 64, True, 16, 128, 32),
    (128, 128, 64, False, 1, 8, 2),
]


@pytest.mark.parametrize("form", FORMATS)
def test_every_width(setup: Setup, form, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes, widths and signs of streams, extreme values included."""
    in_lanes, in_bytes, bits, signed, lanes, out_bytes, outputs = form
    settings = json.loads((setup.folder / "accelerator.json").read_text())
    settings["image_shape"] = [2, 3, in_lanes]
    settings["input"] |= {"lanes": in_lanes, "beats": 6, "beat_bytes": in_bytes}
    settings["outputs"] = outputs
    settings["output"] = {
        "bits": bits,
        "signed": signed,
        "lanes": lanes,
        "beats": outputs // lanes,
        "beat_bytes": out_bytes,
    }
    (setup.folder / "accelerator.json").write_text(json.dumps(settings))
    rng = np.random.default_rng(bits)
    # int64 holds no unsigned 64-bit integer above its own range.
    width = bits - 1 if signed or bits == 64 else bits
    low, high = (-(1 << (bits - 1)) if signed else 0), (1 << width) - 1
    answers = rng.integers(low, high, (4, outputs), np.int64, endpoint=True)
    answers[0], answers[1] = low, high
    images = rng.integers(0, 256, (4, 2, 3, in_lanes), np.uint8)
    made = make(setup.folder, images, lambda given: answers[: len(given)], monkeypatch)
    assert np.array_equal(made.accelerator(batch=3).predict(images), answers)


def test_throughput(setup: Setup) -> None:
    """Frames by the driver's clock, here a millisecond for each look at it."""
    accelerator = setup.accelerator(batch=4)
    before = setup.board.started[RECEIVE]
    assert accelerator.throughput(setup.images, frames=30) > 0
    # A first batch that is not counted, then all of them.
    assert setup.board.started[RECEIVE] - before == 4 + 30
    setup.board.network = lambda frame: [bytes(setup.board.settings["output"]["beats"] * 4)]
    assert accelerator.throughput(frames=10) > 0
    assert setup.refused(lambda: accelerator.throughput(setup.images, frames=0)) == (
        "throughput needs at least one frame"
    )
    assert setup.refused(lambda: accelerator.throughput(setup.images[:0])) == (
        "throughput needs at least one frame"
    )


# ---- what was given ------------------------------------------------------------------------------


def test_other_images(setup: Setup) -> None:
    accelerator = setup.accelerator()
    takes = "'small_net' takes uint8 (N, 8, 8, 3)"
    for images, what in (
        (setup.images.astype(np.float32), "float32 (12, 8, 8, 3)"),
        (setup.images[0], "uint8 (8, 8, 3)"),
        (setup.images.transpose(0, 3, 1, 2), "uint8 (12, 3, 8, 8)"),
        (setup.images.astype(np.int64), "int64 (12, 8, 8, 3)"),
    ):
        refused = setup.refused(lambda images=images: accelerator.predict(images))
        assert refused == f"images of {what}; {takes}"
    assert setup.board.started == {SEND: 0, RECEIVE: 0}


def test_files(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    path, hwh = setup.folder / f"{NAME}.bit", setup.folder / f"{NAME}.hwh"
    hwh.unlink()
    assert setup.refused(setup.accelerator) == (
        f"'{path}' cannot be loaded (Cannot find HWH or TCL file for {path}.); run as root, with "
        "the .hwh beside it"
    )
    path.unlink()
    assert setup.refused(setup.accelerator) == (
        f"'{path}' cannot be loaded (Bitstream file {path} does not exist.); run as root, with "
        "the .hwh beside it"
    )
    settings = setup.folder / "accelerator.json"
    missing = f"'{settings}' is missing or not written by sephw; copy it from the export"
    for text in ('{"format": "sephw-accelerator", "version": 1}', "[]", "{", ""):
        settings.write_text(text)
        assert setup.refused(setup.accelerator) == missing
    settings.unlink()
    assert setup.refused(setup.accelerator) == missing


def test_without_pynq(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynq", None)
    assert setup.refused(setup.accelerator) == (
        "the package pynq cannot be imported (import of pynq halted; None in sys.modules); run "
        "this on a board with a PYNQ image"
    )


def test_another_build(setup: Setup) -> None:
    setup.board.build_id = BUILD_ID ^ (1 << 63)
    assert setup.refused(setup.accelerator) == (
        "'small_net.bit' holds build 8123456789abcdef, accelerator.json describes "
        "0123456789abcdef; copy both from the same export"
    )


@pytest.mark.parametrize("block", ["dma", "identity"])
def test_another_bitstream(setup: Setup, block: str) -> None:
    setup.board.blocks = tuple(name for name in setup.board.blocks if name != block)
    assert setup.refused(setup.accelerator) == (
        f"'small_net.bit' has no block '{block}'; is it a bitstream of sephw?"
    )


def test_clock(setup: Setup) -> None:
    """Too fast is brought down, slower is left alone; what cannot be brought down is refused."""
    setup.board.clock_mhz = 142.0
    setup.accelerator()
    assert setup.board.running_mhz == 100.0
    setup.board.clock_mhz = 80.0
    setup.accelerator()
    assert setup.board.running_mhz == 80.0
    setup.board.clock_mhz, setup.board.stuck = 125.0, True
    assert setup.refused(setup.accelerator) == (
        "the board's clock runs at 125 MHz, 'small_net.bit' is made for 100 MHz at most; results "
        "would not be reliable"
    )


def test_batch_and_memory(setup: Setup) -> None:
    assert setup.refused(lambda: setup.accelerator(batch=0)) == (
        "batch 0 is no number of frames; give at least 1"
    )
    assert setup.refused(lambda: setup.accelerator(batch=20000)) == (
        "no memory for 20000 frames of 256 bytes (Failed to allocate Memory!); give a smaller batch"
    )
    # A transfer has at most 2^26 - 1 bytes, whatever is asked for.
    setup.board.memory_bytes = 1 << 40
    accelerator = setup.accelerator(batch=1 << 30)
    assert accelerator._send.shape == ((1 << 26) // 256 - 1, 256)


# ---- what goes wrong on the way ------------------------------------------------------------------

RELOAD = "; call again to reload the bitstream"


def recovers(setup: Setup, accelerator: Any) -> None:
    """No result came of the failed call; the next one loads the bitstream and is right."""
    assert setup.board.quiet
    setup.board.faults.clear()
    setup.board.dead = False
    before = len(setup.board.loaded)
    assert np.array_equal(accelerator.predict(setup.images), setup.expected(setup.images))
    assert len(setup.board.loaded) == before + 1


@pytest.mark.parametrize(("channel", "side"), [(SEND, "sending"), (RECEIVE, "receiving")])
@pytest.mark.parametrize(
    ("bits", "what"),
    [
        (0x10, "DMA internal error while {}"),
        (0x20, "DMA slave error while {}"),
        (0x40, "DMA address decode error while {}"),
        (0x11, "DMA internal error while {}"),
        (0x01, "the DMA stopped while {}"),
    ],
)
def test_dma_errors(setup: Setup, channel: int, side: str, bits: int, what: str) -> None:
    accelerator = setup.accelerator(batch=4)
    accelerator.predict(setup.images[:1])
    setup.board.faults[channel, 2] = bits
    # Status as the driver reads it: the fault, beside IDLE of the transfer before.
    text = setup.refused(lambda: accelerator.predict(setup.images))
    assert text == f"{what.format(side)} (status {bits:#x}){RELOAD}"
    recovers(setup, accelerator)


def test_no_answer(setup: Setup) -> None:
    accelerator = setup.accelerator(timeout_seconds=0.5)
    setup.board.dead = True
    assert setup.refused(lambda: accelerator.predict(setup.images[:3])) == (
        f"no result of frame 0 of 3 within 0.5 s (status 0x0){RELOAD}"
    )
    recovers(setup, accelerator)


def test_images_not_taken(setup: Setup) -> None:
    """A result too many on the way in: the sending side never ends."""
    accelerator = setup.accelerator(timeout_seconds=0.5)
    answer, setup.board.ahead = setup.board.network, 1
    setup.board.network = lambda frame: answer(frame) * 3
    assert setup.refused(lambda: accelerator.predict(setup.images[:3])) == (
        f"the images are not taken within 0.5 s (status 0x0){RELOAD}"
    )
    setup.board.network = answer
    recovers(setup, accelerator)


def test_frame_of_another_length(setup: Setup) -> None:
    accelerator = setup.accelerator()
    answer = setup.board.network
    setup.board.network = lambda frame: [packet[:-4] for packet in answer(frame)]
    assert setup.refused(lambda: accelerator.predict(setup.images[:2])) == (
        "frame 0 has 36 bytes instead of 40; accelerator.json and the bitstream differ: copy both "
        "from the same export"
    )
    setup.board.network = lambda frame: [packet + b"more" for packet in answer(frame)]
    assert setup.refused(lambda: accelerator.predict(setup.images[:2])) == (
        f"DMA internal error while receiving (status 0x11){RELOAD}"
    )
    setup.board.network = answer
    recovers(setup, accelerator)


def test_interrupted(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of a batch: the DMA is stopped, nothing of it comes back later."""
    accelerator = setup.accelerator(batch=4)

    def interrupt(frame: bytes) -> list[bytes]:
        raise KeyboardInterrupt

    answer, setup.board.network = setup.board.network, interrupt
    with pytest.raises(KeyboardInterrupt):
        accelerator.predict(setup.images)
    setup.board.network = answer
    recovers(setup, accelerator)


def test_closed(setup: Setup) -> None:
    accelerator = setup.accelerator()
    accelerator.predict(setup.images[:1])
    accelerator.close()
    accelerator.close()
    assert not setup.board.buffers
    assert setup.refused(lambda: accelerator.predict(setup.images)) == (
        "'small_net' is closed; make a new Accelerator"
    )


def test_dma_that_does_not_start(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Board, "write", lambda *_: None)
    assert setup.refused(setup.accelerator) == (
        f"the DMA does not start within 5 s (status 0x1){RELOAD}"
    )
