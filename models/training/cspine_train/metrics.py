"""Measures of how good a set of predictions is. Pure functions on arrays."""

from dataclasses import dataclass

import numpy as np


def area_under_curve(truth: np.ndarray, score: np.ndarray) -> float | None:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counting half.

    `None` when one of the two classes is missing. (Mann and Whitney, Ann Math Stat 1947;18:50.)
    """
    positive = np.asarray(truth) > 0.5
    count = int(positive.sum())
    others = len(positive) - count
    if count == 0 or others == 0:
        return None
    _, inverse, sizes = np.unique(np.asarray(score), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * others))


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it reaches where it was chosen or tried."""

    threshold: float
    sensitivity: float | None
    specificity: float | None
    positives: int
    negatives: int


def at_threshold(truth: np.ndarray, score: np.ndarray, threshold: float) -> OperatingPoint:
    """Sensitivity and specificity of `score >= threshold`; `None` for a class that is missing."""
    positive = np.asarray(truth) > 0.5
    called = np.asarray(score) >= threshold
    count, others = int(positive.sum()), int((~positive).sum())
    sensitivity = float(called[positive].mean()) if count else None
    specificity = float((~called[~positive]).mean()) if others else None
    return OperatingPoint(float(threshold), sensitivity, specificity, count, others)


def best_threshold(truth: np.ndarray, score: np.ndarray) -> OperatingPoint | None:
    """The threshold with the largest sensitivity + specificity (Youden, Cancer 1950;3:32); `None` without both classes.

    It lies in the middle between two neighbouring scores; of equally good ones the most sensitive is taken.
    """
    positive = np.asarray(truth) > 0.5
    if positive.all() or not positive.any():
        return None
    values = np.unique(score)
    candidates = np.concatenate([[values[0]], (values[1:] + values[:-1]) / 2])
    points = [at_threshold(truth, score, threshold) for threshold in candidates]
    return max(points, key=lambda point: (round(point.sensitivity + point.specificity, 9), point.sensitivity))


RSNA_WEIGHTS = {"overall": (7.0, 14.0), "level": (1.0, 2.0)}
"""Weights of negatives and positives in the RSNA 2022 competition's metric (discussion/340392 of the competition)."""

RSNA_CLIP = 1e-15
"""Probabilities are clipped to this distance from 0 and 1, as in the competition's scorer."""

RSNA_RATES = (0.476, 0.072, 0.141, 0.036, 0.053, 0.080, 0.137, 0.195)
"""Part of the RSNA 2022 set's 2019 training studies that is fractured: overall, C1 to C7 (its `train.csv`)."""


def rsna_log_loss(truth: np.ndarray, probability: np.ndarray) -> float:
    """The RSNA 2022 competition's metric, for `[N, 8]` (overall, C1 to C7).

    The log losses of a study's eight labels are averaged by their weights, then the studies are averaged, as in the
    scorer that the hosts published (discussion/341854 of the competition on kaggle.com; `grade.py` in openai/mle-bench
    is a copy that clips to 1e-15). The prevalence baseline scores 0.5 to 0.65. A label without a probability (NaN)
    counts as the data set's rate of it. `cspine evaluate` computes the same numbers.
    """
    # In double precision: 1 - 1e-15 rounds to 1 in float32, and its loss to infinity.
    truth, probability = np.asarray(truth, np.float64), np.asarray(probability, np.float64)
    p = np.clip(np.where(np.isnan(probability), RSNA_RATES, probability), RSNA_CLIP, 1 - RSNA_CLIP)
    pairs = np.array([RSNA_WEIGHTS["overall"]] + [RSNA_WEIGHTS["level"]] * 7)
    weight = np.where(truth > 0.5, pairs[:, 1], pairs[:, 0])
    losses = -weight * (truth * np.log(p) + (1 - truth) * np.log(1 - p))
    return float(np.mean(losses.sum(1) / weight.sum(1)))


def expected_calibration_error(truth: np.ndarray, probability: np.ndarray, bins: int = 10) -> float | None:
    """How far, on average, the rate of positives lies from the probability, over ten equal bins of probability; NaN is
    left out. (Naeini, Cooper and Hauskrecht, AAAI 2015:2901.) `None` without any value."""
    known = ~np.isnan(probability)
    truth, probability = np.asarray(truth)[known] > 0.5, np.asarray(probability)[known]
    if not len(truth):
        return None
    place = np.minimum((probability * bins).astype(int), bins - 1)
    gaps = [abs(float(truth[place == k].sum()) - float(probability[place == k].sum())) for k in range(bins)]
    return sum(gaps) / len(truth)


def label_agreement(truth: np.ndarray, called: np.ndarray) -> dict:
    """Accuracy, sensitivity and precision of yes/no calls; `None` where there is nothing to divide by."""
    truth, called = np.asarray(truth, bool), np.asarray(called, bool)
    both = int((truth & called).sum())
    return {
        "count": len(truth),
        "accuracy": float((truth == called).mean()) if len(truth) else None,
        "sensitivity": both / int(truth.sum()) if truth.any() else None,
        "precision": both / int(called.sum()) if called.any() else None,
    }
