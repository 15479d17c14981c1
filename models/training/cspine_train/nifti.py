"""Reads NIfTI-1 label volumes (`.nii`, `.nii.gz`), as much of the format as segmentations need.

Source of the layout: the NIfTI-1 header `nifti1.h` (NIfTI Data Format Working Group, 2005).
"""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import TrainingError

HEADER_BYTES = 348
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}


@dataclass(frozen=True)
class LabelVolume:
    """Labels in patient directions, whatever the order in the file.

    `labels[z, y, x]`: z rises towards the head, y towards the back, x towards the patient's left. In the plane that
    is the order of an axial DICOM slice in its usual orientation (1, 0, 0, 0, 1, 0).
    """

    labels: np.ndarray
    z_mm: np.ndarray
    """Position of each slice towards the head, in mm, taken at the middle of the plane."""

    def slice_at(self, position_mm: float) -> int | None:
        """The slice nearest to a position, or `None` when it lies more than half a slice outside or between."""
        if not np.isfinite(position_mm):
            return None
        nearest = int(np.argmin(np.abs(self.z_mm - position_mm)))
        spacing = float(np.median(np.diff(self.z_mm))) if len(self.z_mm) > 1 else 1.0
        return nearest if abs(self.z_mm[nearest] - position_mm) <= 0.5 * spacing + 0.01 else None


def read_labels(path: Path) -> LabelVolume:
    """Reads a label volume.

    Raises `TrainingError` when the file is no single-file NIfTI-1 volume of three dimensions with a usable affine.
    """
    compressed = path.suffix == ".gz"
    opener = gzip.open if compressed else open
    try:
        with opener(path, "rb") as file:
            header = file.read(HEADER_BYTES)
            shape, dtype, offset, scale, affine = _parse_header(header, path)
            count = int(np.prod(shape))
            file.seek(offset)
            raw = file.read(count * dtype.itemsize)
    except (OSError, EOFError) as error:
        raise TrainingError(f"{path}: cannot be read ({error}); copy the file again") from error
    if len(raw) < count * dtype.itemsize:
        raise TrainingError(f"{path}: {len(raw)} bytes of voxels where {count * dtype.itemsize} are due; copy it again")
    voxels = np.frombuffer(raw, dtype, count).reshape(shape, order="F")
    if scale != (1.0, 0.0):
        voxels = voxels * scale[0] + scale[1]
    labels = np.clip(np.rint(voxels) if voxels.dtype.kind == "f" else voxels, 0, 255).astype(np.uint8)
    return _orient(labels, affine, path)


def _parse_header(header: bytes, path: Path):
    """Shape, voxel type, offset of the voxels, (slope, intercept) and the 4x4 affine (RAS, mm)."""
    if len(header) < HEADER_BYTES or header[344:347] not in (b"n+1", b"ni1"):
        raise TrainingError(f"{path}: not a NIfTI-1 file; segmentations must be `.nii` or `.nii.gz`")
    order = "<" if np.frombuffer(header, "<i4", 1, 0)[0] == HEADER_BYTES else ">"

    def read(kind, at, count=1):
        return np.frombuffer(header, order + kind, count, at)

    dimensions = read("i2", 40, 8)
    if dimensions[0] < 3 or any(extra > 1 for extra in dimensions[4 : dimensions[0] + 1]) or min(dimensions[1:4]) < 1:
        raise TrainingError(f"{path}: {dimensions[1 : dimensions[0] + 1].tolist()} is not a volume of three dimensions")
    code = int(read("i2", 70)[0])
    if code not in TYPES:
        raise TrainingError(f"{path}: NIfTI data type {code} is not known here; save labels as integers")
    slope, intercept = (float(value) for value in read("f4", 112, 2))
    scale = (1.0, 0.0) if slope == 0.0 or not np.isfinite(slope) else (slope, intercept)
    affine = np.eye(4)
    if read("i2", 254)[0] > 0:
        affine[:3] = read("f4", 280, 12).reshape(3, 4)
    elif read("i2", 252)[0] > 0:
        affine[:3, :3] = _rotation(read("f4", 256, 3).astype(float)) * _spacing(read("f4", 76, 4))
        affine[:3, 3] = read("f4", 268, 3)
    else:
        raise TrainingError(f"{path}: no orientation (sform and qform are 0); save the segmentation with its affine")
    shape = tuple(int(size) for size in dimensions[1:4])
    return shape, np.dtype(order + TYPES[code]), int(read("f4", 108)[0]), scale, affine


def _spacing(pixdim: np.ndarray) -> np.ndarray:
    """Column scale of a qform: voxel sizes, the third with the sign that `pixdim[0]` carries."""
    spacing = pixdim[1:4].astype(float)
    spacing[2] *= -1.0 if pixdim[0] < 0 else 1.0
    return spacing


def _rotation(bcd: np.ndarray) -> np.ndarray:
    """Rotation matrix of a quaternion given by its last three parts."""
    b, c, d = bcd
    a = np.sqrt(max(0.0, 1.0 - b * b - c * c - d * d))
    return np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
        ]
    )


def _orient(labels: np.ndarray, affine: np.ndarray, path: Path) -> LabelVolume:
    """Permutes and flips voxels to patient directions; oblique volumes go to the nearest axes."""
    axes = [int(np.argmax(np.abs(affine[world, :3]))) for world in range(3)]
    if sorted(axes) != [0, 1, 2]:
        raise TrainingError(f"{path}: the affine's axes are not near the patient's; resample the segmentation")
    right, front, head = axes
    middle = np.array([(size - 1) / 2 for size in labels.shape] + [1.0])
    z_mm = np.empty(labels.shape[head])
    for index in range(len(z_mm)):
        middle[head] = index
        z_mm[index] = affine[2] @ middle
    oriented = labels.transpose(head, front, right)
    if affine[2, head] < 0:
        oriented, z_mm = oriented[::-1], z_mm[::-1]
    if affine[1, front] > 0:
        oriented = oriented[:, ::-1]
    if affine[0, right] > 0:
        oriented = oriented[:, :, ::-1]
    return LabelVolume(oriented, z_mm)
