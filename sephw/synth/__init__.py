"""From an RTL project to a bitstream with open tools: Yosys, nextpnr and the packers."""

from sephw.synth.fit import DoesNotFit
from sephw.synth.flow import Request, run_flow
from sephw.synth.harness import HARNESS, write_harness
from sephw.synth.record import SynthesisRun
from sephw.synth.report import CriticalPath
from sephw.synth.route import RoutedDesign, RouteSettings, pack, place_and_route
from sephw.synth.synthesize import (
    Synthesis,
    SynthesisSettings,
    Top,
    synthesize,
    synthesize_operator,
)
from sephw.synth.timing import TimingNotMet

__all__ = [
    "HARNESS",
    "DoesNotFit",
    "Request",
    "RouteSettings",
    "RoutedDesign",
    "SynthesisRun",
    "Synthesis",
    "SynthesisSettings",
    "TimingNotMet",
    "Top",
    "CriticalPath",
    "pack",
    "place_and_route",
    "run_flow",
    "synthesize",
    "synthesize_operator",
    "write_harness",
]
