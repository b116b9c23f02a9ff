"""Runs every representation on the samples, a few images at a time, and compares them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sephw.export.rtl import ByTensor
from sephw.export.samples import Samples
from sephw.ir import Graph
from sephw.verify import SOFTWARE, CheckedTensor, Verification, merge, verify

Integers = NDArray[np.int64]
Run = Callable[[Integers], Mapping[str, Integers]]
BATCH = 8  # images held in memory with all their layers at a time, at most
_MOST_ELEMENTS = 1 << 26  # of all layers of a batch: 512 MB a representation


class Simulation(Protocol):
    """Runs a clocked simulation, and the cycle simulation under the same pauses."""

    @property
    def observed(self) -> ByTensor:
        """Masks of the bits that can be compared, (h, w, c), of tensors where not all can be."""

    def run(self, images: Integers) -> tuple[ByTensor, dict[str, ByTensor]]:
        """Values by tensor, and the cycles of beats, int64 (N, words), by names of `CYCLES`."""


@dataclass(frozen=True)
class Agreement:
    """Predicted classes; `same` counts those equal to the classes of `reference`.

    A class is the largest channel of an image, or of each pixel where the output is a map; `what`
    is counted, "images" or "pixels". `labelled` images have a known class.
    """

    reference: str
    labelled: int
    right: int
    predicted: int
    same: int
    what: str = "images"


def representations(
    deploy: Any | None, onnx_path: Path, layers: tuple[Any, ...], graph: Graph, compiled: Any | None
) -> dict[str, Run]:
    """A function for each representation: int64 (N, H, W, C) images to tensors by name.

    `deploy` None leaves torch out, `compiled` None the C-simulation.
    """
    from sephw.frontend import capture_qonnx, capture_torch

    runs: dict[str, Run] = {}
    if deploy is not None:
        runs["torch"] = lambda images: capture_torch(deploy, layers, images)
    runs["qonnx"] = lambda images: capture_qonnx(onnx_path, layers, images)
    runs["integer"] = graph.run
    if compiled is not None:
        wanted = graph.tensors.keys() - graph.weight_tensors
        runs["csim"] = lambda images: compiled.run(images, wanted)
    return runs


def checked_tensors(graph: Graph, layers: tuple[Any, ...]) -> tuple[CheckedTensor, ...]:
    """Every tensor that a node makes, in network order, and the representations that hold it.

    Weights that buffers send again are left out: they are as many as the multiply-accumulates, and
    a wrong one shows in the sums.
    """
    outside = {layer.tensor: SOFTWARE if layer.in_torch else SOFTWARE[1:] for layer in layers}
    return tuple(
        CheckedTensor(tensor, node.module, outside.get(tensor, ()))
        for node in graph.nodes
        for tensor in node.outputs
        if tensor not in graph.weight_tensors
    )


def compare(
    runs: Mapping[str, Run],
    tensors: tuple[CheckedTensor, ...],
    samples: Samples,
    output: str,
    exponents: Integers,
    note: Callable[[str], None],
    simulations: Mapping[str, Simulation] = MappingProxyType({}),
    batch_size: int = BATCH,
) -> tuple[Verification, Agreement | None]:
    """Compare all representations on all samples; `note` is told what is run and "(3 of 10)".

    `runs` are ordered as `REPRESENTATIONS`. `output` is the output's tensor, `exponents` those of
    its channels: value = integer·2^-e. One channel has no classes to agree on: None.
    Of each of `simulations`, by representation, streams and the cycles of their beats are compared
    as well.
    """
    parts: list[Verification] = []
    reference = next(iter(runs))
    predicted: dict[str, list[Integers]] = {reference: [], "integer": []}
    total = -(-len(samples.images) // batch_size) * (len(runs) + len(simulations))
    done = 0
    for start, batch in _batches(samples.images, batch_size):
        values: dict[str, Mapping[str, Integers]] = {}
        cycles: dict[str, ByTensor] = {}
        # A clocked simulation is a process of its own and takes longest: the others run beside it.
        with ThreadPoolExecutor(max(1, len(simulations))) as pool:
            beside = {name: pool.submit(sim.run, batch) for name, sim in simulations.items()}
            for name, run in runs.items():
                note(f"{name} ({done} of {total})")
                values[name] = run(batch)
                done += 1
            for name, future in beside.items():
                note(f"{name} ({done} of {total})")
                values[name], beats = future.result()
                done += 1
                cycles |= beats
        names = samples.names[start : start + len(batch)]
        parts.append(
            verify(
                tensors,
                values,
                cycles or None,
                data=samples.data,
                samples=names,
                observed={name: sim.observed for name, sim in simulations.items()},
            )
        )
        for name, found in predicted.items():
            scores = values[name][output] * np.exp2(-exponents)
            found.append(np.argmax(scores, axis=3).astype(np.int64))
    expected, own = (np.concatenate(predicted[name]) for name in (reference, "integer"))
    verification = merge(parts)
    return verification, _agreement(reference, expected, own, samples.labels, len(exponents))


def _agreement(
    reference: str, expected: Integers, own: Integers, labels: Integers, classes: int
) -> Agreement | None:
    """The agreement of classes int64 (N, h, w) between the reference and this network.

    ``labels`` are of whole images.
    """
    if classes < 2:
        return None
    is_map = own[0].size > 1
    known = labels[:0] if is_map else labels
    return Agreement(
        reference=reference,
        labelled=len(known),
        right=int(np.count_nonzero(own[: len(known)].reshape(-1) == known)) if len(known) else 0,
        predicted=own.size,
        same=int(np.count_nonzero(own == expected)),
        what="pixels" if is_map else "images",
    )


def batch_size(graph: Graph) -> int:
    """Images that are compared at a time, so that large networks fit into memory."""
    elements = sum(
        t.elements for name, t in graph.tensors.items() if name not in graph.weight_tensors
    )
    return max(1, min(BATCH, _MOST_ELEMENTS // elements))


def _batches(images: NDArray[np.uint8], size: int) -> Iterator[tuple[int, Integers]]:
    for start in range(0, len(images), size):
        yield start, images[start : start + size].astype(np.int64)
