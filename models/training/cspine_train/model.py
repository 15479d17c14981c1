"""The network: an EfficientNetV2 that ends in two maps, where which level lies and where bone is broken.

A break looks much the same at C3 and at C6, and few of either are seen. So one map of breaks is learnt for all levels,
with a small correction for each, and the map of levels says whose break it is: `P(level i is broken here) = P(broken)
P(level i)`. Everything that a slice says is a smooth maximum of a map, so the maps show exactly what the probabilities
rest on.
"""

import math
from dataclasses import asdict, dataclass
from typing import NamedTuple

import timm
import torch
import torch.nn.functional as functional
from torch import nn

from . import LEVELS, TrainingError
from .labels import SIZE_STEP

MEAN, DEVIATION = 0.35, 0.3
"""Normalisation of the window's 0 to 1: water lies at 0.3, dense bone near 1."""

REDUCTIONS = (2, 4, 8, 16, 32)
"""Pixels per cell after each stage of the backbone."""

FLOOR = -12.0
"""Least logit of the activation map: nothing is told apart below a probability of 6 in a million."""


@dataclass(frozen=True)
class ModelConfig:
    """Everything that the network's shape depends on."""

    size: int = 128
    """Rows and columns of the input: those of the arrays."""
    backbone: str = "tf_efficientnetv2_b0"
    coarsest: int = 16
    """Pixels per cell after the last stage that is used: 16, or 32 for all of the backbone."""
    cell: int = 8
    """Edge of an activation map's cell in input pixels: 8 or 16."""
    neck: int = 96
    """Channels of the map's features."""
    sharpness: float = 4.0
    """How close the smooth maximum is to the maximum."""
    drop_path: float = 0.05
    dropout: float = 0.1
    original: bool = False
    """The original system's network (`original`): two linear heads, no maps; of this, only `size` and `backbone` count."""

    def __post_init__(self):
        if self.size % SIZE_STEP:
            raise TrainingError(f"input size {self.size}: a multiple of {SIZE_STEP} is needed")
        if self.cell not in (8, 16) or self.coarsest not in (16, 32):
            raise TrainingError(f"cell {self.cell}, coarsest {self.coarsest}: use 8 or 16, and 16 or 32")

    @property
    def grid(self) -> int:
        """Rows and columns of the activation map."""
        return self.size // self.cell

    def to_dict(self) -> dict:
        """The fields as plain values."""
        return asdict(self)


class Logits(NamedTuple):
    """What the network says about `N` slices, as logits; grid `g`."""

    vertebra: torch.Tensor
    """Whether the slice shows the level, `[N, 7]`."""
    fracture: torch.Tensor
    """Whether it shows a fracture of it, `[N, 7]`."""
    activation: torch.Tensor | None
    """Where, `[N, 7, g, g]`; `None`, like the maps below, for a network without maps."""
    level_map: torch.Tensor | None
    """Where the level's bone lies, `[N, 7, g, g]`."""
    break_map: torch.Tensor | None
    """Where bone would be broken if it were of this level, `[N, 7, g, g]`."""


def smooth_maximum(maps: torch.Tensor, sharpness: float) -> torch.Tensor:
    """`log(mean(exp(r z))) / r` over the last two axes: between the mean (r to 0) and the maximum (r to infinity).

    It never exceeds the largest value. Written with the maximum taken out, so that `exp` cannot overflow.
    """
    flat = maps.flatten(-2)
    largest = flat.amax(-1, keepdim=True)
    return largest.squeeze(-1) + torch.log(torch.exp((flat - largest) * sharpness).mean(-1)) / sharpness


