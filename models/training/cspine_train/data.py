"""Arrays that `cspine tensors` wrote, split by study and drawn in batches."""

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import IterableDataset

from . import INPUT_SIZE, LEVELS, TrainingError
from .augment import Augmentation, box_map, change_intensity, draw, resample
from .labels import Annotations, Slice, StudyLabels, label_study, read_annotations, read_slices

SPLITS = ("train", "validation", "test")


@dataclass
class Study:
    """A study's array and labels."""

    uid: str
    array_path: Path
    slices: list[Slice]
    labels: StudyLabels

    @cached_property
    def array(self) -> np.ndarray:
        """uint8 `[S, 3, 384, 384]`, mapped from disk."""
        return np.load(self.array_path, mmap_mode="r")

    @property
    def positions_mm(self) -> np.ndarray:
        """Place of each slice towards the head, `[S]`."""
        return np.array([item.position_mm for item in self.slices])


@dataclass
class Collection:
    """The labelled studies of a data set."""

    studies: list[Study]
    unlabelled: int
    """Arrays whose study `train.csv` does not name; they are left out."""
    nature: str
    """`synthetic` where the data set has the phantoms' `truth.json`, else `clinical`."""
    kinds: dict[tuple[str, int], str] = field(default_factory=dict)
    """Kind of fracture by study and level's index, where `truth.json` tells it."""
    necks: dict[str, str] = field(default_factory=dict)
    """The neck that a study shows, where `truth.json` tells it: a broken phantom and its intact twin are one."""

    def split(self, validation: float, test: float) -> dict[str, list[Study]]:
        """The studies of each split. Studies of one neck stay together."""
        parts: dict[str, list[Study]] = {name: [] for name in SPLITS}
        for study in self.studies:
            parts[split_of(self.necks.get(study.uid, study.uid), validation, test)].append(study)
        return parts


def split_of(name: str, validation: float, test: float) -> str:
    """The split of a study, from its UID (or neck) alone: the same everywhere, and steady when studies are added."""
    share = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
    if share < test:
        return "test"
    return "validation" if share < test + validation else "train"


def load_collection(tensors: Path, dataset: Path) -> Collection:
    """Finds the arrays in `tensors` and labels them from `dataset`.

    Raises `TrainingError` when an array does not have the agreed shape, or when there is nothing to train on.
    """
    annotations = read_annotations(dataset)
    descriptions = sorted(path for path in tensors.glob("*.json") if path.with_suffix(".npy").is_file())
    if not descriptions:
        raise TrainingError(f"{tensors}: no arrays; write them with `cspine tensors {dataset} --out {tensors}`")
    studies, unlabelled = [], 0
    for description in descriptions:
        study = _load_study(description, annotations)
        if study is None:
            unlabelled += 1
        else:
            studies.append(study)
    if not studies:
        raise TrainingError(f"{dataset}/train.csv names none of the {unlabelled} studies in {tensors}; wrong pair?")
    truth = dataset / "truth.json"
    if truth.is_file():
        return Collection(studies, unlabelled, "synthetic", *_read_truth(truth))
    return Collection(studies, unlabelled, "clinical")


def _read_truth(path: Path) -> tuple[dict[tuple[str, int], str], dict[str, str]]:
    """Kinds of the phantoms' fractures (several of one level are joined by `+`), and the neck that each study shows."""
    kinds: dict[tuple[str, int], str] = {}
    necks: dict[str, str] = {}
    try:
        for study in json.loads(path.read_text(encoding="utf-8"))["studies"]:
            necks[study["study_instance_uid"]] = f"phantom {study['seed']}"
            for fracture in study["fractures"]:
                key = (study["study_instance_uid"], LEVELS.index(fracture["level"]))
                kinds[key] = f"{kinds[key]}+{fracture['kind']}" if key in kinds else fracture["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: {error!r}; write the phantoms again with `cspine phantom`") from error
    return kinds, necks


def _load_study(description: Path, annotations: Annotations) -> Study | None:
    """One study, or `None` when it has no row in `train.csv`."""
    uid, slices, document = read_slices(description)
    path = description.with_suffix(".npy")
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: {error}; write the arrays again with `cspine tensors`") from error
    expected = (len(slices), 3, INPUT_SIZE, INPUT_SIZE)
    if array.dtype != np.uint8 or array.shape != expected or not slices:
        raise TrainingError(
            f"{path}: {array.dtype} {array.shape}, but its description says uint8 {expected}; write it again"
        )
    labels = label_study(uid, slices, annotations, document.get("columns"), document.get("rows"))
    return None if labels is None else Study(uid, path, slices, labels)


