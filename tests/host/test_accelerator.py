"""Accelerator against a board in Python: results, and everything that must not become one."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from fake_board import BUILD, CLOCK_CYCLES, CLOCK_HZ, FakeBoard, frame, write_description

from sephw.host import (
    Accelerator,
    DescriptionError,
    DeviceError,
    ImageError,
    Retries,
    WrongDesignError,
    read_description,
)

IMAGES = np.array([[[[5], [7]]], [[[255], [0]]], [[[0x7E], [0x7D]]]], np.uint8)
EXPECTED = [[-2, -2048], [255, -2048], [1, -2048]]


def _open(tmp_path, board: FakeBoard, **changes: object) -> Accelerator:
    write_description(tmp_path, **changes)
    return Accelerator(
        board, tmp_path, retries=Retries(attempts=2, margin_seconds=0.01), clock=board.clock
    )


def test_predictions(tmp_path) -> None:
    board = FakeBoard()
    with _open(tmp_path, board) as accelerator:
        outputs = accelerator.predict(IMAGES)
        assert outputs.dtype == np.int64
        assert outputs.tolist() == EXPECTED
        assert accelerator.classes(IMAGES).tolist() == [0, 0, 0]
        assert accelerator.retried == 0
    # Reset, identify, then image by image: one repeat, the bytes as they lie.
    assert [body[0] for body in board.sent] == [4, 1, *[2] * 6]
    assert board.sent[2][3:] == b"\1\0\0\0\5\7"


def test_classes_of_maps(tmp_path) -> None:
    """Of every pixel over its channels; one channel has none, which is said before a request."""
    board = FakeBoard(outputs=lambda image: (image[0], image[1]))
    wide = _open(tmp_path / "wide", board, output_shape=[1, 1, 2])
    assert wide.classes(IMAGES).tolist() == [1, 0, 0]
    tall = _open(tmp_path / "tall", board, output_shape=[2, 1, 1])
    sent = len(board.sent)
    with pytest.raises(DescriptionError) as error:
        tall.classes(IMAGES)
    assert str(error.value) == "'tiny' gives one value per pixel, no classes; use predict"
    assert len(board.sent) == sent
    known = replace(tall.description, output_shape=(2, 3, 4))
    outputs = np.random.default_rng(0).integers(-9, 9, (5, 24))
    found = known.classes(outputs)
    assert found.shape == (5, 2, 3)
    for image, row in enumerate(outputs.tolist()):
        for pixel in range(6):
            values = row[4 * pixel : 4 * pixel + 4]
            assert found[image, pixel // 3, pixel % 3] == values.index(max(values))


def test_no_images_no_requests(tmp_path) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board)
    assert accelerator.predict(IMAGES[:0]).shape == (0, 2)
    assert len(board.sent) == 2


def test_images_need_not_lie_in_order(tmp_path) -> None:
    accelerator = _open(tmp_path, FakeBoard())
    assert accelerator.predict(IMAGES[::-1]).tolist() == EXPECTED[::-1]
    assert accelerator.predict(IMAGES[:, :, ::-1]).tolist()[0] == [2, -2048]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (IMAGES[0], "images of uint8 (1, 2, 1); 'tiny' takes uint8 (N, 1, 2, 1)"),
        (IMAGES.astype(float), "images of float64 (3, 1, 2, 1); 'tiny' takes uint8 (N, 1, 2, 1)"),
        (IMAGES, "an image holds 255; 'tiny' takes values up to 15"),
    ],
)
def test_images_that_do_not_fit(tmp_path, images, message) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board, image_bits=4)
    with pytest.raises(ImageError) as caught:
        accelerator.predict(images)
    assert str(caught.value) == message
    assert len(board.sent) == 2


@pytest.mark.parametrize(
    ("board", "message"),
    [
        (
            FakeBoard(build=0xBAD),
            "port '(given)': the board holds build 0000000000000bad, 'tiny' is build "
            f"{BUILD:016x}; load it with: sephw program {{directory}}",
        ),
        (
            FakeBoard(protocol=1),
            "port '(given)': the board speaks version 1 of the host link, this driver version 2; "
            "export and program the design again",
        ),
        (
            FakeBoard(sizes=(2, 2, 12, 0, CLOCK_CYCLES)),
            "port '(given)': the design's sizes are not those of 'tiny' though its build is; "
            "export and program it again",
        ),
        (
            FakeBoard(sizes=(2, 2, 12, 1, CLOCK_CYCLES * 3 // 4)),
            "port '(given)': the network's clock runs at 37.50 MHz, that of 'tiny' at 50.00 MHz; "
            "load it with: sephw program {directory}",
        ),
    ],
)
def test_another_design(tmp_path, board, message) -> None:
    with pytest.raises(WrongDesignError) as caught:
        _open(tmp_path, board)
    assert str(caught.value) == message.format(directory=tmp_path)
    assert 2 not in {body[0] for body in board.sent}


@pytest.mark.parametrize("counted", [0, 1, -1, 65, -65])
def test_the_clock_is_compared_once_it_is_counted(tmp_path, counted) -> None:
    """Nothing was counted yet, one cycle more or less; 65 of 32,768 is within 0.2 %."""
    cycles = CLOCK_CYCLES + counted if counted else 0
    _open(tmp_path, FakeBoard(sizes=(2, 2, 12, 1, cycles))).predict(IMAGES)
    for wrong in (66, -66):
        with pytest.raises(WrongDesignError, match="the network's clock runs at"):
            _open(tmp_path, FakeBoard(sizes=(2, 2, 12, 1, CLOCK_CYCLES + wrong)))


@pytest.mark.parametrize("index", range(4))
def test_every_size_is_compared(tmp_path, index) -> None:
    sizes = [2, 2, 12, 1, CLOCK_CYCLES]
    sizes[index] ^= 1
    with pytest.raises(WrongDesignError):
        _open(tmp_path, FakeBoard(sizes=tuple(sizes)))


def test_another_design_that_takes_over_later(tmp_path) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board)
    accelerator.predict(IMAGES)
    board.build = 1
    with pytest.raises(WrongDesignError, match="the board holds build 0000000000000001, 'tiny'"):
        accelerator.predict(IMAGES)


FAILED = "port '(given)': the design failed: {}; reset the board, or load the design again"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fail": 1}, "it does not know the request"),
        ({"fail": 2}, "the request has another length than it takes"),
        ({"fail": 3}, "the network stopped before its last output"),
        ({"fail": 77}, "it gave no reason"),
        ({"flags": 0}, "runs of the same image gave different outputs"),
        ({"flags": 3}, "the network gave more outputs than it was asked for"),
        ({"short": True}, "a reply has another length than the design says"),
        ({"outputs": lambda image: (2048, 0)}, "an output is not in -2048..2047"),
    ],
)
def test_a_board_that_fails_gives_no_result(tmp_path, changes, reason) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board)
    for name, value in changes.items():
        setattr(board, name, value)
    with pytest.raises(DeviceError) as caught:
        accelerator.predict(IMAGES)
    assert str(caught.value) == FAILED.format(reason)


def test_the_network_is_reset_after_a_failure(tmp_path) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board)
    board.flags = 3
    with pytest.raises(DeviceError):
        accelerator.predict(IMAGES)
    board.flags, board.sent = 1, []
    assert accelerator.predict(IMAGES).tolist() == EXPECTED
    assert [body[0] for body in board.sent] == [4, 2, 2, 2]


def test_throughput(tmp_path) -> None:
    board = FakeBoard()

    def slow(image: bytes) -> tuple[int, int]:
        board.seconds += 0.25
        return image[0] - image[1], -2048

    board.outputs = slow
    accelerator = _open(tmp_path, board)
    speed = accelerator.throughput(IMAGES, frames=100)
    assert (speed.alone_last_output_cycles, speed.interval_cycles) == (69, 30)
    assert speed.frames_per_second == CLOCK_HZ / 30
    assert (speed.link_frames, speed.link_frames_per_second) == (3, 4.0)
    repeats = [int.from_bytes(body[3:7], "little") for body in board.sent[2:]]
    assert repeats == [1, 50, 100, 1, 1, 1]


def test_throughput_without_images_uses_noise_in_range(tmp_path) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board, image_bits=4)
    assert accelerator.throughput(frames=2).link_frames == 16
    assert max(max(body[7:]) for body in board.sent[2:]) <= 15


@pytest.mark.parametrize("frames", [0, 1, 7, -2])
def test_throughput_needs_an_even_number(tmp_path, frames) -> None:
    with pytest.raises(ImageError) as caught:
        _open(tmp_path, FakeBoard()).throughput(IMAGES, frames=frames)
    assert str(caught.value) == (
        f"throughput of {frames} frames; give an even number of at least 2"
    )


def test_throughput_of_nothing(tmp_path) -> None:
    with pytest.raises(ImageError, match=r"^throughput needs at least one image$"):
        _open(tmp_path, FakeBoard()).throughput(IMAGES[:0])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cycles": lambda repeats: 70}, "its cycle counter stands still"),
        ({"outputs": iter(range(9)).__next__}, "runs of the same image gave different outputs"),
    ],
)
def test_throughput_of_a_broken_board(tmp_path, changes, reason) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board)
    for name, value in changes.items():
        setattr(board, name, (lambda _, v=value: (v(), 0)) if name == "outputs" else value)
    with pytest.raises(DeviceError) as caught:
        accelerator.throughput(IMAGES, frames=10)
    assert str(caught.value) == FAILED.format(reason)


def test_status_and_reset(tmp_path) -> None:
    board = FakeBoard()
    accelerator = _open(tmp_path, board)
    assert accelerator.status().damaged_requests == 0
    accelerator.reset()
    assert [body[0] for body in board.sent] == [4, 1, 3, 4]
    board.change = lambda body: frame(body[:-1])
    with pytest.raises(DeviceError, match="another length"):
        accelerator.status()


@pytest.mark.parametrize(
    ("bits", "signed", "values"),
    [
        (1, False, (0, 1)),
        (8, True, (-128, 127)),
        (9, False, (511, 256)),
        (16, True, (-32768, -1)),
        (24, True, (-(1 << 23), 77)),
        (33, True, (-(1 << 32), (1 << 32) - 1)),
        (64, True, (-(1 << 63), (1 << 63) - 1)),
        (63, False, ((1 << 63) - 1, 0)),
    ],
)
def test_outputs_of_every_width(tmp_path, bits, signed, values) -> None:
    board = FakeBoard(sizes=(2, 2, bits, int(signed), CLOCK_CYCLES))
    size = -(-bits // 8)
    whole = board.reply

    def reply(body: bytes) -> bytes:
        answer = whole(body)
        if body[0] != 2:
            return answer
        return answer[:24] + b"".join(v.to_bytes(size, "little", signed=signed) for v in values)

    board.reply = reply  # type: ignore[method-assign]
    accelerator = _open(tmp_path, board, output_bits=bits, output_signed=signed)
    assert accelerator.predict(IMAGES[:1]).tolist() == [list(values)]


def test_a_description_is_found_in_an_export(tmp_path) -> None:
    path = write_description(tmp_path / "export" / "board")
    for given in (tmp_path / "export", tmp_path / "export" / "board", path):
        assert read_description(given).build_id == BUILD
    found = read_description(path)
    assert (found.image_bytes, found.outputs, found.output_range) == (2, 2, (-2048, 2047))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            None,
            "'{file}' cannot be read (No such file or directory); give the directory of an "
            "export for an open board",
        ),
        (
            "{",
            "'{file}' is not JSON: line 1, column 2: Expecting property name enclosed in double "
            "quotes; export the model again",
        ),
        (
            '{"format": "sephw-accelerator", "version": 1}',
            "'{file}' is no accelerator.json of this version; export the model again",
        ),
        (
            '{"format": "sephw-accelerator", "version": 2, "link": "uart", "name": "x"}',
            "'{file}': is no accelerator.json of this version (it lacks 'target'); export "
            "the model again",
        ),
        (
            '{"format": "sephw-accelerator", "version": 2}',
            "'{file}' describes a design of another driver; run the driver.py beside it",
        ),
    ],
)
def test_no_description(tmp_path, text, message) -> None:
    file = tmp_path / "accelerator.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DescriptionError) as caught:
        read_description(tmp_path)
    assert str(caught.value) == message.format(file=file)


def test_the_bitstream_of_an_export(tmp_path) -> None:
    known = read_description(write_description(tmp_path / "board"))
    with pytest.raises(DescriptionError) as caught:
        known.bitstream()
    assert str(caught.value) == (
        f"'{tmp_path}' holds no bitstream; export the model with its synth step, or name the file "
        "with --bitstream"
    )
    first = tmp_path / "synth" / "bitstream.bit"
    first.parent.mkdir()
    first.write_bytes(b"1")
    (tmp_path / "synth" / "bitstream.log").write_text("")
    assert known.bitstream() == first
    (tmp_path / "bitstream.fs").write_bytes(b"2")
    with pytest.raises(DescriptionError) as caught:
        known.bitstream()
    assert re.fullmatch(
        rf"'{tmp_path}' holds several bitstreams \(bitstream.fs, synth/bitstream.bit\); name one "
        "with --bitstream",
        str(caught.value),
    )
