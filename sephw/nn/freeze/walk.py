"""Follow a BQ network's graph and collect, for every quantizer, the branches that meet in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import fx, nn

from sephw.errors import SephwError
from sephw.exact_sums import LARGEST_EXPONENT, Int, Real, normalize
from sephw.nn.freeze.budget import GUARD_BITS, BranchSum, FittedSum, fit_all
from sephw.nn.freeze.modules import INPUT_BITS, INPUT_EXPONENT
from sephw.nn.freeze.terms import (
    Grid,
    IdentityTerm,
    PatternTerm,
    PoolTerm,
    Term,
    WeightTerm,
)
from sephw.nn.layers import (
    AveragePool2d,
    Concat,
    GlobalPool2d,
    PatternConv2d,
    QuantConv2d,
    QuantLinear,
    QuantReLU,
    pool_exponent,
    round_to_mantissa,
)
from sephw.nn.scales import CONCATENATIONS, concat_inputs
from sephw.nn.shapes import shape_of
from sephw.nn.structure import ADDITIONS

Value = Grid | tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class Walk:
    """The join and rank of each QuantReLU by module path, and those of the logits if any."""

    joins: dict[str, FittedSum] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    logits: FittedSum | None = None
    logits_rank: int = 0


def walk(graph: fx.Graph, modules: dict[str, nn.Module], channels: int) -> Walk:
    """Interpret ``graph`` (checked, with shapes) on grids and terms.

    Raises SephwError naming the module whose numbers the numerics contract excludes.
    """
    values: dict[fx.Node, Value] = {}
    sums: list[BranchSum] = []
    ranks: dict[str, int] = {}
    logits_rank = 0
    for node in graph.nodes:
        target = str(node.target)
        module = modules.get(target) if node.op == "call_module" else None
        if node.op == "placeholder":
            values[node] = Grid(INPUT_EXPONENT, INPUT_BITS, channels)
        elif isinstance(module, Concat):
            values[node] = _concat(node, values, f"Concat '{target}'")
        elif isinstance(module, QuantReLU):
            _check_step(target, module.exponent)
            terms = _terms(values[node.args[0]], target)
            sums.append(BranchSum(target, terms, module.exponent))
            ranks[target] = len(shape_of(node))
            values[node] = Grid(module.exponent, module.bits, len(terms[0].exponent))
        elif isinstance(module, tuple(_TERMS)):
            make = next(m for kind, m in _TERMS.items() if isinstance(module, kind))
            grid = values[node.args[0]]
            assert isinstance(grid, Grid)
            values[node] = (make(target, module, grid, shape_of(node.args[0])),)
        elif node.op == "call_function" and node.target in ADDITIONS:
            values[node] = tuple(
                term for arg in node.args for term in _terms(values[arg], node.name)
            )
        elif node.op == "call_function" and node.target in CONCATENATIONS:
            values[node] = _concat(node, values, f"concatenation '{node.name}'")
        elif node.op == "output":
            value = values[node.args[0]]
            # A network that ends in a quantizer has no logits: its output is on a grid already.
            if not isinstance(value, Grid):
                sums.append(BranchSum("logits", value, None))
                logits_rank = len(shape_of(node.args[0]))
        else:  # max-pools, flattenings, identities, dropout
            values[node] = values[node.all_input_nodes[0]]
    joins = fit_all(sums)
    logits = joins.pop() if logits_rank else None
    named = {found.module: join for found, join in zip(sums, joins, strict=False)}
    return Walk(named, ranks, logits, logits_rank)


def _check_step(target: str, exponent: int) -> None:
    if abs(exponent) > LARGEST_EXPONENT:
        raise SephwError(
            f"QuantReLU '{target}': a step of 2^{-exponent} is farther from 1 than "
            f"2^±{LARGEST_EXPONENT}, where float32 may round; calibrate again (to_stage with "
            "calibration images)"
        )


def _concat(node: fx.Node, values: dict[fx.Node, Value], where: str) -> Grid:
    """Grid of a concatenation: that of its inputs, which must be one and the same."""
    grids = []
    for source in concat_inputs(node, where):
        value = values[source]
        assert isinstance(value, Grid)
        grids.append(value)
    first = grids[0]
    for source, grid in zip(concat_inputs(node, where), grids, strict=True):
        if (grid.exponent, grid.bits) != (first.exponent, first.bits):
            raise SephwError(
                f"{where}: '{source.target}' has {grid.bits} bits at 2^-{grid.exponent}, its first "
                f"input {first.bits} bits at 2^-{first.exponent}; to_stage with calibration images "
                "gives them one scale"
            )
    return Grid(first.exponent, first.bits, sum(grid.channels for grid in grids))


def _terms(value: Value, source: str) -> tuple[Term, ...]:
    return (IdentityTerm(source, value),) if isinstance(value, Grid) else value


def _rows(tensor: torch.Tensor) -> Real:
    return tensor.detach().double().reshape(tensor.shape[0], -1).numpy()


def _constant(bias: torch.Tensor | None, channels: int) -> Real:
    return np.zeros(channels) if bias is None else bias.detach().double().numpy()


def _pattern(target: str, module: Any, grid: Grid, shape: tuple[int, ...]) -> Term:
    scale = round_to_mantissa(module.pattern_scale.detach().double(), module.scale_bits).numpy()
    fraction, exponent = np.frexp(scale)
    mantissa, scale_exponent = normalize(
        np.ldexp(fraction, module.scale_bits).astype(np.int64),
        (module.scale_bits - exponent).astype(np.int64),
    )
    return PatternTerm(
        target,
        grid,
        _rows(module.patterns()).astype(np.int64),
        mantissa,
        scale_exponent,
        _constant(module.pattern_bias, module.out_channels),
    )


def _weights(target: str, module: Any, grid: Grid, shape: tuple[int, ...]) -> Term:
    with torch.no_grad():
        quantized = module.quant_weight()
    values, channels = _rows(quantized.value), module.weight.shape[0]
    exponent = -np.log2(quantized.scale.detach().double().numpy().reshape(-1))
    exponent = np.broadcast_to(np.round(exponent).astype(np.int64), (channels,))
    integers: Int = np.ldexp(values, exponent[:, None]).astype(np.int64)
    if not (np.ldexp(integers.astype(np.float64), -exponent[:, None]) == values).all():
        raise SephwError(
            f"{type(module).__name__} '{target}': weights are not on their 8-bit grid; "
            "leave its weight quantizer as sephw.nn sets it"
        )
    exponent = _shared_by_zeros(integers, exponent)
    return WeightTerm(target, grid, integers, exponent, _constant(module.bias, channels))


def _shared_by_zeros(weights: Int, exponent: Int) -> Int:
    """Exponents in which rows of zeros, which fit every grid, get the finest of the others."""
    zero = ~weights.any(axis=1)
    finest = int(exponent[~zero].max()) if not zero.all() else GUARD_BITS
    return np.where(zero, finest, exponent)


def _pool(target: str, module: Any, grid: Grid, shape: tuple[int, ...]) -> Term:
    pixels = shape[2] * shape[3]
    return PoolTerm(target, grid, pixels, pool_exponent(pixels))


def _average(target: str, module: Any, grid: Grid, shape: tuple[int, ...]) -> Term:
    pixels = module.kernel_size**2
    return PoolTerm(target, grid, pixels, pool_exponent(pixels))


_TERMS: dict[type[nn.Module], Callable[[str, Any, Grid, tuple[int, ...]], Term]] = {
    PatternConv2d: _pattern,
    QuantConv2d: _weights,
    QuantLinear: _weights,
    GlobalPool2d: _pool,
    AveragePool2d: _average,
}
