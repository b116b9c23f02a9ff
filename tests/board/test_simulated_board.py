"""The driver against the RTL of the complete board top: right results, or an error; never wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from board_designs import (
    MHZ,
    RETRIES,
    Design,
    classifier,
    connect,
    design,
    feature_map,
    nibbles,
)

from sephw import cli
from sephw.backends.board import CompiledBoard
from sephw.backends.board.uart import uart_link
from sephw.host import (
    Accelerator,
    DamagedError,
    DeviceError,
    DeviceSilentError,
    DisconnectedError,
    WrongDesignError,
    frames,
    read_description,
)
from sephw.host.messages import (
    FRAME_BYTES,
    IDENTITY_BYTES,
    Kind,
    parse_identity,
    request,
    run_frame_bytes,
    run_payload,
)
from sephw.sim.cycles import run_frames
from sephw.sim.timing import simulate

BYTE_SECONDS = 10e-6
# In the order of BoardPins.leds.
CLOCK_RUNS, HEARD, TROUBLE = 1, 2, 4


@pytest.fixture(scope="module")
def classified(tmp_path_factory) -> tuple[Design, CompiledBoard]:
    found = design(classifier(), tmp_path_factory.mktemp("classifier"))
    return found, found.compile()


@pytest.fixture
def board(mapped):
    """The small board, switched on and out of reset."""
    with mapped[1].power_up() as running:
        running.wait(0.0001)
        yield running


def test_predictions_and_cycles_are_those_of_the_references(classified) -> None:
    found, compiled = classified
    images = found.images(12)
    with compiled.power_up() as board, connect(found, board) as accelerator:
        outputs = accelerator.predict(images)
        assert np.array_equal(outputs, found.outputs(images))
        assert outputs.min() < 0 < outputs.max()
        assert np.array_equal(accelerator.classes(images), found.outputs(images).argmax(axis=1))
        speed = accelerator.throughput(images[:3], frames=12)
        assert not accelerator.status().extra
    simulated = run_frames(found.graph, 12)
    ends = simulated.frame_ends
    assert speed.interval_cycles == ends[-1] - ends[-2]
    begins = simulated.pops[found.graph.inputs[0]]
    assert speed.alone_last_output_cycles == ends[0] - begins[0]
    # One name has one latency: the board's is the report's of a frame alone.
    assert speed.alone_last_output_cycles == simulated.latency.last_output_cycles
    # What a report estimates of the link, plus the escapes of these images.
    link = uart_link(found.graph)
    bodies = [request(Kind.RUN, 0, run_payload(image.tobytes(), 1)) for image in images[:3]]
    sent = sum(len(frames.encode(body)) for body in bodies) / len(bodies)
    line = replace(link, line_bytes=link.line_bytes + sent - run_frame_bytes(images[0].size))
    estimated = line.frames_per_second(MHZ, 1, speed.alone_last_output_cycles)
    assert 0.97 < estimated / speed.link_frames_per_second < 1.03
    paced = simulate(found.graph).paced.last_output_cycles
    assert paced >= speed.alone_last_output_cycles


def test_lanes_and_beats(mapped, board) -> None:
    found, _ = mapped
    layout = {name: found.graph.stream(name).lanes for name in ("image", "map")}
    assert layout["image"] > 1 < layout["map"]
    images = found.images(40)
    with connect(found, board) as accelerator:
        assert np.array_equal(accelerator.predict(images), found.outputs(images))
        assert (accelerator.retried, accelerator.status().damaged_requests) == (0, 0)


def test_narrow_images_and_a_single_beat(tmp_path) -> None:
    found = design(nibbles(), tmp_path)
    images = found.images(20)
    with found.compile().power_up() as board, connect(found, board) as accelerator:
        assert np.array_equal(accelerator.predict(images), found.outputs(images))
        assert accelerator.throughput(images[:2], frames=20).interval_cycles >= 1


@pytest.mark.parametrize("error", [-0.03, -0.015, 0.015, 0.03])
def test_a_host_whose_clock_differs(mapped, error) -> None:
    found, compiled = mapped
    images = found.images(6)
    with compiled.power_up(baud_error=error) as board:
        board.wait(0.0001)
        with connect(found, board) as accelerator:
            assert np.array_equal(accelerator.predict(images), found.outputs(images))
            assert (accelerator.retried, accelerator.status().damaged_requests) == (0, 0)


@pytest.mark.parametrize("mhz", [3.2, 8.0, 25.0, 61.7])
def test_any_clock_of_the_network_and_the_board_counts_it(mapped, mhz) -> None:
    """The same line, at any ratio to the oscillator of 25 MHz; the host finds a wrong clock."""
    found, compiled = mapped
    images = found.images(4)
    known = replace(read_description(found.directory), clock_hz=round(mhz * 1e6))
    with replace(compiled, clock_hz=known.clock_hz).power_up() as board:
        board.wait(0.004)
        port, how = board.plug_in(), {"retries": RETRIES, "clock": board.clock}
        accelerator = Accelerator(port, known, **how)
        assert np.array_equal(accelerator.predict(images), found.outputs(images))
        assert (accelerator.retried, accelerator.status().damaged_requests) == (0, 0)
        reply = accelerator._link.call(
            Kind.IDENTIFY, reply_bytes=FRAME_BYTES + IDENTITY_BYTES, seconds=0.001
        )
        identity = parse_identity(reply)
        assert identity is not None
        assert abs(identity.clock_cycles - 2**14 * mhz / 25) <= 1
        with pytest.raises(WrongDesignError) as caught:
            Accelerator(port, replace(known, clock_hz=round(1.01 * known.clock_hz)), **how)
        assert re.match(
            rf"port 'sim': the network's clock runs at {mhz:.1f}\d MHz, that of '\w+' at "
            rf"{1.01 * mhz:.2f} MHz; load it with: sephw program ",
            str(caught.value),
        )


def test_garbage_then_a_request(mapped, board) -> None:
    """Whatever came before, the first request after a flag is understood."""
    found, _ = mapped
    rng = np.random.default_rng(4)
    with connect(found, board) as accelerator:
        images = found.images(24)
        expected = found.outputs(images)
        for index, image in enumerate(images):
            garbage = rng.bytes(int(rng.integers(1, 60))) + b"\x7e"
            board.send(garbage)
            assert np.array_equal(accelerator.predict(image[None])[0], expected[index])
        assert accelerator.retried == 0
        # A flag among them may split the garbage in several frames; none of them was right.
        assert 0 < accelerator.status().damaged_requests <= 60 * len(images)


def _run_frame(image: np.ndarray, sequence: int = 7, repeats: int = 1) -> bytes:
    return frames.encode(request(Kind.RUN, sequence, run_payload(image.tobytes(), repeats)))


def _replies(board, seconds: float) -> list[bytes]:
    """Bodies of all whole frames that come within the time."""
    decoder, end, found = frames.Decoder(), board.seconds + seconds, []
    while board.seconds < end:
        found += decoder.feed(board.run_for(end - board.seconds))
    assert decoder.damaged == 0
    return found


def test_every_cut_of_a_request_is_silence(mapped, board) -> None:
    found, _ = mapped
    image = found.images(1)[0]
    whole = _run_frame(image)
    for length in range(len(whole)):
        board.send(whole[:length])
        assert _replies(board, BYTE_SECONDS * (length + 4)) == []
        # The flag ends the piece: what follows stands by itself.
        board.send(b"\x7e")
        assert _replies(board, BYTE_SECONDS * 4) == []
    board.send(whole)
    (reply,) = _replies(board, 0.003)
    assert reply[0] == 0x82


def test_every_single_bit_of_a_request_matters(mapped, board) -> None:
    """One bit of the line wrong, flags and CRC included: no reply, or the undamaged request's."""
    found, _ = mapped
    whole = _run_frame(found.images(1)[0])
    board.send(whole)
    (right,) = _replies(board, 0.003)
    rng = np.random.default_rng(8)
    for bit in rng.choice(8 * len(whole), 100, replace=False):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        board.send(bytes(damaged) + b"\x7e")
        assert set(_replies(board, 0.0012)) <= {right}, f"bit {bit}"


