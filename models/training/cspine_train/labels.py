"""What a data set in the RSNA 2022 layout says about each slice.

Files, as the RSNA 2022 Cervical Spine Fracture Detection set has them (Lin et al., Radiology: Artificial Intelligence
2023;5(5):e230034): `train.csv` (a fracture at each level, per study), `train_bounding_boxes.csv` (where, on some
slices of some studies) and `segmentations/<StudyInstanceUID>.nii` (1 to 7 = C1 to C7, for a few studies). Phantoms
may add `fracture_masks/<StudyInstanceUID>.nii` for broken necks: the same labels, but only where a fracture changes the
picture.

Rules for a slice s and a level i:

- *visible*: the segmentation shows at least `MINIMUM_VISIBLE_MM2` of i in the crop. No segmentation: unknown.
- *fracture*, where `train.csv` does not call i fractured: no.
- where it does, and boxes lie on i: yes on visible slices with a box that touches i's voxels, no elsewhere. (A box that
  touches no fractured level is taken to mean every fractured level that is visible there.)
- where it does, and no box lies on i: yes wherever i is visible, with the weight `WEAK_WEIGHT`, since a fracture
  rarely runs through the whole level.
- *place*, for the cells of the activation map in which i has bone: where i is not fractured, no; where a mask tells, as
  it says; else yes in a box of i and no elsewhere on slices whose fracture label has full weight; else unknown.
- without a segmentation the box's level is known only when one level is fractured. Everything else about fractured
  levels is taken weakly: yes, with `WEAK_WEIGHT` times the visibility that the network itself predicts.
"""

import csv
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from . import (
    CENTRE,
    CHANNEL_OFFSETS_MM,
    LEVELS,
    PREPROCESSING_VERSION,
    WINDOW_HU,
    TrainingError,
)
from .nifti import LabelVolume, read_labels

MINIMUM_VISIBLE_MM2 = 20.0
"""Area of a level in a slice from which it counts as visible."""

WEAK_WEIGHT = 0.25
"""Weight of a fracture label that is known for the study but not for the slice."""

SAMPLE_STEP = 2
"""Segmentations are sampled on every second input pixel."""

BROKEN = 128
"""Added to a sampled label where the fracture's mask says that the place is broken."""

SIZE_STEP = 32
"""The input's size must be a multiple of this: the network halves it five times."""

EXPECTED_INPUT = {
    "channel_offsets_mm": list(CHANNEL_OFFSETS_MM),
    "window_hu": list(WINDOW_HU),
    "centre": CENTRE,
}


@dataclass(frozen=True)
class Crop:
    """Where the network's input lies in the DICOM slice; as `cspine tensors` writes it.

    Input pixel (x, y) is column `column0 + x * columns_per_pixel`, counted from the patient's right (`flip_columns`:
    the file counts from the other side); rows likewise, from the front.
    """

    column0: float
    row0: float
    columns_per_pixel: float
    rows_per_pixel: float
    flip_columns: bool
    flip_rows: bool


@dataclass(frozen=True)
class Slice:
    """One slice of an array."""

    instance_number: int | None
    position_mm: float
    crop: Crop


@dataclass(frozen=True)
class Box:
    """A fracture's rectangle in input pixels: edges, not centres; the levels that it is about, by index."""

    x0: float
    y0: float
    x1: float
    y1: float
    levels: tuple[int, ...] = ()


@dataclass
class StudyLabels:
    """Labels of every slice of a study; `S` slices."""

    visible: np.ndarray
    """float32 `[S, 7]`: 1, 0, or NaN where unknown."""
    fracture: np.ndarray
    """float32 `[S, 7]`: 1 or 0."""
    weight: np.ndarray
    """float32 `[S, 7]`: how much the fracture label counts."""
    follow: np.ndarray
    """bool `[S, 7]`: the weight is also multiplied by the predicted visibility."""
    boxes: list[list[Box]]
    """Boxes of each slice that are about known levels."""
    study: np.ndarray
    """float32 `[8]`: `patient_overall`, then C1 to C7, from `train.csv`."""
    planes: np.ndarray | None
    """uint8 `[S, P, P]`, one for `SAMPLE_STEP` x `SAMPLE_STEP` input pixels: the segmentation's label, with `BROKEN`
    added in the fracture mask; `None` without a segmentation."""
    masked: bool
    """Whether the planes tell every broken place."""

    @property
    def has_segmentation(self) -> bool:
        """Whether the study is segmented."""
        return self.planes is not None


@dataclass
class Annotations:
    """The tables of a data set."""

    root: Path
    studies: dict[str, np.ndarray]
    """`patient_overall`, C1 to C7 of each study."""
    boxes: dict[str, dict[int, list[tuple[float, float, float, float]]]] = field(default_factory=dict)
    """x, y, width, height in DICOM pixels, by study and InstanceNumber."""

    def volume(self, folder: str, uid: str) -> LabelVolume | None:
        """The study's labels in `segmentations` or `fracture_masks`, where there are any."""
        for suffix in (".nii", ".nii.gz"):
            path = self.root / folder / f"{uid}{suffix}"
            if path.is_file():
                return read_labels(path)
        return None


