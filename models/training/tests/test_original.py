"""The reference configuration: the original system's network and loss."""

import numpy as np
import onnxruntime
import pytest
import torch

from cspine_train import loss, original
from cspine_train.data import Batches
from cspine_train.export import export_checkpoint
from cspine_train.model import Logits, ModelConfig
from cspine_train.quantise import quantise
from cspine_train.train import TrainConfig, one_cycle, train

SMALL = ModelConfig(size=160, backbone="tf_efficientnetv2_b0", original=True)


def test_loss_by_hand(collection):
    batch = Batches(collection.studies, 20, 2, seed=0).batch(0)
    batch.visible[:] = 0.0
    batch.visible[0, :2] = 1.0
    batch.study[:] = 0.0
    batch.study[0, 0] = batch.study[0, 5] = 1.0  # C1 is fractured and seen, C6 fractured and not seen
    nothing = torch.zeros(2, 7)
    found = loss.compute(Logits(nothing, nothing, None, None, None), batch)
    assert found.vertebra.item() == pytest.approx(np.log(2))
    # Levels: seven times ln 2, C1 twice; overall 1 - 2^-7, weight 7, and twice for the positive slice.
    some, none = -np.log(1 - 2.0**-7), 7 * np.log(2)
    expected = ((8 * np.log(2) + 7 * 2 * some) / 14 + (7 * np.log(2) + 7 * none) / 14) / 2
    assert found.fracture.item() == pytest.approx(expected, rel=1e-5)
    assert found.total.item() == pytest.approx(np.log(2) + 2 * expected, rel=1e-5)


def test_slices_without_a_segmentation_do_not_count(collection):
    batch = Batches(collection.studies, 20, 2, seed=0).batch(0)
    batch.segmented[:] = False
    batch.visible[:] = float("nan")
    said = torch.zeros(2, 7, requires_grad=True)
    sum(original.losses(Logits(said, said, None, None, None), batch)).backward()
    assert said.grad.abs().max() == 0


def test_the_learning_rate_is_one_cycle():
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, total_steps=1001)
    for step in range(1000):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(one_cycle(step / 1000), abs=0.004)
        optimizer.step()
        reference.step()


def test_it_trains_exports_and_is_quantised(collection, tmp_path):
    config = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=2, without=("maps",))
    checkpoint = train(collection, tmp_path, config, SMALL, echo=lambda _: None)
    assert (tmp_path / "curves.svg").read_text().count("<path") > 3
    model = tmp_path / "model.onnx"
    export_checkpoint(checkpoint, model)
    quantise(model, tmp_path / "quantised.onnx", collection.studies[:2])
    images = np.ascontiguousarray(collection.studies[1].array[:4])
    exact, rough = (
        onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"image": images})
        for path in (model, tmp_path / "quantised.onnx")
    )
    assert len(exact) == 2 and exact[0].shape == exact[1].shape == (4, 7)
    assert max(np.abs(left - right).max() for left, right in zip(exact, rough)) < 0.1
    assert (tmp_path / "quantised.onnx").stat().st_size < 0.4 * model.stat().st_size
