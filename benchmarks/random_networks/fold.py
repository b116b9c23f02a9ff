"""Foldings and FIFO depths of a case: drawn for each engine by its name, of all families."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.random_networks.describe import Hardware
from sephw.errors import SephwError
from sephw.ir import EngineVariant, Folding, Graph, Node, Saving, Work
from sephw.ir.folding import encode_folding
from sephw.ops.convolution import FoldedConvolution
from sephw.ops.families import Multipliers, Select, SelectChoices, WeightPlace


def folding_of(graph: Graph, hardware: Hardware) -> dict[str, Any]:
    """The content of the folding file of ``graph``, which is not folded yet; no FIFO depths."""
    nodes: dict[str, Any] = {}
    if hardware.seed is not None:
        for node in graph.nodes:
            rng = _rng(hardware.seed, node.name)
            if rng.random() < 0.5:
                nodes[node.name] = encode_folding(_drawn(node, rng))
    return {"frame_cycles": hardware.frame_cycles, "nodes": {**nodes, **hardware.nodes}}


def fifo_depths(graph: Graph, hardware: Hardware) -> dict[str, int]:
    """Depths in beats by tensor of a folded graph: drawn around what was found, and given ones."""
    depths: dict[str, int] = {}
    if hardware.fifo_seed is not None:
        for node in graph.nodes:
            for name in node.outputs:
                rng = _rng(hardware.fifo_seed, name)
                found = graph.tensors[name].fifo_depth
                if rng.random() < 0.3:
                    wanted = (1, 2, found - 1, found + 1, 2 * found, found + 17)
                    depths[name] = max(1, int(rng.choice(wanted)))
    return {**depths, **hardware.fifos}


def _rng(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _drawn(node: Node, rng: np.random.Generator) -> Folding:
    """A legal folding: first the family, then what it leaves open."""
    legal = [*node.operator.legal_foldings(), *node.operator.further_foldings()]
    families = list(dict.fromkeys(folding.engine.family for folding in legal))
    family = families[int(rng.integers(len(families)))]
    of_family = [folding for folding in legal if folding.engine.family == family]
    folding = of_family[int(rng.integers(len(of_family)))]
    if family == EngineVariant.family:
        operator = node.operator
        choices = SelectChoices()
        if isinstance(operator, FoldedConvolution):
            choices = operator.select_choices
        if rng.random() < 0.25:
            folding = _legal(node, folding, adder_levels=_one(rng, choices.adder_levels))
        if WeightPlace.STREAM in choices.weights and rng.random() < 0.2:
            folding = _legal(node, folding, weights=WeightPlace.STREAM)
            if Saving.WEIGHT_MEMORY in folding.engine.saves and rng.random() < 0.5:
                folding = _legal(node, folding, tile_pixels=_one(rng, choices.tile_pixels))
    if rng.random() < 0.2 and node.operator.work != Work():
        folding = _legal(node, folding, multipliers=Multipliers.LUT)
    return folding


def _one(rng: np.random.Generator, choices: Sequence[int]) -> int:
    return choices[int(rng.integers(len(choices)))]


def _legal(node: Node, folding: Folding, **changed: Any) -> Folding:
    """``folding`` with ``changed`` where the operator takes that, else as it is."""
    if folding.engine.family != Select.family:
        return folding
    options = folding.engine if isinstance(folding.engine, Select) else Select()
    wanted = replace(folding, engine=replace(options, **changed))
    try:
        node.operator.check_folding(wanted, node.where)
    except SephwError:
        return folding
    return wanted
