import json
import math
import tomllib

import numpy as np
import pytest

from cspine_train.aggregate import (
    combine,
    is_neck,
    overall,
    seen_levels,
    slice_shares,
    visibility_weighted_mean,
    visible_odds_mean,
    visible_top_mean,
    without_strays,
)
from cspine_train.cli import main
from cspine_train.evaluate import number
from cspine_train.calibrate import Scores, calibrate, log_loss, tables
from cspine_train.metrics import (
    area_under_curve,
    at_threshold,
    best_threshold,
    expected_calibration_error,
    RSNA_RATES,
    rsna_log_loss,
)


def columns(values):
    """One level's values as `[S, 7]`, the other levels 0."""
    table = np.zeros((len(values), 7))
    table[:, 0] = values
    return table


def test_visibility_weighted_mean_by_hand():
    # (0.8 * 1 + 0.2 * 0.5 + 0.9 * 0) / 1.5
    levels = visibility_weighted_mean(columns([1.0, 0.5, 0.0]), columns([0.8, 0.2, 0.9]), np.ones(3))
    assert levels[0] == pytest.approx(0.6) and levels[1] == 0.0


def test_visible_top_mean_by_hand():
    # Visible: 0.9, 0.4, 0.2, 0.1 times 1; the fifth is not visible. The best three: 1.5 / 3.
    levels = visible_top_mean(columns([1, 1, 1, 1, 0.4]), columns([0.1, 0.9, 0.4, 0.2, 1.0]), np.ones(5))
    assert levels[0] == pytest.approx(0.5)
    # Of 40 visible slices a tenth is 4: (4 * 0.5 + 36 * 0) / 4.
    levels = visible_top_mean(columns([1] * 40), columns([0.5] * 4 + [0.0] * 36), np.ones(40))
    assert levels[0] == pytest.approx(0.5)
    # Of 70 a tenth is 7, also in floating point: 7 * 0.5 / 7.
    levels = visible_top_mean(columns([1] * 70), columns([0.5] * 7 + [0.0] * 63), np.ones(70))
    assert levels[0] == pytest.approx(0.5)
    # Two visible slices: their mean, not a third of it.
    assert visible_top_mean(columns([1, 1]), columns([0.6, 0.2]), np.ones(2))[0] == pytest.approx(0.4)


def test_visible_odds_mean_by_hand():
    # Odds 9, 1, 1/9, 1/9, roots 3, 1, 1/3, 1/3; slices at 0, 1, 2 and 4 mm stand for 1, 1, 1.25 and 1.25 mm.
    shares = slice_shares(np.array([0.0, 1.0, 2.0, 4.0]))
    odds = (29 / 27) ** 2
    levels = visible_odds_mean(columns([1, 1, 1, 1]), columns([0.9, 0.5, 0.1, 0.1]), shares)
    assert levels[0] == pytest.approx(odds / (1 + odds)) and levels[1] == 0.0
    # What does not show the level has no part in it.
    assert visible_odds_mean(columns([1, 0.4]), columns([0.2, 1.0]), np.ones(2))[0] == pytest.approx(0.2)


def test_stray_slices_are_no_part_of_a_level():
    # The first two lie 40 mm above the rest; 10 mm without the level do not part it, nor does a gap in the scan.
    shown = np.isin(np.arange(30), [0, 1, 20, 21, 22, 28])
    cleaned = without_strays(columns(np.where(shown, 0.8, 0.1)), -2.0 * np.arange(30))
    np.testing.assert_array_equal(np.flatnonzero(cleaned[:, 0] > 0.5), [20, 21, 22, 28])
    assert cleaned[5, 0] == 0.1
    gap = columns([0.8] * 6)
    np.testing.assert_array_equal(without_strays(gap, np.array([60.0, 58, 18, 16, 14, 2])), gap)


def test_overall_leaves_out_what_is_not_seen():
    levels = np.array([0.5, 0.5, 0.9, 0, 0, 0, 0])
    assert overall(levels, np.array([True, True] + [False] * 5)) == pytest.approx(0.75)
    assert overall(levels, np.zeros(7, bool)) == 0.0


def test_slices_stand_for_half_the_way_to_each_neighbour():
    # Steps 2, 2, 2, 8: the gap counts as 3, the ends as a step.
    np.testing.assert_allclose(slice_shares(np.array([20.0, 18, 16, 14, 6])), [2, 2, 2, 2.5, 2.5])


