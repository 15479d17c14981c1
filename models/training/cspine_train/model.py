"""The network: an EfficientNetV2 whose fracture head is a map.

A slice's fracture probability is a smooth maximum of that map, so the map shows exactly what the probability rests on.
"""

import math
from dataclasses import asdict, dataclass

import timm
import torch
import torch.nn.functional as functional
from torch import nn

from . import INPUT_SIZE, LEVELS, TrainingError

MEAN, DEVIATION = 0.35, 0.3
"""Normalisation of the window's 0 to 1: water lies at 0.3, dense bone near 1."""

REDUCTIONS = (2, 4, 8, 16, 32)
"""Pixels per cell after each stage of the backbone."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything that the network's shape depends on."""

    backbone: str = "tf_efficientnetv2_b0"
    internal_size: int = INPUT_SIZE // 2
    """The graph averages its 384-pixel input down to this size: 192 or 384."""
    grid: int = 24
    """Rows and columns of the activation map: 12 or 24."""
    neck: int = 96
    """Channels of the map's features."""
    sharpness: float = 4.0
    """How close the smooth maximum is to the maximum."""
    drop_path: float = 0.05
    dropout: float = 0.1

    def __post_init__(self):
        if self.internal_size not in (INPUT_SIZE, INPUT_SIZE // 2):
            raise TrainingError(f"internal size {self.internal_size}: use {INPUT_SIZE // 2} or {INPUT_SIZE}")
        if self.grid not in (12, 24):
            raise TrainingError(f"grid {self.grid}: use 12 or 24")

    def to_dict(self) -> dict:
        """The fields as plain values."""
        return asdict(self)


def smooth_maximum(maps: torch.Tensor, sharpness: float) -> torch.Tensor:
    """`log(mean(exp(r z))) / r` over the last two axes: between the mean (r to 0) and the maximum (r to infinity).

    It never exceeds the largest value. Written with the maximum taken out, so that `exp` cannot overflow.
    """
    flat = maps.flatten(-2)
    largest = flat.amax(-1, keepdim=True)
    return largest.squeeze(-1) + torch.log(torch.exp((flat - largest) * sharpness).mean(-1)) / sharpness


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, where asked, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, groups: int = 1, activate: bool = True):
        layers = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)]
        layers.append(nn.BatchNorm2d(outputs))
        super().__init__(*layers, *([nn.SiLU()] if activate else []))


class Network(nn.Module):
    """uint8 `[N, 3, 384, 384]` to `vertebra` `[N, 7]`, `fracture` `[N, 7]` (probabilities) and `activation`
    `[N, 7, grid, grid]` (fracture logits per place)."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        first = REDUCTIONS.index(config.internal_size // config.grid)
        # pad_type "": symmetric padding, a plain attribute of the convolution; TensorFlow's would stay in the graph as
        # chains of Shape and Pad. There are no pretrained weights that need it.
        self.backbone = timm.create_model(
            config.backbone,
            pretrained=False,
            features_only=True,
            out_indices=tuple(range(first, len(REDUCTIONS))),
            pad_type="",
            drop_path_rate=config.drop_path,
        )
        channels = self.backbone.feature_info.channels()
        self.laterals = nn.ModuleList(ConvNorm(count, config.neck, activate=False) for count in channels)
        self.mix = nn.Sequential(
            nn.SiLU(),
            ConvNorm(config.neck, config.neck, kernel=3, groups=config.neck),
            ConvNorm(config.neck, config.neck),
        )
        self.fracture_head = nn.Conv2d(config.neck, len(LEVELS), 1)
        self.vertebra_head = nn.Linear(channels[-1] + config.neck, len(LEVELS))
        self.dropout = nn.Dropout(config.dropout)
        nn.init.normal_(self.fracture_head.weight, std=0.01)
        nn.init.constant_(self.fracture_head.bias, math.log(0.05 / 0.95))
        nn.init.constant_(self.vertebra_head.bias, math.log(0.2 / 0.8))

    def logits(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Images `[N, 3, size, size]`, 0 to 1, to the logits of `vertebra` and `fracture` and to `activation`."""
        features = self.backbone((images - MEAN) / DEVIATION)
        merged = self.laterals[-1](features[-1])
        for feature, lateral in zip(features[-2::-1], self.laterals[-2::-1]):
            merged = functional.interpolate(merged, scale_factor=2.0, mode="nearest") + lateral(feature)
        merged = self.mix(merged)
        pooled = torch.cat([features[-1].mean((2, 3)), merged.mean((2, 3))], 1)
        activation = self.fracture_head(self.dropout(merged)).float()
        vertebra = self.vertebra_head(self.dropout(pooled)).float()
        return vertebra, smooth_maximum(activation, self.config.sharpness), activation

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The deployed function: what the exported graph computes."""
        scaled = image.to(torch.float32) / 255.0
        if self.config.internal_size != INPUT_SIZE:
            scaled = functional.avg_pool2d(scaled, INPUT_SIZE // self.config.internal_size)
        vertebra, fracture, activation = self.logits(scaled)
        return torch.sigmoid(vertebra), torch.sigmoid(fracture), activation
