"""The command `sephw train`."""

from __future__ import annotations

from pathlib import Path

import click

from sephw.commands.completion import complete_data, complete_network
from sephw.commands.context import command_progress
from sephw.errors import UsageError
from sephw.train.recipe import read_recipe
from sephw.train.settings import (
    AUGMENTS,
    AUTO,
    OPTIMIZERS,
    SCHEDULES,
    TrainingRequest,
    TrainingSettings,
    parse_arguments,
    per_stage,
    shares,
)

RECIPE_PAIRS = "sephw.train.recipe_pairs"


def _use_recipe(ctx: click.Context, _: click.Parameter, path: Path | None) -> None:
    """Make a recipe's options the defaults of this call."""
    if path is None:
        return
    known = [option.name for option in ctx.command.params if isinstance(option, click.Option)]
    recipe = read_recipe(path, [name for name in known if name is not None])
    ctx.default_map = {**recipe.options}
    ctx.meta[RECIPE_PAIRS] = recipe.pairs


@click.command(name="train")
@click.option(
    "--recipe",
    type=click.Path(path_type=Path),
    default=None,
    is_eager=True,
    expose_value=False,
    callback=_use_recipe,
    metavar="FILE.toml",
    help="Options from a file; those given here go before them.",
)
@click.option(
    "--data",
    shell_complete=complete_data,
    required=True,
    metavar="NAME|PATH",
    help="digits, mnist5k, fashion-mnist, or a folder or zip of images.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE.pth",
    help="Checkpoint to write.",
)
@click.option(
    "--network",
    shell_complete=complete_network,
    default="SEPNet",
    show_default=True,
    help="Network to train.",
)
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Network argument, e.g. widths=16,32; may be repeated.",
)
@click.option(
    "--epochs",
    default="20,6,6",
    show_default=True,
    metavar="R,B,BQ",
    help="Epochs per stage; trailing zeros end the run at an earlier stage.",
)
@click.option("--batch", default=128, show_default=True, type=click.IntRange(1))
@click.option(
    "--lr",
    default="3e-3,1e-3,5e-4",
    show_default=True,
    metavar="R,B,BQ",
    help="Peak learning rate, per stage or one for all.",
)
@click.option("--weight-decay", default=0.05, show_default=True, type=click.FloatRange(0))
@click.option("--optimizer", default="adamw", show_default=True, type=click.Choice(OPTIMIZERS))
@click.option("--momentum", default=0.9, show_default=True, type=click.FloatRange(0, 1))
@click.option(
    "--schedule",
    default="cosine",
    show_default=True,
    type=click.Choice(SCHEDULES),
    help="How the learning rate falls: to 0 along a cosine, by tenths at milestones, or as the "
    "rest of the stage to a power.",
)
@click.option(
    "--milestones", default="0.6,0.8", show_default=True, help="Shares of a stage, for step."
)
@click.option("--poly-power", default=0.5, show_default=True, type=click.FloatRange(0))
@click.option(
    "--warm-up",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Share of a stage over which the learning rate rises.",
)
@click.option("--label-smoothing", default=0.0, show_default=True, type=click.FloatRange(0, 1))
@click.option(
    "--augment",
    type=click.Choice(AUGMENTS),
    default=None,
    help="Default: crop+flip for colour images, crop for the others.",
)
@click.option(
    "--resize",
    type=click.Choice(["none", "bilinear", "pad"]),
    default="none",
    show_default=True,
    help="How images reach the --set height and width.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option(
    "--threads",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="CPU threads; one is best beside other busy processes.",
)
@click.option(
    "--workers",
    default=2,
    show_default=True,
    type=click.IntRange(0),
    help="Processes that decode images of a train/ and val/ folder.",
)
@click.option("--device", default=AUTO, show_default=True, type=click.Choice([AUTO, "cpu", "cuda"]))
@click.option(
    "--precision",
    default=AUTO,
    show_default=True,
    type=click.Choice([AUTO, "fp32", "bf16"]),
    help="bf16 where the hardware multiplies it natively; accuracy is always fp32.",
)
@click.option(
    "--patterns",
    default="frozen",
    show_default=True,
    type=click.Choice(["frozen", "straight-through"]),
    help="Stage B: keep the binarized patterns (paper) or go on training them.",
)
@click.option(
    "--alpha",
    default=None,
    type=click.FloatRange(0, min_open=True),
    help="One constant for every pattern instead of mean |W| per filter.",
)
@click.option(
    "--distill",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, 1),
    help="Weight of stage R's logits in the loss of B and BQ.",
)
@click.option(
    "--temperature", default=4.0, show_default=True, type=click.FloatRange(0, min_open=True)
)
@click.option(
    "--progressive",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Groups of layers that stage B binarizes one after another.",
)
@click.option(
    "--start",
    default=None,
    metavar="FILE.pth",
    help="Begin with the float weights of this checkpoint (stage R).",
)
@click.option("--resume", is_flag=True, help="Go on after the last finished epoch.")
@click.option(
    "--max-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=None,
    help="Stop in time, keeping the best model and what --resume needs.",
)
@click.option(
    "--card",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE.md",
    help="Also write what was trained and measured as Markdown.",
)
@click.pass_context
def train(
    ctx: click.Context,
    data: str,
    out: Path,
    network: str,
    pairs: tuple[str, ...],
    epochs: str,
    batch: int,
    lr: str,
    weight_decay: float,
    optimizer: str,
    momentum: float,
    schedule: str,
    milestones: str,
    poly_power: float,
    warm_up: float,
    label_smoothing: float,
    augment: str | None,
    resize: str,
    seed: int,
    threads: int,
    workers: int,
    device: str,
    precision: str,
    patterns: str,
    alpha: float | None,
    distill: float,
    temperature: float,
    progressive: int,
    start: str | None,
    resume: bool,
    max_minutes: float | None,
    card: Path | None,
) -> None:
    """Train a pattern network: float (R), binarized (B), binarized and 8-bit (BQ)."""
    from sephw.train.execute import execute

    stage_epochs = per_stage("epochs", epochs, int)
    if not any(stage_epochs):
        raise UsageError(f"--epochs '{epochs}': nothing to train; give at least one epoch")
    recipe: tuple[str, ...] = ctx.meta.get(RECIPE_PAIRS, ())
    settings = TrainingSettings(
        data=data,
        network=network,
        arguments=parse_arguments((*recipe, *pairs)),
        epochs=stage_epochs,
        batch=batch,
        lr=per_stage("lr", lr, float),
        weight_decay=weight_decay,
        label_smoothing=label_smoothing,
        augment=augment or AUTO,
        resize=resize,
        seed=seed,
        threads=threads,
        device=device,
        precision=precision,
        patterns=patterns,
        optimizer=optimizer,
        momentum=momentum,
        schedule=schedule,
        milestones=shares("milestones", milestones),
        poly_power=poly_power,
        warm_up=warm_up,
        alpha=alpha,
        distill=distill,
        temperature=temperature,
        progressive=progressive,
        start=start,
    )
    request = TrainingRequest(settings, out, workers, resume, max_minutes, card)
    status = execute(request, command_progress)
    if status:
        ctx.exit(status)
