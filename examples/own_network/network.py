"""A small convolutional network that says of every patch of 8 x 8 pixels which shape lies there."""

import torch
from torch import nn

# What `--mean` and `--std` say to overlay-export.
MEAN, STD = 0.5, 0.25
KINDS = ("nothing", "circle", "square", "triangle")


class ShapeNet(nn.Module):
    """Four stages; the first three halve the grid. Images (n, 3, height, width) -> logits (n, kinds, height / 8, width / 8)."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = _stage(3, 24, stride=2)
        self.stage2 = _stage(24, 48, stride=2)
        self.stage3 = _stage(48, 96, stride=2)
        self.stage4 = _stage(96, 96, stride=1)
        self.head = nn.Conv2d(96, len(KINDS), 1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of every patch."""
        return self.head(self.stage4(self.stage3(self.stage2(self.stage1(images)))))


def _stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())


def network() -> nn.Module:
    """What `overlay-export --model network.py:network` calls."""
    return ShapeNet()
