"""Prediction and measurement on a board for `sephw run`, and the summary of the result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sephw.export_names import TEST_IMAGES, TEST_OUTPUTS
from sephw.files import read_array
from sephw.host import Accelerator, Description, DescriptionError, Throughput
from sephw.rates import rate
from sephw.run.images import GivenImages, read_images

Outputs = NDArray[np.int64]
_MOST_LINES = 20


@dataclass(frozen=True, eq=False)
class BoardRun:
    """The result of a run on a board.

    ``outputs`` int64 (N, outputs); ``expected`` the same shape, or None where unknown. ``source``
    of the speeds is "measured" on a board, "simulated" on a simulated one.
    """

    description: Description
    port: str
    given: GivenImages
    outputs: Outputs
    expected: Outputs | None
    throughput: Throughput
    retried: int
    source: str

    @property
    def differing(self) -> int:
        """The number of images with at least one output other than expected."""
        if self.expected is None:
            return 0
        return int((self.outputs != self.expected).any(axis=1).sum())

    @property
    def class_names(self) -> list[str] | None:
        """The class name of every image; None where names are unknown or the output is a map."""
        known = self.description
        if not known.class_names or known.output_shape[:2] != (1, 1) or not known.has_classes:
            return None
        return [known.class_names[i] for i in known.classes(self.outputs)]

    def save(self, path: Path) -> None:
        """Write the outputs as .npy to exactly this path."""
        with path.open("wb") as file:
            np.save(file, self.outputs)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        known = self.description
        return {
            "name": known.name,
            "target": known.target,
            "build_id": f"{known.build_id:016x}",
            "port": self.port,
            "images": len(self.outputs),
            "differing": None if self.expected is None else self.differing,
            "classes": known.classes(self.outputs).tolist() if known.has_classes else None,
            "class_names": self.class_names,
            "image_names": list(self.given.names),
            "requests_repeated": self.retried,
            "source": self.source,
            **asdict(self.throughput),
            "frames_per_second": self.throughput.frames_per_second,
        }

    def _classes(self) -> list[str]:
        """Lines on the classes: one per image that has a name of its own, else counts per class."""
        found = self.class_names
        if found is None:
            return []
        pairs = list(zip(self.given.names, self.given.labels, found, strict=True))
        labelled = [label == name for _, label, name in pairs if label is not None]
        right = f"{sum(labelled)} of {len(labelled)} as their folders say" if labelled else ""
        if self.expected is not None or len(pairs) > _MOST_LINES:
            counts = ", ".join(f"{name} {n}" for name, n in sorted(Counter(found).items()))
            return [f"  classes   {counts}" + (f"; {right}" if right else "")]
        lines = [f"            {image}: {name}" for image, _, name in pairs]
        return [f"  classes   {right or f'{len(pairs)} images'}", *lines]

    def summary(self) -> str:
        """A few lines for a person."""
        known, speed = self.description, self.throughput
        count = len(self.outputs)
        exact = f"{count} images, no expected outputs to compare with"
        if self.expected is not None:
            exact = f"{count - self.differing} of {count} images equal to the expected outputs"
        lines = self._classes()
        repeated = {0: "no request", 1: "1 request"}.get(self.retried, f"{self.retried} requests")
        return "\n".join(
            (
                f"{known.name} on {self.port} ({known.target}, build {known.build_id:016x})",
                f"  exact     {exact}",
                *lines,
                f"  speed     {rate(speed.frames_per_second)} frames/s on chip [{self.source}] at "
                f"{speed.clock_hz / 1e6:g} MHz: {speed.interval_cycles:,.10g} cycles/frame over "
                f"{speed.frames:,} frames",
                f"            {rate(speed.link_frames_per_second)} frames/s over this board's link "
                f"[{self.source}]: UART at {known.baud:,} baud, {repeated} sent again",
                f"  latency   {speed.alone_last_output_cycles:,} cycles [{self.source}]: a frame "
                "alone, first beat in to last beat out",
            )
        )


def measure(
    board: Accelerator,
    given: GivenImages,
    expected: Outputs | None,
    *,
    frames: int,
    simulated: bool = False,
    on_step: Callable[[str], None] = lambda text: None,
) -> BoardRun:
    """Predict the images, then measure throughput with them (``frames`` on the chip).

    ``simulated``: the board is a simulated one, and so are the speeds. ``on_step`` is called with
    the name of each step.
    """
    images = given.images
    outputs = np.empty((len(images), board.description.outputs), np.int64)
    for i in range(len(images)):
        on_step(f"image ({i} of {len(images)})")
        outputs[i] = board.predict(images[i : i + 1])[0]
    on_step("throughput")
    throughput = board.throughput(images if len(images) else None, frames=frames)
    return BoardRun(
        board.description,
        board.port_name,
        given,
        outputs,
        expected,
        throughput,
        board.retried,
        "simulated" if simulated else "measured",
    )


def first_difference(outcome: BoardRun) -> str:
    """One line on the first output that differs from the expected one."""
    assert outcome.expected is not None
    image, output = np.argwhere(outcome.outputs != outcome.expected)[0]
    return (
        f"'{outcome.description.name}' on {outcome.port}: image {image}, output {output}: "
        f"{outcome.outputs[image, output]}, expected {outcome.expected[image, output]}"
    )


def read_test(known: Description) -> tuple[GivenImages, Outputs]:
    """The test images of an export and their expected outputs."""
    images = read_images(known.directory / TEST_IMAGES, known)
    outputs = _load(known.directory / TEST_OUTPUTS)
    if outputs.dtype != np.int64 or outputs.shape != (len(images), known.outputs):
        raise DescriptionError(
            f"'{known.directory / TEST_OUTPUTS}' holds {outputs.dtype} {outputs.shape}, expected "
            f"int64 {(len(images), known.outputs)}; export the model again"
        )
    names = tuple(f"test image {i}" for i in range(len(images)))
    return GivenImages(images, names, (None,) * len(images)), outputs


def _load(path: Path) -> NDArray[Any]:
    return read_array(path, f"'{path}'", "give an .npy file", error=DescriptionError)
