"""Faults on the line between host and board: is a wrong result ever returned?

    python -m benchmarks.link_faults [--requests N] [--seed N]

Writes reports/published/link_faults.json and link_faults.md. The host's driver talks to the
complete top module of a board in Verilator; every scenario injects its faults at random and
compares every result that the driver returns with the integer reference. A request ends in the
right result, in an error, or in a wrong result; the last must never happen.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from sephw.backends.board import (
    BoardRates,
    CompiledBoard,
    SimulatedBoard,
    compile_board,
    write_board,
)
from sephw.host import Accelerator, Description, HostError, Port, Retries, read_description
from sephw.ir import Graph

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"
# In the board's time; short, since the simulated board never keeps anybody waiting.
RETRIES = Retries(attempts=8, margin_seconds=0.001)
_OPENINGS = 20
_POWER_UP_SECONDS = 0.001


@dataclass(frozen=True)
class Scenario:
    """Chances of each fault: noise per bit time, the others per byte or per request.

    ``drop``, ``insert``, ``change``: per byte, in both directions. ``truncate``: a request ends
    early. ``garbage``: up to 40 random bytes before a request. ``replay``: an earlier request is
    sent again before it. ``unplug``: the cable is pulled within a request and put back. ``button``:
    the board is reset within a request. ``baud_error``: of the host's bits.
    """

    name: str
    noise_to_board: float = 0.0
    noise_from_board: float = 0.0
    drop: float = 0.0
    insert: float = 0.0
    change: float = 0.0
    truncate: float = 0.0
    garbage: float = 0.0
    replay: float = 0.0
    unplug: float = 0.0
    button: float = 0.0
    baud_error: float = 0.0


SCENARIOS: tuple[Scenario, ...] = (
    Scenario("none"),
    Scenario("noise to the board", noise_to_board=3e-4),
    Scenario("noise from the board", noise_from_board=3e-4),
    Scenario("noise both ways", noise_to_board=2e-4, noise_from_board=2e-4),
    Scenario("heavy noise both ways", noise_to_board=1e-3, noise_from_board=1e-3),
    Scenario("bytes lost", drop=3e-3),
    Scenario("bytes added", insert=3e-3),
    Scenario("bytes changed", change=3e-3),
    Scenario("requests cut short", truncate=0.2),
    Scenario("garbage between requests", garbage=0.5),
    Scenario("old requests sent again", replay=0.5),
    Scenario("cable pulled", unplug=0.1),
    Scenario("board reset", button=0.1),
    Scenario("host 2 % fast", baud_error=0.02, noise_to_board=1e-4, noise_from_board=1e-4),
    Scenario("host 2 % slow", baud_error=-0.02, noise_to_board=1e-4, noise_from_board=1e-4),
    Scenario(
        "everything",
        noise_to_board=5e-5,
        noise_from_board=5e-5,
        drop=3e-4,
        insert=3e-4,
        change=3e-4,
        truncate=0.03,
        garbage=0.1,
        replay=0.1,
        unplug=0.03,
        button=0.03,
    ),
)


@dataclass(frozen=True)
class Tally:
    """What came of a scenario. ``refused``: predictions that ended in an error."""

    scenario: str
    requests: int
    faults: int
    retries: int
    refused: int
    reconnected: int
    wrong: int
    damaged_seen_by_board: int


class FaultyPort:
    """A port that damages what passes through it; ``faults`` counts how often."""

    def __init__(self, port: Port, board: SimulatedBoard, scenario: Scenario, seed: int) -> None:
        self._port, self._board, self._scenario = port, board, scenario
        self._rng = np.random.default_rng(seed)
        self._earlier: list[bytes] = []
        self._byte_seconds = 10 / 1e6
        self.name = "faulty"
        self.timeout: float | None = None
        self.faults = 0

    def read(self, size: int = 1) -> bytes:
        """At most ``size`` bytes, some of them damaged."""
        self._port.timeout = self.timeout
        return self._damaged(self._port.read(size))

    def write(self, data: bytes) -> int:
        """Send ``data``, or what the scenario makes of it."""
        chances, rng = self._scenario, self._rng
        sent = self._damaged(data)
        if self._strikes(chances.truncate):
            sent = sent[: int(rng.integers(len(sent)))]
        if self._strikes(chances.garbage):
            sent = rng.bytes(int(rng.integers(1, 40))) + sent
        if self._earlier and self._strikes(chances.replay):
            sent = self._earlier[int(rng.integers(len(self._earlier)))] + sent
        self._earlier.append(data)
        self._port.write(sent)
        if self._strikes(chances.unplug):
            self._board.wait(self._byte_seconds * int(rng.integers(2 * len(sent))))
            self._board.unplug()
        if self._strikes(chances.button):
            self._board.wait(self._byte_seconds * int(rng.integers(2 * len(sent))))
            self._board.press_button(1e-6 * int(rng.integers(1, 50)))
        return len(data)

    def _strikes(self, chance: float) -> bool:
        struck = bool(self._rng.random() < chance)
        self.faults += struck
        return struck

    def _damaged(self, data: bytes) -> bytes:
        chances = self._scenario
        if not (chances.drop or chances.insert or chances.change):
            return data
        result = bytearray()
        for byte in data:
            if self._strikes(chances.insert):
                result += self._rng.bytes(1)
            if self._strikes(chances.drop):
                continue
            changed = self._strikes(chances.change)
            result.append(byte ^ int(self._rng.integers(1, 256)) if changed else byte)
        return bytes(result)


def campaign(
    compiled: CompiledBoard,
    description: Description,
    images: NDArray[np.uint8],
    expected: NDArray[np.int64],
    scenario: Scenario,
    *,
    requests: int,
    seed: int,
) -> Tally:
    """Predict one image after the other, ``requests`` times, through the scenario's faults."""
    rng = np.random.default_rng(seed)
    refused = wrong = reconnected = faults = retries = damaged = 0
    with compiled.power_up(baud_error=scenario.baud_error) as board:
        board.wait(_POWER_UP_SECONDS)
        board.disturb(
            to_board=scenario.noise_to_board, from_board=scenario.noise_from_board, seed=seed + 1
        )
        accelerator: Accelerator | None = None
        port: FaultyPort | None = None
        for number in range(requests):
            for _ in range(_OPENINGS):
                if accelerator is not None:
                    break
                port = FaultyPort(board.plug_in(), board, scenario, int(rng.integers(1 << 32)))
                reconnected += 1
                try:
                    accelerator = Accelerator(port, description, retries=RETRIES, clock=board.clock)
                except HostError:
                    faults += port.faults
            if accelerator is None or port is None:
                refused += 1
                continue
            index = number % len(images)
            try:
                found = accelerator.predict(images[index : index + 1])[0]
                wrong += not np.array_equal(found, expected[index])
            except HostError:
                refused += 1
                faults += port.faults
                retries += accelerator.retried
                accelerator = None
        if accelerator is not None and port is not None:
            faults += port.faults
            retries += accelerator.retried
        faults += board.disturbances
        # The line is quiet now, so what the board has seen can be read for certain.
        board.disturb()
        clean = Accelerator(board.plug_in(), description, retries=RETRIES, clock=board.clock)
        damaged = clean.status().damaged_requests
    return Tally(
        scenario.name, requests, faults, retries, refused, max(0, reconnected - 1), wrong, damaged
    )


