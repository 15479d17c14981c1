"""Arrays that `cspine tensors` wrote, split by study and drawn in batches."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import IterableDataset

from . import CHANNEL_OFFSETS_MM, INPUT_MILLIMETRES, LEVELS, SLAB_MM, TrainingError
from . import anatomy as anatomies
from .augment import STILL, Augmentation, Warp, box_map, change_intensity, draw, resample, resample_plane, set_apart
from .labels import BROKEN, Annotations, Slice, StudyLabels, label_study, read_annotations, read_slices

SPLITS = ("train", "validation", "test")

LEAST_SAMPLES = 2
"""Samples of a segmentation or mask in a cell from which the cell holds it."""


@dataclass
class Study:
    """A study's array and labels."""

    uid: str
    array_path: Path
    slices: list[Slice]
    labels: StudyLabels
    slab_mm: float = SLAB_MM
    """What its channels average, as `cspine tensors --slab` had it."""
    millimetres: float = INPUT_MILLIMETRES
    """Side of the square that its images cover, as `cspine tensors --field` had it."""
    anatomy: tuple[str, ...] = ()
    """Sources of its vertebrae, sorted; empty where they are not named."""

    @cached_property
    def array(self) -> np.ndarray:
        """uint8 `[S, 3, size, size]`, mapped from disk."""
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
    size: int
    """Rows and columns of every array's images."""
    nature: str
    """`synthetic` where the data set has the phantoms' `truth.json`, else `clinical`."""
    kinds: dict[tuple[str, int], str] = field(default_factory=dict)
    """Kind of fracture by study and level's index, where `truth.json` tells it."""
    necks: dict[str, str] = field(default_factory=dict)
    """The neck that a study shows, where `truth.json` tells it: a broken phantom and its intact twin are one."""

    @property
    def slab_mm(self) -> float:
        """What every array's channels average. Raises `TrainingError` when that differs."""
        return self._common("slab_mm", "slabs", "--slab")

    @property
    def millimetres(self) -> float:
        """Side of the square that every array's images cover. Raises `TrainingError` when that differs."""
        return self._common("millimetres", "fields", "--field")

    def _common(self, name: str, what: str, option: str) -> float:
        """The value of that name, the same in every study."""
        values = {getattr(study, name) for study in self.studies}
        if len(values) > 1:
            raise TrainingError(f"arrays of {sorted(values)} mm {what}; write all data sets with the same {option}")
        return values.pop()

    def split(self, validation: float, test: float) -> dict[str, list[Study]]:
        """The studies of each split. Studies of one neck stay together."""
        parts: dict[str, list[Study]] = {name: [] for name in SPLITS}
        for study in self.studies:
            parts[split_of(self.necks.get(study.uid, study.uid), validation, test)].append(study)
        return parts


def merged(collections: list[Collection]) -> Collection:
    """Several data sets as one; `clinical` where any of them is. Raises `TrainingError` when a study is in two of them, or when
    their arrays differ in size."""
    sizes = {collection.size for collection in collections}
    if len(sizes) > 1:
        raise TrainingError(f"arrays of {sorted(sizes)} pixels; write all data sets with the same --size")
    studies = [study for collection in collections for study in collection.studies]
    twice = [uid for uid, count in Counter(study.uid for study in studies).items() if count > 1]
    if twice:
        raise TrainingError(f"{len(twice)} studies are in two of the data sets, such as {twice[0]}; give each once")
    natures = {collection.nature for collection in collections}
    return Collection(
        studies,
        sum(collection.unlabelled for collection in collections),
        sizes.pop(),
        "clinical" if "clinical" in natures else "synthetic",
        {key: kind for collection in collections for key, kind in collection.kinds.items()},
        {uid: neck for collection in collections for uid, neck in collection.necks.items()},
    )


