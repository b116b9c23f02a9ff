"""Accuracy of the shipped models, beside the paper's where it has the network.

    python -m benchmarks.accuracy [--data PATH ...]

Reads what training wrote into models/*.pth and writes reports/published/accuracy.json and
accuracy.md. ``--data``: data sets, as `sephw train --data` takes them, on whose test images the
exact integer networks are measured again; a figure that is not the checkpoint's is an error.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = ROOT / "reports" / "published"
STAGES = ("R", "B untuned", "B", "BQ", "frozen")
# CIFAR-10, percent: float, binarized without tuning, refined (arXiv 1706.03912).
PAPER = {
    "ResNet-20": (91.18, 15.46, 86.49),
    "ResNet-32": (92.76, 26.34, 90.21),
    "ResNet-44": (92.83, 48.25, 91.45),
    "ResNet-56": (93.75, 53.82, 93.02),
}
TITLES = {"cifar10": "CIFAR-10 (JPEG)", "fashion-mnist": "Fashion-MNIST", "mnist5k": "5,000 digits"}


@dataclass(frozen=True)
class Run:
    """One trained model. ``test``, ``validation``: percent by stage; ``epochs`` by stage.

    ``again``: the frozen network measured anew on the test images; None: not measured.
    """

    model: str
    network: str
    data: str
    images: dict[str, int]
    seed: int
    parameters: dict[str, int]
    model_bytes: dict[str, int]
    epochs: dict[str, int]
    patterns: str
    test: dict[str, float]
    validation: dict[str, float]
    again: float | None = None


def read_run(path: Path) -> Run:
    """The figures of a checkpoint."""
    from sephw.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(path)
    m = checkpoint.metrics
    words = str(m["command"]).split()
    return Run(
        model=path.stem,
        network=checkpoint.network,
        data=m["data"]["name"],
        images={part: m["data"][part] for part in ("train", "validation", "test")},
        seed=m["seed"],
        parameters=dict(m["parameters"]),
        model_bytes=dict(m["bytes"]),
        epochs=dict(m["epochs"]),
        patterns=words[words.index("--patterns") + 1],
        test=dict(m["accuracy"]["test"]),
        validation=dict(m["accuracy"]["validation"]),
    )


def measure_again(path: Path, run: Run, dataset: Any) -> float:
    """Accuracy of the exact integer network on the test images, percent."""
    from sephw.checkpoint import build_network, load_checkpoint
    from sephw.nn import freeze
    from sephw.train.evaluate import accuracy, in_memory

    found = accuracy(freeze(build_network(load_checkpoint(path))).eval(), in_memory(dataset.test))
    if found != run.test["frozen"]:
        raise click.ClickException(
            f"{path.name}: {found} % on the test images, its checkpoint says {run.test['frozen']} %"
        )
    return found


def page(runs: list[dict[str, Any]]) -> str:
    """Markdown of all runs."""
    lines = [
        "# Accuracy",
        "",
        "Made by `python -m benchmarks.accuracy --data …` from the shipped checkpoints; each one's "
        "card in models/ has the command that trained it. Top-1 accuracy in percent on the test "
        "images, which decided nothing: epochs were chosen on validation images. One run, one seed "
        "each; “frozen” is the integer network that goes into hardware.",
        "",
        "| model | network | data | epochs R + B + BQ | patterns in B | parameters (1-bit) "
        "| BQ bytes | R | B untuned | B | BQ | frozen | R − frozen |",
        f"|{'---|' * 13}",
    ]
    for r in sorted(runs, key=lambda r: (r["data"], -r["test"]["frozen"])):
        test, counts = r["test"], r["parameters"]
        figures = [f"{test[stage]:.2f}" for stage in STAGES]
        figures[-1] = f"**{figures[-1]}**"
        cells = [
            r["model"],
            r["network"],
            TITLES.get(r["data"], r["data"]),
            " + ".join(str(r["epochs"][s]) for s in ("R", "B", "BQ")),
            r["patterns"],
            f"{sum(counts.values()):,} ({counts['patterns']:,})",
            f"{r['model_bytes']['BQ']:,}",
            *figures,
            f"{test['R'] - test['frozen']:+.2f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [
        "",
        "## Beside the paper",
        "",
        "CIFAR-10. The paper's runs: 205 epochs of the original images, B with frozen patterns; it "
        "has no 8-bit activations. Ours: a re-encoding as JPEG (quality 75, 4:2:0 chroma, training "
        "and test images alike), and far fewer epochs. Empty: not run.",
        "",
        "| network | paper R | ours | paper B untuned | ours | paper B | ours | ours BQ, frozen "
        "| epochs, ours |",
        f"|{'---|' * 9}",
    ]
    for name, paper in PAPER.items():
        run = next((r for r in runs if r["network"] == name), None)
        ours = ["", "", "", "", ""]
        if run is not None:
            ours = [f"{run['test'][stage]:.2f}" for stage in ("R", "B untuned", "B", "frozen")]
            ours.append(" + ".join(str(run["epochs"][s]) for s in ("R", "B", "BQ")))
        cells = [
            name,
            f"{paper[0]:.2f}",
            ours[0],
            f"{paper[1]:.2f}",
            ours[1],
            f"{paper[2]:.2f}",
            *ours[2:],
        ]
        lines.append(f"| {' | '.join(cells)} |")
    again = sorted(r["model"] for r in runs if r["again"] is not None)
    if again:
        lines += ["", f"Frozen accuracies measured again for this page: {', '.join(again)}."]
    return "\n".join([*lines, ""])


@click.command(help=__doc__)
@click.option("--data", "sources", multiple=True, help="Measure again on its test images.")
def main(sources: tuple[str, ...]) -> None:
    """Read the checkpoints, measure, write the published files."""
    from dataclasses import replace

    from sephw.data import load_data

    sets = {dataset.name: dataset for dataset in (load_data(s, seed=1) for s in sources)}
    runs = []
    for path in sorted((ROOT / "models").glob("*.pth")):
        run = read_run(path)
        if run.data in sets:
            run = replace(run, again=measure_again(path, run, sets[run.data]))
        runs.append(asdict(run))
        click.echo(f"{run.model}: frozen {run.test['frozen']} %")
    text = json.dumps(runs, indent=1, ensure_ascii=False) + "\n"
    (PUBLISHED / "accuracy.json").write_text(text, "utf-8")
    (PUBLISHED / "accuracy.md").write_text(page(runs), "utf-8")


if __name__ == "__main__":
    main()
