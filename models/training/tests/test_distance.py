"""What is unlike the training data: features, their distance, and the way from training to the manifest."""

import json
import tomllib

import numpy as np
import onnxruntime
import pytest
import torch
from conftest import SMALL
from support import make_dataset

from cspine_train.cli import main
from cspine_train.distance import chosen, distance, fit, study_vector
from cspine_train.export import export_network
from cspine_train.loss import inconsistency
from cspine_train.model import Network
from cspine_train.train import mirrored_and_shifted


def test_a_study_like_the_others_lies_near_one_and_a_stranger_far_away():
    random = np.random.default_rng(0)
    mixing = random.normal(size=(24, 24)) * np.geomspace(1, 100, 24)
    training, others = (random.normal(size=(count, 24)) @ mixing + 5 for count in (200, 80))
    whitening = fit(training)
    found = chosen(whitening, training, others)
    assert 0.8 < found.training.median < found.held_out.median < 1.1
    assert found.threshold > found.held_out.p95 and 0.0 < found.shrinkage < 0.5
    # Along the direction in which the studies differ least, a small step is a long way.
    least = np.linalg.svd(mixing)[2][-1]
    stranger = training.mean(0) + 0.5 * least
    assert distance((stranger - whitening.mean) @ whitening.matrix) < found.threshold
    assert distance((training.mean(0) + 40 * least - whitening.mean) @ whitening.matrix) > found.threshold


def test_only_slices_that_show_a_level_count():
    vertebra = np.zeros((3, 7))
    vertebra[1:, 4] = 0.6
    features = np.array([[100.0, 100.0], [1.0, 3.0], [3.0, 5.0]])
    np.testing.assert_allclose(study_vector(vertebra, features), [2.0, 4.0])
    assert study_vector(np.zeros((3, 7)), features) is None


def test_the_graph_gives_white_features(tmp_path):
    torch.manual_seed(0)
    network = Network(SMALL).eval()
    image = np.random.default_rng(1).integers(0, 256, (5, 3, 160, 160), np.uint8)
    with torch.no_grad():
        plain = network(torch.from_numpy(image))[3].numpy()
    assert plain.shape == (5, SMALL.neck)
    mean, matrix = plain.mean(0), np.diag(np.arange(1.0, SMALL.neck + 1))
    network.whiten(torch.from_numpy(mean), torch.from_numpy(matrix))
    export_network(network, tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["features"], {"image": image})[0], (plain - mean) @ matrix, atol=1e-3)
    # Checkpoints of before know nothing of it.
    assert not {"whitening", "feature_mean"} & network.state_dict().keys()


def test_mirrored_slices_move_and_equal_answers_cost_nothing():
    torch.manual_seed(3)
    images = torch.zeros(2, 3, 16, 16)
    images[:, :, 8, 2] = 1.0
    moved = mirrored_and_shifted(images, 3)
    row, column = (int(place[0]) for place in torch.where(moved[0, 0] == 1.0))
    assert moved.shape == images.shape and abs(row - 8) <= 3 and abs(column - 13) <= 3
    said = Network(SMALL).eval().logits(torch.rand(2, 3, 160, 160))
    assert inconsistency(said, said).item() == 0.0
    other = said._replace(fracture=said.fracture + 2.0)
    assert inconsistency(said, other).item() > 0.0


@pytest.mark.parametrize("held_out", [True, False])
def test_anatomies_go_from_truth_json_to_the_manifest(tmp_path, capsys, held_out):
    folders = []
    for name, first, count, source in (("own", 0, 14, "gl003"), ("held", 100, 26, "VHF" if held_out else "gl003")):
        tensors, dataset = make_dataset(tmp_path / name, count, first)
        studies = [
            {"study_instance_uid": f"1.2.3.{number}", "seed": number, "fractures": [], "anatomy": [source]}
            for number in range(first, first + count)
        ]
        (dataset / "truth.json").write_text(json.dumps({"studies": studies}))
        folders.append((tensors, dataset))
    (tensors, dataset), (held_tensors, held_dataset) = folders
    out = tmp_path / "package"
    arguments = ["all", "--tensors", tensors, "--dataset", dataset, "--held-tensors", held_tensors, "--held-dataset", held_dataset]
    arguments += ["--validation", "0.9", "--test", "0.05", "--out", out, "--minutes", "5", "--max-steps", "2", "--batch-size", "4"]
    arguments += ["--workers", "0", "--share", "gl003=1", "--consistency", "0.5"]
    assert main([str(argument) for argument in arguments]) == 0, capsys.readouterr().err
    metrics = json.loads((tmp_path / "package.run" / "metrics.json").read_text())
    manifest = tomllib.loads((out / "model.toml").read_text())
    assert manifest["training_anatomies"] == metrics["training_anatomies"] == ["gl003"]
    [row] = metrics["splits"]["validation"]["anatomies"]
    assert row["held_out"] == held_out and row["studies"] == metrics["splits"]["validation"]["studies"]
    assert metrics["thresholds_chosen_on"]["held_out"] == (row["studies"] if held_out else 0)
    assert "VerSe" in (out / "CARD.md").read_text()
    assert held_out or "features" not in manifest