def split(collection: Collection, held: Collection | None, validation: float, test: float) -> dict[str, list[Study]]:
    """The studies of each split. With `held`, a data set of its own to choose and to measure on, all of `collection` is
    for training, and `held` is divided as `validation` is to `test`.

    Raises `TrainingError` when both hold the same study or neck, or arrays of different sizes.
    """
    if held is None:
        return collection.split(validation, test)
    if held.size != collection.size:
        raise TrainingError(
            f"arrays of {collection.size} pixels to train on and of {held.size} to measure on; write them alike"
        )
    for what, one, other in (
        ("slabs", collection.slab_mm, held.slab_mm),
        ("fields", collection.millimetres, held.millimetres),
    ):
        if one != other:
            raise TrainingError(f"arrays of {one} mm {what} to train on and of {other} to measure on; write them alike")
    names = [{there.necks.get(study.uid, study.uid) for study in there.studies} for there in (collection, held)]
    if names[0] & names[1]:
        raise TrainingError(
            f"{len(names[0] & names[1])} studies or necks are in both data sets, such as {min(names[0] & names[1])}; "
            "hold out others"
        )
    parts = held.split(validation / (validation + test), test / (validation + test))
    return {**parts, "train": collection.studies}


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
    sizes = {study.array.shape[-1] for study in studies}
    if len(sizes) > 1:
        raise TrainingError(f"{tensors}: arrays of {sorted(sizes)} pixels; write all of them with the same --size")
    truth = dataset / "truth.json"
    if truth.is_file():
        kinds, necks, sources = _read_truth(truth)
        for study in studies:
            study.anatomy = sources.get(study.uid, ())
        return Collection(studies, unlabelled, sizes.pop(), "synthetic", kinds, necks)
    return Collection(studies, unlabelled, sizes.pop(), "clinical")


def _read_truth(path: Path) -> tuple[dict[tuple[str, int], str], dict[str, str], dict[str, tuple[str, ...]]]:
    """Kinds of the phantoms' fractures (several of one level are joined by `+`), the neck that each study shows, and the
    sources of its vertebrae."""
    kinds: dict[tuple[str, int], str] = {}
    necks: dict[str, str] = {}
    sources: dict[str, tuple[str, ...]] = {}
    try:
        for study in json.loads(path.read_text(encoding="utf-8"))["studies"]:
            uid = study["study_instance_uid"]
            sources[uid] = anatomies.of_truth(study)
            # One seed makes another neck of each source.
            necks[uid] = f"{' + '.join(sources[uid]) or 'phantom'} {study['seed']}"
            for fracture in study["fractures"]:
                key = (study["study_instance_uid"], LEVELS.index(fracture["level"]))
                kinds[key] = f"{kinds[key]}+{fracture['kind']}" if key in kinds else fracture["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: {error!r}; write the phantoms again with `cspine phantom`") from error
    return kinds, necks, sources


def _load_study(description: Path, annotations: Annotations) -> Study | None:
    """One study, or `None` when it has no row in `train.csv`."""
    uid, slices, document = read_slices(description)
    path = description.with_suffix(".npy")
    try:
        array = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: {error}; write the arrays again with `cspine tensors`") from error
    size = document["input"]["size"]
    expected = (len(slices), 3, size, size)
    if array.dtype != np.uint8 or array.shape != expected or not slices:
        raise TrainingError(
            f"{path}: {array.dtype} {array.shape}, but its description says uint8 {expected}; write it again"
        )
    field = float(document["input"]["millimetres"])
    labels = label_study(uid, slices, annotations, size, field, document.get("columns"), document.get("rows"))
    slab = float(document["input"].get("slab_mm", SLAB_MM))
    return None if labels is None else Study(uid, path, slices, labels, slab, field)


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
    segmented: torch.Tensor
    """bool `[N]`: whether `bone` is known."""
    bone: torch.Tensor
    """`[N, 7, g, g]`: whether the cell holds bone of the level."""
    broken: torch.Tensor
    """`[N, 7, g, g]`: whether that bone is broken in the cell."""
    broken_weight: torch.Tensor
    """`[N, 7, g, g]`: how much `broken` counts; 0 where it is unknown or there is no bone of the level."""
    study: torch.Tensor
    """`[N, 7]`: whether `train.csv` calls the level fractured."""

    def to(self, device: torch.device) -> "Batch":
        """The batch on a device."""
        return Batch(*(getattr(self, part.name).to(device, non_blocking=True) for part in fields(self)))


