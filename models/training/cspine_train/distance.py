"""How far a study's features lie from those of the studies that trained the network (Lee et al., NeurIPS 2018, with one class).

The graph's output `features` gives each slice a vector `x`: the mean of the merged features over the bone of the levels, made
white. A study's vector is the mean over its slices that show a level, and its distance `sqrt(mean(x ** 2))`: the Mahalanobis
distance from the training studies, divided by the square root of the number of features. It is near 1 for a study like them.
"""

from dataclasses import asdict, dataclass

import numpy as np

from .aggregate import PRESENCE

FITTED_STUDIES = 160
"""Most training studies that mean and covariance are taken from."""

LEAST_FITTED, LEAST_CHOSEN = 12, 12
"""With fewer training studies, or fewer held-out ones, no distance is given."""

QUANTILE = 0.975
"""Part of the studies of held-out anatomies whose distance the threshold leaves below."""


@dataclass(frozen=True)
class Whitening:
    """`(x - mean) @ matrix` has mean 0 and, but for the shrinkage, covariance 1."""

    mean: np.ndarray
    """`[d]`"""
    matrix: np.ndarray
    """`[d, d]`"""
    shrinkage: float
    """0: the studies' own covariance; 1: its diagonal."""


@dataclass(frozen=True)
class Spread:
    """Distances of a group of studies."""

    studies: int
    median: float
    p95: float


@dataclass(frozen=True)
class Novelty:
    """The threshold and what it rests on."""

    threshold: float
    shrinkage: float
    training: Spread
    held_out: Spread

    def to_dict(self) -> dict:
        """The fields as plain values."""
        return asdict(self)


def study_vector(vertebra: np.ndarray, features: np.ndarray) -> np.ndarray | None:
    """Mean of `features` `[S, d]` over the slices that show a level by `vertebra` `[S, 7]`; `None` where none does."""
    shown = (vertebra >= PRESENCE).any(1)
    return features[shown].mean(0) if shown.any() else None


def distance(vector: np.ndarray) -> float:
    """The distance of a study's white vector `[d]`."""
    return float(np.sqrt(np.mean(np.square(vector, dtype=np.float64))))


def fit(vectors: np.ndarray) -> Whitening:
    """Mean and covariance of the training studies' vectors `[n, d]`, shrunk to the diagonal as Ledoit and Wolf choose it
    (J Multivar Anal 2004;88:365) for features of equal variance."""
    vectors = np.asarray(vectors, np.float64)
    mean = vectors.mean(0)
    # What hardly varies is not enlarged beyond the digits of float32.
    spread = np.maximum(vectors.std(0), 1e-4 * np.abs(mean) + 1e-6)
    x = (vectors - mean) / spread
    n, d = x.shape
    own = x.T @ x / n
    identity = np.eye(d)
    off = np.sum((own - identity) ** 2)
    noise = sum(np.sum((np.outer(row, row) - own) ** 2) for row in x) / n**2
    shrinkage = float(min(1.0, noise / off)) if off > 0 else 1.0
    values, axes = np.linalg.eigh((1.0 - shrinkage) * own + shrinkage * identity)
    return Whitening(mean, (axes / np.sqrt(values)) / spread[:, None], shrinkage)


def chosen(whitening: Whitening, training: np.ndarray, held_out: np.ndarray) -> Novelty:
    """The threshold from the vectors of training studies and of studies of held-out anatomies, `[n, d]` each."""
    mine, others = (
        np.array([distance(vector) for vector in (group - whitening.mean) @ whitening.matrix]) for group in (training, held_out)
    )
    spreads = (Spread(len(group), float(np.median(group)), float(np.quantile(group, 0.95))) for group in (mine, others))
    return Novelty(round(float(np.quantile(others, QUANTILE)), 3), round(whitening.shrinkage, 3), *spreads)


def evenly(items: list, most: int) -> list:
    """At most so many of the items, from all along the list."""
    return items if len(items) <= most else [items[index] for index in np.linspace(0, len(items) - 1, most).astype(int)]
