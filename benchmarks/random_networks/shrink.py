"""Makes a failing case smaller, change by change, as long as it fails in the same way."""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.random_networks.build import trained
from benchmarks.random_networks.check import Outcome, Status, cause, check
from benchmarks.random_networks.describe import (
    AveragePool,
    Branch,
    Case,
    Concat,
    Convolution,
    GlobalPool,
    IllegalNetworkError,
    Join,
    Linear,
    MaxPool,
    Network,
    Norm,
    Part,
    Skip,
    Weights,
    shapes_of,
    sources,
    without_unread,
)
from benchmarks.random_networks.fold import fifo_depths, folding_of
from benchmarks.random_networks.size import size
from sephw.frontend import export_qonnx, read_qonnx
from sephw.ir import Graph
from sephw.nn import freeze
from sephw.passes import lower, read_folding_file

Check = Callable[[Case], Outcome]
_MOST_SECONDS = 240.0


def shrink(
    case: Case, outcome: Outcome, check: Check = check, *, most_seconds: float = _MOST_SECONDS
) -> tuple[Case, Outcome]:
    """The smallest case found, and its outcome; ``case`` where nothing smaller fails alike.

    Smaller means one change less: no case that ``candidates`` makes of it fails as ``outcome``.
    """
    until = time.monotonic() + most_seconds
    wanted = kind_of(outcome)
    current, found = _spelled_out(case, wanted, check), outcome
    smaller = True
    while smaller:
        smaller = False
        for candidate in candidates(current):
            if time.monotonic() >= until:
                return current, found
            tried = check(candidate)
            if kind_of(tried) == wanted:
                current, found, smaller = candidate, tried, True
                break
    return current, found


def kind_of(outcome: Outcome) -> tuple[str, ...]:
    """What stays the same while a case shrinks."""
    if outcome.status is Status.MISMATCH:
        return (outcome.status, outcome.step)
    return (outcome.status, outcome.step, cause(outcome.reason))


def _spelled_out(case: Case, wanted: tuple[str, ...], check: Check) -> Case:
    """The same case with its foldings and FIFO depths listed, so that they can be left out."""
    if case.hardware.seed is None and case.hardware.fifo_seed is None:
        return case
    graphs: list[Graph] = []
    with tempfile.TemporaryDirectory() as made, contextlib.suppress(Exception):
        graphs = _graphs(case, Path(made))
    if not graphs:
        return case
    hardware = case.hardware
    content = folding_of(graphs[0], hardware)
    depths = fifo_depths(graphs[1], hardware) if len(graphs) > 1 else dict(hardware.fifos)
    listed = replace(
        hardware,
        seed=None,
        nodes=content["nodes"],
        fifos=depths,
        fifo_seed=None if len(graphs) > 1 else hardware.fifo_seed,
    )
    candidate = replace(case, hardware=listed)
    return candidate if kind_of(check(candidate)) == wanted else case


def _graphs(case: Case, folder: Path) -> list[Graph]:
    """The graph before folding, and behind it where that goes well."""
    network = case.network
    shape = (network.channels, network.height, network.width)
    export_qonnx(freeze(trained(network), shape).eval(), folder / "model.onnx", shape)
    graph = read_qonnx(folder / "model.onnx").graph
    found = [graph]
    with contextlib.suppress(Exception):
        path = folder / "folding.json"
        path.write_text(json.dumps(folding_of(graph, case.hardware)), "utf-8")
        found.append(lower(replace(graph, name="network"), read_folding_file(path)))
    return found


def candidates(case: Case) -> Iterator[Case]:
    """Legal smaller cases, the boldest first."""
    seen = set()
    now = size(case)
    for candidate in _changes(case):
        cleaned = replace(candidate, network=without_unread(candidate.network))
        try:
            shapes_of(cleaned.network)
        except IllegalNetworkError:
            continue
        key = repr(cleaned)
        if size(cleaned) < now and key not in seen:
            seen.add(key)
            yield cleaned


