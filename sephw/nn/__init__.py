"""Quantization-aware modules of pattern networks, built on Brevitas."""

from sephw.nn.binarize import BinarizedNetwork, BinarizeTable, LayerBits, binarize
from sephw.nn.blocks import ConvBlock, PatternBlock, PatternResidualBlock, SEPModule
from sephw.nn.freeze import DeployNetwork, LayerBudget, freeze
from sephw.nn.googlenet import GoogLeNet
from sephw.nn.inception import Inception
from sephw.nn.layers import (
    AveragePool2d,
    Concat,
    GlobalPool2d,
    PatternConv2d,
    PointwiseConv2d,
    QuantConv2d,
    QuantLinear,
    QuantReLU,
)
from sephw.nn.prbnet import PRBNet
from sephw.nn.resnet import ResNet
from sephw.nn.sepnet import SEPNet
from sephw.nn.stage import Patterns, Stage
from sephw.nn.transition import to_stage

__all__ = [
    "AveragePool2d",
    "BinarizeTable",
    "BinarizedNetwork",
    "Concat",
    "ConvBlock",
    "DeployNetwork",
    "GlobalPool2d",
    "GoogLeNet",
    "Inception",
    "LayerBits",
    "LayerBudget",
    "PRBNet",
    "PatternBlock",
    "PatternConv2d",
    "PatternResidualBlock",
    "Patterns",
    "PointwiseConv2d",
    "QuantConv2d",
    "QuantLinear",
    "QuantReLU",
    "ResNet",
    "SEPModule",
    "SEPNet",
    "Stage",
    "binarize",
    "freeze",
    "to_stage",
]