def test_level_is_seen_from_four_millimetres_and_not_all_along():
    vertebra = columns([0.6, 0.5, 0.4])
    assert seen_levels(vertebra, np.full(3, 2.0))[0] and not seen_levels(vertebra, np.full(3, 1.9))[0]
    assert not seen_levels(columns([1.0] * 40), np.full(40, 2.0))[0]
    row = combine(columns([1.0, 1.0]), columns([0.5, 0.5]), np.array([2.0, 0.0]), "visibility-weighted-mean")
    assert row[0] == row[1] == 0.5 and np.isnan(row[2:]).all()


def test_levels_upside_down_are_declined():
    heights = -2.0 * np.arange(14)
    neck = np.repeat(np.eye(7), 2, axis=0)
    assert is_neck(neck, heights) and not is_neck(neck, -heights)
    # One pair out of order is forgiven.
    assert is_neck(neck[:, [1, 0, 2, 3, 4, 5, 6]], heights)
    assert np.isnan(combine(neck, neck, -heights, "visible-top-mean")).all()
    # One level may be missed between others; a scan that seems to leave out more shows something else.
    gaps = neck.copy()
    gaps[:, 3] = 0
    assert is_neck(gaps, heights)
    gaps[:, 5] = 0
    assert not is_neck(gaps, heights)


def test_what_shows_a_level_twice_is_no_neck():
    # As in an abdomen: C1 above and below what looks like C3 and C4.
    seen = np.eye(7)[[0, 0, 0, 2, 2, 3, 3, 0, 0, 0]]
    assert not is_neck(seen, -4.0 * np.arange(10))
    seen[7:] = 0
    assert is_neck(seen, -4.0 * np.arange(10))


def test_one_level_alone_in_a_long_scan_is_no_neck():
    lone = np.zeros((60, 7))
    lone[20:42, 4] = 1
    assert is_neck(lone, -1.0 * np.arange(60)) and not is_neck(lone, -2.0 * np.arange(60))
    # Nor is one in a small part of a short scan.
    lone[28:, 4] = 0
    assert not is_neck(lone, -1.0 * np.arange(60)) and is_neck(lone[18:30], -1.0 * np.arange(12))


def test_area_under_curve_by_hand():
    # Pairs: 0.8 > 0.3, 0.8 > 0.5, 0.5 > 0.3, 0.5 = 0.5 (half): 3.5 of 4.
    assert area_under_curve([1, 1, 0, 0], [0.8, 0.5, 0.5, 0.3]) == pytest.approx(0.875)
    assert area_under_curve([1, 1], [0.1, 0.2]) is None


def test_threshold_lies_between_the_classes():
    point = best_threshold(np.array([0, 0, 1, 1]), np.array([0.1, 0.3, 0.5, 0.9]))
    assert point.threshold == pytest.approx(0.4) and point.sensitivity == point.specificity == 1.0
    assert best_threshold(np.array([0, 0]), np.array([0.1, 0.2])) is None
    tried = at_threshold(np.array([1, 1, 0]), np.array([0.6, 0.2, 0.6]), 0.6)
    assert tried.sensitivity == 0.5 and tried.specificity == 0.0


def test_competition_loss_by_hand():
    truth = np.array([[1, 1, 0, 0, 0, 0, 0, 0]], float)
    probability = np.array([[0.5, 0.25, 0.5, 0.5, 0.5, 0.5, 0.5, np.nan]])
    # C7 was not seen: it counts as the rate of the competition's set, .195.
    expected = (14 * math.log(2) + 2 * math.log(4) + 5 * math.log(2) - math.log(1 - 0.195)) / (14 + 2 + 6)
    assert rsna_log_loss(truth, probability) == pytest.approx(expected)
    # Studies count alike, whatever their weights.
    both = rsna_log_loss(np.vstack([truth, np.zeros((1, 8))]), np.vstack([probability, np.full((1, 8), 0.5)]))
    assert both == pytest.approx((expected + math.log(2)) / 2)


def test_a_certain_error_costs_what_the_scorer_says():
    # Clipped to 1e-15, also in float32, in which 1 - 1e-15 is 1.
    truth, probability = np.zeros((1, 8), np.float32), np.zeros((1, 8), np.float32)
    probability[0, 0] = 1.0
    assert rsna_log_loss(truth, probability) == pytest.approx(7 * -math.log(1e-15) / 14, rel=1e-3)


def test_a_guess_of_the_competitions_rates_scores_as_the_competition_knows_it():
    random = np.random.default_rng(0)
    truth = (random.random((20000, 8)) < RSNA_RATES).astype(float)
    assert 0.5 < rsna_log_loss(truth, np.broadcast_to(RSNA_RATES, truth.shape)) < 0.65


