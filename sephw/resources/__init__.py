"""Resources and clock of engines without synthesis, by a model fitted to Yosys' results."""

from sephw.resources.engines import (
    FifoPlan,
    estimate_engines,
    plan_fifo_memories,
    puts_fifos_in_blocks,
)
from sephw.resources.estimate import Estimate, estimate
from sephw.resources.model import (
    Accuracy,
    Errors,
    NetworkError,
    accuracy,
    wires_of,
)
from sephw.resources.wires import network_mhz

__all__ = [
    "Accuracy",
    "FifoPlan",
    "Errors",
    "Estimate",
    "NetworkError",
    "accuracy",
    "estimate",
    "estimate_engines",
    "plan_fifo_memories",
    "puts_fifos_in_blocks",
    "network_mhz",
    "wires_of",
]
