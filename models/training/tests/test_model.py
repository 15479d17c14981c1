from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import SMALL

from cspine_train import TrainingError, loss
from cspine_train.ablate import VARIANTS, ablate, predict
from cspine_train.data import Batches
from cspine_train.export import check_graph, export_network
from cspine_train.measured import ablation
from cspine_train.model import FLOOR, Logits, ModelConfig, Network, both, smooth_maximum
from cspine_train.train import TrainConfig, load_checkpoint, schedule, step, train, trained_network


def test_smooth_maximum_by_hand():
    # Two cells, 0 and ln 3: the mean of the exponentials is 2.
    maps = torch.tensor([0.0, np.log(3.0)], dtype=torch.float64).view(1, 1, 1, 2)
    assert smooth_maximum(maps, 1.0).item() == pytest.approx(np.log(2.0))
    assert smooth_maximum(maps * 1e4, 4.0).item() == pytest.approx(1e4 * np.log(3.0) - np.log(2.0) / 4)
    flat = torch.full((1, 7, 12, 12), -3.0)
    torch.testing.assert_close(smooth_maximum(flat, 4.0), torch.full((1, 7), -3.0))


def test_weighted_loss_by_hand():
    logits, target = torch.tensor([[0.0, np.log(3.0)]]), torch.tensor([[1.0, 0.0]])
    # -ln 0.5 with weight 2, and -ln 0.25 with weight 1, over 3.
    expected = (2 * np.log(2) + np.log(4)) / 3
    assert loss.weighted_bce(logits, target, torch.ones(1, 2), 2.0).item() == pytest.approx(expected, rel=1e-6)
    assert loss.weighted_bce(logits, target, torch.zeros(1, 2), 2.0).item() == 0.0


def test_prior_shift_undoes_drawing_and_weight_by_hand():
    # Odds 1 : 99 in truth; drawn 1 : 9, and counted twice.
    assert loss.prior_shift(0.01, 0.1) == pytest.approx(np.log((1 / 99) / (1 / 9) / 2))
    assert loss.prior_shift(0.0, 0.1) == 0.0


def test_product_of_probabilities_by_hand():
    logit = torch.tensor([0.0, np.log(3.0)], dtype=torch.float32)  # probabilities 1/2 and 3/4
    expected = torch.tensor([np.log(0.375 / 0.625)], dtype=torch.float32)
    torch.testing.assert_close(both(logit[:1], logit[1:]), expected)
    # Certainty changes nothing but within the floor, and nothing overflows.
    torch.testing.assert_close(both(logit, torch.full((2,), 1e4)), logit, atol=1e-4, rtol=0)
    assert both(torch.tensor(-1e4), torch.tensor(-1e4)).item() == pytest.approx(2 * FLOOR)


def test_what_is_unknown_teaches_nothing(collection):
    batch = Batches(collection.studies, 20, 4, seed=0).batch(0)
    batch.visible[:] = float("nan")
    batch.segmented[:] = False
    batch.broken_weight[:] = 0.0
    said = Logits(*(torch.zeros(shape, requires_grad=True) for shape in ([4, 7],) * 2 + ([4, 7, 20, 20],) * 3))
    loss.compute(said, batch).total.backward()
    assert said.vertebra.grad.abs().max() == said.level_map.grad.abs().max() == said.break_map.grad.abs().max() == 0
    assert said.fracture.grad.abs().max() > 0


def test_a_few_slices_are_learnt(collection):
    torch.manual_seed(0)
    network = Network(SMALL).train()
    batch = Batches(collection.studies, 20, 6, seed=1, positive_share=0.5).batch(0)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    losses = [step(network, optimizer, batch, TrainConfig())[0] for _ in range(14)]
    assert losses[-1] < 0.5 * losses[0]


def test_schedule_rises_and_falls_to_nothing():
    assert schedule(0.025, 0.05) == pytest.approx(0.5) and schedule(0.05, 0.05) == pytest.approx(1.0)
    assert schedule(0.525, 0.05) == pytest.approx(0.5) and schedule(1.0, 0.05) == pytest.approx(0.0)


