"""Parameters and bytes of every named network beside the paper's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sephw.networks import NETWORK_NAMES, make_network

MEGA = 1e6


@dataclass(frozen=True)
class PaperSize:
    """The paper's figures of a model: parameters in millions, MB (10^6 bytes), ImageNet top-1.

    None where it states nothing.
    """

    parameters: float | None = None
    r: float | None = None
    b: float | None = None
    bq: float | None = None
    top1: tuple[float | None, float | None, float | None] = (None, None, None)


@dataclass(frozen=True)
class NetworkSize:
    """One network, counted: weights, and the bytes they take in each stage.

    `constants`: biases and pattern scales that folding the batch norms makes; they are in
    hardware but in no figure of the paper.
    """

    network: str
    parameters: int
    patterns: int
    bytes_r: int
    bytes_b: int
    bytes_bq: int
    constants: int


# arXiv 1706.03912, table of small networks.
PAPER: Mapping[str, PaperSize] = {
    "SqueezeNet": PaperSize(1.2, 4.8, top1=(60.4, None, None)),
    "MobileNet (small)": PaperSize(1.3, 5.2, top1=(63.7, None, None)),
    "SEP-Net (small)": PaperSize(1.3, 5.2, 4.2, 1.3, top1=(65.8, 63.7, 63.5)),
}
# Which of the paper's models a network here reconstructs.
BESIDE: Mapping[str, str] = {"SEPNet-1.3M": "SEP-Net (small)"}
DEFAULT = tuple(name for name in NETWORK_NAMES if name not in ("SEPNet", "ResNet"))


def network_size(name: str, arguments: Mapping[str, Any] | None = None) -> NetworkSize:
    """Build the network, move it through the stages, and count the tensors it then holds.

    Batch norms are not counted: they fold into what is.
    """
    import numpy as np
    from torch import nn

    from sephw.nn import PatternConv2d, to_stage

    network = make_network(name, arguments or {})
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    float_bytes = {id(m): m.weight.detach().numpy().nbytes for m in layers}
    bias_numbers = {id(m): 0 if m.bias is None else m.bias.numel() for m in layers}
    parameters = sum(m.weight.numel() for m in layers) + sum(bias_numbers.values())
    to_stage(network, "BQ")
    patterns = binary = eight = others = constants = 0
    for layer in layers:
        biases = bias_numbers[id(layer)]
        if isinstance(layer, PatternConv2d):
            signs = layer.patterns().numpy()
            patterns += signs.size
            binary += np.packbits(signs > 0).nbytes
            constants += layer.pattern_scale.numel() + layer.pattern_bias.numel()
        else:
            weights: Any = layer
            quantized = weights.quant_weight()
            integers = np.rint((quantized.value / quantized.scale).detach().numpy())
            eight += integers.astype(np.int8).nbytes + biases
            others += float_bytes[id(layer)] + 4 * biases
            constants += (0 if layer.bias is None else layer.bias.numel()) - biases
    total = sum(float_bytes.values()) + 4 * sum(bias_numbers.values())
    return NetworkSize(
        name, parameters, patterns, total, binary + others, binary + eight, constants
    )


def table(sizes: list[NetworkSize]) -> str:
    """The sizes and the paper's own rows as aligned text."""
    rows: list[tuple[str, ...]] = [
        ("network", "parameters", "1-bit", "R MB", "B MB", "BQ MB", "R/BQ", "constants")
    ]
    for size in sizes:
        rows.append(
            (
                size.network,
                f"{size.parameters:,}",
                f"{size.patterns:,}",
                f"{size.bytes_r / MEGA:.2f}",
                f"{size.bytes_b / MEGA:.2f}",
                f"{size.bytes_bq / MEGA:.2f}",
                f"{size.bytes_r / size.bytes_bq:.1f}",
                f"{size.constants:,}",
            )
        )
        if size.network in BESIDE:
            rows.append(_paper_row(f"  paper: {BESIDE[size.network]}", PAPER[BESIDE[size.network]]))
    used = {BESIDE[size.network] for size in sizes if size.network in BESIDE}
    rows += [_paper_row(f"paper: {name}", PAPER[name]) for name in PAPER if name not in used]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def _paper_row(label: str, size: PaperSize) -> tuple[str, ...]:
    def text(value: float | None) -> str:
        return "" if value is None else f"{value:.1f}"

    millions = "" if size.parameters is None else f"{size.parameters:.1f}M"
    ratio = "" if size.r is None or size.bq is None else f"{size.r / size.bq:.1f}"
    return (label, millions, "", text(size.r), text(size.b), text(size.bq), ratio, "")
