"""Networks with random, lively parameters for tests."""

import torch
from torch import nn

from sephw.nn import QuantReLU, to_stage


def image_batch(shape, count=8, seed=0):
    """uint8 images as float (N, C, H, W)/256, with an all-0 and an all-255 image first."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 256, (count, *shape), generator=generator)
    images[0], images[1] = 0, 255
    return images.float() / 256


def enliven(network, seed=0):
    """Random batch norms (negative scales included), as training would leave them."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            with torch.no_grad():
                size = module.weight.shape
                module.weight.copy_(torch.rand(size, generator=generator) * 2 - 0.5)
                module.bias.copy_(torch.randn(size, generator=generator) * 0.5)
                module.running_mean.copy_(torch.randn(size, generator=generator) * 0.2)
                module.running_var.copy_(torch.rand(size, generator=generator) + 0.1)
    return network


def to_bq(network, images):
    """The network in stage BQ, evaluating."""
    network.eval()
    to_stage(network, "BQ", calibration=images)
    return network.eval()


class OneBlock(nn.Module):
    """A network around one block; the smallest thing that freezes."""

    def __init__(self, block, channels, size):
        super().__init__()
        from sephw.nn import Stage

        self.stage = Stage.R
        self.arguments = {"in_channels": channels, "height": size[0], "width": size[1]}
        self.block = block

    def forward(self, x):
        return self.block(x)


class JoinNetwork(OneBlock):
    """Quantizes the input, so that skips and joins are on a grid other than the input's."""

    def __init__(self, block, channels, size):
        super().__init__(block, channels, size)
        self.entry = QuantReLU()

    def forward(self, x):
        return self.block(self.entry(x))
