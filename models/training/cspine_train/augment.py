"""Small changes to slices and to what is known of them, in one step with the resampling to the network's size.

Everything is in crop coordinates: -1 to 1 from edge to edge, x to the patient's left, y to the back. A `Warp` takes a
place in the result to the place in the input from which it is read.
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
    """Part of half the crop: 0.1 is 4.7 mm of 93 mm across."""
    bend: float = 0.02
    """Amplitude of each of `BENDS` waves that bend the picture, part of half the crop: 0.02 is 0.9 mm of 93 mm across. With
    waves of two thirds of the crop and more, bone is strained by up to a tenth, less than necks differ, and no line is torn."""
    gain: float = 0.1
    offset: float = 0.03
    """Part of the window: 0.03 is 60 HU."""
    sharpness: float = 0.6
    """Part of the difference from the 3 x 3 mean that is added or taken away: other kernels."""
    noise: float = 0.02
    """Standard deviation, part of the window: 0.02 is 40 HU."""
    thick: float = 0.12
    """Part of the slices whose channels become what the program makes of scans with slices 4 mm apart and more (`FAR`)."""
    flip: bool = True
    """Left and right may change places. Levels stay as they are."""


BENDS = 3
"""Waves of a bend."""

FAR = ("alone", "merged", "apart", "merged and apart")
"""What channels may become where slices are far apart: the slice itself three times, thin or as thick as all three
channels together; or neighbours twice as far away, thin or as thick."""


def set_apart(channels: np.ndarray, head: np.ndarray, foot: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A slice's channels as one of `FAR`, uint8 `[3, S, S]`; `head`, `foot`: those of the slices at twice the offsets."""
    how = FAR[random.integers(len(FAR))]
    if how == "alone":
        return np.broadcast_to(channels[1:2], channels.shape)
    if how == "merged":
        return np.broadcast_to(_merged(channels), channels.shape)
    take = _merged if how == "merged and apart" else _middle
    # Where a place lies midway between two slices, the program takes the slice itself or its neighbour.
    sides = [take(side if random.random() < 0.75 else channels) for side in (head, foot)]
    return np.stack([sides[0], take(channels), sides[1]])


