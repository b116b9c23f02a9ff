"""Everything that decides the outcome of a training run, as one frozen value."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sephw.command_line import Option, argument_options, command_line, command_name
from sephw.errors import UsageError

STAGE_NAMES = ("R", "B", "BQ")
SCHEDULES = ("cosine", "step", "poly")
OPTIMIZERS = ("adamw", "sgd")
AUTO = "auto"
AUGMENTS = ("none", "flip", "crop", "crop+flip", "crop+flip+erase")


@dataclass(frozen=True)
class TrainingSettings:
    """Options of a run. `epochs` and `lr` hold one value per stage R, B, BQ; `lr` is the peak.

    `arguments` are the network's, image size and classes excluded unless given by the user.
    `milestones` (shares of a stage), `poly_power` and `warm_up` (a share) shape the learning rate;
    `alpha` is one constant for all patterns, None for mean |W|; `distill` is the weight of stage
    R's own logits in the loss of B and BQ; `progressive` the number of groups that B binarizes one
    after another; `start` a checkpoint whose float weights R begins with; `processes` how many
    train together. `augment`, `device` and `precision` are `AUTO` until data and machine are known.
    """

    data: str
    network: str = "SEPNet"
    arguments: Mapping[str, Any] = field(default_factory=dict)
    epochs: tuple[int, int, int] = (20, 6, 6)
    batch: int = 128
    lr: tuple[float, float, float] = (3e-3, 1e-3, 5e-4)
    weight_decay: float = 0.05
    label_smoothing: float = 0.0
    augment: str = "crop"
    resize: str = "none"
    seed: int = 0
    threads: int = 1
    device: str = "cpu"
    precision: str = "fp32"
    patterns: str = "frozen"
    optimizer: str = "adamw"
    momentum: float = 0.9
    schedule: str = "cosine"
    milestones: tuple[float, ...] = (0.6, 0.8)
    poly_power: float = 0.5
    warm_up: float = 0.05
    alpha: float | None = None
    distill: float = 0.0
    temperature: float = 4.0
    progressive: int = 1
    start: str | None = None
    processes: int = 1

    def as_dict(self) -> dict[str, Any]:
        """Plain values (lists, not tuples), as they are stored."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    def command(self) -> str:
        """The command line that repeats this run, --out left away and paths cut to their names."""
        options: list[Option] = [
            ("--data", Path(self.data).name),
            ("--network", self.network),
            *argument_options(self.arguments),
        ]
        for option, value in (
            ("epochs", self.epochs),
            ("batch", self.batch),
            ("lr", self.lr),
            ("weight-decay", self.weight_decay),
            ("label-smoothing", self.label_smoothing),
            ("augment", self.augment),
            ("resize", self.resize),
            ("seed", self.seed),
            ("threads", self.threads),
            ("device", self.device),
            ("precision", self.precision),
            ("patterns", self.patterns),
        ):
            options.append((f"--{option}", _text(value)))
        for key in _LATER:
            value = getattr(self, key)
            if value != getattr(TrainingSettings, key):
                value = Path(value).name if key == "start" else value
                options.append((f"--{key.replace('_', '-')}", _text(value)))
        line = command_line("train", options=options)
        if self.processes == 1:
            return line
        start = f"torchrun --nproc-per-node {self.processes} -m sephw.train"
        return start + line.removeprefix(command_name("train"))


@dataclass(frozen=True)
class TrainingRequest:
    """One call of the training: `settings` decide the outcome, the rest does not.

    `out`: the checkpoint to write. `workers`: processes that decode images. `max_minutes`: after
    so long the run ends, to go on with `resume`; None: it has all the time. `card`: a Markdown file
    on what was trained and measured.
    """

    settings: TrainingSettings
    out: Path
    workers: int = 2
    resume: bool = False
    max_minutes: float | None = None
    card: Path | None = None


# Options that `command` names only where they differ from their defaults.
_LATER = (
    "optimizer",
    "momentum",
    "schedule",
    "milestones",
    "poly_power",
    "warm_up",
    "alpha",
    "distill",
    "temperature",
    "progressive",
    "start",
)


def _text(value: Any) -> str:
    return ",".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value)


def parse_arguments(pairs: Sequence[str]) -> dict[str, Any]:
    """Network arguments from `key=value` texts: numbers, true/false, comma lists, or words."""
    arguments: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key.isidentifier():
            raise UsageError(f"--set '{pair}': expected key=value, for example widths=16,32,64")
        arguments[key] = _value(text)
    return arguments


def _value(text: str) -> Any:
    if "," in text and not text.startswith("["):
        return [_value(part) for part in text.split(",") if part]
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # no JSON, too many digits, nested too deeply
        return text


def shares(option: str, text: str) -> tuple[float, ...]:
    """Rising shares between 0 and 1 from 'a,b,…'."""
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or list(values) != sorted(set(values)) or not 0 < values[0] <= values[-1] < 1:
        raise UsageError(
            f"--{option} '{text}': expected rising shares of a stage between 0 and 1, for example "
            "0.6,0.8"
        )
    return values


def per_stage(option: str, text: str, kind: type) -> tuple[Any, Any, Any]:
    """Three values R,B,BQ from 'a,b,c', or one value for all three."""
    try:
        values = [kind(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or any(value < 0 for value in values):
        raise UsageError(
            f"--{option} '{text}': expected one value, or three for stages R,B,BQ, none negative"
        )
    return values[0], values[1], values[2]
