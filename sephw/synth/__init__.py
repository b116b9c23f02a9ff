"""From an RTL project to a bitstream with open tools: Yosys, nextpnr and the packers."""

from sephw.synth.fit import DoesNotFit
from sephw.synth.harness import HARNESS, write_harness
from sephw.synth.report import WorstPath
from sephw.synth.route import Routed, pack, place_and_route
from sephw.synth.synthesize import Synthesis, synthesize, synthesize_operator

__all__ = [
    "HARNESS",
    "DoesNotFit",
    "Routed",
    "Synthesis",
    "WorstPath",
    "pack",
    "place_and_route",
    "synthesize",
    "synthesize_operator",
    "write_harness",
]
