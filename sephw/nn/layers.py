"""Quantization-aware layers: one class each, moved from stage to stage in place."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from sephw.nn.geometry import Size, padding_fault
from sephw.nn.quantizers import PatternWeight, PowerOfTwoActivation, PowerOfTwoWeight
from sephw.nn.stage import Patterns, Stage


class StagedLayer:
    """The interface of this package's layers beyond a torch module."""

    def set_stage(self, stage: Stage, patterns: Patterns) -> None:
        """Switch quantization on or off for ``stage``."""
        raise NotImplementedError

    def absorb(self, norm: nn.BatchNorm2d) -> None:
        """Take over a batch norm's scale and shift (running statistics) before stage BQ."""
        raise NotImplementedError


def norm_scale_shift(norm: nn.BatchNorm2d) -> tuple[Tensor, Tensor]:
    """Scale γ/√(σ²+ε) and shift β − μ·scale of a batch norm in evaluation, float64 (C,)."""
    if norm.running_var is None or norm.running_mean is None:
        raise ValueError("batch norm without running statistics cannot be folded")
    variance, mean = norm.running_var.double(), norm.running_mean.double()
    gamma = norm.weight.double() if norm.affine else torch.ones_like(mean)
    beta = norm.bias.double() if norm.affine else torch.zeros_like(mean)
    scale = gamma / torch.sqrt(variance + norm.eps)
    return scale, beta - mean * scale


def _check_padding(kernel: Size, padding: Size) -> None:
    fault = padding_fault(kernel, padding)
    if fault is not None:
        raise ValueError(fault)


def round_to_mantissa(scale: Tensor, bits: int) -> Tensor:
    """Nearest M·2^-p with |M| < 2^bits, elementwise, straight-through gradient.

    With bits = 1 the result is a power of two. Zero stays zero.
    """
    magnitude = scale.detach().abs().double()
    exponent = torch.floor(torch.log2(torch.clamp(magnitude, min=2.0**-60))) - (bits - 1)
    step = torch.exp2(exponent)
    rounded = torch.sign(scale.detach()) * torch.round(magnitude / step) * step
    return scale + (rounded.to(scale.dtype) - scale).detach()


class PatternConv2d(qnn.QuantConv2d, StagedLayer):
    """k×k convolution (k > 1) whose filters become 1-bit patterns.

    Stage R: float weights. Stage B: α·sign(W), α = mean|W| per filter. Stage BQ: sign(W), a
    per-channel scale M·2^-p with ``scale_bits`` mantissa bits (α and the batch norm's scale), and
    a bias (``bias`` asks for one in R and B as well; a batch norm that follows makes it needless).
    Input (N, C, H, W) float32, output (N, out_channels, H', W').

    Raises ValueError for a 1×1 kernel, which stays 8-bit (``PointwiseConv2d``), and for a padding
    that is not less than the kernel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        groups: int = 1,
        scale_bits: int = 4,
        bias: bool = False,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            groups=groups,
            bias=bias,
            weight_quant=PatternWeight,
        )
        if self.kernel_size[0] * self.kernel_size[1] == 1:
            raise ValueError("a pattern needs k > 1; use PointwiseConv2d for 1×1 convolutions")
        _check_padding(self.kernel_size, padding)
        if not 1 <= scale_bits <= 8:
            raise ValueError(f"scale_bits={scale_bits} is outside 1..8")
        self.scale_bits = scale_bits
        self.deploying = False
        self.register_parameter("pattern_scale", None)
        self.register_parameter("pattern_bias", None)
        self.set_stage(Stage.R, Patterns.FROZEN)

    def set_stage(self, stage: Stage, patterns: Patterns) -> None:
        self.weight_quant.disable_quant = stage is Stage.R
        trains_weight = stage is Stage.R or (
            stage is Stage.B and patterns is Patterns.STRAIGHT_THROUGH
        )
        self.weight.requires_grad_(trains_weight)
        if stage is Stage.BQ and not self.deploying:
            self.deploying = True
            alpha = self.weight.detach().double().abs().mean(dim=(1, 2, 3))
            self.pattern_scale = nn.Parameter(alpha.to(self.weight.dtype))
            bias = self._parameters.get("bias")
            start = torch.zeros_like(self.pattern_scale) if bias is None else bias.detach().clone()
            self.pattern_bias = nn.Parameter(start)
            self.bias = None
            # mean|±1| is exactly 1, so the weight quantizer's α drops out from here on.
            self.weight.data = self.patterns().to(self.weight.dtype)

    def absorb(self, norm: nn.BatchNorm2d) -> None:
        scale, shift = norm_scale_shift(norm)
        with torch.no_grad():
            # In stage BQ the scale already carries α; the batch norm multiplies and shifts it.
            self.pattern_scale.copy_(self.pattern_scale.double() * scale)
            self.pattern_bias.copy_(self.pattern_bias.double() * scale + shift)

    def binarize(self, on: bool, trains_weight: bool) -> None:
        """In stage B, compute this layer with α·sign(W), or still with W (progressive training)."""
        self.weight_quant.disable_quant = not on
        self.weight.requires_grad_(trains_weight)

    def fix_alpha(self, alpha: float) -> None:
        """One given α for every filter instead of mean |W|: weights become ±``alpha``."""
        self.weight.data = self.patterns().to(self.weight.dtype) * alpha

    def patterns(self) -> Tensor:
        """The signs −1/+1 of the weights, sign(0) = +1; shape of ``weight``, int8."""
        return torch.where(self.weight.detach() < 0, -1, 1).to(torch.int8)

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        if not self.deploying:
            return y
        scale = round_to_mantissa(self.pattern_scale, self.scale_bits)
        return y * scale.view(1, -1, 1, 1) + self.pattern_bias.view(1, -1, 1, 1)


class QuantConv2d(qnn.QuantConv2d, StagedLayer):
    """k×k convolution that stays multi-bit: 8-bit weights in stage BQ (stems, transitions).

    Raises ValueError for a padding that is not less than the kernel.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride=stride,
            padding=padding,
            groups=groups,
            bias=bias,
            weight_quant=PowerOfTwoWeight,
        )
        _check_padding(self.kernel_size, padding)
        self.set_stage(Stage.R, Patterns.FROZEN)

    def set_stage(self, stage: Stage, patterns: Patterns) -> None:
        self.weight_quant.disable_quant = stage is not Stage.BQ
        if stage is Stage.BQ and self._parameters.get("bias") is None:
            self.bias = nn.Parameter(self.weight.new_zeros(self.out_channels))

    def absorb(self, norm: nn.BatchNorm2d) -> None:
        scale, shift = norm_scale_shift(norm)
        with torch.no_grad():
            self.weight.copy_(self.weight.double() * scale.view(-1, 1, 1, 1))
            self.bias.copy_(self.bias.double() * scale + shift)


