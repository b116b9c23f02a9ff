"""Boards and devices that a project can be generated for."""

from sephw.targets.boards import DEFAULT_TARGET, TARGETS, Target, find_target

__all__ = ["DEFAULT_TARGET", "TARGETS", "Target", "find_target"]
