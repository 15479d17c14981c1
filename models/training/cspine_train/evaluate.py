"""Measures an exported graph on the studies that training did not see.

The validation split chooses (aggregation, calibration and thresholds); the test split only measures.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from . import LEVELS, TrainingError, __version__, anatomy
from .aggregate import AGGREGATIONS, PRESENCE, combine, is_neck, seen_levels, slice_shares
from .calibrate import Calibration, Scores, calibrate
from .data import Collection, Study, summary
from .distance import LEAST_CHOSEN, LEAST_FITTED, Novelty, Whitening, chosen, distance, fit, study_vector
from .metrics import (
    area_under_curve,
    at_threshold,
    best_threshold,
    expected_calibration_error,
    label_agreement,
    rsna_log_loss,
)

BATCH = 8
METRICS = "metrics.json"
FALLBACK = {"overall": 0.5, "level": 0.3}
"""Thresholds where the validation split cannot choose any; the package says so."""


@dataclass
class Prediction:
    """The graph's outputs for a study."""

    study: Study
    vertebra: np.ndarray
    """`[S, 7]`"""
    fracture: np.ndarray
    """`[S, 7]`"""
    hottest: np.ndarray | None
    """Row and column of the hottest cell of each slice and level, `[S, 7, 2]`; `None` for a network without maps."""
    grid: int
    features: np.ndarray | None = None
    """`[S, d]`; `None` for a network without them."""


def predict(session: onnxruntime.InferenceSession, study: Study) -> Prediction:
    """Runs every slice of a study."""
    found = {name: [] for name in ("vertebra", "fracture", "features")}
    hottest, grid = [], 0
    outputs = [item.name for item in session.get_outputs()]
    for first in range(0, len(study.slices), BATCH):
        images = np.ascontiguousarray(study.array[first : first + BATCH])
        said = dict(zip(outputs, session.run(outputs, {"image": images})))
        for name in found.keys() & said.keys():
            found[name].append(said[name])
        if "activation" in said:
            activation = said["activation"]
            grid = activation.shape[-1]
            places = activation.reshape(*activation.shape[:2], -1).argmax(-1)
            hottest.append(np.stack(np.divmod(places, grid), -1))
    where = np.concatenate(hottest) if hottest else None
    features = np.concatenate(found["features"]) if found["features"] else None
    return Prediction(study, np.concatenate(found["vertebra"]), np.concatenate(found["fracture"]), where, grid, features)


def calibration_of(predictions: list[Prediction], prior_shift: float) -> Calibration:
    """Calibrates the uncalibrated graph by what it says of the validation studies."""
    scores = []
    for prediction in predictions:
        p = np.clip(prediction.fracture.astype(np.float64), 1e-9, 1 - 1e-7)
        study = prediction.study
        scores.append(Scores(prediction.vertebra, np.log(p / (1 - p)), study.positions_mm, study.labels.study))
    return calibrate(scores, prior_shift)


def novelty_of(
    training: list[Prediction], validation: list[Prediction], trained: list[str] | None
) -> tuple[Whitening, Novelty] | None:
    """How to tell studies that are unlike the training data, from what the graph says before whitening; the threshold is
    chosen on validation studies of held-out anatomies. `None` without features or enough studies."""
    unseen = [one for one in validation if anatomy.held_out(one.study.anatomy, trained)]
    groups = []
    for predictions in (training, unseen):
        vectors = (study_vector(one.vertebra, one.features) for one in predictions if one.features is not None)
        groups.append(np.array([vector for vector in vectors if vector is not None]))
    if len(groups[0]) < LEAST_FITTED or len(groups[1]) < LEAST_CHOSEN:
        return None
    whitening = fit(groups[0])
    return whitening, chosen(whitening, *groups)


def predict_all(model: Path, parts: dict[str, list[Study]], echo) -> dict[str, list[Prediction]]:
    """Runs the graph on every study. Raises `TrainingError` when there is none."""
    if not model.is_file():
        raise TrainingError(f"{model}: not found; run `python -m cspine_train export` first")
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    predictions: dict[str, list[Prediction]] = {}
    for name, studies in parts.items():
        predictions[name] = []
        for number, study in enumerate(studies, start=1):
            predictions[name].append(predict(session, study))
            if number % 10 == 0 or number == len(studies):
                echo(f"{name}: {number} of {len(studies)} studies")
    return predictions


