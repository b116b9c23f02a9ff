"""Quantization-aware modules of pattern networks, built on Brevitas."""

from sephw.nn.blocks import ConvBlock, PatternResidualBlock, SEPModule
from sephw.nn.freeze import DeployNetwork, LayerBudget, freeze
from sephw.nn.layers import (
    GlobalPool2d,
    PatternConv2d,
    PointwiseConv2d,
    QuantConv2d,
    QuantLinear,
    QuantReLU,
)
from sephw.nn.prbnet import PRBNet
from sephw.nn.sepnet import SEPNet
from sephw.nn.stage import Patterns, Stage
from sephw.nn.transition import to_stage

__all__ = [
    "ConvBlock",
    "DeployNetwork",
    "GlobalPool2d",
    "LayerBudget",
    "PRBNet",
    "PatternConv2d",
    "PatternResidualBlock",
    "Patterns",
    "PointwiseConv2d",
    "QuantConv2d",
    "QuantLinear",
    "QuantReLU",
    "SEPModule",
    "SEPNet",
    "Stage",
    "freeze",
    "to_stage",
]
