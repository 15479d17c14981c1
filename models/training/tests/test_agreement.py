"""The program and this package compute the same numbers.

`agreement.json` holds the RSNA 2022 metric, the aggregation and the features' distance of inputs that both test suites make with one random number
generator: this file and `tests/network/training.rs`. `python tests/test_agreement.py` writes it anew after a rule has changed.
"""

import json
import pathlib

import numpy as np

from cspine_train.aggregate import AGGREGATIONS, combine
from cspine_train.distance import distance, study_vector
from cspine_train.metrics import rsna_log_loss

FILE = pathlib.Path(__file__).with_name("agreement.json")
STUDIES, NECKS, FEATURES = 60, 240, 5


class SplitMix64:
    """Steele, Lea and Flood, OOPSLA 2014."""

    def __init__(self, seed: int):
        self.state = seed

    def below(self, limit: int) -> int:
        mask = (1 << 64) - 1
        self.state = (self.state + 0x9E3779B97F4A7C15) & mask
        mixed = ((self.state ^ (self.state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & mask
        return (mixed ^ (mixed >> 31)) % limit


def labels(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Truths and probabilities of one study, `[8]` each; NaN, 0 and 1 among them."""
    random = SplitMix64(seed)
    truth, probability = np.zeros(8), np.zeros(8)
    for label in range(8):
        truth[label] = random.below(3) == 0
        kind, value = random.below(8), random.below(1000) / 1000
        probability[label] = {0: np.nan, 1: 0.0, 2: 1.0}.get(kind, value)
    return truth, probability


def neck(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Offsets `[S]` in mm from the head, visibilities and fractures `[S, 7]`, and the name of the aggregation. Values are
    fractions of powers of two, so that no threshold depends on rounding."""
    random = SplitMix64(1000 + seed)
    count = 6 + random.below(90)
    step = (0.5, 1.0, 1.5, 2.0, 3.0)[random.below(5)]
    first = random.below(3)
    levels = 1 + random.below(7 - first)
    order = [first + level for level in range(levels)]
    kind = random.below(7)
    if kind == 3 and levels > 1:
        order[0], order[1] = order[1], order[0]
    missing = first + random.below(levels) if kind == 4 else None
    own = [order[slice * levels // count] for slice in range(count)]
    strays = [random.below(7) if kind == 5 and random.below(8) == 0 else None for _ in range(count)]
    if kind == 6:
        # C3 is 3.5 mm tall, and seen only with its strays in C5; C4 is missed: without the strays two levels are.
        step, own = 0.5, [1] * 20 + [2] * 7 + [4] * 43
        count, strays = len(own), [None] * 57 + [2] * 3 + [None] * 10
    offsets, vertebra, fracture = np.zeros(count), np.zeros((count, 7)), np.zeros((count, 7))
    for slice in range(count):
        if slice:
            gap = 2 + random.below(8) if random.below(20) == 0 and kind != 6 else 1
            offsets[slice] = offsets[slice - 1] + step * gap
        hidden = random.below(12) == 0 and kind != 6
        for level in range(7):
            shows = (level == own[slice] and level != missing and not hidden) or level == strays[slice]
            vertebra[slice, level] = (128 + random.below(129) if shows else random.below(120)) / 256
            fracture[slice, level] = random.below(257 if random.below(4) == 0 else 40) / 256
    return offsets, vertebra, fracture, list(AGGREGATIONS)[seed % 3]


def features(seed: int, count: int) -> np.ndarray:
    """White features of the slices of a neck, `[S, FEATURES]`."""
    random = SplitMix64(5000 + seed)
    values = [(random.below(2049) - 1024) / 256 for _ in range(count * FEATURES)]
    return np.array(values).reshape(count, FEATURES)


def metric() -> list[float]:
    """The metric of each study alone."""
    studies = [labels(seed) for seed in range(STUDIES)]
    return [rsna_log_loss(truth[None], probability[None]) for truth, probability in studies]


def aggregated() -> list[list[float | None]]:
    """Overall and C1 to C7 of each neck; null for a level that is not seen, and for all eight where it is no neck."""
    rows = []
    for seed in range(NECKS):
        offsets, vertebra, fracture, name = neck(seed)
        row = combine(vertebra, fracture, -offsets, name)
        rows.append([None if np.isnan(value) else float(value) for value in row])
    return rows


def distances() -> list[float | None]:
    """The distance of each neck's features; null where no slice shows a level."""
    found = []
    for seed in range(NECKS):
        _, vertebra, _, _ = neck(seed)
        vector = study_vector(vertebra, features(seed, len(vertebra)))
        found.append(None if vector is None else distance(vector))
    return found


def close(found, expected) -> bool:
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) < 1e-9


def test_the_metric_is_that_of_the_program():
    expected = json.loads(FILE.read_text())["metric"]
    assert len(expected) == STUDIES and all(map(close, metric(), expected))


def test_the_aggregation_is_that_of_the_program():
    expected = json.loads(FILE.read_text())["aggregation"]
    found = aggregated()
    assert len(expected) == NECKS
    for seed, (one, other) in enumerate(zip(found, expected)):
        assert all(map(close, one, other)), seed
    declined = sum(row[0] is None for row in found)
    assert NECKS // 10 < declined < NECKS * 9 // 10, "both kinds must be tried"


def test_the_distance_is_that_of_the_program():
    expected = json.loads(FILE.read_text())["distance"]
    assert len(expected) == NECKS and all(map(close, distances(), expected))


if __name__ == "__main__":
    rounded = [[value and round(value, 12) for value in row] for row in aggregated()]
    rows = ",\n".join(json.dumps(row) for row in rounded)
    values = ", ".join(json.dumps(round(value, 12)) for value in metric())
    lengths = ", ".join(json.dumps(value and round(value, 12)) for value in distances())
    FILE.write_text(f'{{"metric": [{values}],\n"aggregation": [\n{rows}\n],\n"distance": [{lengths}]}}\n')
