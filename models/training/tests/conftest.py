"""Fixtures: one small data set and one short run, shared by the tests that need them."""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before PyTorch is loaded; see cli.main

import pytest
import torch
from support import make_dataset

from cspine_train.data import load_collection
from cspine_train.model import ModelConfig

SMALL = ModelConfig(size=160, neck=16, drop_path=0.0, dropout=0.0)


@pytest.fixture(scope="session", autouse=True)
def _two_threads():
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def folders(tmp_path_factory):
    """(tensors, dataset) of twelve small studies."""
    return make_dataset(tmp_path_factory.mktemp("necks"))


@pytest.fixture(scope="session")
def collection(folders):
    """The twelve studies, loaded."""
    return load_collection(*folders)
