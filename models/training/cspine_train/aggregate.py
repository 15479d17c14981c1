"""From slices to a study, in the ways that a package may name. The program has the same rules."""

import numpy as np

PRESENCE = 0.5
"""Predicted visibility from which a slice shows a level."""

MINIMUM_MM = 4.0
"""Extent of slices that must show a level before it counts as seen."""

TALLEST_MM = 75.0
"""What is seen over more than this along the neck is no vertebra."""

LONE_MM = 80.0
"""One level alone in a longer scan than this is no neck: its neighbours would show too."""

LONE_SHARE = 1 / 3
"""Nor is one level alone that takes up less than this part of the scan: its neighbours would show around it."""

STRAY_MM = 12.0
"""What more than this parts from the rest of a level, in mm of slices that do not show it, is not part of it; a gap in the scan
parts nothing."""

TWICE_SHARE = 0.5
"""A second stretch that long in shares of the level's longest is no stray: what shows one level twice is no neck."""

TOP_PART, TOP_LEAST = 10, 3
"""`visible-top-mean` takes one of so many of the visible slices, rounded up, and at least `TOP_LEAST`."""

LEAST_ODDS = 1e-6
"""`visible-odds-mean` takes probabilities to be this far from 0 and 1."""


def visibility_weighted_mean(vertebra: np.ndarray, fracture: np.ndarray, _: np.ndarray) -> np.ndarray:
    """`C_i = sum_s f v / sum_s v` over all slices; `[S, 7]`, `[S, 7]` to `[7]`."""
    total = vertebra.sum(0)
    return np.divide((vertebra * fracture).sum(0), total, out=np.zeros(len(total)), where=total > 0)


def visible_top_mean(vertebra: np.ndarray, fracture: np.ndarray, _: np.ndarray) -> np.ndarray:
    """The mean of the highest tenth (at least three) of `f v` among the slices with `v >= 0.5`; `[S, 7]` to `[7]`."""
    result = np.zeros(vertebra.shape[1])
    for level in range(vertebra.shape[1]):
        shows = vertebra[:, level] >= PRESENCE
        scores = np.sort((vertebra[:, level] * fracture[:, level])[shows])[::-1]
        if len(scores):
            count = max(TOP_LEAST, -(-len(scores) // TOP_PART))
            result[level] = scores[:count].mean()
    return result


def visible_odds_mean(vertebra: np.ndarray, fracture: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The mean, of exponent 1/2, of the odds of `f v` over the slices with `v >= 0.5`, by the length that each stands for;
    `[S, 7]`, `[S, 7]`, `[S]` to `[7]`."""
    p = np.clip(vertebra * fracture, LEAST_ODDS, 1.0 - LEAST_ODDS)
    weight = (vertebra >= PRESENCE) * shares[:, None]
    total = weight.sum(0)
    roots = np.divide((weight * np.sqrt(p / (1.0 - p))).sum(0), total, out=np.zeros(len(total)), where=total > 0)
    return roots**2 / (1.0 + roots**2)


AGGREGATIONS = {
    "visibility-weighted-mean": visibility_weighted_mean,
    "visible-top-mean": visible_top_mean,
    "visible-odds-mean": visible_odds_mean,
}


def slice_shares(positions_mm: np.ndarray) -> np.ndarray:
    """The length of neck in mm that each slice stands for: half the way to each neighbour, gaps counting no more than
    1.5 times the median step; `[S]`, slices in order, in either direction."""
    steps = np.abs(np.diff(positions_mm))
    spacing = float(np.median(steps)) if len(steps) else 0.0
    steps = np.concatenate([[spacing], np.minimum(steps, 1.5 * spacing), [spacing]])
    return (steps[:-1] + steps[1:]) / 2


def without_strays(vertebra: np.ndarray, positions_mm: np.ndarray) -> np.ndarray:
    """`[S, 7]` with 0 for what is no part of the longest stretch of slices that shows a level; `positions_mm`: `[S]`."""
    result, shares = vertebra.copy(), slice_shares(positions_mm)
    for level in range(vertebra.shape[1]):
        for stray in stretches(vertebra[:, level] >= PRESENCE, shares)[1:]:
            result[stray, level] = 0.0
    return result


def stretches(shows: np.ndarray, shares: np.ndarray) -> list[np.ndarray]:
    """The stretches of slices that show a level, bool `[S]`, as indices, the longest in mm first."""
    visible = np.flatnonzero(shows)
    passed = np.concatenate([[0.0], np.cumsum(shares)])
    between = passed[visible[1:]] - passed[visible[:-1] + 1]
    runs = np.split(visible, np.flatnonzero(between > STRAY_MM) + 1)
    return sorted(runs, key=lambda run: -shares[run].sum())


def seen_levels(vertebra: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Which levels the scan shows: bool `[7]`, from `[S, 7]` visibilities (or 0/1 labels) and the slices' shares."""
    extent = (vertebra >= PRESENCE).T.astype(np.float64) @ shares
    return (extent > 0) & (extent >= MINIMUM_MM) & (extent <= TALLEST_MM)


def is_neck(vertebra: np.ndarray, positions_mm: np.ndarray) -> bool:
    """Whether the levels that are seen lie in the order of a neck; the program declines a study where they do not.

    One pair may be out of order, but not of only two levels; and one level may be missed between others.
    """
    shares = slice_shares(positions_mm)
    shows = vertebra >= PRESENCE
    seen = np.flatnonzero(seen_levels(vertebra, shares))
    heights = [np.average(positions_mm[shows[:, i]], weights=shares[shows[:, i]]) for i in seen]
    in_order = 1 + sum(upper > lower for upper, lower in zip(heights, heights[1:]))
    if not heights or in_order + 1 < len(heights):
        return False
    if len(heights) == 1:
        scan, extent = np.ptp(positions_mm), shares[shows[:, seen[0]]].sum()
        if scan > LONE_MM or extent < LONE_SHARE * scan:
            return False
    for i in seen:
        extents = [shares[run].sum() for run in stretches(shows[:, i], shares)]
        if len(extents) > 1 and extents[1] >= TWICE_SHARE * extents[0]:
            return False
    missed = seen[-1] - seen[0] + 1 - len(seen)
    return missed <= 1 and not (len(heights) == 2 and in_order < 2)


def overall(levels: np.ndarray, seen: np.ndarray) -> float:
    """`1 - prod (1 - C_i)` over the seen levels; 0 where none is seen."""
    return float(1.0 - np.prod(1.0 - levels[seen])) if seen.any() else 0.0


def combine(vertebra: np.ndarray, fracture: np.ndarray, positions_mm: np.ndarray, name: str) -> np.ndarray:
    """Overall, then C1 to C7: float `[8]`, NaN for levels that are not seen, all NaN for what is no neck.

    `positions_mm`: each slice's place towards the head.
    """
    if not is_neck(vertebra, positions_mm):
        return np.full(1 + vertebra.shape[1], np.nan)
    cleaned = without_strays(vertebra, positions_mm)
    # Without its strays a scan may lack a level between others; it was a neck with them.
    shown = cleaned if is_neck(cleaned, positions_mm) else vertebra
    shares = slice_shares(positions_mm)
    seen = seen_levels(shown, shares)
    levels = AGGREGATIONS[name](shown.astype(np.float64), fracture.astype(np.float64), shares)
    return np.concatenate([[overall(levels, seen)], np.where(seen, levels, np.nan)])