@dataclass
class Batch:
    """What one training step sees; `N` slices, grid `g`."""

    images: torch.Tensor
    """float32 `[N, 3, size, size]`, 0 to 1."""
    visible: torch.Tensor
    """`[N, 7]`, NaN where unknown."""
    fracture: torch.Tensor
    """`[N, 7]`."""
    weight: torch.Tensor
    """`[N, 7]`."""
    follow: torch.Tensor
    """bool `[N, 7]`."""
    boxes: torch.Tensor
    """`[N, 7, g, g]`: share of each cell that lies in a box of the level."""


def collate(
    picks: list[tuple[Study, int]],
    size: int,
    grid: int,
    augmentation: Augmentation | None = None,
    random: np.random.Generator | None = None,
) -> Batch:
    """Reads slices into a batch, changed by `augmentation` where one is given (then `random` is needed)."""
    still = np.eye(2, 3, dtype=np.float32)
    matrices = [draw(augmentation, random) if augmentation else still for _ in picks]
    images = torch.from_numpy(np.stack([study.array[index] for study, index in picks]))
    images = resample(images, np.stack(matrices), size)
    if augmentation:
        images = change_intensity(images, augmentation, random)
    maps = [box_map(study.labels.boxes[index], matrix, grid) for (study, index), matrix in zip(picks, matrices)]

    def stack(name):
        return torch.from_numpy(np.stack([getattr(study.labels, name)[index] for study, index in picks]))

    boxes = torch.from_numpy(np.stack(maps))
    return Batch(images, stack("visible"), stack("fracture"), stack("weight"), stack("follow"), boxes)


class Batches(IterableDataset):
    """An endless stream of training batches; batch `k` is the same however often and by whomever it is drawn.

    About `positive_share` of each batch are slices with a fracture label; studies are drawn evenly, then a slice.
    """

    def __init__(
        self,
        studies: list[Study],
        size: int,
        grid: int,
        batch_size: int,
        seed: int,
        positive_share: float = 0.4,
        augmentation: Augmentation | None = None,
        start: int = 0,
    ):
        super().__init__()
        self.size, self.grid, self.batch_size, self.seed, self.start = size, grid, batch_size, seed, start
        self.augmentation = augmentation
        self.positive: list[tuple[Study, np.ndarray]] = []
        self.negative: list[tuple[Study, np.ndarray]] = []
        for study in studies:
            has = study.labels.fracture.max(1) > 0.5
            for pool, indices in ((self.positive, np.flatnonzero(has)), (self.negative, np.flatnonzero(~has))):
                if len(indices):
                    pool.append((study, indices))
        self.positive_share = positive_share if self.positive and self.negative else float(bool(self.positive))

    def rates(self) -> tuple[float, float]:
        """Part of the fracture labels that are positive: over all slices, and in the batches drawn here."""
        positive = sum(float(study.labels.fracture.sum()) for study, _ in self.positive)
        slices = {study.uid: len(study.slices) for study, _ in self.positive + self.negative}
        total = len(LEVELS) * sum(slices.values())
        means = [float(study.labels.fracture[indices].mean()) for study, indices in self.positive]
        return positive / total, self.positive_share * float(np.mean(means)) if means else 0.0

    def batch(self, number: int) -> Batch:
        """Batch `number`."""
        random = np.random.default_rng((self.seed, number))
        picks = []
        for _ in range(self.batch_size):
            pool = self.positive if random.random() < self.positive_share else self.negative
            study, indices = pool[random.integers(len(pool))]
            picks.append((study, int(indices[random.integers(len(indices))])))
        return collate(picks, self.size, self.grid, self.augmentation, random)

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        number, step = (self.start, 1) if worker is None else (self.start + worker.id, worker.num_workers)
        while True:
            yield self.batch(number)
            number += step


def summary(studies: list[Study]) -> dict:
    """Counts that describe a split; `fractured` by level."""
    return {
        "studies": len(studies),
        "slices": sum(len(study.slices) for study in studies),
        "fractured_studies": int(sum(study.labels.study[0] > 0.5 for study in studies)),
        "fractured_levels": {
            name: int(sum(study.labels.study[1 + level] > 0.5 for study in studies))
            for level, name in enumerate(LEVELS)
        },
        "with_segmentation": sum(study.labels.has_segmentation for study in studies),
        "slices_with_boxes": sum(bool(boxes) for study in studies for boxes in study.labels.boxes),
    }
