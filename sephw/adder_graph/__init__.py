"""Pattern compiler: constant matrices of small integers as shared graphs of two-operand adders."""

from sephw.adder_graph.emit_cpp import emit_cpp
from sephw.adder_graph.emit_parallel import emit_parallel
from sephw.adder_graph.emit_serial import DIGIT_BITS, SerialCore, emit_serial
from sephw.adder_graph.exact import check
from sephw.adder_graph.graph import Adder, AdderGraph, Interval, Output
from sephw.adder_graph.merge import merge
from sephw.adder_graph.pipeline import Pipeline, schedule
from sephw.adder_graph.solve import (
    SOLVERS,
    MatrixProblem,
    Solver,
    SolverOptions,
    solve,
    solve_many,
)

__all__ = [
    "DIGIT_BITS",
    "SOLVERS",
    "Adder",
    "AdderGraph",
    "Interval",
    "Output",
    "Pipeline",
    "MatrixProblem",
    "SerialCore",
    "Solver",
    "SolverOptions",
    "check",
    "emit_cpp",
    "emit_parallel",
    "emit_serial",
    "merge",
    "schedule",
    "solve",
    "solve_many",
]