def collate(
    picks: list[tuple[Study, int]],
    grid: int,
    augmentation: Augmentation | None = None,
    random: np.random.Generator | None = None,
    size: int | None = None,
) -> Batch:
    """Reads slices into a batch, changed by `augmentation` where one is given (then `random` is needed). `size`: of the
    batch's images, where they shall be smaller than the arrays'."""
    warps = [draw(augmentation, random) if augmentation else STILL for _ in picks]
    images = torch.from_numpy(np.stack([_channels(study, index, augmentation, random) for study, index in picks]))
    full = images.shape[-1]
    images = resample(images, warps, size)
    if augmentation:
        images = change_intensity(images, augmentation, random)
    places = [cells(study.labels, index, warp, full, grid) for (study, index), warp in zip(picks, warps)]

    def stack(name):
        return torch.from_numpy(np.stack([getattr(study.labels, name)[index] for study, index in picks]))

    segmented = torch.tensor([study.labels.has_segmentation for study, _ in picks])
    maps = [torch.from_numpy(np.stack(values)) for values in zip(*places)]
    known = [stack(name) for name in ("visible", "fracture", "weight", "follow")]
    of_study = torch.from_numpy(np.stack([study.labels.study[1:] for study, _ in picks]))
    return Batch(images, *known, segmented, *maps, of_study)


def _channels(
    study: Study, index: int, augmentation: Augmentation | None, random: np.random.Generator | None
) -> np.ndarray:
    """A slice's channels, uint8 `[3, S, S]`; now and then as if slices lay far apart."""
    channels = study.array[index]
    if augmentation is None or random.random() >= augmentation.thick:
        return channels
    places = study.positions_mm
    # The first channel lies towards the head.
    apart = [2 * offset for offset in CHANNEL_OFFSETS_MM[::2]]
    head, foot = (study.array[int(np.argmin(np.abs(places - (places[index] - offset))))] for offset in apart)
    return set_apart(channels, head, foot, random)