def test_requests_one_after_the_other_without_a_gap(mapped, board) -> None:
    """The second arrives while the first is worked on and answered; it is dropped, not mixed in."""
    found, _ = mapped
    images = found.images(3)
    board.send(b"".join(_run_frame(image, number) for number, image in enumerate(images)))
    replies = _replies(board, 0.01)
    assert replies[0][1] == 0
    expected = found.outputs(images)
    for reply in replies:
        assert list(reply[24:]) == expected[reply[1]].tolist()


def test_requests_that_are_wrong_but_whole(mapped, board) -> None:
    found, _ = mapped
    image = found.images(1)[0].tobytes()
    bodies = {
        "an image too short": request(Kind.RUN, 1, run_payload(image[:-1], 1)),
        "an image too long": request(Kind.RUN, 2, run_payload(image + b"\0", 1)),
        "two images": request(Kind.RUN, 3, run_payload(image + image, 1)),
        "no repeat": request(Kind.RUN, 4, run_payload(image, 0)),
        "no payload": request(Kind.RUN, 5),
        "too much for a status": request(Kind.STATUS, 6, b"\0"),
        "too much for a reset": request(Kind.RESET, 7, b"\0"),
        "of no known kind": bytes([0x55, 8, 0]),
    }
    for number, (what, body) in enumerate(bodies.items(), 1):
        board.send(frames.encode(body))
        (reply,) = _replies(board, 0.003)
        assert (reply[0], reply[1]) == (0xFF, number), what
        assert reply[15:] == (b"\1" if what == "of no known kind" else b"\2"), what
    for body in (b"\x02", b"\x02\x01"):
        board.send(frames.encode(body))
        assert _replies(board, 0.001) == []
    board.send(_run_frame(found.images(1)[0]))
    (reply,) = _replies(board, 0.003)
    assert reply[0] == 0x82


