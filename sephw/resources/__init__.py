"""Resources and clock rate of engines without synthesis, fitted to what Yosys makes of them."""

from sephw.resources.estimate import Estimate, estimate
from sephw.resources.model import CHARACTERIZED, Accuracy, Errors, NetworkError, accuracy

__all__ = [
    "CHARACTERIZED",
    "Accuracy",
    "Errors",
    "Estimate",
    "NetworkError",
    "accuracy",
    "estimate",
]
