import json
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from support import make_dataset, write_array, write_tables

from cspine_train import TrainingError
from cspine_train.anatomy import union
from cspine_train.augment import (
    Augmentation,
    box_map,
    draw,
    middles,
    resample,
    resample_plane,
    set_apart,
    transform,
)
from cspine_train.data import Batches, cells, collate, load_collection, merged, split, split_of, summary
from cspine_train.prepare import prepare


def test_rsna_shaped_folder_is_read(collection):
    counts = summary(collection.studies)
    assert counts["studies"] == counts["with_segmentation"] == 12
    assert counts["slices"] == 12 * 14 and counts["fractured_studies"] == 6 and counts["slices_with_boxes"] == 12
    assert collection.nature == "clinical" and collection.unlabelled == 0
    study = next(study for study in collection.studies if study.uid == "1.2.3.3")
    # Study 3: C2 is fractured; two slices show it, and the boxes lie where the picture has its dark cleft.
    assert np.flatnonzero(study.labels.fracture[:, 1]).tolist() == [2, 3]
    box = study.labels.boxes[2][0]
    picture = study.array[2, 1]
    inside = picture[round(box.y0) : round(box.y1), round(box.x0) : round(box.x1)]
    assert (inside == 20).all() and (picture == 20).sum() == inside.size