class PointwiseConv2d(QuantConv2d):
    """1×1 convolution, 8-bit in stage BQ: the transforming half of a pattern network."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        stride: Size = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> None:
        super().__init__(in_channels, out_channels, 1, stride=stride, groups=groups, bias=bias)


class QuantLinear(qnn.QuantLinear, StagedLayer):
    """Linear layer, 8-bit weights in stage BQ; input (N, in_features)."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        super().__init__(in_features, out_features, bias=bias, weight_quant=PowerOfTwoWeight)
        self.set_stage(Stage.R, Patterns.FROZEN)

    def set_stage(self, stage: Stage, patterns: Patterns) -> None:
        self.weight_quant.disable_quant = stage is not Stage.BQ

    def absorb(self, norm: nn.BatchNorm2d) -> None:
        raise ValueError("a batch norm cannot follow a linear layer here")


class QuantReLU(qnn.QuantReLU, StagedLayer):
    """ReLU; in stage BQ also a ``bits``-bit unsigned quantizer with a power-of-two scale.

    The scale 2^-exponent is set by calibration when the network enters stage BQ.
    Raises ValueError for bits outside 2..8.
    """

    def __init__(self, bits: int = 8) -> None:
        if not 2 <= bits <= 8:
            raise ValueError(f"bits={bits} is outside 2..8")
        super().__init__(act_quant=PowerOfTwoActivation, bit_width=bits)
        self.bits = bits
        self.set_stage(Stage.R, Patterns.FROZEN)

    def set_stage(self, stage: Stage, patterns: Patterns) -> None:
        self.act_quant.disable_quant = stage is not Stage.BQ

    def absorb(self, norm: nn.BatchNorm2d) -> None:
        raise ValueError("a batch norm cannot follow a quantized ReLU without a convolution")

    @property
    def _scaling(self) -> Any:
        return self.act_quant.fused_activation_quant_proxy.tensor_quant.scaling_impl

    @property
    def exponent(self) -> int:
        """The exponent f of the scale 2^-f."""
        return int(self._scaling.exponent.item())

    @exponent.setter
    def exponent(self, value: int) -> None:
        self._scaling.exponent.fill_(float(value))


class GlobalPool2d(nn.Module):
    """Global pooling on the integer grid: Σ over H×W, times 2^-⌈log2(H·W)⌉.

    For H·W a power of two this is the average; otherwise the missing constant factor is learned
    by the classifier that follows. (N, C, H, W) → (N, C).
    """

    def forward(self, x: Tensor) -> Tensor:
        return torch.sum(x, dim=(2, 3)) * 2.0 ** -pool_exponent(x.shape[2] * x.shape[3])


class AveragePool2d(nn.Module):
    """k×k average pooling on the integer grid: Σ over each window, times 2^-⌈log2(k·k)⌉.

    Zeros enter at the border and count. Where k·k is a power of two this is the average, otherwise
    the average times ``gain`` < 1, which the layer that follows learns. (N, C, H, W) →
    (N, C, H', W'); the result is a fraction until a ``QuantReLU`` rounds it.
    Raises ValueError for a padding of more than half the kernel.
    """

    def __init__(self, kernel_size: int, stride: int | None = None, padding: int = 0) -> None:
        super().__init__()
        if not 0 <= padding <= kernel_size // 2:
            raise ValueError(
                f"padding={padding} of a {kernel_size}×{kernel_size} average; use at most "
                f"{kernel_size // 2}, half the kernel"
            )
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    @property
    def gain(self) -> float:
        """k·k · 2^-⌈log2(k·k)⌉: this pooling over the true average, 1/2 < gain ≤ 1."""
        pixels = self.kernel_size**2
        return pixels * 2.0 ** -pool_exponent(pixels)

    def forward(self, x: Tensor) -> Tensor:
        mean = functional.avg_pool2d(x, self.kernel_size, self.stride, self.padding)
        # Not divisor_override: the ONNX exporters drop it without a word.
        return mean * self.gain


class Concat(nn.Module):
    """Concatenation along the channels: (N, C1, H, W), (N, C2, H, W), … → (N, C1 + C2 + …, H, W).

    The quantizers whose outputs meet here share one power-of-two scale and one bit width.
    """

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, dim=1)


def pool_exponent(pixels: int) -> int:
    """⌈log2 pixels⌉."""
    return (pixels - 1).bit_length()
