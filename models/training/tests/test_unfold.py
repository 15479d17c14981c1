"""Training that begins with a package: the folded weights of its graph, in a network that learns again."""

import copy
import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as functional
from conftest import SMALL
from torch import nn

from cspine_train import TrainingError
from cspine_train.blend import blend
from cspine_train.card import Extras, card
from cspine_train.cli import main
from cspine_train.export import export_checkpoint, export_network
from cspine_train.model import ModelConfig, Network
from cspine_train.original import OriginalNetwork
from cspine_train.quantise import quantise
from cspine_train.train import TrainConfig, load_checkpoint, train, trained_network
from cspine_train.unfold import fold, unfold

QUICK = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=2)


def smooth(count: int, seed: int) -> torch.Tensor:
    """Soft blots, `[count, 3, 160, 160]`, 0 to 1."""
    random = torch.Generator().manual_seed(seed)
    blots = (torch.rand(count, 3, cells, cells, generator=random) for cells in (5, 20))
    return sum(functional.interpolate(each, size=160, mode="bilinear") for each in blots) / 2


@pytest.fixture(scope="module")
def network():
    """A network whose batch norms and heads are far from where they begin; calibrated."""
    torch.manual_seed(0)
    network = Network(SMALL)
    for name, value in network.named_parameters():
        if value.ndim == 1 and ("bn" in name or name.startswith(("laterals", "mix"))):
            nn.init.normal_(value, 1.0 if name.endswith("weight") else 0.0, 0.4)
    for head in (network.level_head, network.break_head, network.correction):
        nn.init.normal_(head.weight, std=0.05)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5
    for seed in range(4):
        network.train().logits(smooth(8, 100 + seed))
    network.calibrate(0.7, -1.5)
    return network.eval()


@pytest.fixture(scope="module")
def package(tmp_path_factory, network):
    """Its package's folder, as far as training looks at one."""
    folder = tmp_path_factory.mktemp("package")
    digest = export_network(network, folder / "model.onnx")["sha256"]
    (folder / "model.toml").write_text(f'name = "tried"\nversion = "1.2.0"\nsha256 = "{digest}"\n')
    return folder


def test_the_function_is_the_same_and_stays_so_in_training(network, package):
    torch.manual_seed(1)
    found = Network(SMALL)
    unfold(package / "model.onnx", found, [smooth(24, seed) for seed in range(8)])
    assert (found.scale, found.offset) == (1.0, 0.0)
    images = smooth(24, 50)
    with torch.no_grad():
        expected, evaluated = network.logits(images), found.eval().logits(images)
        for ours, theirs in zip(evaluated, expected):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
        # In training a batch's own statistics count; with the ones that norms begin with, little would be left.
        trained = found.train().logits(images)
        for name in ("level_map", "break_map"):
            ours, theirs = (getattr(said, name) for said in (trained, evaluated))
            assert (ours - theirs).abs().mean() < 0.15 * theirs.std(), name


def test_training_begins_with_a_package_and_says_so(package, collection, tmp_path):
    at_once = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=2, learning_rate=0.0)
    document = load_checkpoint(train(collection, tmp_path, at_once, SMALL, echo=lambda _: None, start_from=package))
    graph = {tensor.name: tensor for tensor in onnx.load(package / "model.onnx").graph.initializer}
    for name in ("backbone.conv_stem.weight", "mix.2.0.weight", "level_head.bias"):
        assert torch.equal(document["average"][name], torch.tensor(onnx.numpy_helper.to_array(graph[name])))
    digest = hashlib.sha256((package / "model.onnx").read_bytes()).hexdigest()
    assert document["state"]["step"] == 2
    assert document["origin"] == f"the package tried 1.2.0 (SHA-256 begins with {digest[:12]})"
    metrics = {
        "nature": "clinical",
        "data": document["data"],
        "held": True,
        "splits": {},
        "calibration": {"aggregation": "mean", "reason": "tests", "studies": 0, "scale": 1.0, "offset": 0.0},
        "thresholds_chosen_on": {"points": {}},
        "model_sha256": digest,
    }
    text = card(metrics, document, "next", "1.0", Extras())
    assert f"It began with the weights of {document['origin']}." in text and "without pretrained" not in text
    # A run that goes on from there keeps the line.
    after = train(collection, tmp_path / "next", QUICK, SMALL, echo=lambda _: None, start_from=tmp_path)
    assert load_checkpoint(after)["origin"].startswith(f"{document['origin']}; then 2 steps")


def test_the_original_network_begins_with_the_same_backbone_and_says_so(network, package, collection, tmp_path):
    config = replace(SMALL, original=True)
    at_once = replace(QUICK, max_steps=1)
    document = load_checkpoint(train(collection, tmp_path, at_once, config, echo=lambda _: None, start_from=package))
    assert document["origin"].startswith("the backbone of the package tried 1.2.0")
    images = (smooth(4, 51) - 0.35) / 0.3

    def apart(original: OriginalNetwork) -> float:
        """How far what its stages say lies from what ours say, as a part of it; its last stage has no counterpart."""
        its, stages = original.eval().backbone, len(network.backbone.blocks)
        with torch.no_grad():
            ours = network.backbone(images)[-1]
            said = its.blocks[:stages](its.bn1(its.conv_stem(images)))
        return float((said - ours).norm() / ours.norm())

    # One step at the least rate changes little.
    assert apart(trained_network(document)) < 0.1 < 0.5 < apart(OriginalNetwork(config))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ModelConfig(size=160, neck=16, backbone="tf_efficientnetv2_b1"), "convolutions, not .*--backbone"),
        (ModelConfig(size=160, neck=24), r"laterals.* is \(16, .*--backbone"),
        (ModelConfig(size=160, neck=16, sharpness=2.0), "outputs differ by"),
    ],
)
def test_another_network_is_refused(package, config, message):
    path = package / "model.onnx"
    with pytest.raises(TrainingError, match=f"{path} is of another network: .*{message}"):
        unfold(path, Network(config), [])


