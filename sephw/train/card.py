"""The model card: a checkpoint's training data, options and measurements."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sephw.checkpoint import Checkpoint

ROWS = (
    ("R", "R: float"),
    ("B untuned", "B, before fine-tuning"),
    ("B", "B: binarized k×k"),
    ("BQ untuned", "BQ, before fine-tuning"),
    ("BQ", "BQ: fake-quantized"),
    ("frozen", "**BQ, frozen (integers)**"),
)


def card_text(checkpoint: Checkpoint, out: Path, seconds: Mapping[str, float]) -> str:
    """Markdown for one checkpoint; `seconds` is the training time per stage."""
    metrics = checkpoint.metrics
    data, table = metrics["data"], metrics["accuracy"]
    patterns, others = metrics["parameters"]["patterns"], metrics["parameters"]["others"]
    lines = [
        f"# {out.stem}",
        "",
        f"{checkpoint.network} in stage {checkpoint.stage}, trained on {data['name']}.",
        "",
        f"- Data: {data['source']}. Licence of the data: {data['licence']}.",
        f"- Split: {data['train']:,} training, {data['validation']:,} validation, "
        f"{data['test']:,} test images (seed {data['seed']}). The best epoch of each stage was "
        "chosen on the validation images; the test images were only measured at stage ends.",
        f"- Classes: {', '.join(checkpoint.classes)}.",
        f"- Input: {_input(checkpoint)}.",
        "",
        "| stage | validation % | test % | epochs | best epoch | training seconds |",
        "|---|---|---|---|---|---|",
    ]
    for key, label in ROWS:
        if key not in table["test"]:
            continue
        cells = [f"{table['validation'][key]:.2f}", f"{table['test'][key]:.2f}"]
        if key in metrics["epochs"]:
            cells += [str(metrics["epochs"][key]), str(metrics["best_epoch"][key])]
            cells.append(f"{seconds.get(key, 0.0):.0f}")
        else:
            cells += [""] * 3
        lines.append(f"| {label} | {' | '.join(cells)} |")
    size = metrics["bytes"]
    lines += [
        "",
        f"Weights: {patterns + others:,} parameters, {patterns:,} of them 1-bit patterns "
        "(batch norms fold away and are not counted).",
        f"Weight bytes: R {size['R']:,}, B {size['B']:,}, BQ {size['BQ']:,} "
        "(patterns 1 bit, everything else 32 bits in B and 8 bits in BQ).",
        "",
        "Trained with:",
        "",
        "```",
        f"{metrics['command']} --out {out.name}",
        "```",
        "",
    ]
    return "\n".join(lines)


def _input(checkpoint: Checkpoint) -> str:
    shape: Mapping[str, Any] = checkpoint.preprocessing or {}
    size = f"{shape['height']}×{shape['width']}×{shape['channels']}"
    resized = "" if shape["resize"] == "none" else f", images brought to it by {shape['resize']}"
    return f"uint8 {size} (value / 256){resized}"


def write_card(path: Path, checkpoint: Checkpoint, out: Path, seconds: Mapping[str, float]) -> None:
    """Write `card_text` to `path`."""
    path.write_text(card_text(checkpoint, out, seconds), encoding="utf-8")
