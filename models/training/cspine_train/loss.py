"""What the network is asked for."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional

from . import original
from .data import Batch
from .model import Logits

POSITIVE_WEIGHT = 2.0
"""Weight of a positive label, as in the RSNA 2022 competition's metric, whose positives weigh twice their negatives
(levels 2 : 1, `patient_overall` 14 : 7)."""

BONE_WEIGHT = 4.0
"""Weight of a cell that holds bone of the level: a thirtieth of the map or so."""

BREAK_WEIGHT = 3.0
"""Weight of a broken cell against one of whole bone."""


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
    level_map: torch.Tensor
    break_map: torch.Tensor

    @property
    def total(self) -> torch.Tensor:
        """The sum that training reduces: fractures count twice, being what the network is for; the map of levels is
        nearly empty, so that its mean is small."""
        return self.vertebra + 2.0 * self.fracture + 4.0 * self.level_map + 2.0 * self.break_map

    def values(self) -> list[float]:
        """The total and its parts, in order."""
        return [part.item() for part in (self.total, self.vertebra, self.fracture, self.level_map, self.break_map)]


def compute(said: Logits, batch: Batch, maps: bool = True) -> Losses:
    """The loss of a batch. What the batch does not know is not asked; breaks are asked for where there is bone. Without
    `maps`, only what is known of slices is learnt from."""
    if said.break_map is None:
        vertebra, fracture = original.losses(said, batch)
        nothing = torch.zeros_like(vertebra)
        return Losses(vertebra, fracture, nothing, nothing)
    known = ~torch.isnan(batch.visible)
    visible = torch.where(known, batch.visible, 0.0)
    weight = torch.where(batch.follow, batch.weight * torch.sigmoid(said.vertebra).detach(), batch.weight)
    if not maps:
        nothing = said.vertebra.new_zeros(())
        return Losses(
            weighted_bce(said.vertebra, visible, known.float(), POSITIVE_WEIGHT),
            weighted_bce(said.fracture, batch.fracture, weight, POSITIVE_WEIGHT),
            nothing,
            nothing,
        )
    segmented = batch.segmented.view(-1, 1, 1, 1).expand_as(batch.bone).float()
    return Losses(
        weighted_bce(said.vertebra, visible, known.float(), POSITIVE_WEIGHT),
        weighted_bce(said.fracture, batch.fracture, weight, POSITIVE_WEIGHT),
        weighted_bce(said.level_map, batch.bone, segmented, BONE_WEIGHT),
        weighted_bce(said.break_map, batch.broken, batch.broken_weight, BREAK_WEIGHT),
    )


def inconsistency(said: Logits, moved: Logits) -> torch.Tensor:
    """Mean squared difference of the probabilities that are said of the first slices of a batch and of the same, moved."""
    count = len(moved.vertebra)
    pairs = ((said.vertebra[:count], moved.vertebra), (said.fracture[:count], moved.fracture))
    return sum((torch.sigmoid(one.float()) - torch.sigmoid(other.float())).square().mean() for one, other in pairs)


def weighted_bce(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, positive: float) -> torch.Tensor:
    """Mean of `w · BCE` by the weights, positives weighing `positive` times more; 0 where nothing has weight."""
    weight = weight * (1.0 + (positive - 1.0) * target)
    loss = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    return (loss * weight).sum() / weight.sum().clamp_min(1e-6)
