"""Float torch networks in the spellings people use, for binarize."""

import torch
import torch.nn.functional as functional
from torch import nn


class BasicBlock(nn.Module):
    """As in torchvision: one ReLU module used twice, `+=`."""

    def __init__(self, inputs, outputs, stride=1, kernel=3):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride > 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(outputs),
            )

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += x if self.downsample is None else self.downsample(x)
        return self.relu(y)


class TorchResNet(nn.Module):
    """ResNet-(6n + 2) for CIFAR, in plain torch."""

    def __init__(self, n=3, widths=(16, 32, 64), classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        blocks, before = [], widths[0]
        for index, width in enumerate(widths):
            for position in range(n):
                blocks.append(BasicBlock(before, width, 2 if index and not position else 1))
                before = width
        self.layers = nn.Sequential(*blocks)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.avgpool(self.layers(x))
        return self.fc(x.view(x.size(0), -1))


class Branchy(nn.Module):
    """Concatenation with an average-pool branch that is not followed by a convolution."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 5, 2, 2)
        self.a, self.b = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 6, (1, 7), padding=(0, 3))
        self.bn = nn.BatchNorm2d(6)
        self.pool = nn.AvgPool2d(3, 1, 1)
        self.c = nn.Conv2d(18, 12, 3, padding="same", groups=2)
        self.d = nn.Conv2d(18, 12, 1)
        self.drop = nn.Dropout(0.3)
        self.fc1, self.fc2 = nn.Linear(12, 9), nn.Linear(9, 5)

    def forward(self, x):
        x = functional.max_pool2d(torch.relu(self.stem(x)), 3, 2, 1)
        y = torch.cat([self.a(x).relu(), functional.relu(self.bn(self.b(x))), self.pool(x)], 1)
        y = functional.relu(self.c(y)).add(functional.relu(self.d(y)))
        y = self.drop(functional.relu(y).mean([2, 3]))
        return self.fc2(functional.relu(self.fc1(torch.flatten(y, 1))))


class Plain(nn.Module):
    """VGG-like: biases, no batch norm, the classifier a 1×1 convolution before the pool."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.AvgPool2d(2),
            nn.Conv2d(8, 4, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(4, 3, 1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d((1, 1)),
            nn.Flatten(),
        )

    def forward(self, x):
        return self.features(x)
