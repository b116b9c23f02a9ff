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
from sephw.ir.types import Family, Folding, IntType, Stream, Tensor

__all__ = [
    "Case",
    "Family",
    "Folding",
    "Graph",
    "HlsInstance",
    "HlsTable",
    "IntType",
    "Integers",
    "Memory",
    "Node",
    "Operator",
    "RtlInstance",
    "RtlMemory",
    "Schedule",
    "Shape",
    "Stream",
    "Tensor",
    "Work",
]
