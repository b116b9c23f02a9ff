"""A whole training run: stages R, B and BQ, best model by validation, test at stage ends."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sephw.checkpoint import Checkpoint, fit_state_dict, save_checkpoint
from sephw.data import Dataset, Preprocessing
from sephw.networks import make_network
from sephw.train.evaluate import (
    accuracy,
    as_tensors,
    model_bytes,
    network_input,
    parameter_counts,
)
from sephw.train.loop import make_optimizer, train_epoch
from sephw.train.progress import Reporter
from sephw.train.resume import Progress, load_progress, resume_path, save_progress
from sephw.train.settings import STAGE_NAMES, Settings

CALIBRATION_IMAGES = 512


class TimeUp(Exception):  # noqa: N818 - an expected end, not an error
    """The time given by --max-minutes is used up."""


class Run:
    """One training run writing to `out`; `train()` does it, `keep_best()` saves what there is."""

    def __init__(
        self,
        settings: Settings,
        dataset: Dataset,
        preprocessing: Preprocessing,
        out: Path,
        reporter: Reporter,
        *,
        resume: bool = False,
        max_minutes: float | None = None,
    ) -> None:
        import torch

        self.settings, self.dataset, self.out, self.reporter = settings, dataset, out, reporter
        self.preprocessing = preprocessing
        self._deadline = None if max_minutes is None else time.monotonic() + 60 * max_minutes
        torch.manual_seed(settings.seed)
        self.network = make_network(settings.network, settings.arguments)
        self.arguments: Mapping[str, Any] = self.network.arguments
        self.counts = parameter_counts(self.network)
        self.train_images, self.train_labels = as_tensors(dataset.train)
        self.held_out = {
            "validation": as_tensors(dataset.validation),
            "test": as_tensors(dataset.test),
        }
        self.progress = Progress()
        self._resuming = resume
        if resume:
            self.progress = load_progress(out, settings)
            self._enter_again(self.progress.stage)
            assert self.progress.model is not None  # every saved state has one
            fit_state_dict(self.network, self.progress.model, settings.network)
        self.network.to(settings.device, memory_format=torch.channels_last)

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
        resume_path(self.out).unlink(missing_ok=True)
        return self.checkpoint(self.progress.stage, self.network.state_dict())

    def keep_best(self) -> bool:
        """See that `out` holds the best model so far; False where no epoch is done.

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
                "name": self.dataset.name,
                "source": self.dataset.source,
                "licence": self.dataset.licence,
                "seed": self.settings.seed,
                "train": len(self.dataset.train),
                "validation": len(self.dataset.validation),
                "test": len(self.dataset.test),
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
            self.dataset.classes,
            metrics,
        )

    def _save(self, stage: str, state: Mapping[str, Any]) -> None:
        save_checkpoint(self.out, self.checkpoint(stage, state))

    def _enter_again(self, stage: str) -> None:
        from sephw.nn import to_stage

        for step in STAGE_NAMES[1 : STAGE_NAMES.index(stage) + 1]:
            to_stage(self.network, step, patterns=self.settings.patterns, calibration=None)

    def _enter(self, stage: str) -> None:
        """Move the network into `stage` and measure it there before any fine-tuning."""
        import torch

        from sephw.nn import to_stage

        self.progress.stage, self.progress.epoch = stage, 0
        self.progress.best, self.progress.best_accuracy = None, -1.0
        self.progress.optimizer = None
        if stage == "R":
            return
        calibration = None
        if stage == "BQ":
            calibration = network_input(
                self.train_images[:CALIBRATION_IMAGES], self.settings.device
            )
        to_stage(self.network, stage, patterns=self.settings.patterns, calibration=calibration)
        self.network.to(self.settings.device, memory_format=torch.channels_last)
        self._measure(f"{stage} untuned", self.network)

    def _train_stage(self, stage: str) -> None:
        progress, settings = self.progress, self.settings
        epochs = settings.epochs[STAGE_NAMES.index(stage)]
        optimizer = make_optimizer(self.network, settings, stage)
        if progress.optimizer is not None:
            optimizer.load_state_dict(progress.optimizer)
        while progress.epoch < epochs:
            self._check_time(stage, progress.epoch, epochs)
            began = time.monotonic()
            result = train_epoch(
                self.network, optimizer, self.train_images, self.train_labels,
                settings, stage, progress.epoch, self.reporter,
            )  # fmt: skip
            held = accuracy(self.network, *self.held_out["validation"], settings.device)
            progress.epoch += 1
            if held > progress.best_accuracy:
                progress.best = copy.deepcopy(self.network.state_dict())
                progress.best_accuracy, progress.best_epoch = held, progress.epoch
            seconds = time.monotonic() - began
            progress.seconds[stage] = progress.seconds.get(stage, 0.0) + seconds
            progress.model = self.network.state_dict()
            progress.optimizer = optimizer.state_dict()
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

    def _measure(self, label: str, network: Any, device: str | None = None) -> None:
        found = {
            part: accuracy(network, images, labels, device or self.settings.device)
            for part, (images, labels) in self.held_out.items()
        }
        table = self.progress.metrics.setdefault("accuracy", {"validation": {}, "test": {}})
        for part, value in found.items():
            table[part][label] = value
        self.reporter.line(
            f"{label}: validation {found['validation']:.2f} %, test {found['test']:.2f} %"
        )

    def _check_time(self, stage: str, epoch: int, epochs: int) -> None:
        if self._deadline is None:
            return
        done = max(1, epoch)
        expected = self.progress.seconds.get(stage, 0.0) / done if epoch else 0.0
        if time.monotonic() + expected > self._deadline:
            raise TimeUp(f"stopped before epoch {epoch + 1} of {epochs} in stage {stage}")