def read_annotations(root: Path) -> Annotations:
    """Reads the tables of a data set folder. Raises `TrainingError` when `train.csv` is missing or malformed."""
    table = root / "train.csv"
    if not table.is_file():
        raise TrainingError(f"{table}: not found; --dataset must be a folder in the RSNA 2022 layout")
    studies = {}
    with table.open(newline="", encoding="utf-8-sig") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                values = [float(row[name]) for name in ("patient_overall", *LEVELS)]
                studies[row["StudyInstanceUID"].strip()] = np.array(values, np.float32)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise TrainingError(f"{table}, line {number}: {error!r}; columns must be as in RSNA 2022") from error
    annotations = Annotations(root, studies)
    table = root / "train_bounding_boxes.csv"
    if table.is_file():
        with table.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                try:
                    box = tuple(float(row[name]) for name in ("x", "y", "width", "height"))
                    instance = int(float(row["slice_number"]))
                    slices = annotations.boxes.setdefault(row["StudyInstanceUID"].strip(), defaultdict(list))
                except (KeyError, TypeError, ValueError, AttributeError) as error:
                    raise TrainingError(
                        f"{table}, line {number}: {error!r}; columns must be as in RSNA 2022"
                    ) from error
                slices[instance].append(box)
    return annotations


def read_slices(path: Path) -> tuple[str, list[Slice], dict]:
    """Reads the description that lies beside an array: the study's UID, its slices and the raw document."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = document["preprocessing_version"]
        slices = [
            Slice(
                None if entry.get("instance_number") is None else int(entry["instance_number"]),
                float("nan") if entry.get("position_mm") is None else float(entry["position_mm"]),
                Crop(
                    *(
                        float(entry["crop"][name])
                        for name in ("column0", "row0", "columns_per_pixel", "rows_per_pixel")
                    ),
                    bool(entry["crop"]["flip_columns"]),
                    bool(entry["crop"]["flip_rows"]),
                ),
            )
            for entry in document["slices"]
        ]
        uid = document["study_instance_uid"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: {error!r}; write the arrays again with `cspine tensors`") from error
    if version != PREPROCESSING_VERSION:
        raise TrainingError(
            f"{path}: preprocessing version {version}, but this package reads {PREPROCESSING_VERSION}; "
            "use a matching cspine and write the arrays again"
        )
    given = document.get("input", {})
    for name, value in EXPECTED_INPUT.items():
        if given.get(name) != value:
            raise TrainingError(
                f"{path}: input.{name} is {given.get(name)}, this package trains on {value}; write it again"
            )
    field = given.get("millimetres")
    if not isinstance(field, (int, float)) or not field > 0:
        raise TrainingError(f"{path}: input.millimetres is {field}, not a length; write it again")
    size = given.get("size")
    if not isinstance(size, int) or size < SIZE_STEP or size % SIZE_STEP:
        raise TrainingError(f"{path}: input.size is {size}, not a multiple of {SIZE_STEP}; write it again with --size")
    return uid, slices, document


def box_to_input(box: tuple[float, float, float, float], crop: Crop, columns: int, rows: int) -> Box:
    """Moves a box from DICOM pixels to input pixels.

    `box` is x, y, width, height with x, y the first pixel that belongs to it; `columns` and `rows` are the slice's
    size, used only where the crop is flipped.
    """
    x, y, width, height = box
    left, top = x - 0.5, y - 0.5
    if crop.flip_columns:
        left = columns - 1 - (left + width)
    if crop.flip_rows:
        top = rows - 1 - (top + height)
    return Box(
        (left - crop.column0) / crop.columns_per_pixel + 0.5,
        (top - crop.row0) / crop.rows_per_pixel + 0.5,
        (left + width - crop.column0) / crop.columns_per_pixel + 0.5,
        (top + height - crop.row0) / crop.rows_per_pixel + 0.5,
    )


def labels_in_input(volume: LabelVolume, index: int, crop: Crop, size: int) -> np.ndarray:
    """Labels of a slice at every `SAMPLE_STEP`-th pixel of an input of `size`, uint8 `[P, P]`; 0 outside the volume."""
    at = np.arange(SAMPLE_STEP / 2 - 0.5, size, SAMPLE_STEP)
    columns = np.rint(crop.column0 + at * crop.columns_per_pixel).astype(int)
    rows = np.rint(crop.row0 + at * crop.rows_per_pixel).astype(int)
    plane = volume.labels[index]
    inside_x = (columns >= 0) & (columns < plane.shape[1])
    inside_y = (rows >= 0) & (rows < plane.shape[0])
    sampled = plane[np.ix_(np.clip(rows, 0, plane.shape[0] - 1), np.clip(columns, 0, plane.shape[1] - 1))]
    return np.where(inside_y[:, None] & inside_x[None, :], sampled, 0)


def levels_in_box(labels: np.ndarray, box: Box) -> set[int]:
    """Indices of the levels whose voxels lie in a box; `labels` as `labels_in_input` returns them."""
    edges = [int(np.floor(edge / SAMPLE_STEP)) for edge in (box.x0, box.y0)]
    ends = [int(np.ceil(edge / SAMPLE_STEP)) for edge in (box.x1, box.y1)]
    part = labels[max(edges[1], 0) : max(ends[1], 0), max(edges[0], 0) : max(ends[0], 0)]
    return {int(label) - 1 for label in np.unique(part) if 1 <= label <= len(LEVELS)}


def label_study(
    uid: str,
    slices: list[Slice],
    annotations: Annotations,
    size: int,
    millimetres: float,
    columns: int | None = None,
    rows: int | None = None,
) -> StudyLabels | None:
    """Labels every slice of a study, by the rules at the top; `None` when `train.csv` does not name the study.

    `size`, `millimetres`: side of the input, in pixels and as a length. `columns`, `rows`: size of the DICOM slices, needed for boxes on flipped crops
    where no segmentation gives it.
    """
    study = annotations.studies.get(uid)
    if study is None:
        return None
    volume = annotations.volume("segmentations", uid)
    mask = annotations.volume("fracture_masks", uid) if volume is not None else None
    if volume is not None:
        rows, columns = volume.labels.shape[1:]
    count, shape = len(slices), (len(slices), len(LEVELS))
    visible = np.full(shape, np.nan, np.float32)
    planes: list[np.ndarray | None] = [None] * count
    if volume is not None:
        for number, item in enumerate(slices):
            index = volume.slice_at(item.position_mm)
            if index is None:
                continue
            planes[number] = plane = labels_in_input(volume, index, item.crop, size)
            area = np.bincount(plane.ravel(), minlength=256)[1 : len(LEVELS) + 1]
            visible[number] = area * (SAMPLE_STEP * millimetres / size) ** 2 >= MINIMUM_VISIBLE_MM2
    fractured = [level for level in range(len(LEVELS)) if study[1 + level] > 0.5]
    boxes = _boxes_with_levels(uid, slices, annotations, planes, visible, fractured, columns, rows)
    labels = StudyLabels(
        visible=visible,
        fracture=np.zeros(shape, np.float32),
        weight=np.ones(shape, np.float32),
        follow=np.zeros(shape, bool),
        boxes=[[box for box in found if box.levels] for found in boxes],
        study=study,
        planes=None if volume is None else _packed(planes, mask, slices, size),
        masked=mask is not None,
    )
    boxed = {level for found in boxes for box in found for level in box.levels}
    unplaced = np.array([any(not box.levels for box in found) for found in boxes], bool)
    for level in fractured:
        if level in boxed:
            hit = np.array([any(level in box.levels for box in found) for found in boxes], bool)
            labels.fracture[hit, level] = 1.0
            doubtful = unplaced & ~hit
        else:
            doubtful = unplaced if volume is None and unplaced.any() else np.ones(count, bool)
        known = ~np.isnan(visible[:, level])
        labels.fracture[doubtful & known, level] = visible[doubtful & known, level]
        labels.weight[doubtful & known & (visible[:, level] > 0.5), level] = WEAK_WEIGHT
        labels.fracture[doubtful & ~known, level] = 1.0
        labels.weight[doubtful & ~known, level] = WEAK_WEIGHT
        labels.follow[doubtful & ~known, level] = True
    return labels


def _packed(planes: list[np.ndarray | None], mask: LabelVolume | None, slices: list[Slice], size: int) -> np.ndarray:
    """`StudyLabels.planes`; slices outside the segmentation show nothing. A broken place is one of its level, though
    bone has gone from it."""
    side = size // SAMPLE_STEP
    packed = np.zeros((len(planes), side, side), np.uint8)
    for number, (plane, item) in enumerate(zip(planes, slices)):
        if plane is None:
            continue
        packed[number] = np.where(plane < BROKEN, plane, 0)
        index = mask.slice_at(item.position_mm) if mask is not None else None
        if index is not None:
            broken = labels_in_input(mask, index, item.crop, size)
            packed[number] = np.where(broken > 0, broken | BROKEN, packed[number])
    return packed


def _boxes_with_levels(uid, slices, annotations, planes, visible, fractured, columns, rows) -> list[list[Box]]:
    """Boxes of every slice in input pixels, with their levels where these can be told."""
    found: list[list[Box]] = []
    by_slice = annotations.boxes.get(uid, {})
    for number, item in enumerate(slices):
        found.append([])
        for raw in by_slice.get(item.instance_number, ()):
            if (item.crop.flip_columns and columns is None) or (item.crop.flip_rows and rows is None):
                raise TrainingError(f"study {uid}: boxes on a flipped slice of unknown size; add its segmentation")
            box = box_to_input(raw, item.crop, columns or 0, rows or 0)
            plane = planes[number]
            if plane is not None:
                seen = {level for level in fractured if visible[number, level] > 0.5}
                levels = tuple(sorted(levels_in_box(plane, box) & seen or seen))
            else:
                levels = tuple(fractured) if len(fractured) == 1 else ()
            found[-1].append(Box(box.x0, box.y0, box.x1, box.y1, levels))
    return found