def cells(
    labels: StudyLabels, index: int, warp: Warp, size: int, grid: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`Batch.bone`, `broken` and `broken_weight` of one slice after a warp, float32 `[7, grid, grid]` each; `size` of the
    array's images in pixels."""
    boxes = box_map(labels.boxes[index], warp, size, grid)
    certain = (labels.weight[index] == 1.0) & ~labels.follow[index]
    if labels.planes is None:
        boxed = boxes.max((1, 2), keepdims=True) > 0
        return np.zeros_like(boxes), boxes, np.broadcast_to(boxed, boxes.shape).astype(np.float32)
    # Whole samples in a cell, also where the batch's images are smaller than the arrays'.
    part = max(1, round(len(labels.planes[index]) / grid))
    plane = resample_plane(labels.planes[index], warp, part * grid)

    def samples(found):
        return found.reshape(len(LEVELS), grid, part, grid, part).sum((2, 4))

    level = (plane & ~np.uint8(BROKEN))[None] == np.arange(1, len(LEVELS) + 1, dtype=np.uint8)[:, None, None]
    bone = samples(level)
    # Less than two samples are hardly seen, and neither yes nor no.
    known = (bone >= LEAST_SAMPLES) & certain[:, None, None]
    broken = boxes
    if labels.masked:
        marked = samples(level & (plane >= BROKEN)[None])
        broken = (marked >= LEAST_SAMPLES).astype(np.float32)
        # Next to a break lies bone that shares some of its pixels.
        known &= (marked >= LEAST_SAMPLES) | ~_widened(marked > 0)
    return np.minimum(bone / LEAST_SAMPLES, 1.0).astype(np.float32), broken, known.astype(np.float32)


def _widened(found: np.ndarray) -> np.ndarray:
    """Cells that are marked or touch one that is, `[7, g, g]`."""
    padded = np.pad(found, ((0, 0), (1, 1), (1, 1)))
    rows = padded[:, :-2] | padded[:, 1:-1] | padded[:, 2:]
    return rows[:, :, :-2] | rows[:, :, 1:-1] | rows[:, :, 2:]


@dataclass(frozen=True)
class Pool:
    """Slices that a fixed share of each batch is drawn from."""

    share: float
    positive: list[tuple[Study, np.ndarray]]
    """The slices of each broken level."""
    negative: list[tuple[Study, np.ndarray]]
    """The slices of each study that show no fracture."""
    positive_share: float
    """Part of the draws that are from `positive`."""


def pool(studies: list[Study], share: float, positive_share: float | None) -> Pool:
    """The pool of these studies; `positive_share` as in `Batches`."""
    positive, negative, with_fracture, without = [], [], 0, 0
    for study in studies:
        labels = study.labels.fracture > 0.5
        positive += [(study, np.flatnonzero(shown)) for shown in labels.T if shown.any()]
        has = labels.any(1)
        if not has.all():
            negative.append((study, np.flatnonzero(~has)))
        with_fracture, without = with_fracture + int(has.sum()), without + int((~has).sum())
    if positive_share is None:
        positive_share = with_fracture / max(with_fracture + without, 1)
    return Pool(share, positive, negative, positive_share if positive and negative else float(bool(positive)))


def by_share(studies: list[Study], shares: dict[str, float]) -> list[tuple[float, list[Study]]]:
    """The studies of each share, by the source that it names (the first named one that a study has), then the rest.

    Raises `TrainingError` when a share has no studies, or when the shares do not leave the rest theirs.
    """
    groups: dict[str | None, list[Study]] = {name: [] for name in (*shares, None)}
    for study in studies:
        groups[next((name for name in shares if name in study.anatomy), None)].append(study)
    rest = 1.0 - sum(shares.values())
    empty = [name for name in shares if not groups[name]]
    if empty:
        known = sorted({name for study in studies for name in study.anatomy})
        raise TrainingError(f"--share {empty[0]}: no study of that anatomy to train on; known are {', '.join(known)}")
    if (rest > 1e-6) != bool(groups[None]):
        raise TrainingError(
            f"--share: {rest:.3g} of each batch remain for the {len(groups[None])} studies of other anatomies; shares must "
            "add up to 1 without such studies, and to less with them"
        )
    return [(shares.get(name, rest), found) for name, found in groups.items() if found]


class Batches(IterableDataset):
    """An endless stream of training batches; batch `k` is the same however often and by whomever it is drawn.

    About `positive_share` of each batch are slices with a fracture label (`None`: as many as there are). Of these, broken
    levels are drawn evenly, then a slice of one: a hairline shows on few slices, a burst body on many. Of the others,
    studies are drawn evenly, then a slice. `shares`: parts of each batch that are drawn from the studies of an anatomy, by
    its name; the rest is drawn from all others. Without it, from all studies together. `start`: the first batch's number; `size`: of the images, where smaller than
    the arrays'.
    """

    def __init__(
        self,
        studies: list[Study],
        grid: int,
        batch_size: int,
        seed: int,
        positive_share: float | None = 0.45,
        augmentation: Augmentation | None = None,
        start: int = 0,
        size: int | None = None,
        shares: dict[str, float] | None = None,
    ):
        super().__init__()
        self.grid, self.batch_size, self.seed, self.start, self.size = grid, batch_size, seed, start, size
        self.augmentation = augmentation
        groups = by_share(studies, shares) if shares else [(1.0, studies)]
        self.pools = [pool(found, share, positive_share) for share, found in groups]
        self.positive = [item for found in self.pools for item in found.positive]
        self.negative = [item for found in self.pools for item in found.negative]

    def rates(self) -> tuple[float, float]:
        """Part of the fracture labels that are positive: over all slices, and in the batches drawn here."""
        fracture = {study.uid: study.labels.fracture for study, _ in self.positive + self.negative}
        positive, total = (sum(of(labels) for labels in fracture.values()) for of in (np.sum, np.size))
        drawn = 0.0
        for found in self.pools:
            means = [float(study.labels.fracture[indices].mean()) for study, indices in found.positive]
            drawn += found.share * found.positive_share * float(np.mean(means)) if means else 0.0
        return float(positive / total), drawn

    def batch(self, number: int) -> Batch:
        """Batch `number`."""
        random = np.random.default_rng((self.seed, number))
        # Evenly spaced places from a random start: each pool's count is its share, rounded up or down.
        places = (np.arange(self.batch_size) + random.random()) / max(self.batch_size, 1)
        ends = np.cumsum([found.share for found in self.pools])
        picks = []
        for place in np.minimum(np.searchsorted(ends, places, "right"), len(self.pools) - 1):
            found = self.pools[place]
            slices = found.positive if random.random() < found.positive_share else found.negative
            study, indices = slices[random.integers(len(slices))]
            picks.append((study, int(indices[random.integers(len(indices))])))
        return collate(picks, self.grid, self.augmentation, random, self.size)

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
        "with_masks": sum(study.labels.masked for study in studies),
        "slices_with_boxes": sum(bool(boxes) for study in studies for boxes in study.labels.boxes),
        "anatomies": dict(sorted(Counter(anatomies.joined(study.anatomy) for study in studies).items())),
    }
