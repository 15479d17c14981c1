"""The original system's network and loss, as the configuration that ours is measured against.

A course project on the RSNA 2022 set: EfficientNetV2-S on slices of 384 x 384 with two outputs of seven, which
vertebrae the slice shows and which are fractured, trained together with OneCycle Adam at 1e-4 for 100 epochs; its report
gives a loss of 0.542 in training and 0.579 in testing. Not taken over: its weights began at ImageNet's, which are not to
be had here, and its slices were scaled from their own minimum to their own maximum, where the program has a fixed window.
"""

import timm
import torch
import torch.nn.functional as functional
from torch import nn

from . import LEVELS
from .data import Batch
from .model import DEVIATION, MEAN, Calibrated, Logits, ModelConfig

RATE = 1e-4
"""Peak of the OneCycle schedule."""

POSITIVE_WEIGHT = 2.0
OVERALL_WEIGHT = 7.0
"""Weight of the slice's overall probability; a level weighs 1. Divided by their sum, 14."""

FRACTURE_WEIGHT = 2.0
"""Weight of the fracture loss against that of the vertebrae."""


class OriginalNetwork(Calibrated):
    """uint8 `[N, 3, size, size]` to `vertebra` and `fracture`, probabilities `[N, 7]`."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.backbone = timm.create_model(config.backbone, pretrained=False, num_classes=0, pad_type="")
        self.vertebra_head = nn.Linear(self.backbone.num_features, len(LEVELS))
        self.fracture_head = nn.Linear(self.backbone.num_features, len(LEVELS))

    def logits(self, images: torch.Tensor) -> Logits:
        """What the network says about images `[N, 3, size, size]`, 0 to 1; it has no maps."""
        features = self.backbone((images - MEAN) / DEVIATION)
        return Logits(self.vertebra_head(features).float(), self.fracture_head(features).float(), None, None, None)

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The deployed function: what the exported graph computes."""
        said = self.logits(image.to(torch.float32) / 255.0)
        return torch.sigmoid(said.vertebra), torch.sigmoid(said.fracture * self.scale + self.offset)


def losses(said: Logits, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """The vertebrae's binary cross-entropy and the weighted one of the fractures (before its factor 2).

    The fracture target of a level is the study's label where the slice shows the level, else 0. The slice's overall
    target is their maximum, its probability `1 - prod (1 - p_i)`; positives weigh twice. Slices without a segmentation
    have no part in it.
    """
    known = batch.segmented
    if not known.any():
        nothing = said.vertebra.sum() * 0.0
        return nothing, nothing
    visible, fracture = batch.visible[known], batch.study[known] * batch.visible[known]
    vertebra = functional.binary_cross_entropy_with_logits(said.vertebra[known], visible)
    logits = said.fracture[known]
    by_level = functional.binary_cross_entropy_with_logits(logits, fracture, reduction="none")
    by_level = by_level * (1.0 + (POSITIVE_WEIGHT - 1.0) * fracture)
    # ln prod (1 - p_i), from which the logarithm of the other side follows.
    none = -functional.softplus(logits).sum(1)
    overall = fracture.amax(1)
    some = torch.log(-torch.expm1(none.clamp(max=-1e-6)))
    of_slice = -(POSITIVE_WEIGHT * overall * some + (1.0 - overall) * none)
    weighted = (by_level.sum(1) + OVERALL_WEIGHT * of_slice) / (len(LEVELS) + OVERALL_WEIGHT)
    return vertebra, weighted.mean()
