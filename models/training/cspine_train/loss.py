"""What the network is asked for."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional

from .data import Batch

POSITIVE_WEIGHT = 2.0
"""Weight of a positive label, as in the RSNA 2022 competition's metric, whose positives weigh twice their negatives
(levels 2 : 1, `patient_overall` 14 : 7)."""

BOX_POSITIVE_WEIGHT = 40.0
"""Weight of a cell in a box: boxes cover about a hundredth of the map."""


def prior_shift(natural: float, drawn: float) -> float:
    """What to add to fracture logits so that they fit the rate of fractures in whole studies.

    Training draws fractured slices more often than they are (`drawn` instead of `natural`) and weighs them more; both
    raise the odds by a known factor (King and Zeng, Political Analysis 2001;9:137, section 4.1). 0 where a rate is 0
    or 1.
    """
    if not (0.0 < natural < 1.0 and 0.0 < drawn < 1.0):
        return 0.0
    return math.log(natural / (1 - natural)) - math.log(drawn / (1 - drawn)) - math.log(POSITIVE_WEIGHT)


@dataclass
class Losses:
    """The parts of the loss, each a scalar."""

    vertebra: torch.Tensor
    fracture: torch.Tensor
    box: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The sum that training reduces: fractures count twice, being what the network is for."""
        return self.vertebra + 2.0 * self.fracture + self.box


def compute(vertebra: torch.Tensor, fracture: torch.Tensor, activation: torch.Tensor, batch: Batch) -> Losses:
    """The loss of a batch, from logits `[N, 7]`, `[N, 7]` and `[N, 7, g, g]`.

    A level's map is asked about places only where the slice has a box of that level; elsewhere the slice's own label,
    through the smooth maximum, says all there is to say.
    """
    known = ~torch.isnan(batch.visible)
    visible = torch.where(known, batch.visible, 0.0)
    weight = torch.where(batch.follow, batch.weight * torch.sigmoid(vertebra).detach(), batch.weight)
    boxed = (batch.boxes.amax((2, 3), keepdim=True) > 0).float()
    return Losses(
        weighted_bce(vertebra, visible, known.float(), POSITIVE_WEIGHT),
        weighted_bce(fracture, batch.fracture, weight, POSITIVE_WEIGHT),
        weighted_bce(activation, batch.boxes, boxed.expand_as(activation), BOX_POSITIVE_WEIGHT),
    )


def weighted_bce(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, positive: float) -> torch.Tensor:
    """Mean of `w · BCE` by the weights, positives weighing `positive` times more; 0 where nothing has weight."""
    weight = weight * (1.0 + (positive - 1.0) * target)
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * weight).sum() / weight.sum().clamp_min(1e-6)