def evaluate(
    model: Path,
    collection: Collection,
    parts: dict[str, list[Study]],
    calibration: Calibration,
    trained_on: set[str],
    held: bool = False,
    minutes: float = 0.0,
    trained_anatomies: list[str] | None = None,
    novelty: dict | None = None,
    echo=print,
) -> dict:
    """Measures `model` on the validation and test parts; returns the document that `metrics.json` holds. `collection`
    is the data set that these are of, `held` whether it is another one than that trained on, `minutes` the training time,
    `trained_anatomies` the sources of what trained the network, where they are known, `novelty` what the export wrote
    about features.

    Raises `TrainingError` when there is nothing to measure on, or when a study to measure on was trained on.
    """
    leaked = [study.uid for name in ("validation", "test") for study in parts[name] if study.uid in trained_on]
    if leaked:
        raise TrainingError(
            f"{len(leaked)} studies to measure on were trained on, such as {leaked[0]}; the run was resumed with other "
            "--validation or --test: train again in a new --run folder"
        )
    if not parts["validation"] and not parts["test"]:
        raise TrainingError(
            "validation and test splits are empty; give more studies, or larger --validation and --test"
        )
    predictions = predict_all(model, {name: parts[name] for name in ("validation", "test")}, echo)
    picked = choose(predictions["validation"], calibration.aggregation)
    unseen = sum(anatomy.held_out(study.anatomy, trained_anatomies) for study in parts["validation"])
    picked["thresholds_chosen_on"]["held_out"] = unseen
    return {
        "format": 1,
        "cspine_train": __version__,
        "model_sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "nature": collection.nature,
        "calibration": calibration.to_dict(),
        "held": held,
        "minutes": minutes,
        "training_anatomies": trained_anatomies,
        "data": {name: summary(studies) for name, studies in parts.items()},
        **picked,
        "novelty": novelty,
        "splits": {
            name: {
                **measure(found, calibration.aggregation, picked["thresholds"], collection.kinds),
                "anatomies": by_anatomy(
                    found, calibration.aggregation, picked["thresholds"], trained_anatomies, novelty
                ),
            }
            for name, found in predictions.items()
            if found
        },
    }


def tables(predictions: list[Prediction], aggregation: str) -> tuple[np.ndarray, np.ndarray]:
    """Truth and probability of every study, `[N, 8]` each: overall, C1 to C7; NaN for levels that are not
    seen, and throughout where the program would decline the study."""
    truth = np.stack([prediction.study.labels.study for prediction in predictions]).astype(np.float64)
    scores = [combine(p.vertebra, p.fracture, p.study.positions_mm, aggregation) for p in predictions]
    return truth, np.stack(scores)


def choose(predictions: list[Prediction], aggregation: str) -> dict:
    """The best thresholds on the validation studies."""
    thresholds = dict(FALLBACK)
    points = {}
    if predictions:
        truth, score = tables(predictions, aggregation)
        seen = ~np.isnan(score[:, 1:])
        read = ~np.isnan(score[:, 0])
        for name, point in (
            ("overall", best_threshold(truth[read, 0], score[read, 0])),
            ("level", best_threshold(truth[:, 1:][seen], score[:, 1:][seen])),
        ):
            if point is not None:
                thresholds[name] = round(point.threshold, 4)
                points[name] = asdict(point)
    return {
        "thresholds": thresholds,
        "thresholds_chosen_on": {"studies": len(predictions), "points": points},
    }


def measure(predictions: list[Prediction], aggregation: str, thresholds: dict, kinds: dict) -> dict:
    """All measures of one split; `kinds` as `Collection.kinds`. A declined study is one that no threshold calls."""
    result = {"studies": len(predictions), "aggregations": {}}
    for name in AGGREGATIONS:
        truth, score = tables(predictions, name)
        result["aggregations"][name] = {
            "auc_overall": _one_area(truth[:, 0], score[:, 0]),
            "auc_level": _level_area(truth, score),
            "auc": {level: _one_area(truth[:, i], score[:, i]) for i, level in enumerate(LEVELS, start=1)},
            "rsna_log_loss": rsna_log_loss(truth, score),
        }
    truth, score = tables(predictions, aggregation)
    seen = ~np.isnan(score[:, 1:])
    result["at_thresholds"] = {
        "overall": asdict(at_threshold(truth[:, 0], score[:, 0], thresholds["overall"])),
        "level": asdict(at_threshold(truth[:, 1:][seen], score[:, 1:][seen], thresholds["level"])),
    }
    result["calibration_error"] = {
        "overall": expected_calibration_error(truth[:, :1], score[:, :1]),
        "level": expected_calibration_error(truth[:, 1:], score[:, 1:]),
    }
    rate = truth.mean(0)
    result["rsna_log_loss_of_rates"] = rsna_log_loss(truth, np.broadcast_to(rate, truth.shape))
    result["fractured_levels_not_seen"] = int(((truth[:, 1:] > 0.5) & ~seen).sum())
    result["declined"] = sum(not is_neck(p.vertebra, p.study.positions_mm) for p in predictions)
    result["kinds"] = _by_kind(predictions, score, thresholds["level"], kinds)
    result["visibility"] = _visibility(predictions)
    result["pointing"] = _pointing(predictions)
    return result


