"""Resources and clock rate of engines without synthesis, fitted to what Yosys makes of them."""

from sephw.resources.estimate import CHARACTERIZED, Estimate, estimate

__all__ = ["CHARACTERIZED", "Estimate", "estimate"]