def test_what_holds_no_weights_for_it_is_refused(package, collection, tmp_path):
    def refused(path: Path, match: str, network=Network(SMALL)):
        with pytest.raises(TrainingError, match=match) as caught:
            unfold(path, network, [])
        assert str(path) in str(caught.value)

    original = OriginalNetwork(ModelConfig(size=160, backbone="tf_efficientnetv2_b0", original=True))
    refused(package / "model.onnx", "for networks with maps only", original)
    (tmp_path / "text.onnx").write_text("Not a graph.")
    refused(tmp_path / "text.onnx", "cannot be read as ONNX")
    refused(tmp_path / "missing.onnx", "cannot be read as ONNX")
    quantise(package / "model.onnx", tmp_path / "int8.onnx", collection.studies[:1])
    refused(tmp_path / "int8.onnx", "32 bits; give the package that it was made from")
    model = onnx.load(package / "model.onnx")
    del model.graph.output[2]
    onnx.save(model, tmp_path / "mapless.onnx")
    refused(tmp_path / "mapless.onnx", "network with maps")
    with pytest.raises(TrainingError, match="neither checkpoint.pt nor model.onnx"):
        train(collection, tmp_path / "a", QUICK, SMALL, echo=lambda _: None, start_from=tmp_path)
    (tmp_path / "model.onnx").write_bytes((package / "model.onnx").read_bytes() + b"x")
    (tmp_path / "model.toml").write_text((package / "model.toml").read_text())
    with pytest.raises(TrainingError, match="model.onnx is not the graph that .*model.toml names"):
        train(collection, tmp_path / "b", QUICK, SMALL, echo=lambda _: None, start_from=tmp_path)


def test_folded_norms_change_nothing(network):
    folded = copy.deepcopy(network)
    fold(folded)
    images = smooth(8, 60)
    with torch.no_grad():
        for ours, theirs in zip(folded.logits(images), network.logits(images)):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)
    assert all(torch.all(norm.running_mean == 0) for norm in folded.modules() if isinstance(norm, nn.BatchNorm2d))


def weights(path: Path) -> list[np.ndarray]:
    """Weight and bias of a graph's convolutions, in order; the exporter leaves out a bias of zeros."""
    graph = onnx.load(path).graph
    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = []
    for _, weight, *bias in (node.input for node in graph.node if node.op_type == "Conv"):
        found += [stored[weight], stored[bias[0]] if bias else np.zeros(len(stored[weight]), np.float32)]
    return found


def test_a_blend_is_the_mean_of_run_and_package_and_is_exported_like_a_run(package, collection, tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "blended"
    train(collection, run, replace(QUICK, max_steps=4, learning_rate=2e-3), SMALL, echo=lambda _: None, start_from=package)
    assert main(["blend", "--run", str(run), "--package", str(package), "--out", str(out)]) == 0
    assert "the mean with the package tried 1.2.0" in capsys.readouterr().out
    document = load_checkpoint(out / "checkpoint.pt")
    # The package's own graph says what its folded weights are; the run's come out of an export.
    export_checkpoint(run / "checkpoint.pt", tmp_path / "run.onnx")
    export_checkpoint(out / "checkpoint.pt", tmp_path / "blended.onnx")
    old, new, mean = (weights(path) for path in (package / "model.onnx", tmp_path / "run.onnx", tmp_path / "blended.onnx"))
    assert len(old) == len(new) == len(mean) > 100
    moved = 0.0
    for theirs, ours, between in zip(old, new, mean):
        torch.testing.assert_close(torch.tensor(between), torch.tensor((theirs + ours) / 2), atol=1e-5, rtol=1e-4)
        moved = max(moved, abs(theirs - ours).max())
    assert moved > 1e-3, "training moved nothing: any of the three would have passed"
    # Two packages and a run: a third each.
    blend(run, [package, package], tmp_path / "thirds")
    export_checkpoint(tmp_path / "thirds/checkpoint.pt", tmp_path / "thirds.onnx")
    for theirs, ours, between in zip(old, new, weights(tmp_path / "thirds.onnx")):
        torch.testing.assert_close(torch.tensor(between), torch.tensor((2 * theirs + ours) / 3), atol=1e-5, rtol=1e-4)
    # What was trained alone is kept for the ablation, and no training goes on from folded norms.
    alone = load_checkpoint(run / "checkpoint.pt")["average"]
    assert all(torch.equal(document["alone"][name], value) for name, value in alone.items())
    assert trained_network(document).config == SMALL
    with pytest.raises(TrainingError, match="blended weights have no norms"):
        train(collection, tmp_path / "next", QUICK, SMALL, echo=lambda _: None, start_from=out)
    with pytest.raises(TrainingError, match="blended already"):
        blend(out, [package], tmp_path / "twice")
    assert main(["blend", "--run", str(run), "--package", str(package), "--out", str(out)]) == 1
    assert "give another --out folder" in capsys.readouterr().err
