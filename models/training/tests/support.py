"""Small data sets in the RSNA 2022 layout, made by the tests."""

import csv
import gzip
import json
import struct
from pathlib import Path

import numpy as np

LEVELS = [f"C{number}" for number in range(1, 8)]
SLICES, STEP_MM, TOP_MM = 14, 3.0, 40.0
COLUMNS, ROWS, COLUMN_MM = 200, 160, 1.0


def write_nifti(path: Path, voxels: np.ndarray, affine: np.ndarray, order: str = "<") -> None:
    """Writes uint8 or int16 voxels `[i, j, k]` with an sform."""
    header = bytearray(352)
    struct.pack_into(order + "i", header, 0, 348)
    struct.pack_into(order + "8h", header, 40, 3, *voxels.shape, 1, 1, 1, 1)
    struct.pack_into(order + "2h", header, 70, {1: 2, 2: 4}[voxels.itemsize], 8 * voxels.itemsize)
    struct.pack_into(order + "f", header, 108, 352.0)
    struct.pack_into(order + "2h", header, 252, 0, 1)
    struct.pack_into(order + "12f", header, 280, *affine[:3].ravel())
    header[344:348] = b"n+1\0"
    data = bytes(header) + voxels.astype(voxels.dtype.newbyteorder(order)).tobytes(order="F")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def crop(column0=-20.0, row0=-40.0, per_pixel=0.5, flip_columns=False, flip_rows=False) -> dict:
    """A crop of so many columns and rows per pixel."""
    return {
        "column0": column0,
        "row0": row0,
        "columns_per_pixel": per_pixel,
        "rows_per_pixel": per_pixel,
        "flip_columns": flip_columns,
        "flip_rows": flip_rows,
    }


def write_array(folder: Path, uid: str, images: np.ndarray, positions, **crop_options) -> None:
    """Writes what `cspine tensors` would."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{uid}.npy", images)
    slices = [
        {
            "index": number,
            "instance_number": number + 1,
            "position_mm": float(position),
            "sop_instance_uid": f"{uid}.{number + 1}",
            "crop": crop(**crop_options),
        }
        for number, position in enumerate(positions)
    ]
    document = {
        "study_instance_uid": uid,
        "series_instance_uid": f"{uid}.0",
        "preprocessing_version": 3,
        "input": {
            "size": images.shape[-1],
            "millimetres": 96.0,
            "channel_offsets_mm": [-2.0, 0.0, 2.0],
            "window_hu": [-600.0, 1400.0],
            "centre": "spine",
            "slab_mm": 1.0,
        },
        "slices": slices,
    }
    (folder / f"{uid}.json").write_text(json.dumps(document))


def write_tables(root: Path, studies: dict[str, list[int]], boxes: list[tuple] = ()) -> None:
    """`studies`: fractured level numbers (1 to 7) by UID; `boxes`: uid, x, y, width, height, slice number."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / "train.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["StudyInstanceUID", "patient_overall", *LEVELS])
        for uid, fractured in studies.items():
            writer.writerow([uid, int(bool(fractured)), *(int(level in fractured) for level in range(1, 8))])
    with (root / "train_bounding_boxes.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["StudyInstanceUID", "x", "y", "width", "height", "slice_number"])
        writer.writerows(boxes)


def affine(z_top: float = TOP_MM) -> np.ndarray:
    """RAS affine of a stack that is stored as DICOM shows it: columns to the left, rows to the back, slices down."""
    return np.array([[-1.0, 0, 0, 100], [0, -1.0, 0, 80], [0, 0, -STEP_MM, z_top], [0, 0, 0, 1]])


def make_dataset(root: Path, studies: int = 12, first: int = 0, masks: bool = False) -> tuple[Path, Path]:
    """Necks of seven discs, two slices each; odd studies have a dark cleft in one disc, which a mask may tell. Studies
    are numbered from `first`. Returns (tensors, dataset)."""
    tensors, dataset = root / "tensors", root / "dataset"
    truth, boxes = {}, []
    positions = TOP_MM - STEP_MM * np.arange(SLICES)
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    for number in range(first, first + studies):
        uid = f"1.2.3.{number}"
        random = np.random.default_rng(number)
        middle = np.array([100, 80]) + random.integers(-8, 9, 2)
        fractured = [1 + number // 2 % 7] if number % 2 else []
        truth[uid] = fractured
        volume = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
        labels = np.zeros((SLICES, ROWS, COLUMNS), np.uint8)
        for index in range(SLICES):
            level = 1 + index // 2
            disc = np.hypot(columns - middle[0], rows - middle[1]) < 10 + 3 * level
            volume[index] = np.where(disc, 200, 80)
            labels[index][disc] = level
            if level in fractured:
                x, y = middle[0] - 6, middle[1] - 6
                volume[index, y : y + 12, x : x + 12] = 20
                boxes.append((uid, x, y, 12, 12, index + 1))
        write_nifti(dataset / "segmentations" / f"{uid}.nii", labels.transpose(2, 1, 0), affine())
        images = np.stack([volume[:, :, 20:180]] * 3, 1)
        write_array(tensors, uid, images, positions, column0=20.0, row0=0.0, per_pixel=1.0)
        if masks and fractured:
            mask = np.where(volume == 20, labels, 0).astype(np.uint8)
            write_nifti(dataset / "fracture_masks" / f"{uid}.nii", mask.transpose(2, 1, 0), affine())
    write_tables(dataset, truth, boxes)
    return tensors, dataset
