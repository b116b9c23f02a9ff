"""The effect of binarization on each layer, in bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from sephw.nn.layers import PatternConv2d
from sephw.nn.stage import Stage


@dataclass(frozen=True)
class LayerBits:
    """One layer: its path, its class, its weights and the bits each takes.

    Biases count where they are weights: not those of patterns, which go into the requantization.
    """

    layer: str
    kind: str
    parameters: int
    bits_before: int
    bits_after: int

    @property
    def compression(self) -> float:
        """Bits before over bits after."""
        return self.bits_before / self.bits_after


@dataclass(frozen=True)
class BinarizeTable:
    """Every convolution and linear layer, in the order of the network; `str()` prints it."""

    rows: tuple[LayerBits, ...]

    @property
    def parameters(self) -> int:
        """The number of weights."""
        return sum(row.parameters for row in self.rows)

    @property
    def patterns(self) -> int:
        """The number of 1-bit weights."""
        return sum(row.parameters for row in self.rows if row.bits_after == 1)

    @property
    def bits_before(self) -> int:
        """Bits of all weights before."""
        return sum(row.parameters * row.bits_before for row in self.rows)

    @property
    def bits_after(self) -> int:
        """Bits of all weights after."""
        return sum(row.parameters * row.bits_after for row in self.rows)

    @property
    def compression(self) -> float:
        """Bits before over bits after, of the whole network."""
        return self.bits_before / self.bits_after

    def __str__(self) -> str:
        cells = [("layer", "kind", "parameters", "bits before", "after", "compression")]
        for row in self.rows:
            cells.append(
                (
                    row.layer,
                    row.kind,
                    f"{row.parameters:,}",
                    str(row.bits_before),
                    str(row.bits_after),
                    f"{row.compression:.1f}",
                )
            )
        cells.append(
            (
                "total",
                f"{self.patterns:,} patterns",
                f"{self.parameters:,}",
                f"{self.bits_before:,}",
                f"{self.bits_after:,}",
                f"{self.compression:.1f}",
            )
        )
        widths = [max(len(line[column]) for line in cells) for column in range(6)]
        lines = []
        for line in cells:
            left = [line[column].ljust(widths[column]) for column in (0, 1)]
            right = [line[column].rjust(widths[column]) for column in range(2, 6)]
            lines.append("  ".join(left + right))
        return "\n".join(lines)


def bits_table(network: Any, stage: Stage) -> BinarizeTable:
    """The table of a network in the layers of `sephw.nn` as it is in ``stage``; float32 before.

    Patterns take 1 bit; everything else 8 bits in stage BQ and 32 before. Biases that folding
    made are not counted.
    """
    rows = []
    for name, module in network.named_modules():
        if not isinstance(module, nn.Conv2d | nn.Linear):
            continue
        pattern = isinstance(module, PatternConv2d)
        count = module.weight.numel()
        if network.stage is not Stage.BQ or isinstance(module, nn.Linear):
            bias = getattr(module, "bias", None)
            count += bias.numel() if bias is not None and not pattern else 0
        after = 1 if pattern else 8 if stage is Stage.BQ else 32
        rows.append(LayerBits(name, type(module).__name__, count, 32, after))
    return BinarizeTable(tuple(rows))