def test_the_cable_is_pulled_at_every_stage(mapped, board) -> None:
    found, _ = mapped
    images = found.images(16)
    expected = found.outputs(images)
    for index, moment in enumerate(np.linspace(0, 1.6e-3, len(images))):
        accelerator = connect(found, board)
        board.send(_run_frame(images[index])[: 1 + 3 * index])
        board.wait(float(moment))
        board.unplug()
        with pytest.raises(DisconnectedError) as caught:
            accelerator.predict(images[:1])
        assert re.fullmatch(
            r"port 'sim': the connection was lost \(device disconnected\); plug the board in, "
            "open the port again",
            str(caught.value),
        )
        with connect(found, board) as again:
            assert np.array_equal(again.predict(images[index : index + 1])[0], expected[index])


def test_a_reset_in_the_middle_of_a_run(classified) -> None:
    """The button, then the RESET request, at several cycles of the network's own run."""
    found, compiled = classified
    images = found.images(2)
    expected = found.outputs(images)
    with compiled.power_up() as board:
        board.wait(0.0001)
        with connect(found, board) as accelerator:
            for moment in (0.0, 1e-5, 1e-4, 2e-4, 3e-4):
                board.send(_run_frame(images[0], repeats=1000))
                board.wait(62 * BYTE_SECONDS + moment)
                board.press_button(2e-6)
                assert _replies(board, 0.001) == []
                assert np.array_equal(accelerator.predict(images), expected)
                board.send(_run_frame(images[0], repeats=1000))
                board.wait(62 * BYTE_SECONDS + moment)
                accelerator.reset()
                assert np.array_equal(accelerator.predict(images), expected)


def test_a_new_host_ends_the_run_that_a_former_one_has_left(mapped, board) -> None:
    found, _ = mapped
    image = found.images(1)
    board.send(_run_frame(image[0], repeats=(1 << 32) - 1))
    board.wait(0.002)
    with connect(found, board) as accelerator:
        assert np.array_equal(accelerator.predict(image), found.outputs(image))