def small_graph() -> Graph:
    """A pattern convolution with its requantizer: 36 bytes in, 36 signed 14-bit outputs."""
    from sephw.ir import IntType, Node, Tensor
    from sephw.ops import Join, PatternConv, SlidingWindow
    from sephw.passes import FoldingFile, lower

    rng, byte, size, channels, outputs = np.random.default_rng(1), IntType(8, False), 3, 4, 4
    window = SlidingWindow(
        height=size,
        width=size,
        channels=channels,
        dtype=byte,
        kernel_height=3,
        kernel_width=3,
        stride=1,
        padding_top=1,
        padding_left=1,
        output_height=size,
        output_width=size,
        groups=1,
    )
    conv = PatternConv(
        height=size,
        width=size,
        in_channels=channels,
        out_channels=outputs,
        kernel_height=3,
        kernel_width=3,
        groups=1,
        input_dtype=byte,
        patterns=rng.choice([-1, 1], (outputs, 9 * channels)),
    )
    join = Join(
        height=size,
        width=size,
        channels=outputs,
        input_dtypes=conv.output_types,
        mantissas=np.ones((1, outputs), np.int64),
        shifts=np.zeros((1, outputs), np.int64),
        bias=rng.integers(-500, 500, outputs),
        shift=0,
        output_dtype=IntType(14, True),
    )
    tensors = {"image": Tensor("image", size, size, channels, byte)}
    nodes, before = [], "image"
    for name, operator in (("window", window), ("pattern", conv), ("sums", join)):
        tensors[name] = Tensor(
            name, *operator.output_shapes[0], operator.output_types[0], module=f"net.{name}"
        )
        nodes.append(
            Node(
                f"{name}_node",
                f"net.{name}",
                operator,
                (before,),
                (name,),
                operator.legal_foldings()[0],
            )
        )
        before = name
    graph = Graph("small", tuple(nodes), tensors, ("image",), ("sums",))
    return lower(graph, FoldingFile({}, 128))


