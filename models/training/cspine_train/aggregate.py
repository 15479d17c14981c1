"""From slices to a study, in the two ways that a package may name. The program has the same rules."""

import math

import numpy as np

PRESENCE = 0.5
"""Predicted visibility from which a slice shows a level."""

MINIMUM_MM = 4.0
"""Extent of slices that must show a level before it counts as seen."""

TOP_SHARE, TOP_LEAST = 0.1, 3
"""`visible-top-mean` takes this part of the visible slices, and at least so many."""


def visibility_weighted_mean(vertebra: np.ndarray, fracture: np.ndarray) -> np.ndarray:
    """`C_i = sum_s f v / sum_s v` over all slices; `[S, 7]`, `[S, 7]` to `[7]`."""
    total = vertebra.sum(0)
    return np.divide((vertebra * fracture).sum(0), total, out=np.zeros(len(total)), where=total > 0)


def visible_top_mean(vertebra: np.ndarray, fracture: np.ndarray) -> np.ndarray:
    """The mean of the highest tenth (at least three) of `f v` among the slices with `v >= 0.5`; `[S, 7]` to `[7]`."""
    result = np.zeros(vertebra.shape[1])
    for level in range(vertebra.shape[1]):
        shows = vertebra[:, level] >= PRESENCE
        scores = np.sort((vertebra[:, level] * fracture[:, level])[shows])[::-1]
        if len(scores):
            count = max(TOP_LEAST, math.ceil(TOP_SHARE * len(scores)))
            result[level] = scores[:count].mean()
    return result


AGGREGATIONS = {
    "visibility-weighted-mean": visibility_weighted_mean,
    "visible-top-mean": visible_top_mean,
}


def seen_levels(vertebra: np.ndarray, spacing_mm: float) -> np.ndarray:
    """Which levels the scan shows: bool `[7]`, from `[S, 7]` visibilities (or 0/1 labels)."""
    return (vertebra >= PRESENCE).sum(0) * spacing_mm >= MINIMUM_MM


def overall(levels: np.ndarray, seen: np.ndarray) -> float:
    """`1 - prod (1 - C_i)` over the seen levels; 0 where none is seen."""
    return float(1.0 - np.prod(1.0 - levels[seen])) if seen.any() else 0.0


def combine(vertebra: np.ndarray, fracture: np.ndarray, spacing_mm: float, name: str) -> np.ndarray:
    """Overall, then C1 to C7: float `[8]`, NaN for levels that are not seen."""
    seen = seen_levels(vertebra, spacing_mm)
    levels = AGGREGATIONS[name](vertebra.astype(np.float64), fracture.astype(np.float64))
    return np.concatenate([[overall(levels, seen)], np.where(seen, levels, np.nan)])