def by_anatomy(
    predictions: list[Prediction],
    aggregation: str,
    thresholds: dict,
    trained: list[str] | None,
    novelty: dict | None = None,
) -> list[dict]:
    """Measures of each combination of sources, held-out ones first; one that names no sources is not held out."""
    groups: dict[tuple[str, ...], list[Prediction]] = {}
    for prediction in predictions:
        groups.setdefault(prediction.study.anatomy, []).append(prediction)
    rows = []
    for sources, found in sorted(groups.items(), key=lambda item: (not anatomy.held_out(item[0], trained), item[0])):
        truth, score = tables(found, aggregation)
        seen = ~np.isnan(score[:, 1:])
        unlike = None
        if novelty is not None:
            vectors = [study_vector(one.vertebra, one.features) for one in found if one.features is not None]
            unlike = sum(distance(vector) > novelty["threshold"] for vector in vectors if vector is not None)
        rows.append(
            {
                "unlike": unlike,
                "sources": list(sources),
                "held_out": anatomy.held_out(sources, trained),
                "studies": len(found),
                "fractured": int((truth[:, 0] > 0.5).sum()),
                "auc_overall": _one_area(truth[:, 0], score[:, 0]),
                "auc_level": _level_area(truth, score),
                "level": asdict(at_threshold(truth[:, 1:][seen], score[:, 1:][seen], thresholds["level"])),
            }
        )
    return rows


def _level_area(truth: np.ndarray, score: np.ndarray) -> float | None:
    """AUC over all seen levels of all studies together."""
    seen = ~np.isnan(score[:, 1:])
    return area_under_curve(truth[:, 1:][seen], score[:, 1:][seen])


def _one_area(truth: np.ndarray, score: np.ndarray) -> float | None:
    """AUC of one column, over the studies in which it was seen."""
    seen = ~np.isnan(score)
    return area_under_curve(truth[seen], score[seen])


def _by_kind(predictions: list[Prediction], score: np.ndarray, threshold: float, kinds: dict) -> dict:
    """Of the fractured levels of each kind: how many there are and how many pass the level threshold."""
    result: dict[str, dict[str, int]] = {}
    for row, prediction in zip(score, predictions):
        for level in range(len(LEVELS)):
            kind = kinds.get((prediction.study.uid, level))
            if kind is not None:
                counts = result.setdefault(kind, {"levels": 0, "found": 0})
                counts["levels"] += 1
                counts["found"] += int(row[1 + level] >= threshold)
    return dict(sorted(result.items()))


def _visibility(predictions: list[Prediction]) -> dict:
    """How well the network knows the levels: by slice for each level, and which levels a study shows."""
    truth = np.concatenate([p.study.labels.visible for p in predictions])
    called = np.concatenate([p.vertebra for p in predictions]) >= PRESENCE
    known = ~np.isnan(truth)
    result = {
        "slices": label_agreement(truth[known] > 0.5, called[known]),
        "levels": {
            name: label_agreement(truth[known[:, i], i] > 0.5, called[known[:, i], i]) for i, name in enumerate(LEVELS)
        },
    }
    segmented = [p for p in predictions if not np.isnan(p.study.labels.visible).any()]
    result["studies"] = label_agreement(
        np.array([seen_levels(p.study.labels.visible, slice_shares(p.study.positions_mm)) for p in segmented]).ravel(),
        np.array([seen_levels(p.vertebra, slice_shares(p.study.positions_mm)) for p in segmented]).ravel(),
    )
    return result