def small_board(directory: Path) -> tuple[CompiledBoard, Description, Graph]:
    """The board top around `small_graph`, built."""
    from sephw.backends.rtl import write_project
    from sephw.targets import find_target

    graph = small_graph()
    write_project(graph, directory / "rtl", samples={}, golden={})
    write_board(
        graph, find_target("ulx3s-85f"), directory / "rtl", directory / "board", BoardRates(8.0)
    )
    compiled = compile_board(directory / "rtl", directory / "board")
    return compiled, read_description(directory), graph


def reference(graph: Graph, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Seeded images, and the outputs int64 (count, outputs) of the integer reference."""
    shape = graph.tensors[graph.inputs[0]].shape
    images = np.random.default_rng(3).integers(0, 256, (count, *shape), np.uint8)
    # Bytes that the framing has to escape.
    images[0], images[1] = 0x7E, 0x7D
    outputs = graph.run(images.astype(np.int64))[graph.outputs[0]]
    return images, outputs.reshape(count, -1)


def render(tallies: Sequence[Tally], settings: Mapping[str, int]) -> str:
    """The published page."""
    total = replace(
        tallies[0],
        scenario="**all**",
        **{
            name: sum(getattr(tally, name) for tally in tallies)
            for name in asdict(tallies[0])
            if name != "scenario"
        },
    )
    rows = [
        f"| {t.scenario} | {t.requests:,} | {t.faults:,} | {t.damaged_seen_by_board:,} "
        f"| {t.retries:,} | {t.reconnected:,} | {t.refused:,} | {t.wrong} |"
        for t in (*tallies, total)
    ]
    return "\n".join(
        [
            "# Faults on the host link",
            "",
            "Simulated: the host's driver against the complete RTL of a board's top module in "
            "Verilator, the UART as a waveform of 25 cycles of the oscillator per bit, the network "
            "at 8 MHz. Regenerate: "
            f"`python -m benchmarks.link_faults --requests {settings['requests']} "
            f"--seed {settings['seed']}`.",
            "",
            "| faults | predictions | faults injected | damaged frames seen by the board | sent "
            "again | reconnected | ended in an error | wrong results |",
            "|" + "---|" * 8,
            *rows,
            "",
            "Every returned result is compared with the integer reference. A prediction that is "
            f"not answered in {RETRIES.attempts} attempts ends in an error; the driver is opened "
            "anew then. A wrong result must never be returned.",
            "",
        ]
    )


@click.command()
@click.option("--requests", default=2000, show_default=True, help="Predictions per scenario.")
@click.option("--seed", default=1, show_default=True)
def main(requests: int, seed: int) -> None:
    """Run every scenario and publish the counts."""
    with tempfile.TemporaryDirectory() as made:
        compiled, description, graph = small_board(Path(made))
        images, expected = reference(graph, 64)
        tallies = []
        for scenario in SCENARIOS:
            tallies.append(
                campaign(
                    compiled,
                    description,
                    images,
                    expected,
                    scenario,
                    requests=requests,
                    seed=seed,
                )
            )
            click.echo(str(tallies[-1]), err=True)
    figures = {
        "requests": requests,
        "seed": seed,
        "attempts": RETRIES.attempts,
        "scenarios": [asdict(scenario) for scenario in SCENARIOS],
        "tallies": [asdict(tally) for tally in tallies],
    }
    (PUBLISHED / "link_faults.json").write_text(json.dumps(figures, indent=2) + "\n")
    (PUBLISHED / "link_faults.md").write_text(render(tallies, {"requests": requests, "seed": seed}))
    if any(tally.wrong for tally in tallies):
        raise SystemExit("a wrong result was returned")


if __name__ == "__main__":
    main()