def test_training_stops_resumes_and_protects_a_run(collection, tmp_path):
    config = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=2)
    path = train(collection, tmp_path, config, SMALL, echo=lambda _: None)
    with pytest.raises(TrainingError, match="--resume"):
        train(collection, tmp_path, config, SMALL, echo=lambda _: None)
    more = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=3)
    train(collection, tmp_path, more, SMALL, resume=True, echo=lambda _: None)
    state = load_checkpoint(path)["state"]
    assert state["step"] == 3 and state["images"] == 12
    with pytest.raises(TrainingError, match="another model"):
        train(collection, tmp_path, more, ModelConfig(size=160, cell=16, neck=16), resume=True, echo=lambda _: None)
    document = load_checkpoint(path)
    _begins_with_the_weights_of(path, collection, tmp_path / "next")
    assert document["prior_shift"] < 0
    plain, moved = trained_network(document), trained_network(document)
    moved.calibrate(0.5, -2.0)
    image = torch.randint(0, 256, (1, 3, 160, 160), dtype=torch.uint8)
    with torch.no_grad():
        before, after = plain(image), moved(image)
    assert torch.equal(before[0], after[0])
    torch.testing.assert_close(torch.logit(after[1]), torch.logit(before[1]) * 0.5 - 2.0, atol=1e-3, rtol=0)
    torch.testing.assert_close(after[2], before[2] * 0.5 - 2.0)


def _begins_with_the_weights_of(path, collection, run):
    at_once = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=1, learning_rate=0.0)
    begun = load_checkpoint(train(collection, run, at_once, SMALL, echo=lambda _: None, start_from=path))
    theirs = load_checkpoint(path)
    weights = [name for name, value in theirs["average"].items() if "running" not in name and value.is_floating_point()]
    assert all(torch.equal(begun["model"][name], theirs["average"][name]) for name in weights)
    assert begun["state"]["step"] == 1 and begun["origin"].startswith("3 steps")
    longer = replace(at_once, max_steps=2)
    again = load_checkpoint(train(collection, run, longer, SMALL, resume=True, echo=lambda _: None))
    assert again["state"]["step"] == 2 and again["origin"] == begun["origin"]
    with pytest.raises(TrainingError, match="another network"):
        train(collection, run / "x", at_once, ModelConfig(size=160, cell=16, neck=16), start_from=path, echo=lambda _: None)


@pytest.mark.parametrize("has", [True, False])
def test_bfloat16_that_is_only_imitated_is_told_of(collection, tmp_path, monkeypatch, has):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: has)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    config = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=1, bf16=True, device="cpu")
    lines = []
    train(collection, tmp_path, config, SMALL, echo=lines.append)
    assert any("imitates bfloat16" in line for line in lines) != has


@pytest.mark.parametrize(("size", "cell"), [(160, 8), (320, 16)])
def test_export_agrees_with_pytorch_and_has_no_chains(tmp_path, size, cell):
    torch.manual_seed(0)
    network = Network(ModelConfig(size=size, cell=cell, neck=16))
    for _ in range(2):  # batch norms that are not the identity
        network.train()(torch.randint(0, 256, (4, 3, size, size), dtype=torch.uint8))
    network.calibrate(0.7, -1.5)
    report = export_network(network, tmp_path / "model.onnx")
    assert max(report["largest_difference"].values()) < 1e-4 and len(report["sha256"]) == 64
    operators = check_graph(tmp_path / "model.onnx", size)["operators"]
    assert not {"Pad", "Shape", "BatchNormalization"} & operators.keys()
    assert b"/cspine_train/" not in (tmp_path / "model.onnx").read_bytes()


def test_parts_are_taken_away_and_measured(collection, tmp_path):
    path = train(collection, tmp_path, TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=2), SMALL, echo=lambda _: None)
    rows = ablate(load_checkpoint(path), collection.studies, {}, lambda _: None)
    # Only a blended run has weights of its own training beside those that it ended with.
    variants = [variant for variant in VARIANTS if variant.weights != "alone"]
    assert len(variants) == 5 and [row["label"] for row in rows] == [variant.label for variant in variants]
    blended = {**load_checkpoint(path), "alone": load_checkpoint(path)["model"]}
    labels = [row["label"] for row in ablate(blended, collection.studies, {}, lambda _: None)]
    assert labels == [variant.label for variant in VARIANTS]
    assert all(line.count("|") == 8 for line in ablation([(row["label"], row) for row in rows]))
    network = trained_network(load_checkpoint(path))
    whole, *_, coarse, breaks = (predict(network, variant, collection.studies[1])[1] for variant in variants)
    # Without the map of levels nothing can be less certain; the picture that is shown matters.
    assert (breaks >= whole - 1e-4).all() and not np.array_equal(whole, coarse)