def _pointing(predictions: list[Prediction]) -> dict:
    """The pointing game: on slices with a box, does the hottest cell of that level's map lie in it?

    `centre`: the cell's centre does. `touch`: some part of the cell does. `chance`: what a cell drawn blindly would
    reach with its centre. `key_slice`: of fractured levels with boxes, how often the slice with the largest `f v` is
    one that has a box of the level, within one slice.
    """
    centre, touch, chance, key = [], [], [], []
    for prediction in predictions:
        if prediction.hottest is None:
            continue
        cell = prediction.study.array.shape[-1] / prediction.grid
        middles = (np.arange(prediction.grid) + 0.5) * cell
        by_level: dict[int, set[int]] = {}
        for number, boxes in enumerate(prediction.study.labels.boxes):
            for level in {level for box in boxes for level in box.levels}:
                by_level.setdefault(level, set()).add(number)
                mine = [box for box in boxes if level in box.levels]
                row, column = prediction.hottest[number, level]
                x, y = middles[column], middles[row]
                centre.append(any(b.x0 <= x < b.x1 and b.y0 <= y < b.y1 for b in mine))
                half = cell / 2
                touch.append(
                    any(b.x0 < x + half and x - half < b.x1 and b.y0 < y + half and y - half < b.y1 for b in mine)
                )
                inside = np.zeros((prediction.grid, prediction.grid), bool)
                for b in mine:
                    inside |= np.outer((middles >= b.y0) & (middles < b.y1), (middles >= b.x0) & (middles < b.x1))
                chance.append(inside.mean())
        for level, numbers in by_level.items():
            best = int((prediction.fracture[:, level] * prediction.vertebra[:, level]).argmax())
            key.append(any(abs(best - number) <= 1 for number in numbers))

    def share(values):
        return float(np.mean(values)) if values else None

    return {
        "slices_and_levels": len(centre),
        "centre": share(centre),
        "touch": share(touch),
        "chance": share(chance),
        "fractured_levels": len(key),
        "key_slice": share(key),
    }


def write_metrics(document: dict, path: Path) -> None:
    """Writes `metrics.json`."""
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def table(document: dict) -> str:
    """The measures as lines for a terminal."""
    calibration = document["calibration"]
    lines = [f"aggregation {calibration['aggregation']} ({calibration['reason']})"]
    lines.append("thresholds " + ", ".join(f"{name} {value}" for name, value in document["thresholds"].items()))
    for split, found in document["splits"].items():
        lines.append(f"\n{split}: {found['studies']} studies")
        lines.append(
            f"  {'AUC':26}{'overall':>9}{'level':>9}" + "".join(f"{name:>7}" for name in LEVELS) + "  RSNA loss"
        )
        for name, values in found["aggregations"].items():
            areas = "".join(f"{number(values['auc'][level]):>7}" for level in LEVELS)
            lines.append(
                f"  {name:26}{number(values['auc_overall']):>9}{number(values['auc_level']):>9}{areas}"
                f"  {number(values['rsna_log_loss'])}"
            )
        error = found["calibration_error"]
        lines.append(
            f"  RSNA loss of the rates alone {number(found['rsna_log_loss_of_rates'])}; calibration error "
            f"{number(error['overall'])} overall, {number(error['level'])} by level"
        )
        for name, point in found["at_thresholds"].items():
            lines.append(
                f"  {name}: sensitivity {number(point['sensitivity'])} of {point['positives']}, "
                f"specificity {number(point['specificity'])} of {point['negatives']}"
            )
        for row in found["anatomies"]:
            lines.append(
                f"  {anatomy.joined(row['sources'])} ({'held-out' if row['held_out'] else 'known or unstated'}): {row['studies']} "
                f"studies, AUC {number(row['auc_overall'])} overall, {number(row['auc_level'])} level; level sensitivity "
                f"{number(row['level']['sensitivity'])}, specificity {number(row['level']['specificity'])}"
                + ("" if row["unlike"] is None else f"; {row['unlike']} unlike the training data")
            )
        if found["kinds"]:
            shares = (f"{kind} {counts['found']}/{counts['levels']}" for kind, counts in found["kinds"].items())
            lines.append("  found by kind: " + ", ".join(shares))
        lines.append(f"  declined {found['declined']}, fractured levels not seen {found['fractured_levels_not_seen']}")
        slices = found["visibility"]["slices"]
        lines.append(
            f"  level visible in slice: accuracy {number(slices['accuracy'])}, sensitivity "
            f"{number(slices['sensitivity'])}, precision {number(slices['precision'])}"
        )
        pointing = found["pointing"]
        lines.append(
            f"  pointing: {number(pointing['centre'])} in box, {number(pointing['touch'])} touching, "
            f"{number(pointing['chance'])} by chance, of {pointing['slices_and_levels']}; "
            f"key slice {number(pointing['key_slice'])} of {pointing['fractured_levels']}"
        )
    return "\n".join(lines)


def number(value: float | None) -> str:
    """Three decimals, or a dash where there is no figure."""
    return "-" if value is None else f"{value:.3f}"
