"""The card: figures of `cspine evaluate`, with their commands, and the table of what parts are worth."""

import json

import pytest

from cspine_train import LEVELS, TrainingError
from cspine_train.measured import ablation, read_evaluation, tables, value

SHARE = {"value": 0.75, "low": 0.3, "high": 0.95, "count": 3, "of": 4}
AREA = {"value": 0.9, "low": 0.8, "high": 0.97}


def document(sha256="a" * 64, **changes):
    """An `evaluation.json` with the keys that are read, as the program writes them."""
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
    return {"format": 1, "model": {"sha256": sha256}, "all": {**found, **changes}}


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
    path.write_text(json.dumps({**document(), "format": 2}))
    with pytest.raises(TrainingError, match="format 2"):
        read_evaluation("necks", path, "", "a" * 64)
    path.write_text("{")
    with pytest.raises(TrainingError, match="cspine evaluate --out"):
        read_evaluation("necks", path, "", "a" * 64)


def test_runs_are_compared_on_their_validation_studies():
    chosen = {"auc_overall": 0.8, "auc_level": None, "rsna_log_loss": 0.5}
    metrics = {
        "minutes": 3.96,
        "calibration": {"aggregation": "visible-top-mean"},
        "splits": {"validation": {"studies": 9, "aggregations": {"visible-top-mean": chosen}, "pointing": {"touch": 0.5}}},
    }
    assert ablation([("all of it", metrics)])[-1] == "| all of it | 4.0 | 9 | 0.800 | - | 0.500 | 0.500 |"
    assert value(None) == value({"value": None}) == "-"
