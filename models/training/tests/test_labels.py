import numpy as np
import pytest
from support import affine, crop, write_array, write_nifti, write_tables

from cspine_train import TrainingError
from cspine_train.augment import box_map, transform
from cspine_train.labels import BROKEN, WEAK_WEIGHT, Box, Crop, box_to_input, label_study, read_annotations, read_slices

UID = "1.2.3"


def study(root, fractured, boxes=(), levels=None, **crop_options):
    """Four slices, 3 mm apart; `levels`: per slice {level: (x0, y0, x1, y1)} in pixels as the patient lies."""
    write_tables(root, {UID: fractured}, [(UID, *box) for box in boxes])
    write_array(root, UID, np.zeros((4, 3, 384, 384), np.uint8), 40.0 - 3.0 * np.arange(4), **crop_options)
    if levels is not None:
        volume = np.zeros((4, 160, 200), np.uint8)
        for plane, places in zip(volume, levels):
            for level, (x0, y0, x1, y1) in places.items():
                plane[y0:y1, x0:x1] = level
        write_nifti(root / "segmentations" / f"{UID}.nii", volume.transpose(2, 1, 0), affine())
    uid, slices, _ = read_slices(root / f"{UID}.json")
    return label_study(uid, slices, read_annotations(root), 384, 112.0)


TWO = [{2: (50, 50, 60, 60)}, {2: (50, 50, 60, 60), 3: (50, 80, 60, 90)}, {3: (50, 80, 60, 90)}, {}]


def test_box_moves_into_the_crop_by_hand():
    # Column 10 is input pixel (10 + 20) / 0.5 = 60; half a column (one input pixel) belongs to each side of a centre.
    box = box_to_input((10, 20, 4, 6), Crop(**crop()), 200, 160)
    assert (box.x0, box.y0, box.x1, box.y1) == (59.5, 119.5, 67.5, 131.5)


def test_box_on_a_flipped_slice_by_hand():
    # Of 200 columns, 10 to 13 are 186 to 189 counted from the other side; of 160 rows, 20 to 25 are 134 to 139.
    flipped = box_to_input((10, 20, 4, 6), Crop(**crop(flip_columns=True, flip_rows=True)), 200, 160)
    straight = box_to_input((186, 134, 4, 6), Crop(**crop()), 200, 160)
    assert flipped == straight


def test_visibility_follows_segmentation_and_needs_some_area(tmp_path):
    labels = study(tmp_path, [], levels=[*TWO[:3], {5: (50, 50, 54, 54)}])
    expected = np.zeros((4, 7))
    expected[[0, 1], 1] = 1
    expected[[1, 2], 2] = 1
    np.testing.assert_array_equal(labels.visible, expected)
    assert labels.fracture.sum() == 0 and (labels.weight == 1).all()


def test_crop_that_misses_the_neck_sees_nothing(tmp_path):
    labels = study(tmp_path, [2], levels=TWO, column0=80.0)
    assert labels.visible.sum() == 0


def test_box_makes_only_the_touched_level_of_its_slice_positive(tmp_path):
    labels = study(tmp_path, [2, 3], boxes=[(52, 52, 4, 4, 2), (52, 82, 4, 4, 3)], levels=TWO)
    expected = np.zeros((4, 7))
    expected[1, 1] = expected[2, 2] = 1
    np.testing.assert_array_equal(labels.fracture, expected)
    assert [[box.levels for box in boxes] for boxes in labels.boxes] == [[], [(1,)], [(2,)], []]
    assert (labels.weight == 1).all()


def test_box_is_matched_on_flipped_slices(tmp_path):
    # In the file the level's columns 50 to 59 of 200 are 140 to 149: box there.
    labels = study(tmp_path, [2], boxes=[(142, 52, 4, 4, 1)], levels=TWO, flip_columns=True)
    assert labels.fracture[0, 1] == 1 and labels.boxes[0][0].levels == (1,)


