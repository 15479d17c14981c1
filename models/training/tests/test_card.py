"""The card: figures of `cspine evaluate`, with their commands, and the table of what parts are worth."""

import json
import tomllib

import pytest

from cspine_train import LEVELS, TrainingError
from cspine_train.card import Extras, card
from cspine_train.package import manifest
from cspine_train.measured import ablation, read_evaluation, read_real, tables, value

SHARE = {"value": 0.75, "low": 0.3, "high": 0.95, "count": 3, "of": 4}
AREA = {"value": 0.9, "low": 0.8, "high": 0.97}


def document(sha256="a" * 64, held_out=None, known=None, **changes):
    """An `evaluation.json` with the keys that are read, as the program writes them; `held_out`, `known`: studies of each."""
    found = {
        "studies": 4,
        "fractured": 2,
        "auc": {"overall": AREA, "mean_level": AREA, **{level: AREA for level in LEVELS}, "C6": {**AREA, "value": 0.5}},
        "rsna_log_loss": {"value": 0.4, "low": 0.3, "high": 0.5, "guess_rates": 0.6, "guess_rsna": 0.62},
        "sensitivity_at_95_specificity": AREA,
        "thresholds": {name: {"threshold": 0.25, "sensitivity": SHARE, "specificity": SHARE} for name in ("overall", "level")},
        "ece": {"study": 0.05, "level": 0.02},
        "visibility_ap": {"mean": 0.99},
        "level_ranges": {"within_5mm": SHARE},
        "localisation": {"hot_spot_in_box": SHARE, "in_box_5mm": SHARE, "key_slice": None},
        "declined": {"fractured": 0, "sound": 1},
        "by_kind": {"teardrop": SHARE},
        "by_width_mm": {"0-0.5": SHARE},
    }
    row = {"sources": ["gl003", "gl017"], "training": "held-out", "studies": 4, "fractured": 2, "auc_overall": AREA}
    row |= {name: SHARE for name in ("level_sensitivity", "level_specificity", "level_ranges_within_5mm")}
    anatomies = {name: count and {**found, "studies": count} for name, count in (("held_out", held_out), ("known", known))}
    anatomies["combinations"] = [{**row, "auc_mean_level": None}]
    return {"format": 2, "model": {"sha256": sha256}, "anatomies": anatomies, "all": {**found, **changes}}


def test_figures_stand_beside_the_commands_that_measure_them(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(document()))
    first = read_evaluation("necks", path, "cspine evaluate necks", "a" * 64)
    fine = {"0-0.5": {"fractured": 7, "auc_overall": AREA}}
    path.write_text(json.dumps(document(by_kind={"hangman": SHARE}, by_widest_gap_mm=fine)))
    (tmp_path / "roc.svg").write_text("<svg/>")
    text = "\n".join(tables([first, read_evaluation("others", path, "cspine evaluate others", "a" * 64)]))
    assert "| measure | necks | others |" in text
    assert "| AUC, study | 0.900 [0.800, 0.970] | 0.900 [0.800, 0.970] |" in text
    assert "| AUC, lowest level | C6 0.500 |" in text and "| key slice among the fracture's | - | - |" in text
    assert "| hangman | - | 0.750 [0.300, 0.950] (3/4) |" in text and "| teardrop | 0.750" in text
    assert "| 0-0.5 | - | 0.900 [0.800, 0.970] (7) |" in text
    assert "cspine evaluate necks\n```" in text and "cspine evaluate others\n```" in text
    assert "![roc, others](plots/others-roc.svg)" in text and "plots/necks" not in text


def test_figures_of_another_model_are_refused(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(document()))
    with pytest.raises(TrainingError, match="another model"):
        read_evaluation("necks", path, "", "b" * 64)
    path.write_text(json.dumps({**document(), "format": 1}))
    with pytest.raises(TrainingError, match="format 1"):
        read_evaluation("necks", path, "", "a" * 64)
    path.write_text("{")
    with pytest.raises(TrainingError, match="cspine evaluate --out"):
        read_evaluation("necks", path, "", "a" * 64)


def test_held_out_anatomies_come_before_known_ones(tmp_path):
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(document(held_out=31, known=57)))
    first = read_evaluation("blends", path, "cspine evaluate blends", "a" * 64)
    path.write_text(json.dumps(document(known=63)))
    text = "\n".join(tables([first, read_evaluation("same", path, "cspine evaluate same", "a" * 64)]))
    held_out, known, combination = (text.index(part) for part in ("### Held-out", "### Known", "| gl003 + gl017 | held-out | 4, 2 |"))
    assert held_out < known < combination and "not stated" not in text
    assert "| studies, broken | 31, 2 |\n" in text[held_out:known] and "| studies, broken | 57, 2 | 63, 2 |\n" in text[known:]


