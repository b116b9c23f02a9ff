"""A checkpoint of a named network with seeded random weights, as training would leave them.

    python -m benchmarks.networks_checkpoint NETWORK FILE.pth

Batch norms get random scales and biases (negative scales included) and the running statistics of
one batch of noise in stage B; activation scales are calibrated on the same noise. A process of its
own, so that its memory is not taken for the export's.
"""

from __future__ import annotations

from pathlib import Path

import click

SEED = 0
_BATCH = {32: 64}  # images by height; larger ones:
_FEW = 4


def make(name: str, path: Path, seed: int = SEED) -> None:
    """Build `name`, enliven it, move it to BQ, write the checkpoint; deterministic."""
    import torch
    from torch import nn

    from sephw.checkpoint import Checkpoint, save_checkpoint
    from sephw.data import Preprocessing
    from sephw.networks import make_network
    from sephw.nn import to_stage

    torch.manual_seed(seed)
    network = make_network(name, {})
    generator = torch.Generator().manual_seed(seed)
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        assert norm.weight is not None and norm.bias is not None
        with torch.no_grad():
            norm.weight.copy_(torch.rand(norm.weight.shape, generator=generator) * 1.5 - 0.4)
            norm.bias.copy_(torch.randn(norm.bias.shape, generator=generator) * 0.4)
        norm.momentum = 1.0
    given = network.arguments
    height, width, channels = given["height"], given["width"], given["in_channels"]
    shape = (_BATCH.get(height, _FEW), channels, height, width)
    images = torch.randint(0, 256, shape, generator=generator).float() / 256
    to_stage(network, "B")
    network.train()
    with torch.no_grad():
        network(images)
    network.eval()
    to_stage(network, "BQ", calibration=images)
    save_checkpoint(
        path,
        Checkpoint(
            name,
            given,
            "BQ",
            network.state_dict(),
            Preprocessing(height, width, channels).as_dict(),
            metrics={"seed": seed},
        ),
    )


@click.command(help=__doc__)
@click.argument("name", metavar="NETWORK")
@click.argument("path", metavar="FILE.pth", type=click.Path(path_type=Path))
def main(name: str, path: Path) -> None:
    """Write the checkpoint."""
    make(name, path)


if __name__ == "__main__":
    main()
