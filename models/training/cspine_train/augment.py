"""Small changes to slices and to their boxes, in one step with the resampling to the network's internal size.

Everything is in crop coordinates: -1 to 1 from edge to edge, x to the patient's left, y to the back. A transform is a
`[2, 3]` matrix that takes a place in the result to the place in the input from which it is read.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional

from . import LEVELS
from .labels import Box

POINTS_PER_CELL = 4
"""A box's share of a grid cell is measured on 4 x 4 points."""


@dataclass(frozen=True)
class Augmentation:
    """Largest changes; each slice gets its own, drawn evenly."""

    rotation_degrees: float = 10.0
    scale: float = 0.1
    shift: float = 0.1
    """Part of half the crop: 0.1 is 5.6 mm."""
    gain: float = 0.1
    offset: float = 0.03
    """Part of the window: 0.03 is 60 HU."""
    noise: float = 0.02
    """Standard deviation, part of the window: 0.02 is 40 HU."""
    flip: bool = True
    """Left and right may change places. Levels stay as they are."""


def transform(rotation: float, scale: float, shift: tuple[float, float], flip: bool) -> np.ndarray:
    """The `[2, 3]` matrix of a rotation (radians), a scale, a shift and a left-right flip."""
    cosine, sine = math.cos(rotation) * scale, math.sin(rotation) * scale
    sign = -1.0 if flip else 1.0
    return np.array([[sign * cosine, -sine, shift[0]], [sign * sine, cosine, shift[1]]], np.float32)


def draw(augmentation: Augmentation, random: np.random.Generator) -> np.ndarray:
    """A random transform within the augmentation's limits."""
    a = augmentation
    return transform(
        math.radians(random.uniform(-a.rotation_degrees, a.rotation_degrees)),
        1.0 + random.uniform(-a.scale, a.scale),
        (random.uniform(-a.shift, a.shift), random.uniform(-a.shift, a.shift)),
        a.flip and random.random() < 0.5,
    )


def resample(images: torch.Tensor, transforms: np.ndarray) -> torch.Tensor:
    """Reads uint8 `[N, 3, size, size]` through one transform each into floats of the same shape, 0 to 1;
    outside the crop lies air."""
    theta = torch.from_numpy(np.ascontiguousarray(transforms, np.float32))
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    scaled = images.to(torch.float32).div_(255.0)
    return functional.grid_sample(scaled, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def change_intensity(images: torch.Tensor, augmentation: Augmentation, random: np.random.Generator) -> torch.Tensor:
    """Gain, offset and noise, one draw per image; the result stays within 0 to 1."""
    count = len(images)
    gain = 1.0 + random.uniform(-augmentation.gain, augmentation.gain, count)
    offset = random.uniform(-augmentation.offset, augmentation.offset, count)
    sigma = random.uniform(0.0, augmentation.noise, count)
    noise = random.standard_normal(tuple(images.shape), np.float32)

    def column(values):
        return torch.from_numpy(values.astype(np.float32)).view(count, 1, 1, 1)

    return (images * column(gain) + column(offset) + torch.from_numpy(noise) * column(sigma)).clamp_(0.0, 1.0)


def resample_plane(plane: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Reads a plane of labels, uint8 `[P, P]`, through a transform: the nearest label, 0 outside."""
    middles = ((np.arange(len(plane), dtype=np.float32) + 0.5) / len(plane) * 2 - 1)[None]
    x = matrix[0, 0] * middles + matrix[0, 1] * middles.T + matrix[0, 2]
    y = matrix[1, 0] * middles + matrix[1, 1] * middles.T + matrix[1, 2]
    column, row = (np.floor((at + 1) / 2 * len(plane)).astype(np.int32) for at in (x, y))
    inside = (column >= 0) & (column < len(plane)) & (row >= 0) & (row < len(plane))
    return np.where(inside, plane[np.where(inside, row, 0), np.where(inside, column, 0)], 0).astype(np.uint8)


def box_map(boxes: list[Box], matrix: np.ndarray, size: int, grid: int) -> np.ndarray:
    """How much of each grid cell lies in a level's boxes, float32 `[7, grid, grid]`, for an input of `size` pixels.

    The largest share of each level is raised to 1, so that a box smaller than a cell is not lost; a level whose boxes
    the transform moved out of the crop stays 0.
    """
    target = np.zeros((len(LEVELS), grid, grid), np.float32)
    if not boxes:
        return target
    fine = (np.arange(grid * POINTS_PER_CELL, dtype=np.float32) + 0.5) / (grid * POINTS_PER_CELL) * 2 - 1
    x = matrix[0, 0] * fine[None, :] + matrix[0, 1] * fine[:, None] + matrix[0, 2]
    y = matrix[1, 0] * fine[None, :] + matrix[1, 1] * fine[:, None] + matrix[1, 2]
    x, y = (x + 1) * (size / 2), (y + 1) * (size / 2)
    for box in boxes:
        inside = (x >= box.x0) & (x < box.x1) & (y >= box.y0) & (y < box.y1)
        share = inside.reshape(grid, POINTS_PER_CELL, grid, POINTS_PER_CELL).mean((1, 3))
        for level in box.levels:
            target[level] = np.maximum(target[level], share)
    largest = target.max((1, 2), keepdims=True)
    return target / np.where(largest > 0, largest, 1.0)