def both(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The logit of the product of two probabilities that are given as logits.

    `1/p - 1 = e^-a + e^-b + e^-(a+b)`; its logarithm, written with the largest exponent taken out. Logits below `FLOOR`
    count as `FLOOR`.
    """
    a, b = (-logit.clamp(FLOOR, -FLOOR) for logit in (first, second))
    largest = torch.maximum(torch.maximum(a, b), a + b)
    return -(largest + torch.log(torch.exp(a - largest) + torch.exp(b - largest) + torch.exp(a + b - largest)))


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, where asked, SiLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 1, groups: int = 1, activate: bool = True):
        layers = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=False)]
        layers.append(nn.BatchNorm2d(outputs))
        super().__init__(*layers, *([nn.SiLU()] if activate else []))


class Calibrated(nn.Module):
    """A network whose fracture logits a calibration scales and moves."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.ones(()))
        self.register_buffer("offset", torch.zeros(()))

    def calibrate(self, scale: float, offset: float) -> None:
        """Lets the deployed function give `scale * logit + offset` for fractures: of the slice, and of each place."""
        with torch.no_grad():
            self.scale.fill_(scale)
            self.offset.fill_(offset)


class Network(Calibrated):
    """uint8 `[N, 3, size, size]` to `vertebra` `[N, 7]`, `fracture` `[N, 7]` (probabilities), `activation`
    `[N, 7, grid, grid]` (fracture logits per place) and `features` `[N, neck]`."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        first, last = REDUCTIONS.index(config.cell), REDUCTIONS.index(config.coarsest)
        # pad_type "": symmetric padding, a plain attribute of the convolution; TensorFlow's would stay in the graph as
        # chains of Shape and Pad. There are no pretrained weights that need it.
        self.backbone = timm.create_model(
            config.backbone,
            pretrained=False,
            features_only=True,
            out_indices=tuple(range(first, last + 1)),
            pad_type="",
            drop_path_rate=config.drop_path,
        )
        # timm keeps, and runs, stages whose outputs nobody takes.
        used = max(item["stage"] for item in self.backbone.feature_info.get_dicts())
        self.backbone.blocks = self.backbone.blocks[:used]
        channels = self.backbone.feature_info.channels()
        self.laterals = nn.ModuleList(ConvNorm(count, config.neck, activate=False) for count in channels)
        self.mix = nn.Sequential(
            nn.SiLU(),
            ConvNorm(config.neck, config.neck, kernel=3, groups=config.neck),
            ConvNorm(config.neck, config.neck),
        )
        self.level_head = nn.Conv2d(config.neck, len(LEVELS), 1)
        self.break_head = nn.Conv2d(config.neck, 1, 1)
        self.correction = nn.Conv2d(config.neck, len(LEVELS), 1, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        # Not among the weights: the export alone sets them.
        self.register_buffer("feature_mean", torch.zeros(config.neck), persistent=False)
        self.register_buffer("whitening", torch.eye(config.neck), persistent=False)
        nn.init.zeros_(self.correction.weight)
        for head, rate in ((self.level_head, 0.03), (self.break_head, 0.05)):
            nn.init.normal_(head.weight, std=0.01)
            nn.init.constant_(head.bias, math.log(rate / (1 - rate)))

    def logits(self, images: torch.Tensor) -> Logits:
        """What the network says about images `[N, 3, size, size]`, 0 to 1, before calibration."""
        return self._said(self.dropout(self._merged(images)))

    def whiten(self, mean: torch.Tensor, matrix: torch.Tensor) -> None:
        """Lets the deployed function give features less `mean` `[neck]`, times `matrix` `[neck, neck]`."""
        self.feature_mean.copy_(mean)
        self.whitening.copy_(matrix)

    def _merged(self, images: torch.Tensor) -> torch.Tensor:
        """Features of the map's cells, `[N, neck, grid, grid]`."""
        features = self.backbone((images - MEAN) / DEVIATION)
        merged = self.laterals[-1](features[-1])
        for feature, lateral in zip(features[-2::-1], self.laterals[-2::-1]):
            merged = functional.interpolate(merged, scale_factor=2.0, mode="nearest") + lateral(feature)
        return self.mix(merged)

    def _said(self, merged: torch.Tensor) -> Logits:
        """What the heads make of features."""
        level_map = self.level_head(merged).float()
        break_map = (self.break_head(merged) + self.correction(merged)).float()
        activation = both(level_map, break_map)
        sharpness = self.config.sharpness
        vertebra = smooth_maximum(level_map, sharpness)
        return Logits(vertebra, smooth_maximum(activation, sharpness), activation, level_map, break_map)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """The deployed function: what the exported graph computes. Its last output is `features` `[N, neck]`, the mean
        over the bone of the levels."""
        merged = self._merged(image.to(torch.float32) / 255.0)
        said = self._said(self.dropout(merged))
        fracture = torch.sigmoid(said.fracture * self.scale + self.offset)
        bone = torch.sigmoid(said.level_map).amax(1, keepdim=True)
        features = (merged * bone).sum((2, 3)) / (bone.sum((2, 3)) + 1e-3)
        features = (features - self.feature_mean) @ self.whitening
        return torch.sigmoid(said.vertebra), fracture, said.activation * self.scale + self.offset, features