def test_another_design_on_the_board(mapped, classified, board) -> None:
    found, other = mapped[0], classified[0]
    with pytest.raises(WrongDesignError) as caught:
        connect(other, board)
    ours, theirs = (read_description(d.directory).build_id for d in (found, other))
    assert str(caught.value) == (
        f"port 'sim': the board holds build {ours:016x}, 'network' is build {theirs:016x}; load "
        f"it with: sephw program {other.directory / 'board'}"
    )


def test_silence_and_noise(mapped, board) -> None:
    found, _ = mapped

    class Deaf:
        """The line to the board is cut; ``noise`` comes back."""

        timeout = None
        name = "deaf"
        noise = b""

        def read(self, size: int = 1) -> bytes:
            board.wait(max(self.timeout, 1e-6))
            return self.noise

        def write(self, data: bytes) -> int:
            return len(data)

    port = Deaf()
    with pytest.raises(
        DeviceSilentError, match=r"^port 'deaf': no answer to 8 requests at 1000000"
    ):
        connect(found, board, port=port)
    port.noise = b"\x7e\x00\xff"
    with pytest.raises(DamagedError, match=r"^port 'deaf': 8 requests without a whole answer"):
        connect(found, board, port=port)


def test_lights(mapped) -> None:
    found, compiled = mapped
    with compiled.power_up() as board:
        board.wait(0.001)
        assert board.lights == 0
        accelerator = connect(found, board)
        assert board.lights == HEARD
        board.send(b"\x7e\x01\x02\x03\x04\x05\x06\x7e")
        board.wait(0.001)
        assert board.lights == HEARD | TROUBLE
        accelerator.predict(found.images(1))
        assert board.lights == HEARD
        board.press_button(1e-5)
        assert board.lights == 0
        # 2^24 cycles of an oscillator of 25 MHz.
        board.wait(0.68)
        assert board.lights == CLOCK_RUNS


def test_a_network_that_stops(tmp_path, monkeypatch) -> None:
    """An output beat that never comes: the board says so, and works again after that."""
    found = design(feature_map(), tmp_path)
    top = tmp_path / "board" / f"{found.project.top}.sv"
    text = top.read_text()
    # The network loses its first beat after a reset.
    assert text.count(".s_axis_tvalid(result_tvalid)") == 1
    text = text.replace(".s_axis_tvalid(result_tvalid)", ".s_axis_tvalid(result_tvalid && passed)")
    text = text.replace(
        "endmodule",
        "  logic passed;\n"
        "  always_ff @(posedge clk) passed <= network_rst_n && (passed || result_tvalid);\n"
        "endmodule",
        1,
    )
    text = text.replace("  wire clk, locked", "  wire clk;\n  wire locked", 1)
    top.write_text(text)
    images = found.images(2)
    with found.compile().power_up() as board:
        board.wait(0.0001)
        with connect(found, board) as accelerator:
            with pytest.raises(DeviceError) as caught:
                accelerator.predict(images)
            assert str(caught.value) == (
                "port 'sim': the design failed: the network stopped before its last output; reset "
                "the board, or load the design again"
            )
            assert board.lights & TROUBLE


def test_sephw_run_on_the_simulated_board(mapped, capsys, tmp_path, monkeypatch) -> None:
    found, compiled = mapped
    monkeypatch.setattr("sephw.run.simulated.compile_board", lambda *_: compiled)
    arguments = ["run", str(found.directory), "--port", "sim", "--frames", "20"]
    assert cli.run([*arguments, "--out", str(tmp_path / "outputs.npy")]) == 0
    shown = capsys.readouterr().out
    assert "  exact     4 of 4 images equal to the expected outputs\n" in shown
    # Nothing was measured: the board is a simulation.
    assert "[measured]" not in shown
    speed, over, latency = shown.splitlines()[2:]
    assert " frames/s on chip [simulated] at 8 MHz: " in speed
    assert " frames/s over this board's link [simulated]: UART at 1,000,000 baud, " in over
    assert over.endswith("no request sent again")
    assert latency.endswith("cycles [simulated]: a frame alone, first beat in to last beat out")
    expected = np.load(found.directory / "board" / "test_outputs.npy")
    assert np.array_equal(np.load(tmp_path / "outputs.npy"), expected)
