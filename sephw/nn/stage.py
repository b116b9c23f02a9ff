"""The three stages of a pattern network (words of the paper)."""

from enum import StrEnum


class Stage(StrEnum):
    """R: float. B: binarized k×k convolutions. BQ: B, and everything else 8-bit."""

    R = "R"
    B = "B"
    BQ = "BQ"


class Patterns(StrEnum):
    """The treatment of patterns while a binarized network is trained.

    FROZEN is the paper's recipe: the signs are fixed when the network is binarized, everything
    else is fine-tuned. STRAIGHT_THROUGH keeps training the float weights behind the signs.
    """

    FROZEN = "frozen"
    STRAIGHT_THROUGH = "straight-through"
