"""Whole networks that no figure of the resource model was fitted to: estimated and synthesized.

    python -m benchmarks.held_out_networks [--count N] [--technology T ...] [--minutes M]

Networks are drawn by number: sizes, channels, groups, kernels and activation bits; two of three are
folded by the search for a random frame rate, the others by a random budget of cycles. Each is
synthesized as a board's design where the open flow builds one, without placing it: its engines,
and what lies in none of them, the board's top with the host link. Rows that are there already are
kept; an interrupted run loses nothing. Writes sephw/resources/data/board_networks.json, from which
error bars are made (`sephw.resources.held_out`).
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.characterize_data import DATA, TECHNOLOGIES
from sephw.backends.board import TestFrames
from sephw.errors import SephwError
from sephw.ir import Graph, Resources
from sephw.passes import FoldingFile
from sephw.resources import held_out
from sephw.resources.board_top import top_of
from sephw.targets import Target, find_target
from sephw.technologies import FAMILIES, Technology

# What is synthesized need not fit.
BOARDS: dict[Technology, Target] = {
    technology: find_target(technology.characterization.board)
    for technology in FAMILIES
    if technology.characterization is not None
}
_PATH = DATA / held_out.BOARDS
_ROUTED = Path(__file__).resolve().parent.parent / "reports" / "published" / "routed.json"
Row = dict[str, Any]


@dataclass(frozen=True)
class Drawn:
    """A network by its number. ``fps`` None: folded by ``frame_cycles``, not searched."""

    arguments: Mapping[str, Any]
    frame_cycles: int
    fps: float | None


def draw(index: int) -> Drawn:
    """Network ``index``; the same on every machine."""
    rng = np.random.default_rng((1706, index))
    groups = int(rng.choice([1, 2, 4]))
    unit = 4 * groups
    stages = int(rng.integers(1, 3))
    widths = [unit * int(rng.integers(1, 24 // unit + 1)) for _ in range(stages)]
    modules = [int(rng.random() < 0.4) for _ in widths]
    arguments = {
        "height": int(rng.integers(7, 17)),
        "width": int(rng.integers(7, 17)),
        "in_channels": int(rng.choice([1, 3])),
        "classes": int(rng.integers(2, 11)),
        "stem_kernel": int(rng.choice([3, 3, 5])),
        "widths": widths,
        "modules": modules,
        "kernel_size": int(rng.choice([3, 3, 5])),
        "groups": groups,
        "activation_bits": int(rng.choice([8, 8, 8, 6, 4])),
    }
    budget = int(2 ** rng.uniform(9, 14))
    searched = bool(rng.random() < 0.67)
    return Drawn(arguments, budget, float(2 ** rng.uniform(9, 15)) if searched else None)


def unfolded(drawn: Drawn, seed: int) -> Graph:
    """The hardware graph of the network with seeded random weights."""
    import torch

    from sephw.frontend import export_qonnx, read_qonnx
    from sephw.nn import SEPNet, freeze, to_stage

    torch.manual_seed(seed)
    network = SEPNet(**drawn.arguments)
    shape = tuple(drawn.arguments[name] for name in ("in_channels", "height", "width"))
    images = torch.randint(0, 256, (32, *shape)).float() / 256
    network.train()
    network(images)
    network.eval()
    to_stage(network, "B")
    to_stage(network, "BQ", calibration=images)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export_qonnx(freeze(network).eval(), path, shape)
        return replace(read_qonnx(path).graph, name="held_out")


def folded(graph: Graph, drawn: Drawn, target: Target) -> Graph:
    """``graph`` as it was drawn to be folded; by its budget where nothing that is searched fits."""
    from sephw.explore import board_goal, search
    from sephw.passes import lower

    folding = FoldingFile(frame_cycles=drawn.frame_cycles)
    if drawn.fps is not None:
        with contextlib.suppress(SephwError):
            folding = search(graph, board_goal(target, fps=drawn.fps)).folding
    return lower(graph, folding, device=target.device)


def measure(index: int, technology: Technology) -> Row:
    """Estimate and synthesize network ``index``."""
    from sephw.backends import rtl
    from sephw.resources import estimate_engines
    from sephw.synth.flow import Request, run_flow

    drawn, target = draw(index), BOARDS[technology]
    graph = folded(unfolded(drawn, index), drawn, target)
    costs = estimate_engines(graph, target.device, solve=lambda node: True)
    images = np.zeros((1, *graph.tensors[graph.inputs[0]].shape), np.int64)
    golden = graph.run(images)[graph.outputs[0]]
    with tempfile.TemporaryDirectory() as work:
        project = Path(work) / "rtl"
        rtl.write_project(
            graph, project, samples={graph.inputs[0]: images}, golden={graph.outputs[0]: golden}
        )
        request = Request(target.device, target=target, route=False, jobs=1)
        run = run_flow(
            graph,
            project,
            request,
            Path(work) / "synth",
            progress=lambda _: None,
            frames=TestFrames(images, golden),
        )
    found = run.synthesis
    return {
        "network": index,
        "technology": technology.name,
        "engines": len(graph.nodes),
        "searched": drawn.fps is not None,
        "estimated": asdict(sum((cost.resources for cost in costs.values()), Resources())),
        "synthesized": asdict(sum(found.engines.values(), Resources())),
        "top": None if target.open_board is None else asdict(top_of(target, graph)),
        "outside": None if target.open_board is None else asdict(found.glue),
    }


def read() -> list[Row]:
    """Rows that are there."""
    if not _PATH.is_file():
        return []
    rows: list[Row] = json.loads(_PATH.read_text("utf-8"))["networks"]
    return rows


def write(rows: list[Row]) -> None:
    """Sorted, a row a line; the file appears whole or not at all."""
    rows = sorted(rows, key=lambda row: (row["technology"], str(row["network"])))
    networks, designs = (
        ",\n".join(json.dumps(row, sort_keys=True) for row in part) for part in (rows, routed())
    )
    partial = _PATH.with_suffix(".partial")
    partial.write_text(f'{{"networks": [\n{networks}\n], "routed": [\n{designs}\n]}}\n', "utf-8")
    partial.replace(_PATH)


def routed() -> list[Row]:
    """Published designs that were placed and routed: what synthesis and what routing counts."""
    return [
        {
            "network": design["model"],
            "target": design["target"],
            "technology": find_target(design["target"]).device.technology.name,
            "synthesized": design["synthesized"],
            "routed": design["used"],
        }
        for design in json.loads(_ROUTED.read_text("utf-8"))
    ]


@click.command()
@click.option("--count", default=12, show_default=True, help="How many networks are drawn.")
@click.option("--technology", "names", multiple=True, help="Only these; default: all.")
@click.option("--minutes", default=90.0, show_default=True, help="Begin no other after these.")
def main(count: int, names: tuple[str, ...], minutes: float) -> None:
    began = time.monotonic()
    technologies = [t for t in TECHNOLOGIES if not names or t.name in names]
    there = {(row["network"], row["technology"]) for row in read()}
    missing = [(i, t) for i in range(count) for t in technologies if (i, t.name) not in there]
    click.echo(f"{len(missing)} networks to synthesize")
    write(read())
    for index, technology in missing:
        if time.monotonic() - began > 60 * minutes:
            break
        row = measure(index, technology)
        write([*read(), row])
        click.echo(f"{time.monotonic() - began:.0f} s: {row}")


if __name__ == "__main__":
    main()
