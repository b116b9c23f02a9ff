"""The lines that end an export on stdout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sephw.backends.amd import has_amd_flow
from sephw.export.manifest import trained_accuracy
from sephw.export.pipeline import ExportOutcome
from sephw.export.settings import ExportSettings
from sephw.export_names import (
    AMD,
    BOARD,
    CYCLES,
    FOLDING,
    GRAPH,
    GRAPH_ARRAYS,
    HLS,
    MANIFEST,
    MODEL,
    NETLIST,
    RTL,
    SYNTH,
    VERIFICATION,
)
from sephw.invocation import Place
from sephw.ir import Resources
from sephw.reports import FILES, Report, number
from sephw.reports.figures import figure_text
from sephw.reports.model import Source
from sephw.reports.next_step import next_step
from sephw.reports.speed import ON_CHIP, OVER_LINK, latencies, rates
from sephw.targets import Device


def summary(outcome: ExportOutcome) -> str:
    """Plain text, one fact a line: exactness, accuracy, size, speed, files, what to do next."""
    settings, checkpoint = outcome.settings, outcome.checkpoint
    unproved = ", not verified: nothing was compared" if outcome.verification is None else ""
    lines = [f"{settings.model.name} ({checkpoint.network}, stage {checkpoint.stage}){unproved}"]
    add = lines.append
    add(_fact("exact", _exact(outcome)))
    if outcome.agreement is not None:
        add(_fact("accuracy", _accuracy(outcome)))
    trained = trained_accuracy(checkpoint.metrics)
    if trained is not None:
        add(_fact("", f"{trained:.2f} % on the whole test set, measured at training"))
    if outcome.report is not None:
        lines += _figures(outcome.report)
    add(_fact("files", _files(outcome)))
    if outcome.report is not None:
        lines += _next(outcome.report, settings)
    return "\n".join(lines)


def _fact(name: str, text: str) -> str:
    return f"  {name:10}{text}"


def _exact(outcome: ExportOutcome) -> str:
    found = outcome.verification
    if found is None:
        return "not verified (add the step verify)"
    layers = len({check.name for check in found.checks})
    compared = f"{layers} layers and streams, {len(found.samples)} images, " + ", ".join(
        found.representations
    )
    return f"{'yes' if found.exact else 'NO'}: {compared}"


def _accuracy(outcome: ExportOutcome) -> str:
    agreement = outcome.agreement
    assert agreement is not None
    same = (
        f"same class as {agreement.reference} on {agreement.same:,} of {agreement.predicted:,} "
        f"{agreement.what}"
    )
    if not agreement.labelled:
        return same
    return f"{agreement.right} of {agreement.labelled} labelled test images right; {same}"


def _figures(report: Report) -> list[str]:
    def shown(name: str) -> str:
        return number(report.total(name).value)

    def tagged(name: str) -> str:
        figure = report.total(name)
        return f"{figure_text(figure)} {figure.unit} [{figure.source}]"

    sizes = " / ".join(shown(f"model_bytes_{stage}") for stage in ("r", "b", "bq"))
    return [
        _fact("size", f"R / B / BQ {sizes} bytes [counted]"),
        _fact(
            "work",
            f"{shown('macs_1bit')} 1-bit and {shown('macs_8bit')} 8-bit MACs/frame [counted]",
        ),
        *_speed(report, tagged),
        *_streams(report, tagged),
        *_chip(report),
    ]


def _speed(report: Report, tagged: Callable[[str], str]) -> list[str]:
    """Frames per second, on the chip and over the link; latencies, with what they assume."""
    rate = rates(report)[-1]
    chip = f"{figure_text(rate.chip)} frames/s {ON_CHIP} [{rate.chip.source}] at {rate.at}"
    lines = [_fact("speed", f"{chip}: {tagged('frame_interval')}")]
    if rate.link is None:
        lines.append(_fact("", f"none {OVER_LINK}: {rate.without}"))
    else:
        over = f"{figure_text(rate.link)} frames/s {OVER_LINK} [{rate.link.source}]"
        lines.append(_fact("", f"{over}: {report.link}"))
    ways = [f"{number(first.value)} cycles {name}" for name, first, _ in latencies(report)]
    what = "first beat in to first beat out, a frame alone or in a paced stream"
    if len(ways) == 1:
        what = "first beat in to first beat out, in a paced stream"
    lines.append(_fact("latency", f"{', '.join(ways)} [simulated]: {what}"))
    return lines


def _streams(report: Report, tagged: Callable[[str], str]) -> list[str]:
    """The external memory's traffic, where weights are streamed."""
    names = [layer.module or layer.name for layer in report.layers if layer.weight_traffic]
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    rates = f"{tagged('weight_traffic')}, {tagged('weight_rate')}"
    return [_fact("weights", f"of '{names[0]}'{more} from external memory: {rates}")]


def _chip(report: Report) -> list[str]:
    """The design's use of the device, by the most accurate source."""
    resources = report.resources
    if resources is None or resources.best is None:
        return []
    source, usage, available = resources.best
    shares = [
        f"{kind.upper()} {number(figure.value)} of {number(getattr(available, kind))}"
        for kind, figure in usage.figures()
    ]
    answer = _fits(resources.device, source, usage.resources, available)
    return [_fact("chip", f"{answer}: {', '.join(shares)} [{source}]")]


def _fits(device: Device, source: Source, used: Resources, available: Resources) -> str:
    """Whether a design fits. Above the usual margins an estimated one often cannot be routed."""
    excess = used.excess(available)
    if excess:
        short = ", ".join(f"{count - limit:,} {name}" for name, count, limit in excess)
        return f"DOES NOT FIT {device.name}, {short} too many"
    tight = used.excess(device.technology.margins.limits_of(available))
    if source is not Source.ESTIMATED or not tight:
        return f"fits {device.name}"
    usual = ", ".join(f"{limit:,} {name}" for name, _, limit in tight)
    return f"fits {device.name} tightly, above the {usual} that usually route"


def _next(report: Report, settings: ExportSettings) -> list[str]:
    """The next step and its command, for the folder in which the export was called."""
    step = next_step(report, Place(settings.out, Path(), settings.invocation))
    rest = step.command or step.how
    return [_fact("next", f"{step.why}: {rest}" if rest else step.why)]


def _files(outcome: ExportOutcome) -> str:
    steps = outcome.settings.steps
    names = [MODEL, GRAPH, GRAPH_ARRAYS]
    names += [f"{HLS}/"] if "hls" in steps else []
    names += [f"{RTL}/"] if "rtl" in steps else []
    names += [CYCLES] if "cyclesim" in steps else []
    names += ["trace.json"] if outcome.settings.trace else []
    names += ["rtl.vcd"] if outcome.settings.trace and "rtlsim" in steps else []
    names += [VERIFICATION] if "verify" in steps else []
    target = outcome.settings.target
    names += [FOLDING] if outcome.settings.searches else []
    names += [f"{SYNTH}/"] if "synth" in steps else []
    names += [f"{BOARD}/"] if "synth" in steps and target.open_board is not None else []
    names += [f"{NETLIST}/"] if "netlist" in steps else []
    vendor = has_amd_flow(target) and not outcome.graph.constants
    names += [f"{AMD}/"] if vendor and {"hls", "rtl"} & set(steps) else []
    names += list(FILES) if "report" in steps else []
    return f"{Path(outcome.settings.out)}: {', '.join([*names, MANIFEST])}"
