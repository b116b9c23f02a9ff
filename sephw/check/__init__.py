"""A check of a network, node by node, before anything long."""

from sephw.check.model import ModelCheck, check_model
from sephw.check.text import text

__all__ = ["ModelCheck", "check_model", "text"]
