"""The hardware graph: integer types, tensors, streams, operators, nodes."""

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
from sephw.ir.types import Family, Folding, IntType, Multipliers, Stream, Tensor, WeightPlace

__all__ = [
    "AdderPart",
    "Case",
    "ChoicePart",
    "Family",
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
    "Multipliers",
    "Node",
    "Operator",
    "OutputPart",
    "PairPart",
    "Resources",
    "RtlInstance",
    "RtlMemory",
    "Schedule",
    "Shape",
    "Stream",
    "Structure",
    "Tensor",
    "WeightPlace",
    "Work",
]
