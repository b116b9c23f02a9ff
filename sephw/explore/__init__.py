"""Folding search: family, digits, PE, SIMD and multipliers per layer, for a device and a goal."""

from sephw.explore.boards import board_goal, check_goal, device_goal
from sephw.explore.found import Found, Goal
from sephw.explore.pareto import pareto
from sephw.explore.refusal import MisfitError, without_limits
from sephw.explore.search import search
from sephw.explore.sweep import SynthesisJob, SynthesisResult, synthesize_many
from sephw.technologies.fabric import Margins

__all__ = [
    "Found",
    "Goal",
    "Margins",
    "MisfitError",
    "SynthesisJob",
    "SynthesisResult",
    "board_goal",
    "check_goal",
    "device_goal",
    "pareto",
    "search",
    "synthesize_many",
    "without_limits",
]