def _merged(channels: np.ndarray) -> np.ndarray:
    """A slice as thick as three channels together."""
    parts = channels.astype(np.uint16)
    return ((parts[0] + 2 * parts[1] + parts[2] + 2) // 4).astype(np.uint8)


def _middle(channels: np.ndarray) -> np.ndarray:
    """The slice itself."""
    return channels[1]


@dataclass(frozen=True)
class Warp:
    """An affine map, `[2, 3]`, and waves that bend it: `places = matrix (x, y, 1) + sum_k a_k sin(w_k (x, y) + p_k)`."""

    matrix: np.ndarray
    amplitudes: np.ndarray | None = None
    """`[K, 2]`"""
    waves: np.ndarray | None = None
    """`[K, 3]`: radians along x, along y, at the start."""

    def places(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where columns `x` and rows `y` of the result are read: two arrays `[len(y), len(x)]`."""
        x, y, m = x[None, :], y[:, None], self.matrix
        across = m[0, 0] * x + m[0, 1] * y + m[0, 2]
        down = m[1, 0] * x + m[1, 1] * y + m[1, 2]
        if self.amplitudes is not None:
            for amplitude, wave in zip(self.amplitudes, self.waves):
                swing = np.sin(wave[0] * x + wave[1] * y + wave[2])
                across = across + amplitude[0] * swing
                down = down + amplitude[1] * swing
        return across, down


def transform(rotation: float, scale: float, shift: tuple[float, float], flip: bool) -> Warp:
    """A rotation (radians), a scale, a shift and a left-right flip."""
    cosine, sine = math.cos(rotation) * scale, math.sin(rotation) * scale
    sign = -1.0 if flip else 1.0
    return Warp(np.array([[sign * cosine, -sine, shift[0]], [sign * sine, cosine, shift[1]]], np.float32))


STILL = transform(0.0, 1.0, (0.0, 0.0), False)
"""Changes nothing."""


def draw(augmentation: Augmentation, random: np.random.Generator) -> Warp:
    """A random warp within the augmentation's limits."""
    a = augmentation
    straight = transform(
        math.radians(random.uniform(-a.rotation_degrees, a.rotation_degrees)),
        1.0 + random.uniform(-a.scale, a.scale),
        (random.uniform(-a.shift, a.shift), random.uniform(-a.shift, a.shift)),
        a.flip and random.random() < 0.5,
    )
    if a.bend == 0.0:
        return straight
    amplitudes = random.uniform(-a.bend, a.bend, (BENDS, 2)).astype(np.float32)
    # From one wave to one and a half over the crop, in any direction.
    length, angle = random.uniform(math.pi, 1.5 * math.pi, BENDS), random.uniform(0, 2 * math.pi, BENDS)
    waves = np.stack([length * np.cos(angle), length * np.sin(angle), random.uniform(0, 2 * math.pi, BENDS)], 1)
    return Warp(straight.matrix, amplitudes, waves.astype(np.float32))


def middles(count: int) -> np.ndarray:
    """The middles of `count` equal parts of -1 to 1, float32."""
    return (np.arange(count, dtype=np.float32) + 0.5) / count * 2 - 1


def resample(images: torch.Tensor, warps: list[Warp], size: int | None = None) -> torch.Tensor:
    """Reads uint8 `[N, 3, S, S]` through one warp each into floats `[N, 3, size, size]`, 0 to 1 (`size`: S unless given);
    outside the crop lies air. A smaller size is read from means over the pixels that it merges."""
    size = size or images.shape[-1]
    at = middles(size)
    grid = torch.from_numpy(np.stack([np.stack(warp.places(at, at), -1) for warp in warps]).astype(np.float32))
    scaled = images.to(torch.float32).div_(255.0)
    if size < images.shape[-1]:
        scaled = functional.interpolate(scaled, size=(size, size), mode="bilinear", antialias=True, align_corners=False)
    return functional.grid_sample(scaled, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def change_intensity(images: torch.Tensor, augmentation: Augmentation, random: np.random.Generator) -> torch.Tensor:
    """Sharpness, gain, offset and noise, one draw per image; the result stays within 0 to 1. Half of the images get
    noise with a coarser grain, as smooth kernels leave it."""
    count = len(images)
    gain = 1.0 + random.uniform(-augmentation.gain, augmentation.gain, count)
    offset = random.uniform(-augmentation.offset, augmentation.offset, count)
    sharpness = random.uniform(-augmentation.sharpness, augmentation.sharpness, count)
    sigma = random.uniform(0.0, augmentation.noise, count)
    coarse = random.random(count) < 0.5
    noise = torch.from_numpy(random.standard_normal(tuple(images.shape), np.float32))

    def column(values):
        return torch.from_numpy(values.astype(np.float32)).view(count, 1, 1, 1)

    def mean(pictures):
        return functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)

    # The mean of nine independent values deviates by a third.
    noise = torch.where(torch.from_numpy(coarse).view(count, 1, 1, 1), 3.0 * mean(noise), noise)
    images = images + column(sharpness) * (images - mean(images))
    return (images * column(gain) + column(offset) + noise * column(sigma)).clamp_(0.0, 1.0)


def resample_plane(plane: np.ndarray, warp: Warp, size: int | None = None) -> np.ndarray:
    """Reads a plane of labels, uint8 `[P, P]`, through a warp into `[size, size]` (P unless given): the nearest label, 0
    outside."""
    at = middles(size or len(plane))
    column, row = (np.floor((place + 1) / 2 * len(plane)).astype(np.int32) for place in warp.places(at, at))
    inside = (column >= 0) & (column < len(plane)) & (row >= 0) & (row < len(plane))
    return np.where(inside, plane[np.where(inside, row, 0), np.where(inside, column, 0)], 0).astype(np.uint8)


def box_map(boxes: list[Box], warp: Warp, size: int, grid: int) -> np.ndarray:
    """How much of each grid cell lies in a level's boxes, float32 `[7, grid, grid]`, for boxes in an input of `size`
    pixels.

    The largest share of each level is raised to 1, so that a box smaller than a cell is not lost; a level whose boxes
    the warp moved out of the crop stays 0.
    """
    target = np.zeros((len(LEVELS), grid, grid), np.float32)
    if not boxes:
        return target
    fine = middles(grid * POINTS_PER_CELL)
    x, y = ((place + 1) * (size / 2) for place in warp.places(fine, fine))
    for box in boxes:
        inside = (x >= box.x0) & (x < box.x1) & (y >= box.y0) & (y < box.y1)
        share = inside.reshape(grid, POINTS_PER_CELL, grid, POINTS_PER_CELL).mean((1, 3))
        for level in box.levels:
            target[level] = np.maximum(target[level], share)
    largest = target.max((1, 2), keepdims=True)
    return target / np.where(largest > 0, largest, 1.0)