def _changes(case: Case) -> Iterator[Case]:
    network, hardware = case.network, case.hardware
    for part in network.parts:
        # The network ends here.
        yield replace(case, network=replace(network, output=(Skip(part.name),)))
        yield replace(case, network=replace(network, output=(GlobalPool(part.name),)))
    for smaller in _without_parts(network):
        yield replace(case, network=smaller)
    if hardware.nodes:
        yield replace(case, hardware=replace(hardware, nodes={}))
    if hardware.fifos:
        yield replace(case, hardware=replace(hardware, fifos={}))
    for name in hardware.nodes:
        nodes = {key: value for key, value in hardware.nodes.items() if key != name}
        yield replace(case, hardware=replace(hardware, nodes=nodes))
    for name in hardware.fifos:
        fifos = {key: value for key, value in hardware.fifos.items() if key != name}
        yield replace(case, hardware=replace(hardware, fifos=fifos))
    if hardware.frame_cycles != 32768:
        yield replace(case, hardware=replace(hardware, frame_cycles=32768))
    if hardware.weight_bandwidth is not None:
        yield replace(case, hardware=replace(hardware, weight_bandwidth=None))
    for smaller in _simpler_parts(network):
        yield replace(case, network=smaller)
    for key in ("height", "width", "channels"):
        size = getattr(network, key)
        for less in sorted({1, size // 2, size - 1}):
            if 1 <= less < size:
                yield replace(case, network=replace(network, **{key: less}))


def _without_parts(network: Network) -> Iterator[Network]:
    for part in network.parts:
        for source in dict.fromkeys(sources(part)):
            rest = tuple(p for p in network.parts if p is not part)
            yield _renamed(replace(network, parts=rest), part.name, source)


def _renamed(network: Network, old: str, new: str) -> Network:
    """The same network with ``new`` read in place of ``old``."""
    return replace(
        network,
        parts=tuple(_reading(part, old, new) for part in network.parts),
        output=tuple(_reading(branch, old, new) for branch in network.output),
    )


def _reading(part: Any, old: str, new: str) -> Any:
    if isinstance(part, Join):
        return replace(part, branches=tuple(_reading(b, old, new) for b in part.branches))
    if isinstance(part, Concat):
        return replace(part, sources=tuple(new if s == old else s for s in part.sources))
    return replace(part, source=new) if part.source == old else part


def _simpler_parts(network: Network) -> Iterator[Network]:
    for number, part in enumerate(network.parts):
        for simpler in _simpler(part):
            parts = (*network.parts[:number], simpler, *network.parts[number + 1 :])
            yield replace(network, parts=parts)
    for output in _simpler_sums(network.output):
        yield replace(network, output=output)


def _simpler(part: Part) -> Iterator[Part]:
    if isinstance(part, Join):
        for branches in _simpler_sums(part.branches):
            yield replace(part, branches=branches)
        if part.bits != 8:
            yield replace(part, bits=8)
    elif isinstance(part, Concat):
        for number in range(len(part.sources)):
            rest = part.sources[:number] + part.sources[number + 1 :]
            if rest:
                yield replace(part, sources=rest)
    else:
        yield from _simpler_pool(part)


def _simpler_pool(part: MaxPool) -> Iterator[Part]:
    if part.ceil_mode:
        yield replace(part, ceil_mode=False)
    if part.padding != (0, 0):
        yield replace(part, padding=(0, 0))
    if part.stride > 1:
        yield replace(part, stride=part.stride - 1)


def _simpler_sums(branches: tuple[Branch, ...]) -> Iterator[tuple[Branch, ...]]:
    for number in range(len(branches)):
        if len(branches) > 1:
            yield branches[:number] + branches[number + 1 :]
    for number, branch in enumerate(branches):
        for simpler in _simpler_branch(branch):
            yield (*branches[:number], simpler, *branches[number + 1 :])


def _simpler_branch(branch: Branch) -> Iterator[Branch]:
    if isinstance(branch, Skip):
        return
    yield Skip(branch.source)
    if isinstance(branch, AveragePool):
        if branch.padding:
            yield replace(branch, padding=0)
        return
    if isinstance(branch, Linear):
        yield from _simpler_linear(branch)
    if isinstance(branch, Convolution):
        yield from _simpler_convolution(branch)


def _simpler_linear(branch: Linear) -> Iterator[Branch]:
    plain = replace(branch, bias=False, weights=Weights.NORMAL)
    if plain != branch:
        yield plain
    if branch.channels > 1:
        yield replace(branch, channels=1)


def _simpler_convolution(branch: Convolution) -> Iterator[Branch]:
    defaults: dict[str, Any] = {
        "groups": 1,
        "stride": 1,
        "padding": (0, 0),
        "bias": False,
        "norm": Norm.NONE,
        "weights": Weights.NORMAL,
        "scale_bits": 4,
        "kernel": (1, 1),
        "pattern": False,
    }
    for key, value in defaults.items():
        if getattr(branch, key) != value:
            yield replace(branch, **{key: value})
    if branch.norm not in (Norm.NONE, Norm.PLAIN):
        yield replace(branch, norm=Norm.PLAIN)
    height, width = branch.kernel
    for kernel in ((max(1, height - 1), width), (height, max(1, width - 1))):
        if kernel != branch.kernel:
            yield replace(branch, kernel=kernel, padding=(0, 0))
    for channels in sorted({branch.groups, branch.channels // 2, branch.channels - 1}):
        if 1 <= channels < branch.channels:
            yield replace(branch, channels=channels)


__all__ = ["candidates", "kind_of", "shrink"]
