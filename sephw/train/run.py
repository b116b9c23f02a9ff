"""A whole training run: stages R, B and BQ, best model by validation, test at stage ends."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sephw.checkpoint import (
    Checkpoint,
    check_state_dict,
    fit_state_dict,
    load_checkpoint,
    save_checkpoint,
)
from sephw.data import Preprocessing
from sephw.errors import SephwError
from sephw.files import reading
from sephw.networks import make_network
from sephw.train.evaluate import accuracy, model_bytes, network_input, parameter_counts
from sephw.train.loop import Learner, make_optimizer, train_epoch
from sephw.train.parallel import Team
from sephw.train.progress import Reporter
from sephw.train.progressive import is_fully_binarized
from sephw.train.resume import ResumePoint, load_progress, resume_path, save_progress
from sephw.train.settings import STAGE_NAMES, TrainingSettings
from sephw.train.source import TrainingData, first_images

CALIBRATION_IMAGES = 512


class TimeUp(Exception):  # noqa: N818 - an expected end, not an error
    """The time given by --max-minutes is used up."""


class TrainingRun:
    """One training run writing to `out`: `train()` runs it, `keep_best()` saves the best model so
    far.

    In a team every process has one of these; only the leader writes.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        preprocessing: Preprocessing,
        out: Path,
        reporter: Reporter,
        *,
        resume: bool = False,
        max_minutes: float | None = None,
        team: Team | None = None,
    ) -> None:
        import torch

        self.settings, self.data, self.out, self.reporter = settings, data, out, reporter
        self.team = team or Team()
        self.preprocessing = preprocessing
        self._deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        torch.manual_seed(settings.seed)
        self.network = make_network(settings.network, settings.arguments)
        self._try_image()
        self.arguments: Mapping[str, Any] = self.network.arguments
        self.counts = parameter_counts(self.network)
        self.progress = ResumePoint()
        self._resuming = resume
        self._teacher: Any | None = None
        if settings.start is not None and not resume:
            self._start_from(settings.start)
        if resume:
            self.progress = load_progress(out, settings)
            self._enter_again(self.progress.stage)
            assert self.progress.model is not None  # every saved state has one
            fit_state_dict(self.network, self.progress.model, settings.network)
            if self.progress.best is not None:
                check_state_dict(self.network, self.progress.best, settings.network)
        self.network.to(settings.device, memory_format=torch.channels_last)
        self.team.broadcast_weights(self.network)

    def _try_image(self) -> None:
        """Raise SephwError where the network cannot compute one image, as with a stride of 0."""
        import torch

        form = self.preprocessing
        image = torch.zeros(1, form.channels, form.height, form.width)
        try:
            with torch.inference_mode():
                self.network.eval()(image)
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise SephwError(
                f"network '{self.settings.network}': it cannot compute an image of {form.height}x"
                f"{form.width}x{form.channels} ({reason}); correct its arguments"
            ) from None
        self.network.train()

    def train(self) -> Checkpoint:
        """Train every stage that is not done yet; write and return the final checkpoint.

        Raises TimeUp, or lets KeyboardInterrupt through, after any finished epoch's state was
        saved for --resume.
        """
        first = STAGE_NAMES.index(self.progress.stage)
        for index, stage in enumerate(STAGE_NAMES):
            if index < first:
                continue
            if self.settings.epochs[index] == 0 and not any(self.settings.epochs[index:]):
                break
            if not (self._resuming and index == first):
                self._enter(stage)
            self._train_stage(stage)
        if self.team.is_leader:
            resume_path(self.out).unlink(missing_ok=True)
        return self.checkpoint(self.progress.stage, self.network.state_dict())

    def keep_best(self) -> bool:
        """Make sure that `out` holds the best model so far; False where no epoch is done.

        That is the best of the present stage, or of the stage before while this one has none.
        """
        progress = self.progress
        if progress.best is None:
            return bool(progress.metrics.get("epochs"))
        self._note_epochs()
        table = self.progress.metrics.setdefault("accuracy", {"validation": {}, "test": {}})
        table["validation"][progress.stage] = progress.best_accuracy
        self._save(progress.stage, progress.best)
        return True

    def checkpoint(self, stage: str, state: Mapping[str, Any]) -> Checkpoint:
        """The checkpoint of `state`, with everything measured so far."""
        patterns, others = self.counts
        metrics = {
            **self.progress.metrics,
            "parameters": {"patterns": patterns, "others": others},
            "bytes": model_bytes(patterns, others),
            "data": {
                "name": self.data.name,
                "source": self.data.source,
                "licence": self.data.licence,
                "seed": self.settings.seed,
                "train": len(self.data.train),
                "validation": len(self.data.validation),
                "test": len(self.data.test),
            },
            "seed": self.settings.seed,
            "command": self.settings.command(),
        }
        return Checkpoint(
            self.settings.network,
            self.arguments,
            stage,
            state,
            self.preprocessing.as_dict(),
            self.data.classes,
            metrics,
        )

    def _save(self, stage: str, state: Mapping[str, Any]) -> None:
        if self.team.is_leader:
            save_checkpoint(self.out, self.checkpoint(stage, state))

    def _start_from(self, path: str) -> None:
        """Take the float weights of another checkpoint of the same network."""
        checkpoint = load_checkpoint(
            path, network=self.settings.network, arguments=dict(self.arguments)
        )
        if checkpoint.stage != "R":
            raise SephwError(
                f"{path}: is in stage {checkpoint.stage}; --start takes a network in stage R, "
                "as `--epochs N,0,0` leaves it"
            )
        fit_state_dict(self.network, checkpoint.state_dict, self.settings.network)

    def _make_teacher(self) -> Any | None:
        """Stage R's network in evaluation mode, where the settings ask for distillation."""
        settings = self.settings
        if settings.distill == 0 or self.progress.teacher is None:
            return None
        if self._teacher is None:
            import torch

            with torch.random.fork_rng(devices=[]):  # its construction draws random weights
                teacher = make_network(settings.network, settings.arguments)
            fit_state_dict(teacher, self.progress.teacher, settings.network)
            self._teacher = teacher.to(settings.device).eval().requires_grad_(False)
        return self._teacher

    def _enter_again(self, stage: str) -> None:
        from sephw.nn import to_stage

        for step in STAGE_NAMES[1 : STAGE_NAMES.index(stage) + 1]:
            to_stage(self.network, step, patterns=self.settings.patterns, calibration=None)

    def _enter(self, stage: str) -> None:
        """Move the network into `stage` and measure it there before any fine-tuning."""
        import torch

        from sephw.nn import PatternConv2d, to_stage

        self.progress.stage, self.progress.epoch = stage, 0
        self.progress.best, self.progress.best_accuracy = None, -1.0
        self.progress.optimizer = None
        if stage == "R":
            return
        calibration = None
        if stage == "BQ":
            images = first_images(self.data.train, CALIBRATION_IMAGES)
            calibration = network_input(images, self.settings.device)
        if stage == "B" and self.settings.alpha is not None:
            for module in self.network.modules():
                if isinstance(module, PatternConv2d):
                    module.fix_alpha(self.settings.alpha)
        to_stage(self.network, stage, patterns=self.settings.patterns, calibration=calibration)
        self.network.to(self.settings.device, memory_format=torch.channels_last)
        self.team.broadcast_weights(self.network)
        found = self._measure(f"{stage} untuned", self.network)
        if stage == "BQ":
            # What B has learnt survives rounding to 8 bits: fine-tuning must beat it.
            self.progress.best = copy.deepcopy(self.network.state_dict())
            self.progress.best_accuracy, self.progress.best_epoch = found["validation"], 0

    def _train_stage(self, stage: str) -> None:
        progress, settings = self.progress, self.settings
        epochs = settings.epochs[STAGE_NAMES.index(stage)]
        optimizer = make_optimizer(self.network, settings, stage)
        if progress.optimizer is not None:
            with reading(f"{resume_path(self.out)}: the optimizer", "delete it and start anew"):
                optimizer.load_state_dict(dict(progress.optimizer))
        teacher = None if stage == "R" else self._make_teacher()
        learner = Learner(self.network, optimizer, teacher)
        while progress.epoch < epochs:
            self._check_time(stage, progress.epoch, epochs)
            began = time.monotonic()
            result = train_epoch(
                learner,
                self.data.train,
                settings,
                stage,
                progress.epoch,
                self.reporter,
                self.team,
            )
            held = accuracy(self.network, self.data.validation, settings.device, self.team)
            whole = stage != "B" or is_fully_binarized(settings, progress.epoch)
            progress.epoch += 1
            if whole and held > progress.best_accuracy:
                progress.best = copy.deepcopy(self.network.state_dict())
                progress.best_accuracy, progress.best_epoch = held, progress.epoch
            seconds = time.monotonic() - began
            progress.seconds[stage] = progress.seconds.get(stage, 0.0) + seconds
            progress.model = self.network.state_dict()
            progress.optimizer = optimizer.state_dict()
            if self.team.is_leader:
                save_progress(self.out, settings, progress)
            left = (epochs - progress.epoch) * seconds / 60
            self.reporter.line(
                f"{stage:2} {progress.epoch:3}/{epochs}  loss {result.loss:.4f}  "
                f"train {result.accuracy:6.2f} %  validation {held:6.2f} %  "
                f"{seconds:5.1f} s, {left:.1f} min left in this stage"
            )
        if progress.best is not None:
            self.network.load_state_dict(progress.best)
        self._finish_stage(stage)

    def _finish_stage(self, stage: str) -> None:
        self._note_epochs()
        self._measure(stage, self.network)
        if stage == "R" and self.settings.distill > 0:
            self.progress.teacher = copy.deepcopy(self.network.state_dict())
        if stage == "BQ":
            from sephw.nn import freeze

            # The exact network that goes into hardware; its accuracy is the one to report.
            self._measure("frozen", freeze(copy.deepcopy(self.network).cpu()), "cpu")
        self._save(stage, self.network.state_dict())

    def _note_epochs(self) -> None:
        progress = self.progress
        best = progress.best_epoch if progress.best else 0
        progress.metrics.setdefault("epochs", {})[progress.stage] = progress.epoch
        progress.metrics.setdefault("best_epoch", {})[progress.stage] = best

    def _measure(self, label: str, network: Any, device: str | None = None) -> dict[str, float]:
        """Measure the accuracy in percent by split; it is recorded and printed under `label`."""
        held_out = {"validation": self.data.validation, "test": self.data.test}
        with self.reporter.step("measure", label):
            found = {
                part: accuracy(network, source, device or self.settings.device, self.team)
                for part, source in held_out.items()
            }
        table = self.progress.metrics.setdefault("accuracy", {"validation": {}, "test": {}})
        for part, value in found.items():
            table[part][label] = value
        self.reporter.line(
            f"{label}: validation {found['validation']:.2f} %, test {found['test']:.2f} %"
        )
        return found

    def _check_time(self, stage: str, epoch: int, epochs: int) -> None:
        if self._deadline is None:
            return
        done = max(1, epoch)
        expected = self.progress.seconds.get(stage, 0.0) / done if epoch else 0.0
        if self.team.broadcast_decision(time.monotonic() + expected > self._deadline):
            raise TimeUp(f"stopped before epoch {epoch + 1} of {epochs} in stage {stage}")