def test_phantoms_are_known_by_their_truth(folders):
    truth = folders[1] / "truth.json"
    fractures = {3: [{"level": "C2", "kind": "hangman"}]}
    studies = [
        {"study_instance_uid": f"1.2.3.{number}", "seed": number // 2, "fractures": fractures.get(number, [])}
        for number in range(12)
    ]
    truth.write_text(json.dumps({"studies": studies}))
    try:
        collection = load_collection(*folders)
        assert collection.nature == "synthetic" and collection.kinds == {("1.2.3.3", 1): "hangman"}
        # Twins of one seed, 0 and 1, 2 and 3 and so on, are never parted.
        parts = collection.split(0.4, 0.3)
        homes = {study.uid: name for name, studies in parts.items() for study in studies}
        assert len(set(homes.values())) > 1
        assert all(homes[f"1.2.3.{number}"] == homes[f"1.2.3.{number + 1}"] for number in range(0, 12, 2))
    finally:
        truth.unlink()


def test_array_of_another_shape_is_refused(tmp_path, folders):
    source = folders[0] / "1.2.3.0.json"
    (tmp_path / source.name).write_text(source.read_text())
    np.save(tmp_path / "1.2.3.0.npy", np.zeros((3, 3, 160, 160), np.uint8))
    with pytest.raises(TrainingError, match="write it again"):
        load_collection(tmp_path, folders[1])
    (tmp_path / source.name).write_text(source.read_text().replace('"size": 160', '"size": 100'))
    with pytest.raises(TrainingError, match="multiple of 32"):
        load_collection(tmp_path, folders[1])


def test_split_depends_on_the_uid_alone_and_keeps_its_shares():
    names = [split_of(f"1.2.{number}", 0.2, 0.1) for number in range(5000)]
    assert names == [split_of(f"1.2.{number}", 0.2, 0.1) for number in range(5000)]
    assert abs(names.count("validation") / 5000 - 0.2) < 0.02 and abs(names.count("test") / 5000 - 0.1) < 0.02
    assert split_of("1.2.3.4", 0.0, 0.0) == "train"


def test_batches_repeat_exactly_and_hold_positives(collection):
    source = Batches(collection.studies, 20, 16, seed=3, augmentation=Augmentation())
    first, again = source.batch(5), source.batch(5)
    assert torch.equal(first.images, again.images) and torch.equal(first.broken, again.broken)
    assert not torch.equal(first.images, source.batch(6).images)
    shares = [(source.batch(number).fracture.amax(1) > 0).float().mean().item() for number in range(20)]
    assert 0.3 < np.mean(shares) < 0.6
    natural, drawn = source.rates()
    # 12 positive labels of 12 studies, 14 slices, 7 levels; 0.45 of the slices drawn have one of 7.
    assert natural == pytest.approx(12 / (12 * 14 * 7)) and drawn == pytest.approx(0.45 / 7)
    assert (((first.broken * first.broken_weight).amax((2, 3)) > 0) == (first.fracture > 0)).all()


def named(collection, *names):
    """The studies, each with one of these sources in turn."""
    studies = deepcopy(collection.studies)
    for number, study in enumerate(studies):
        study.anatomy = (names[number % len(names)],)
    return studies


def test_every_batch_holds_each_anatomys_share(collection):
    studies = named(collection, "gl003", "gl003", "gl003", "gl003", "gl003", "VHF")
    source = Batches(studies, 20, 10, seed=3, shares={"VHF": 0.35})
    vhf = [study.uid for study in studies if study.anatomy == ("VHF",)]
    picked = []
    for number in range(20):
        seen = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("cspine_train.data.collate", lambda picks, *_: seen.extend(picks))
            source.batch(number)
        picked.append(sum(study.uid in vhf for study, _ in seen))
        assert len(seen) == 10
    # 3.5 of 10: three or four in each, not chance.
    assert set(picked) == {3, 4} and 60 < sum(picked) < 80
    assert source.rates()[1] == pytest.approx(Batches(studies, 20, 10, seed=3).rates()[1])


def test_shares_that_cannot_be_drawn_are_refused(collection):
    studies = named(collection, "gl003", "VHF")
    with pytest.raises(TrainingError, match="--share vhf: no study.*VHF, gl003"):
        Batches(studies, 20, 10, seed=3, shares={"vhf": 0.3})
    with pytest.raises(TrainingError, match="remain for the 0 studies"):
        Batches(studies, 20, 10, seed=3, shares={"VHF": 0.3, "gl003": 0.3})
    with pytest.raises(TrainingError, match="remain for the 6 studies"):
        Batches(studies, 20, 10, seed=3, shares={"VHF": 1.0})


def test_anatomies_are_those_of_truth_json(tmp_path):
    tensors, dataset = make_dataset(tmp_path, 3)
    keys = [{"anatomy": ["vhf-neck", "gl003"], "source": "volume"}, {"source": "parametric"}, {}]
    studies = [
        {"study_instance_uid": f"1.2.3.{number}", "seed": 7, "fractures": [], **more} for number, more in enumerate(keys)
    ]
    (dataset / "truth.json").write_text(json.dumps({"studies": studies}))
    collection = load_collection(tensors, dataset)
    assert [study.anatomy for study in collection.studies] == [("gl003", "vhf-neck"), ("parametric",), ()]
    assert collection.necks["1.2.3.1"] == "parametric 7"
    assert union(study.anatomy for study in collection.studies[:2]) == ["gl003", "parametric", "vhf-neck"]
    assert union(study.anatomy for study in collection.studies) is None


def test_breaks_on_few_slices_are_drawn_as_often_as_breaks_on_many(collection):
    study = deepcopy(next(study for study in collection.studies if study.uid == "1.2.3.3"))
    study.labels.fracture[4:14, 4] = 1.0
    source = Batches([study], 20, 32, seed=1, positive_share=1.0)
    levels = sum(source.batch(number).fracture.sum(0) for number in range(20)).numpy()
    # C2 on two slices, C5 on ten others.
    assert levels.sum() == 640 and np.flatnonzero(levels).tolist() == [1, 4]
    assert levels[1] / 640 == pytest.approx(0.5, abs=0.08)
    assert source.rates() == pytest.approx((12 / (14 * 7), 1 / 7))


def test_resampling_without_change_changes_nothing():
    images = torch.randint(0, 256, (2, 3, 160, 160), dtype=torch.uint8)
    still = transform(0.0, 1.0, (0.0, 0.0), False)
    torch.testing.assert_close(resample(images, [still] * 2), images.float() / 255, atol=1e-4, rtol=0)
    plane = np.random.default_rng(0).integers(0, 8, (80, 80), np.uint8)
    np.testing.assert_array_equal(resample_plane(plane, still), plane)


WARPS = [transform(0.15, 1.08, (0.07, -0.05), True), draw(Augmentation(bend=0.04), np.random.default_rng(5))]


@pytest.mark.parametrize("warp", WARPS)
def test_boxes_follow_the_picture_through_any_warp(collection, warp):
    study = next(study for study in collection.studies if study.uid == "1.2.3.3")
    image = resample(torch.from_numpy(study.array[2:3].copy()), [warp])[0, 1]
    cleft = (image < 0.1) & (image > 0.05)
    share = cleft.float().reshape(20, 8, 20, 8).mean((1, 3)).numpy()
    target = box_map(study.labels.boxes[2], warp, 160, 20)[1]
    # Cells that the cleft has most of are in the box's map, and cells far from it are not.
    assert (target[share > 0.5] > 0.4).all() and (share > 0.5).any()
    assert target[share < 0.05].max() < 0.1


@pytest.mark.parametrize("warp", WARPS)
def test_masks_follow_the_picture_and_leave_out_what_touches_them(tmp_path, warp):
    collection = load_collection(*make_dataset(tmp_path, masks=True))
    study = next(study for study in collection.studies if study.uid == "1.2.3.3")
    assert study.labels.masked and summary(collection.studies)["with_masks"] == 6
    image = resample(torch.from_numpy(study.array[2:3].copy()), [warp])[0, 1]
    share = ((image < 0.1) & (image > 0.05)).float().reshape(20, 8, 20, 8).mean((1, 3)).numpy()
    bone, broken, weight = cells(study.labels, 2, warp, 160, 20)
    assert (broken[1][share > 0.3] == 1).all() and (share > 0.3).any() and broken[1][share < 0.02].max() == 0
    assert weight[1][share > 0.3].min() == 1 and bone[1][share > 0.3].min() == 1
    # Beside the break nothing is said; farther off the bone is known to be whole. Other levels have none here.
    assert ((bone[1] == 1) & (weight[1] == 0)).any() and ((weight[1] == 1) & (broken[1] == 0)).any()
    assert weight[[0, 2, 3, 4, 5, 6]].sum() == 0 == bone[[0, 2, 3, 4, 5, 6]].sum()


def test_a_bend_tears_nothing():
    random, at = np.random.default_rng(0), middles(64)
    for _ in range(50):
        warp = draw(Augmentation(rotation_degrees=0, scale=0, shift=0, flip=False), random)
        across, down = warp.places(at, at)
        # Neighbours stay in order, and no step is strained by more than a third.
        assert 0.67 < np.diff(across, axis=1).min() * 32 and np.diff(across, axis=1).max() * 32 < 1.34
        assert 0.67 < np.diff(down, axis=0).min() * 32 and np.diff(down, axis=0).max() * 32 < 1.34


@pytest.mark.parametrize("size", [80, 96])
def test_coarse_batches_show_the_same_slices(collection, size):
    picks = [(collection.studies[3], 2)]
    # The labels are sampled 80 times from edge to edge: evenly in 10 cells, not in 12.
    fine, coarse = (collate(picks, each // 8, size=each) for each in (160, size))
    assert fine.images.shape[-1] == 160 and coarse.images.shape[-1] == size and coarse.bone.shape[-1] == size // 8
    shrunk = torch.nn.functional.interpolate(fine.images, size=(size, size), mode="bilinear", antialias=True)
    assert (shrunk - coarse.images).abs().mean() < 0.02
    assert torch.equal(coarse.broken.amax((2, 3)), fine.broken.amax((2, 3)))


def test_data_sets_are_merged_and_a_study_counts_once(tmp_path, collection):
    other = load_collection(*make_dataset(tmp_path, first=100, studies=8))
    both = merged([collection, other])
    assert len(both.studies) == 20 and both.size == 160 and both.nature == collection.nature
    with pytest.raises(TrainingError, match="12 studies"):
        merged([collection, collection])
    thicker = [replace(study, slab_mm=2.0) for study in other.studies]
    with pytest.raises(TrainingError, match="same --slab"):
        _ = merged([collection, replace(other, studies=thicker)]).slab_mm
    narrower = replace(other, studies=[replace(study, millimetres=90.0) for study in other.studies])
    with pytest.raises(TrainingError, match="same --field"):
        _ = merged([collection, narrower]).millimetres
    with pytest.raises(TrainingError, match="96.0 mm fields to train on and of 90.0"):
        split(collection, narrower, 0.5, 0.5)


def test_unknown_places_have_no_weight(collection):
    study = next(study for study in collection.studies if study.uid == "1.2.3.3")
    labels = replace(study.labels, weight=np.where(study.labels.fracture > 0, 0.25, 1.0).astype(np.float32))
    still = transform(0.0, 1.0, (0.0, 0.0), False)
    assert cells(study.labels, 2, still, 160, 20)[2].sum() > 0 == cells(labels, 2, still, 160, 20)[2].sum()


def test_held_out_studies_are_others_and_never_trained_on(tmp_path, collection):
    held = load_collection(*make_dataset(tmp_path / "held", first=100, studies=8))
    parts = split(collection, held, 0.15, 0.15)
    assert parts["train"] == collection.studies
    assert len(parts["validation"]) + len(parts["test"]) == 8 and parts["validation"] and parts["test"]
    with pytest.raises(TrainingError, match="12 studies"):
        split(collection, collection, 0.15, 0.15)


def test_preparing_runs_the_program_and_tells_what_is_there(tmp_path, folders, capfd):
    tensors, dataset = folders
    (tmp_path / "set" / "train_images").mkdir(parents=True)
    (tmp_path / "set" / "train.csv").write_text((dataset / "train.csv").read_text())
    # Stands in for the program: takes its arguments, and leaves arrays where it is told to.
    program = tmp_path / "cspine"
    program.write_text(f'#!/bin/sh\n[ "$1 $5 $6 $7 $8" = "tensors --size 160 --field 112.0" ] || exit 2\ncp -r "{tensors}" "$4"\nexit 1\n')
    program.chmod(0o755)
    lines = []
    prepared = prepare(tmp_path / "set", tmp_path / "arrays", str(program), 160, 112.0, lines.append)
    assert len(prepared.studies) == 12 and "12 clinical studies, 168 slices of 160 x 160" in lines[0]
    assert "fractured: 6 (C1 1, C2 1" in lines[1]
    with pytest.raises(TrainingError, match="ended with 2"):
        prepare(tmp_path / "set", tmp_path / "again", str(program), 128, 112.0, lines.append)
    with pytest.raises(TrainingError, match="no such program"):
        prepare(tmp_path / "set", tmp_path / "again", str(tmp_path / "nothing"), 128, 112.0, lines.append)
    with pytest.raises(TrainingError, match="RSNA 2022 layout"):
        prepare(tmp_path, tmp_path / "again", str(program), 128, 112.0, lines.append)


def test_slices_far_apart_are_the_slice_itself_or_have_neighbours_twice_as_far_away(tmp_path):
    # Slices 1 mm apart, each as bright as it lies low; channels at 2 mm, so that the lowest bright slice stands at 2 + k.
    places = 40.0 - np.arange(12.0)
    images = np.stack([np.full((3, 32, 32), 0, np.uint8) for _ in places])
    for number in range(12):
        for channel, offset in enumerate((-2, 0, 2)):
            images[number, channel] = 10 * (number + offset + 2)
    write_tables(tmp_path, {"1.2": []})
    write_array(tmp_path, "1.2", images, places)
    study = load_collection(tmp_path, tmp_path).studies[0]
    nothing = dict.fromkeys(("rotation_degrees", "scale", "shift", "bend", "gain", "offset", "sharpness", "noise"), 0.0)
    picture = Augmentation(**nothing, thick=1.0, flip=False)
    found = set()
    for seed in range(60):
        batch = collate([(study, 6)], 4, picture, np.random.default_rng(seed))
        found.add(tuple(int(round(float(value) * 255)) for value in batch.images[0, :, 16, 16]))
    # The slice itself (merged it is as bright: the mean of 60, 80 twice and 100), and neighbours 4 mm away on one side or both.
    assert found == {(80, 80, 80), (40, 80, 120), (40, 80, 80), (80, 80, 120)}
    untouched = collate([(study, 6)], 4, replace(picture, thick=0.0), np.random.default_rng(0))
    assert [round(float(value) * 255) for value in untouched.images[0, :, 16, 16]] == [60, 80, 100]


def test_channels_become_those_of_slices_far_apart():
    values = ((10, 200, 250), (1, 3, 5), (2, 4, 8))
    own, head, foot = (np.stack([np.full((2, 2), value, np.uint8) for value in three]) for three in values)
    drawn = [set_apart(own, head, foot, np.random.default_rng(seed))[:, 0, 0] for seed in range(200)]
    seen = {tuple(int(value) for value in three) for three in drawn}
    thick = (10 + 400 + 250) // 4
    assert {(200, 200, 200), (thick, thick, thick), (3, 200, 4), (3, thick, 5), (thick, thick, 5), (3, 200, 200)} <= seen
    assert all(three[1] in (200, thick) for three in seen)
