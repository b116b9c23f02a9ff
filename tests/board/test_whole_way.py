"""From a trained network to a board and back over a real serial port of the operating system."""

from __future__ import annotations

import os
import pty
import threading
import tty

import numpy as np
import pytest
import torch
from board_designs import Design, connect, design, ready

from sephw import cli
from sephw.backends.board import SimulatedBoard
from sephw.frontend import export_qonnx, read_qonnx
from sephw.frontend.export_qonnx import to_network_input
from sephw.host import Accelerator, DisconnectedError
from sephw.nn import SEPNet, freeze
from tests.nn.networks import enliven, image_batch, to_bq


def test_the_deploy_network_and_the_board_agree(tmp_path) -> None:
    """torch's logits, bit for bit, and its classes."""
    torch.manual_seed(4)
    shape = (1, 6, 6)
    network = SEPNet(
        in_channels=1, height=6, width=6, classes=4, widths=(8,), modules=(1,), groups=2
    )
    deploy = freeze(to_bq(enliven(network, 3), image_batch(shape, 12, 3)))
    path = tmp_path / "model.onnx"
    export_qonnx(deploy, path, shape)
    result = read_qonnx(path)
    found = design(ready(result.graph, 4096), tmp_path)
    images = found.images(10)
    with torch.no_grad():
        logits = deploy(to_network_input(images)).numpy().astype(np.float64)
    (output,) = [layer for layer in result.layers if layer.is_output]
    expected = logits * np.exp2(output.exponents.astype(float))
    with found.compile().power_up() as board, connect(found, board) as accelerator:
        outputs = accelerator.predict(images)
        assert np.array_equal(outputs, expected)
        assert np.array_equal(accelerator.classes(images), expected.argmax(axis=1))
    assert len(np.unique(expected, axis=0)) == len(images)


class Bridge:
    """A pseudo-terminal with a simulated board at its other end, served by a thread."""

    def __init__(self, board: SimulatedBoard) -> None:
        self._board = board
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while not self._stop.is_set():
            try:
                self._board.send(os.read(self._master, 4096))
            except BlockingIOError:
                pass
            except OSError:
                return
            if received := self._board.run_for(2e-4):
                os.write(self._master, received)

    def unplug(self) -> None:
        """The device goes away while the port is open."""
        self._stop.set()
        self._thread.join()
        for end in (self._slave, self._master):
            os.close(end)


def test_a_serial_port_of_the_system(mapped, capsys) -> None:
    found: Design = mapped[0]
    images = found.images(5)
    with mapped[1].power_up() as board:
        bridge = Bridge(board)
        try:
            arguments = ["run", str(found.directory), "--port", bridge.name, "--frames", "4"]
            assert cli.run(arguments) == 0
            assert "4 of 4 images equal to the expected outputs" in capsys.readouterr().out
            accelerator = Accelerator(bridge.name, found.directory)
            outputs = found.outputs(images)
            assert np.array_equal(accelerator.predict(images), outputs)
            pixels = outputs.reshape(
                len(images), *found.graph.tensors[found.graph.outputs[0]].shape
            )
            assert np.array_equal(accelerator.classes(images), pixels.argmax(axis=3))
            assert cli.run(arguments) == 2
            assert capsys.readouterr().err == (
                f"sephw: error: port '{bridge.name}': it is in use by another program; close that "
                "one\n"
            )
        finally:
            bridge.unplug()
        with pytest.raises(DisconnectedError) as caught:
            accelerator.predict(images)
        assert str(caught.value).startswith(f"port '{bridge.name}': the connection was lost (")
        assert str(caught.value).endswith("); plug the board in, open the port again")
        accelerator.close()