def test_calibration_error_by_hand():
    # Bins 0.1 to 0.2 (one of two is positive, 0.3 expected) and 0.9 to 1 (one of one, 0.95): (0.7 + 0.05) / 3.
    error = expected_calibration_error(np.array([1, 0, 1, 1]), np.array([0.15, 0.15, 0.95, np.nan]))
    assert error == pytest.approx(0.25)
    assert expected_calibration_error(np.array([1.0]), np.array([np.nan])) is None


def saturated(count=40):
    """Necks of two slices a level whose fracture logits say the truth, with noise, 3 too high and 3 times too loud."""
    random = np.random.default_rng(4)
    studies = []
    for number in range(count):
        broken = (random.random(7) < 0.3) & bool(number % 2)
        vertebra = np.repeat(np.eye(7), 2, axis=0)
        evidence = np.where(broken, 1.0, -2.0) + random.normal(0, 1.2, (14, 7))
        truth = np.concatenate([[broken.any()], broken]).astype(np.float32)
        studies.append(Scores(vertebra, 3 * evidence + 3, -3.0 * np.arange(14), truth))
    return studies


def test_calibration_makes_loud_logits_true():
    studies = saturated()
    found = calibrate(studies, 0.0)
    before, after = (tables(studies, found.aggregation, *pair) for pair in ((1.0, 0.0), (found.scale, found.offset)))
    assert found.studies == 40
    assert log_loss(*after) < 0.6 * log_loss(*before)
    assert expected_calibration_error(after[0][:, 1:], after[1][:, 1:]) < 0.08
    assert expected_calibration_error(before[0][:, 1:], before[1][:, 1:]) > 0.2


def test_too_few_studies_only_undo_the_drawing():
    found = calibrate(saturated(12), -2.5)
    assert (found.scale, found.offset, found.studies) == (1.0, -2.5, 0)


def test_one_command_makes_a_package(folders, tmp_path, capsys):
    out = tmp_path / "small"
    arguments = ["all", "--tensors", folders[0], "--dataset", folders[1], "--out", out, "--minutes", "5"]
    arguments += ["--max-steps", "2", "--batch-size", "4", "--workers", "0", "--validation", "0.4", "--test", "0.3"]
    arguments += ["--remark", "On a neck that was not measured here it raised a false alarm."]
    assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == ["CARD.md", "model.onnx", "model.toml"]
    manifest = tomllib.loads((out / "model.toml").read_text())
    # The field and the slab are those of the arrays.
    assert list(manifest["input"].values()) == ["image", 160, 96.0, [-2.0, 0.0, 2.0], [-600.0, 1400.0], "spine", 1.0]
    assert manifest["nature"] == "clinical" and manifest["presence"] == {"vertebra": 0.5, "minimum_mm": 4.0}
    metrics = json.loads((tmp_path / "small.run" / "metrics.json").read_text())
    assert manifest["sha256"] == metrics["model_sha256"]
    assert manifest["thresholds"]["overall"] == metrics["thresholds"]["overall"]
    card = (out / "CARD.md").read_text()
    assert "- On a neck that was not measured here it raised a false alarm." in card
    assert manifest["aggregation"] == metrics["calibration"]["aggregation"]
    area = metrics["splits"]["test"]["aggregations"][manifest["aggregation"]]["auc_overall"]
    assert f"| AUC, study | {number(area)} |" in card and manifest["sha256"] in card
    # Resumed with another split, the run has trained on what it would be measured on.
    more = [*arguments, "--resume"]
    more[more.index("--max-steps") + 1] = "3"
    assert main([str(argument) for argument in [*more, "--validation", "0.0", "--test", "0.0"]]) == 1
    capsys.readouterr()
    assert main([str(argument) for argument in [*more, "--max-steps", "4"]]) == 1
    assert "were trained on" in capsys.readouterr().err
    # A model that was not the one measured is not packaged.
    with (tmp_path / "small.run" / "model.onnx").open("ab") as file:
        file.write(b"x")
    assert main(["package", "--run", str(tmp_path / "small.run"), "--out", str(out)]) == 1
    assert "not the model that was measured" in capsys.readouterr().err


def test_missing_folders_give_one_line(tmp_path, capsys):
    assert main(["train", "--run", "x", "--tensors", str(tmp_path), "--dataset", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert "train.csv" in error and error.count("\n") == 1
