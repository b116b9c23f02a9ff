"""The paper's blocks: pattern residual block and SEP-Net module (arXiv 1706.03912)."""

from __future__ import annotations

from torch import Tensor, nn

from sephw.nn.layers import PatternConv2d, PointwiseConv2d, QuantConv2d, QuantReLU


class ConvBlock(nn.Module):
    """8-bit convolution, batch norm, quantized ReLU: stems, transitions, reduce."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 1,
        stride: int = 1,
        groups: int = 1,
        activation_bits: int = 8,
    ) -> None:
        super().__init__()
        self.conv: QuantConv2d = (
            PointwiseConv2d(in_channels, out_channels, stride, groups)
            if kernel_size == 1
            else QuantConv2d(
                in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups
            )
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = QuantReLU(activation_bits)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.conv(x)))


class PatternBlock(nn.Module):
    """Pattern convolution ("same" padding), batch norm, quantized ReLU; kernels may be 1×k."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int] = 3,
        stride: int = 1,
        groups: int = 1,
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else kernel_size
        padding = (size[0] // 2, size[1] // 2)
        self.pattern = PatternConv2d(
            in_channels, out_channels, size, stride, padding, groups, scale_bits
        )
        self.norm = nn.BatchNorm2d(out_channels)
        self.act = QuantReLU(activation_bits)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.norm(self.pattern(x)))


class PatternResidualBlock(nn.Module):
    """PRB(x) = act(pattern(x) + pointwise(x)): both branches see the same input and stride.

    The pointwise branch has `groups` groups as well, or `pointwise_groups` where that is given.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int = 3,
        stride: int = 1,
        groups: int = 1,
        activation_bits: int = 8,
        scale_bits: int = 4,
        pointwise_groups: int | None = None,
    ) -> None:
        super().__init__()
        self.pattern = PatternConv2d(
            in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups, scale_bits
        )
        self.pattern_norm = nn.BatchNorm2d(out_channels)
        self.pointwise = PointwiseConv2d(
            in_channels,
            out_channels,
            stride,
            groups if pointwise_groups is None else pointwise_groups,
        )
        self.pointwise_norm = nn.BatchNorm2d(out_channels)
        self.act = QuantReLU(activation_bits)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.pattern_norm(self.pattern(x)) + self.pointwise_norm(self.pointwise(x)))


class SEPModule(nn.Module):
    """Reduce C→C/2, PRB C/2→C/2, PRB C/2→C/4, recover C/4→C, add the module's input.

    Groups apply to the pattern residual blocks; reduce and recover have one group. One quantized
    ReLU follows the skip add (activations are unsigned in hardware).
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        groups: int = 4,
        activation_bits: int = 8,
        scale_bits: int = 4,
    ) -> None:
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.reduce = ConvBlock(channels, half, activation_bits=activation_bits)
        self.prb1 = PatternResidualBlock(
            half, half, kernel_size, 1, groups, activation_bits, scale_bits
        )
        self.prb2 = PatternResidualBlock(
            half, quarter, kernel_size, 1, groups, activation_bits, scale_bits
        )
        self.recover = PointwiseConv2d(quarter, channels)
        self.recover_norm = nn.BatchNorm2d(channels)
        self.act = QuantReLU(activation_bits)

    def forward(self, x: Tensor) -> Tensor:
        y = self.prb2(self.prb1(self.reduce(x)))
        return self.act(self.recover_norm(self.recover(y)) + x)
