"""Sizes of solved adder graphs, and the factors that guess them: `sephw.ops.families.sizes`.

    python -m benchmarks.characterize_graphs [--layers N]

Prints the factors and the errors of each; solving takes some minutes, once (solutions are cached).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import numpy as np

from sephw.ir import IntType
from sephw.ops import Conv8, PatternConv
from sephw.ops.convolution import FoldedConvolution
from sephw.ops.families.sizes import signed_digits

# Solving larger ones takes too long.
MOST_PATTERNS, MOST_WEIGHTS = 6_000, 1_000
Row = dict[str, float]


def layers(count: int) -> list[FoldedConvolution]:
    """Random layers, patterns and 8-bit weights in turn."""
    rng = np.random.default_rng(7)
    found: list[FoldedConvolution] = []
    while len(found) < count:
        dtype = IntType(int(rng.choice([8, 8, 8, 4, 2])), bool(rng.random() < 0.1))
        if len(found) % 2:
            groups = int(rng.choice([1, 1, 2, 4]))
            kernel = int(rng.choice([3, 3, 2, 5]))
            inputs = groups * int(rng.choice([1, 2, 3, 4, 6, 8, 12, 16]))
            outputs = groups * int(rng.choice([2, 3, 4, 6, 8, 12, 16, 24, 32]))
            shape = (outputs, kernel**2 * inputs // groups)
            if shape[0] * shape[1] > MOST_PATTERNS:
                continue
            found.append(
                PatternConv(
                    height=8,
                    width=8,
                    in_channels=inputs,
                    out_channels=outputs,
                    kernel_height=kernel,
                    kernel_width=kernel,
                    groups=groups,
                    input_dtype=dtype,
                    patterns=2 * rng.integers(0, 2, shape) - 1,
                )
            )
            continue
        inputs = int(rng.choice([1, 2, 3, 4, 6, 8, 12, 16, 24, 32]))
        outputs = int(rng.choice([2, 4, 6, 8, 10, 12, 16, 24, 32]))
        if inputs * outputs > MOST_WEIGHTS:
            continue
        drawn = rng.normal(0, rng.choice([15, 25, 40]), (outputs, inputs))
        found.append(
            Conv8(
                height=8,
                width=8,
                in_channels=inputs,
                out_channels=outputs,
                input_dtype=dtype,
                weights=np.clip(np.rint(drawn), -127, 127).astype(np.int64),
            )
        )
    return found


def sizes(layer: FoldedConvolution) -> Row:
    """What is known of a layer before and after it is solved."""
    found = layer.adder_sizes
    rows = layer.out_channels // layer.groups
    digits = signed_digits(layer.matrix)
    return {
        "r": np.log(rows),
        "i": np.log(layer.matrix.shape[1]),
        "d": np.log(digits / layer.matrix.size),
        "groups": layer.groups,
        "in": layer.input_dtype.bits,
        "out": layer.output_type.bits,
        "adders": found.adders,
        "bits": sum(part.count * part.bits for part in found.parts),
        "registers": found.register_bits,
        "digits": found.digit_registers,
        "shifts": found.shift_bits,
        "depth": found.depth,
    }


def fit(rows: Sequence[Row]) -> None:
    """Print factors and errors."""

    def column(name: str) -> Any:
        return np.array([row[name] for row in rows])

    one, r, i = np.ones(len(rows)), column("r"), column("i")
    terms = [one, r, i, r * r, i * i, r * i, column("d")]
    adders, bits, inside, outside = (column(n) for n in ("adders", "bits", "in", "out"))
    _report("width", [inside, outside, one], bits / adders, logarithmic=False)
    _report("depth", [one, i / np.log(2), r / np.log(2)], column("depth"), logarithmic=False)
    _report("adders", terms, adders / column("groups"))
    _report("digits", terms, column("digits") / adders)
    _report("bits", [*terms, np.log(inside), np.log(outside)], column("registers") / bits)
    _report("shifts", terms, column("shifts") / adders + 0.02)


def _report(name: str, terms: Sequence[Any], target: Any, *, logarithmic: bool = True) -> None:
    matrix = np.stack(terms, axis=1)
    goal = np.log(target) if logarithmic else target
    factors = np.linalg.lstsq(matrix, goal, rcond=None)[0]
    value = np.exp(matrix @ factors) if logarithmic else matrix @ factors
    error = np.abs(value / target - 1)
    click.echo(
        f"  {name}: {[round(float(f), 4) for f in factors]}, error median "
        f"{np.median(error):.1%}, 90th percentile {np.quantile(error, 0.9):.1%}"
    )


@click.command()
@click.option("--layers", "count", default=168, show_default=True)
def main(count: int) -> None:
    solved = [layer for layer in layers(count) if layer.adder_sizes.adders]
    for kind in (PatternConv.kind, Conv8.kind):
        click.echo(kind)
        fit([sizes(layer) for layer in solved if layer.kind == kind])


if __name__ == "__main__":
    main()
