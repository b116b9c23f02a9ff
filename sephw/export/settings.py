"""The options of an export as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sephw.errors import UsageError
from sephw.files import parse_json
from sephw.invocation import Invocation, model_name
from sephw.suggest import did_you_mean
from sephw.targets import Target
from sephw.technologies import CELL_MODELS, CHARACTERIZATION

if TYPE_CHECKING:
    from sephw.synth import Request

STEPS = (
    "qonnx",
    "hls",
    "csim",
    "rtl",
    "rtlsim",
    "cyclesim",
    "synth",
    "netlist",
    "verify",
    "report",
)
# Left out unless asked for: simulating a netlist takes minutes for all but small networks.
_ON_REQUEST = ("netlist",)
# A simulation that nobody compares would be useless, so it brings the verification along.
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "qonnx": (),
    "hls": ("qonnx",),
    "csim": ("qonnx", "hls", "verify"),
    "rtl": ("qonnx",),
    "rtlsim": ("qonnx", "rtl", "cyclesim", "verify"),
    "cyclesim": ("qonnx",),
    "synth": ("qonnx", "rtl"),
    "netlist": ("qonnx", "rtl", "cyclesim", "verify"),
    "verify": ("qonnx",),
    "report": ("qonnx",),
}
RANDOM_DATA = "random"
SEARCH, FAST = FOLDS = ("search", "fast")


@dataclass(frozen=True)
class ExportSettings:
    """Options of one export. `data` None: the data set that the checkpoint names.

    `network` and `arguments` are for a bare state_dict only. `samples` counts real images;
    `fewer_samples`: where the data has not so many, all of them.
    `folding` None: as `fold` says, by the folding search or, fast, the smallest within a budget of
    cycles. `fps` is for the search, `clock_mhz` for search and synthesis. `allow_misfit`: a design
    that is estimated not to fit the device is exported all the same. `search_seconds`: after so
    many the search keeps the best so far; None: it tries all.
    `seeds`: how many places are tried. `floorplan`: blocks get theirs before.
    `weight_bandwidth`: bits per clock cycle that an external memory gives to weights that are
    streamed; None: as many as they take, and the search streams none. `invocation`: the call
    behind it; None: it comes from Python.
    """

    model: Path
    out: Path
    target: Target
    data: str | None = None
    samples: int = 16
    fewer_samples: bool = False
    folding: Path | None = None
    steps: tuple[str, ...] = STEPS
    network: str | None = None
    arguments: Mapping[str, Any] | None = None
    trace: bool = False
    fps: float | None = None
    clock_mhz: float | None = None
    seeds: int = 1
    floorplan: bool | None = None
    weight_bandwidth: int | None = None
    fold: str = SEARCH
    allow_misfit: bool = False
    search_seconds: float | None = None
    invocation: Invocation | None = None

    @property
    def searches(self) -> bool:
        """True where the folding search chooses the folding: it needs the device's costs."""
        known = self.target.device.technology.has(CHARACTERIZATION)
        return self.folding is None and self.fold == SEARCH and known

    @property
    def synthesis(self) -> Request:
        """The request for the synthesis flow, as far as options determine it."""
        from sephw.synth.flow import Request

        return Request(
            device=self.target.device,
            target=self.target,
            clock_mhz=self.clock_mhz,
            seeds=self.seeds,
            floorplan=self.floorplan,
        )

    @property
    def name(self) -> str:
        """The model's name, an identifier in every generated language."""
        return model_name(self.model)


def default_steps(target: Target) -> tuple[str, ...]:
    """The default steps: synthesis only for boards of the open flow."""
    left_out = {*_ON_REQUEST, *(() if target.open_board is not None else ("synth",))}
    return tuple(step for step in STEPS if step not in left_out)


def parse_steps(text: str, target: Target) -> tuple[str, ...]:
    """Steps from a comma list, with the ones they need, in order; UsageError lists the names.

    Words with a plus are added to what `target` usually has.
    """
    words = [word for word in (part.strip() for part in text.split(",")) if word]
    wanted: set[str] = set()
    if words and all(word.startswith("+") for word in words):
        wanted |= set(default_steps(target))
        words = [word[1:] for word in words]
    for word in words:
        if word not in STEPS:
            hint = did_you_mean(word, STEPS)
            raise UsageError(f"--steps: '{word}' is unknown; {hint}use {', '.join(STEPS)}")
        wanted |= {word, *_NEEDS[word]}
    if not wanted:
        raise UsageError(f"--steps: nothing to do; use {', '.join(STEPS)}")
    return tuple(step for step in STEPS if step in wanted)


def check_search(settings: ExportSettings) -> None:
    """Raise UsageError for an option of search or synthesis where that step is not run.

    SephwError where the technology lacks what synthesis, or the simulation of its netlist, needs.
    """
    if settings.folding is not None and settings.fold == FAST:
        raise UsageError("--fold fast: --folding decides; leave one of them out")
    if settings.fps is not None and not settings.searches:
        decides = "--folding" if settings.folding is not None else "--fold fast"
        raise UsageError(
            f"--fps: no folding is searched ({decides} decides); leave one of them out"
        )
    open_search = settings.searches and settings.target.open_board is not None
    if settings.clock_mhz is not None and not (open_search or "synth" in settings.steps):
        raise UsageError(
            f"--clock-mhz: nothing is synthesized for target '{settings.target.name}'; its project "
            f"asks for {settings.target.clock_ns:g} ns; leave --clock-mhz out, or add synth to "
            "--steps"
        )
    option = "--seeds" if settings.seeds > 1 else ""
    if settings.floorplan is not None:
        option = option or ("--floorplan" if settings.floorplan else "--no-floorplan")
    if option and not ("synth" in settings.steps and settings.target.device.routable):
        raise UsageError(
            f"{option}: nothing is placed and routed for target '{settings.target.name}'; leave "
            f"{option} out, or choose a board of the open flow with synth in --steps"
        )
    if "synth" in settings.steps:
        from sephw.synth.flow import check_request

        check_request(settings.synthesis)
    if "netlist" in settings.steps:
        settings.target.device.check_flow(routes=False, board=False)
        settings.target.device.technology.require(CELL_MODELS)


def check_trace(trace: bool, steps: tuple[str, ...]) -> bool:
    """`trace`; UsageError where no step makes one."""
    if trace and "cyclesim" not in steps:
        raise UsageError("--trace: nothing to trace; add rtlsim or cyclesim to --steps")
    return trace


def parse_arguments(text: str | None) -> dict[str, Any] | None:
    """Network arguments from a JSON object; UsageError where it is none."""
    if text is None:
        return None
    example = 'give an object such as {"widths": [16, 32]}'
    values = parse_json(text, "--arguments", example, error=UsageError)
    if not isinstance(values, dict):
        raise UsageError('--arguments: not a JSON object; give one such as {"widths": [16, 32]}')
    return values
