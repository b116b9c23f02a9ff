"""The hardware graph: integer types, tensors, streams, operators, nodes."""

from sephw.ir.folding import USUAL, EngineVariant, Folding, Saving
from sephw.ir.graph import Graph, Node
from sephw.ir.operator import (
    Case,
    HlsInstance,
    HlsTable,
    Integers,
    Memory,
    Operator,
    RtlInstance,
    RtlMemory,
    Schedule,
    Shape,
    Work,
)
from sephw.ir.resources import Resources
from sephw.ir.structure import (
    AdderPart,
    ChoicePart,
    MemoryKind,
    MemoryPart,
    MultiplierPart,
    OutputPart,
    PairPart,
    Structure,
)
from sephw.ir.types import FifoMemory, IntType, Stream, Tensor

__all__ = [
    "USUAL",
    "AdderPart",
    "Case",
    "ChoicePart",
    "EngineVariant",
    "FifoMemory",
    "Folding",
    "Graph",
    "HlsInstance",
    "HlsTable",
    "IntType",
    "Integers",
    "Memory",
    "MemoryKind",
    "MemoryPart",
    "MultiplierPart",
    "Node",
    "Operator",
    "OutputPart",
    "PairPart",
    "Resources",
    "RtlInstance",
    "RtlMemory",
    "Saving",
    "Schedule",
    "Shape",
    "Stream",
    "Structure",
    "Tensor",
    "Work",
]
