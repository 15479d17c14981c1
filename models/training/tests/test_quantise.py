"""The variant that counts in 8 bits, and whether it may take the place of the other."""

import hashlib
import json
import tomllib

import numpy as np
import pytest
from conftest import SMALL

from cspine_train import TrainingError
from cspine_train.cli import main
from cspine_train.compare import compare
from cspine_train.export import export_checkpoint
from cspine_train.quantise import Slices, quantise_package
from cspine_train.train import TrainConfig, load_checkpoint, train

MANIFEST = """format = 1
name = "tried"
version = "1.0"
sha256 = "0"

[input]
name = "image"
size = 160

[thresholds]
overall = 0.4
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, collection):
    """A folder with a run of two steps."""
    folder = tmp_path_factory.mktemp("run")
    config = TrainConfig(minutes=5, batch_size=4, workers=0, max_steps=2, validation=0.3, test=0.1)
    train(collection, folder, config, SMALL, echo=lambda _: None)
    return folder


@pytest.fixture
def package(tmp_path, run):
    """A package of the shared run, as far as the variant looks at one."""
    folder = tmp_path / "package"
    export_checkpoint(run / "checkpoint.pt", folder / "model.onnx")
    text = MANIFEST.replace('version = "1.0"', 'version = "1.0"\nintended_use = "Tests."')
    (folder / "model.toml").write_text(text)
    return folder


def test_the_variant_is_a_package_with_ranges_from_training_data(package, tmp_path, run, collection, monkeypatch):
    trained_on = set(load_checkpoint(run / "checkpoint.pt")["trained_on"])
    assert trained_on < {study.uid for study in collection.studies}, "some studies are not for training"
    given = []
    monkeypatch.setattr(Slices, "__init__", _noting(given, Slices.__init__))
    apart = quantise_package(package, tmp_path / "out", collection.studies, trained_on)
    assert given and all({study.uid for study in studies} == trained_on for studies in given)
    assert apart["fracture mean"] <= apart["fracture largest"] < 0.1
    found, before = (tomllib.loads((folder / "model.toml").read_text()) for folder in (tmp_path / "out", package))
    assert (
        found["name"] == "tried-int8"
        and found["input"] == before["input"]
        and found["thresholds"] == before["thresholds"]
    )
    model = (tmp_path / "out/model.onnx").read_bytes()
    assert found["sha256"] == hashlib.sha256(model).hexdigest()
    assert len(model) < 0.5 * (package / "model.onnx").stat().st_size
    assert found["sha256"] in (tmp_path / "out/CARD.md").read_text()


def _noting(given, begin):
    def noting(self, studies, *more):
        given.append(studies)
        begin(self, studies, *more)

    return noting


def test_ranges_are_not_taken_from_studies_that_were_not_trained_on(package, tmp_path, collection):
    with pytest.raises(TrainingError, match="trained on"):
        quantise_package(package, tmp_path / "out", collection.studies, set())


def _measured(folder, name, overall, level, studies=10):
    folder.mkdir()
    auc = {"overall": {"value": overall}, **{f"C{n}": {"value": level} for n in range(1, 7)}, "C7": None}
    document = {"model": {"name": name}, "all": {"studies": studies, "auc": auc}}
    (folder / "evaluation.json").write_text(json.dumps(document))
    return folder


def test_what_may_be_lost_is_bounded(tmp_path, capsys):
    first = _measured(tmp_path / "first", "exact", 0.9, 0.8)
    for number, (overall, level, fit) in enumerate(
        [(0.896, 0.7901, True), (0.95, 0.9, True), (0.8949, 0.8, False), (0.9, 0.7899, False), (np.nan, 0.8, False)]
    ):
        second = _measured(tmp_path / str(number), "rough", overall, level)
        lines, found = compare(first, second)
        assert found == fit, lines
        assert main(["compare", str(first), str(second)]) == (0 if fit else 1)
    assert "C7 not measured" in capsys.readouterr().out
    with pytest.raises(TrainingError, match="different studies"):
        compare(first, _measured(tmp_path / "other", "rough", 0.9, 0.8, studies=11))