REAL_LEVEL = {
    "level": "C4",
    "fractured": True,
    "probability": 0.14,
    "rank": 3,
    "flag": True,
    "key_slice": 169,
    "boxed": [133, 148],
    "key_slice_in_boxed_range": False,
    "range": [127, 156],
    "labeled_range": None,
    "ends_mm": None,
}
REAL = {
    "format": 1,
    "model": {"sha256": "a" * 64},
    "overall_threshold": 0.38,
    "level_threshold": 0.05,
    "studies": [
        {
            "study": "neck",
            "fractured": True,
            "status": "analyzed",
            "reason": None,
            "overall": 0.64,
            "alert": True,
            "levels_in_order": True,
            "false_flags": 4,
            "levels": [REAL_LEVEL],
        },
        {"study": "other", "fractured": False, "status": "declined", "reason": "no spine", "overall": None, "levels": []},
    ],
}


def metrics(**changes):
    """What the card reads of `metrics.json` where the program has measured."""
    counts = {name: 4 for name in ("studies", "fractured_studies", "slices", "with_segmentation", "with_masks", "slices_with_boxes")}
    found = {
        "nature": "synthetic",
        "model_sha256": "a" * 64,
        "held": True,
        "data": {"train": counts},
        "splits": {},
        "calibration": {"aggregation": "visible-top-mean", "reason": "", "scale": 1.0, "offset": 0.0, "studies": 9},
        "thresholds_chosen_on": {"studies": 9, "held_out": 7, "points": {}},
    }
    return {**found, **changes}


TRAINING = {
    "model_config": {"size": 224, "cell": 8, "backbone": "b0"},
    "train_config": {"batch_size": 24, "seed": 1},
    "state": {"step": 3, "elapsed": 60.0},
}


def test_the_package_says_what_is_unlike_and_what_the_thresholds_rest_on():
    point = {"threshold": 0.2, "sensitivity": 0.9, "specificity": 0.9, "positives": 4, "negatives": 5}
    spread = {"studies": 20, "median": 0.9, "p95": 1.2}
    novelty = {"threshold": 1.625, "shrinkage": 0.1, "training": spread, "held_out": {**spread, "median": 1.1}}
    chosen = {"studies": 9, "held_out": 7, "points": {"overall": point, "level": point}}
    found = metrics(
        thresholds_chosen_on=chosen,
        thresholds={"overall": 0.4, "level": 0.1},
        novelty=novelty,
        training_anatomies=["VHF", "parametric"],
    )
    document = tomllib.loads(manifest(found, TRAINING, "b0", "1"))
    assert document["features"]["output"] == "features" and document["features"]["threshold"] == 1.625
    assert "held-out anatomies median 1.10" in document["features"]["data"]
    assert document["training_anatomies"] == ["VHF", "parametric"]
    assert document["thresholds"]["data"] == "validation split, 9 synthetic studies, 7 of them of held-out anatomies"
    unnamed = tomllib.loads(manifest({**found, "novelty": None, "training_anatomies": None}, TRAINING, "b0", "1"))
    assert not {"features", "training_anatomies"} & unnamed.keys()


def test_the_card_lists_real_necks_and_credits_the_sources(tmp_path):
    path = tmp_path / "real.json"
    path.write_text(json.dumps(REAL))
    extras = Extras(real=read_real(path, "a" * 64))
    text = card(metrics(training_anatomies=["BodyParts3D", "gl003", "parametric", "vhf-neck"]), TRAINING, "b0", "1", extras)
    assert "**neck** (fractured: C4): overall 64.0%, alert; levels found in order; 4 unfractured levels flagged." in text
    assert "| C4, fractured | 14.0% | flag | 169 (outside the boxed range) | 133-148 | 127-156 | - | - |" in text
    assert "**other** (not fractured): declined: no spine." in text
    assert all(name in text for name in ("CC BY-SA 4.0", "CC BY-SA 2.1 Japan", "Visible Human Female"))
    plain = card(metrics(training_anatomies=["parametric"]), TRAINING, "b0", "1", Extras())
    assert "## Credits" not in plain and "Real necks" not in plain
    with pytest.raises(TrainingError, match="another model"):
        read_real(path, "b" * 64)


def test_runs_are_compared_on_their_validation_studies():
    chosen = {"auc_overall": 0.8, "auc_level": None, "rsna_log_loss": 0.5}
    metrics = {
        "minutes": 3.96,
        "calibration": {"aggregation": "visible-top-mean"},
        "splits": {"validation": {"studies": 9, "aggregations": {"visible-top-mean": chosen}, "pointing": {"touch": 0.5}}},
    }
    assert ablation([("all of it", metrics)])[-1] == "| all of it | 4.0 | 9 | 0.800 | - | 0.500 | 0.500 |"
    assert value(None) == value({"value": None}) == "-"