def test_fractured_level_without_box_is_weakly_positive_where_visible(tmp_path):
    labels = study(tmp_path, [3], levels=TWO)
    np.testing.assert_array_equal(labels.fracture[:, 2], [0, 1, 1, 0])
    np.testing.assert_allclose(labels.weight[:, 2], [1, WEAK_WEIGHT, WEAK_WEIGHT, 1])
    assert not labels.follow.any()


def test_without_segmentation_visibility_is_unknown_and_one_fractured_level_owns_the_boxes(tmp_path):
    labels = study(tmp_path, [4], boxes=[(10, 10, 4, 4, 2)])
    assert np.isnan(labels.visible).all()
    np.testing.assert_array_equal(labels.fracture[:, 3], [0, 1, 0, 0])
    assert (labels.weight == 1).all() and labels.boxes[1][0].levels == (3,)


def test_without_segmentation_and_boxes_the_study_label_follows_the_predicted_visibility(tmp_path):
    labels = study(tmp_path, [4])
    np.testing.assert_array_equal(labels.fracture[:, 3], [1, 1, 1, 1])
    assert labels.follow[:, 3].all() and (labels.weight[:, 3] == WEAK_WEIGHT).all()
    assert not labels.follow[:, :3].any() and labels.fracture[:, :3].sum() == 0


def test_two_fractured_levels_without_segmentation_share_doubtful_slices(tmp_path):
    labels = study(tmp_path, [4, 5], boxes=[(10, 10, 4, 4, 3)])
    np.testing.assert_array_equal(labels.follow[:, 3], [False, False, True, False])
    assert labels.fracture[2, [3, 4]].tolist() == [1, 1] and labels.boxes == [[], [], [], []]


def test_mask_marks_broken_places_and_names_their_level(tmp_path):
    mask = np.zeros((4, 160, 200), np.uint8)
    mask[1, 52:56, 58:63] = 2  # three columns of it where bone has gone
    write_nifti(tmp_path / "fracture_masks" / f"{UID}.nii", mask.transpose(2, 1, 0), affine())
    labels = study(tmp_path, [2], boxes=[(58, 52, 5, 4, 2)], levels=TWO)
    assert labels.masked and labels.planes.shape == (4, 192, 192)
    # A sample is one column: column 58 is sample 78, row 52 is sample 92.
    marked = labels.planes[1] == (2 | BROKEN)
    assert marked[92:96, 78:83].all() and marked.sum() == 20 and (labels.planes[[0, 2, 3]] < BROKEN).all()
    assert (labels.planes[1] == 2).sum() == 100 - 8


def test_malformed_tables_name_the_line(tmp_path):
    (tmp_path / "train.csv").write_text("StudyInstanceUID,patient_overall,C1\n1.2,0,0\n")
    with pytest.raises(TrainingError, match="line 2"):
        read_annotations(tmp_path)


def test_other_preprocessing_version_is_refused(tmp_path):
    study(tmp_path, [])
    path = tmp_path / f"{UID}.json"
    path.write_text(path.read_text().replace('"preprocessing_version": 3', '"preprocessing_version": 1'))
    with pytest.raises(TrainingError, match="version 1"):
        read_slices(path)


def test_box_map_covers_the_boxes_cells_and_flips_with_the_picture():
    still, flip = transform(0.0, 1.0, (0.0, 0.0), False), transform(0.0, 1.0, (0.0, 0.0), True)
    # Cells of 32 pixels: columns 2 and 3, row 1 of 12.
    target = box_map([Box(64, 32, 128, 64, (4,))], still, 384, 12)
    assert target[4, 1, 2:4].tolist() == [1, 1] and target.sum() == 2
    mirrored = box_map([Box(64, 32, 128, 64, (4,))], flip, 384, 12)
    assert mirrored[4, 1, 8:10].tolist() == [1, 1] and mirrored.sum() == 2


def test_box_smaller_than_a_cell_still_marks_one():
    target = box_map([Box(70, 40, 80, 50, (0,))], transform(0.0, 1.0, (0.0, 0.0), False), 384, 12)
    assert target[0, 1, 2] == 1 and target.sum() == 1
