"""From an RTL project to a bitstream with open tools: Yosys, nextpnr and the packers."""

from sephw.synth.fit import DoesNotFit
from sephw.synth.flow import Request, run_flow
from sephw.synth.harness import HARNESS, write_harness
from sephw.synth.record import Run
from sephw.synth.report import WorstPath
from sephw.synth.route import Routed, RouteSettings, pack, place_and_route
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
    "Routed",
    "Run",
    "Synthesis",
    "SynthesisSettings",
    "TimingNotMet",
    "Top",
    "WorstPath",
    "pack",
    "place_and_route",
    "run_flow",
    "synthesize",
    "synthesize_operator",
    "write_harness",
]
