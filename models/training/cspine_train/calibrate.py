"""Makes a study's probabilities true to the validation split.

Training draws fractured slices far too often, and a study's probability is taken from its most suspicious slices. So
the slice's fracture logit `z` becomes `scale * z + offset` inside the graph, with the two numbers for which the
probabilities of levels and studies, combined as the program does, have the least log loss on the validation split
(Platt, Advances in Large Margin Classifiers 1999:61, but through the aggregation).
"""

from dataclasses import asdict, dataclass

import numpy as np

from .aggregate import AGGREGATIONS, combine
from .metrics import area_under_curve

LEAST_STUDIES = 8
"""With fewer validation studies of each kind, broken and sound, nothing can be fitted."""

FINENESS = 3
"""Rounds of the search, each a quarter as wide as the one before."""

STEPS = np.linspace(-1.0, 1.0, 7)
"""Places that each round tries, for each of the two numbers."""


@dataclass(frozen=True)
class Scores:
    """What the uncalibrated graph says about a validation study."""

    vertebra: np.ndarray
    """`[S, 7]`, probabilities."""
    logits: np.ndarray
    """`[S, 7]`, of fractures."""
    positions_mm: np.ndarray
    """`[S]`, towards the head."""
    truth: np.ndarray
    """`[8]`: overall, C1 to C7."""


@dataclass(frozen=True)
class Calibration:
    """What the exported graph and the manifest take from the validation split."""

    aggregation: str
    reason: str
    """Why this aggregation."""
    scale: float
    offset: float
    studies: int
    """Validation studies that were fitted to; 0 where there were too few."""

    def to_dict(self) -> dict:
        """The fields as plain values."""
        return asdict(self)


def calibrate(studies: list[Scores], prior_shift: float) -> Calibration:
    """Chooses the aggregation with the smaller log loss, with its pair: a proper score, which pays for a wrong order of studies and
    for a wrong number alike; between equals the larger sum of overall and level AUC.

    Without enough validation studies only the training's known `prior_shift` is undone.
    """
    broken = sum(study.truth[0] > 0.5 for study in studies)
    if min(broken, len(studies) - broken) < LEAST_STUDIES:
        reason = f"not chosen: fewer than {LEAST_STUDIES} broken or sound validation studies"
        return Calibration("visible-top-mean", reason, 1.0, prior_shift, 0)
    best = None
    for name in AGGREGATIONS:
        scale, offset, loss = fit(studies, name, prior_shift)
        truth, score = tables(studies, name, scale, offset)
        areas = [area_under_curve(truth[:, :1][~np.isnan(score[:, :1])], score[:, :1][~np.isnan(score[:, :1])])]
        seen = ~np.isnan(score[:, 1:])
        areas.append(area_under_curve(truth[:, 1:][seen], score[:, 1:][seen]))
        rank = (-round(loss, 3), sum(area or 0.0 for area in areas))
        if best is None or rank > best[0]:
            best = (rank, name, scale, offset)
    reason = f"smaller log loss on {len(studies)} validation studies"
    return Calibration(best[1], reason, round(best[2], 4), round(best[3], 4), len(studies))


def fit(studies: list[Scores], aggregation: str, prior_shift: float) -> tuple[float, float, float]:
    """Scale, offset and the log loss that they reach, by a search that narrows."""
    middle, width = np.array([0.0, prior_shift]), np.array([1.4, 5.0])  # logarithm of the scale; offset
    best = np.inf
    for _ in range(FINENESS):
        found = middle
        for by_scale in STEPS:
            for by_offset in STEPS:
                place = middle + width * (by_scale, by_offset)
                loss = log_loss(*tables(studies, aggregation, float(np.exp(place[0])), float(place[1])))
                if loss < best:
                    best, found = loss, place
        middle, width = found, width / 4
    return float(np.exp(middle[0])), float(middle[1]), float(best)


def tables(studies: list[Scores], aggregation: str, scale: float, offset: float) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probability, `[N, 8]` each, as the program would combine calibrated slices."""
    scores = []
    for study in studies:
        fracture = 1.0 / (1.0 + np.exp(-np.clip(study.logits.astype(np.float64) * scale + offset, -60, 60)))
        scores.append(combine(study.vertebra, fracture, study.positions_mm, aggregation))
    return np.stack([study.truth for study in studies]).astype(np.float64), np.stack(scores)


def log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    """Mean log loss of the seen levels plus that of the studies."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    losses = -(truth * np.log(p) + (1 - truth) * np.log(1 - p))
    parts = (losses[:, 0][~np.isnan(p[:, 0])], losses[:, 1:][~np.isnan(p[:, 1:])])
    return float(sum(part.mean() for part in parts if part.size))
