"""What a good Python programmer would write: studies to C1-C7 with pydicom, its decoders, and PyTorch or ONNX Runtime.

`tests/bench/whole` runs it beside `cspine predict`. Each study is read, decoded, cut and windowed in a worker process,
while the network runs over the one before. It gives the same numbers as the program: the preprocessing is that of
`src/inference/preprocess.rs` (by `model.toml`), every slice goes through the network. Studies lie in a folder each, are
axial and not tilted: that is all it reads.

Prints a line of JSON for each study, and last one with what it spent its time on.
"""

import argparse
import json
import os
import sys
import time
import tomllib
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# The workers are the parallelism: their products must not start threads of their own.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pydicom

from cspine_train.aggregate import MINIMUM_MM, PRESENCE, combine

AIR, BODY_HU, BONE_HU = -1024, -300, 200
SMOOTHING_MM, BEHIND_MM = 10.0, 14.0
CELL_MM, BLUR_MM, ASIDE_COST, LEAST_BONE = 4.0, 10.0, 0.3, 0.02
STEP_COST = (0.1, 0.2)
DEFLATED_OR_PLAIN = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"}
BATCH = 16


@dataclass
class Volume:
    """A study as Hounsfield units `[S, rows, columns]`, from head to foot."""

    uid: str
    hu: np.ndarray
    offsets: np.ndarray
    """mm from the first slice footwards."""
    spacing: tuple[float, float]
    """mm from row to row and from column to column."""


def read(folder: Path) -> Volume:
    """Reads and decodes the files of one folder."""
    slices = [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    slices.sort(key=lambda item: -float(item.ImagePositionPatient[2]))
    first = slices[0]
    if not np.allclose(first.ImageOrientationPatient, [1, 0, 0, 0, 1, 0], atol=1e-4):
        raise SystemExit(f"{folder}: only upright axial studies are read")
    hu = np.empty((len(slices), first.Rows, first.Columns), np.int16)
    for place, item in zip(hu, slices):
        if item.file_meta.TransferSyntaxUID not in DEFLATED_OR_PLAIN:
            item.pixel_array_options(decoding_plugin="pylibjpeg")
        stored = item.pixel_array
        np.maximum(
            stored * float(item.get("RescaleSlope", 1)) + float(item.get("RescaleIntercept", 0)),
            AIR,
            out=place,
            casting="unsafe",
        )
        if "PixelPaddingValue" in item:
            place[stored == item.PixelPaddingValue] = AIR
    heights = np.array([float(item.ImagePositionPatient[2]) for item in slices])
    row, column = (float(value) for value in first.PixelSpacing)
    return Volume(str(first.StudyInstanceUID), hu, heights[0] - heights, (row, column))


def body_middle(hu: np.ndarray) -> tuple[float, float]:
    """Row and column of the body's middle in a slice."""
    body = hu > BODY_HU
    total = np.count_nonzero(body)
    if total < 0.01 * body.size:
        return (hu.shape[0] - 1) / 2, (hu.shape[1] - 1) / 2
    return tuple(float(np.searchsorted(2 * np.cumsum(body.sum(axis)), total)) for axis in (1, 0))


def smoothed(centres: np.ndarray, offsets: np.ndarray, of) -> np.ndarray:
    """The mean or median of the centres near each slice."""
    near = (np.abs(offsets - own) <= SMOOTHING_MM for own in offsets)
    return np.stack([of(centres[which]) for which in near])


def upper_median(values: np.ndarray) -> np.ndarray:
    """The median, of an even number the upper one."""
    return np.sort(values, 0)[len(values) // 2]


def spine_course(volume: Volume, bodies: np.ndarray) -> np.ndarray | None:
    """Row and column of the spine in each slice: the chain of cells with most bone. `None` where there is none."""
    (row_mm, column_mm), (count, rows, columns) = volume.spacing, volume.hu.shape
    height, width = (
        min(max(int(np.ceil(n * mm / CELL_MM)), 1), 512) for n, mm in ((rows, row_mm), (columns, column_mm))
    )

    def sums(length: int, mm: float, cells: int) -> np.ndarray:
        cell = np.minimum(((np.arange(length) + 0.5) * mm / CELL_MM).astype(int), cells - 1)
        return (np.arange(cells)[:, None] == cell).astype(np.float32)

    down, across = sums(rows, row_mm, height), sums(columns, column_mm, width).T
    groups, start = [], 0
    for index in range(1, count + 1):
        if index == count or volume.offsets[index] - volume.offsets[start] >= CELL_MM - 1e-6:
            groups.append((start, index))
            start = index
    reach = int(np.ceil(2.5 * BLUR_MM / CELL_MM))
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * CELL_MM / BLUR_MM) ** 2)
    bell /= bell.sum()

    def blur(n: int) -> np.ndarray:
        apart = np.arange(n)[None] - np.arange(n)[:, None]
        return np.where(np.abs(apart) <= reach, bell[np.clip(apart + reach, 0, 2 * reach)], 0).astype(np.float32)

    blurs = blur(height), blur(width)
    layers = []
    for first, end in groups:
        bone = (volume.hu[first:end] > BONE_HU).sum(0, dtype=np.uint8)
        voxels = max(CELL_MM / row_mm, 1) * max(CELL_MM / column_mm, 1) * (end - first)
        share = blurs[0] @ (down @ bone.astype(np.float32) @ across / np.float32(voxels)) @ blurs[1].T
        aside = (np.arange(width) + 0.5) * CELL_MM - bodies[first, 1] * column_mm
        layers.append((share - ASIDE_COST * (aside / 100) ** 2).astype(np.float32))
    total, steps = layers[0], []
    moves = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
    for layer in layers[1:]:
        wide = np.pad(total, 1, constant_values=-np.inf)
        costs = [np.float32(STEP_COST[0] * (r != 0) + STEP_COST[1] * (c != 0)) for r, c in moves]
        options = np.stack(
            [wide[1 + r : 1 + r + height, 1 + c : 1 + c + width] - cost for (r, c), cost in zip(moves, costs)]
        )
        best = options.argmax(0)
        steps.append(best)
        total = np.take_along_axis(options, best[None], 0)[0] + layer
    at = np.unravel_index(total.argmax(), total.shape)
    path = [at]
    for best in reversed(steps):
        r, c = moves[best[at]]
        at = (at[0] + r, at[1] + c)
        path.append(at)
    path.reverse()
    if np.mean([layer[at] for layer, at in zip(layers, path)]) < LEAST_BONE:
        return None
    places = [((r + 0.5) * CELL_MM / row_mm - 0.5, (c + 0.5) * CELL_MM / column_mm - 0.5) for r, c in path]
    return np.repeat(places, [end - first for first, end in groups], axis=0)


def taps(first: float, step: float, size: int, length: int) -> tuple[np.ndarray, slice, np.ndarray]:
    """A matrix from stored samples to input samples, which stored samples, and what lies outside; triangles."""
    reach = max(step, 1.0)
    centres = first + np.arange(size) * step
    places = np.arange(int(np.floor(first - reach)), int(np.ceil(centres[-1] + reach)) + 1)
    weights = np.clip(1 - np.abs(places[None] - centres[:, None]) / reach, 0, None)
    weights /= weights.sum(1, keepdims=True)
    inside = (places >= 0) & (places < length)
    if not inside.any():
        return np.zeros((size, 1), np.float32), slice(0, 1), np.ones(size, np.float32)
    chosen = slice(int(places[inside][0]), int(places[inside][-1]) + 1)
    return weights[:, inside].astype(np.float32), chosen, weights[:, ~inside].sum(1).astype(np.float32)


def sources(offsets: np.ndarray, spacing: float, index: int, offset: float, slab: float) -> np.ndarray:
    """Weights of all slices in the channel at `offset` from a slice."""
    own = offsets[index]
    nearest = int(np.abs(offsets - (own + offset)).argmin())
    if abs(offsets[nearest] - own - offset) > max(spacing / 2, 1.0) + 1e-6:
        nearest = index
    weights = np.zeros(len(offsets))
    if slab > 0:
        target = own if nearest == index else own + offset
        weights = np.clip(1 - np.abs(offsets - target) / slab, 0, None)
    if weights.sum() == 0:
        weights[nearest] = 1
    return (weights / weights.sum()).astype(np.float32)


def inputs(volume: Volume, spec: dict) -> np.ndarray:
    """The network's inputs, `[S, channels, size, size]` bytes."""
    size, (row_mm, column_mm), offsets = spec["size"], volume.spacing, volume.offsets
    pixel = spec["millimetres"] / size
    low, high = spec["window_hu"]
    levels = np.clip((np.arange(-32768, 32768) - low) / (high - low), 0, 1) * 255
    grey = np.floor(levels + 0.5).astype(np.uint8)
    bodies = smoothed(np.array([body_middle(hu) for hu in volume.hu]), offsets, upper_median)
    course = spine_course(volume, bodies) if spec.get("centre", "body") == "spine" else None
    centres = (
        bodies if course is None else smoothed(course, offsets, lambda near: near.mean(0)) + (BEHIND_MM / row_mm, 0)
    )
    steps = (pixel / row_mm, pixel / column_mm)
    spacing = float(np.median(np.diff(offsets))) if len(offsets) > 1 else 0.0
    made = np.empty((len(offsets), len(spec["channel_offsets_mm"]), size, size), np.uint8)
    for index, (row, column) in enumerate(centres):
        half = (size - 1) / 2
        down, rows, above = taps(row - half * steps[0], steps[0], size, volume.hu.shape[1])
        across, columns, beside = taps(column - half * steps[1], steps[1], size, volume.hu.shape[2])
        weights = np.stack(
            [
                sources(offsets, spacing, index, offset, spec.get("slab_mm", 0.0))
                for offset in spec["channel_offsets_mm"]
            ]
        )
        used = np.flatnonzero(weights.any(0))
        first, end = used[0], used[-1] + 1
        block = volume.hu[first:end, rows, columns].astype(np.float32)
        slab = (weights[:, first:end] @ block.reshape(end - first, -1)).reshape(len(weights), *block.shape[1:])
        hu = down @ (slab @ across.T + AIR * beside) + AIR * above[:, None]
        made[index] = grey[np.copysign(np.floor(np.abs(hu) + 0.5), hu).astype(np.int32) + 32768]
    return made


def prepared(folder: Path, spec: dict) -> tuple[str, np.ndarray, np.ndarray, dict]:
    """One study, ready for the network: UID, inputs, places towards the head, seconds of reading and of preparing."""
    begun = time.perf_counter()
    volume = read(folder)
    middle = time.perf_counter()
    made = inputs(volume, spec)
    return volume.uid, made, -volume.offsets, {"read": middle - begun, "prepare": time.perf_counter() - middle}


def by_processes(folders: list[Path], spec: dict, workers: int):
    """Prepared studies in order, one more than there are workers on their way."""
    with ProcessPoolExecutor(workers, get_context("fork")) as pool:
        waiting, left = deque(), deque(folders)
        while waiting or left:
            while left and len(waiting) <= workers:
                waiting.append(pool.submit(prepared, left.popleft(), spec))
            yield waiting.popleft().result()


def by_loader(folders: list[Path], spec: dict, workers: int):
    """The same by PyTorch's DataLoader."""
    from torch.utils.data import DataLoader, Dataset

    class Studies(Dataset):
        def __len__(self):
            return len(folders)

        def __getitem__(self, index):
            return prepared(folders[index], spec)

    return iter(DataLoader(Studies(), batch_size=None, num_workers=workers, prefetch_factor=1))


def torch_network(model: Path, half: bool, threads: int):
    """A function from inputs to visibilities and fractures, by PyTorch."""
    import torch
    from onnx_torch import module_of

    torch.set_num_threads(threads)
    network = module_of(model).eval().to(memory_format=torch.channels_last)
    cast = torch.autocast("cpu", torch.bfloat16, enabled=half)

    def run(images):
        with torch.inference_mode(), cast:
            image = torch.as_tensor(images).to(memory_format=torch.channels_last)
            vertebra, fracture = network(image)[:2]
            return vertebra.float().numpy(), fracture.float().numpy()

    return run


def onnx_network(model: Path, threads: int):
    """The same by ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(["vertebra", "fracture"], {"image": np.asarray(images)})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a folder with a folder for each study")
    parser.add_argument("--model", type=Path, required=True, help="a model package")
    parser.add_argument("--engine", choices=("torch", "onnx"), required=True)
    parser.add_argument("--bf16", action="store_true", help="PyTorch's convolutions in bfloat16")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    manifest = tomllib.loads((options.model / "model.toml").read_text(encoding="utf-8"))
    if manifest["presence"] != {"vertebra": PRESENCE, "minimum_mm": MINIMUM_MM}:
        raise SystemExit("cspine_train.aggregate has other limits of presence than the package")
    folders = sorted(path for path in options.folder.iterdir() if path.is_dir())
    spec, model = manifest["input"], options.model / "model.onnx"
    workers = min(options.threads, len(folders))
    spent = {"read": 0.0, "prepare": 0.0, "network": 0.0}
    if options.engine == "torch":
        # The workers begin before the network is there.
        studies = by_loader(folders, spec, workers)
        run = torch_network(model, options.bf16, options.threads)
    else:
        studies = by_processes(folders, spec, workers)
        run = onnx_network(model, options.threads)
    for uid, images, heights, seconds in studies:
        begun = time.perf_counter()
        parts = [run(images[first : first + BATCH]) for first in range(0, len(images), BATCH)]
        vertebra, fracture = (np.concatenate(part) for part in zip(*parts))
        spent["network"] += time.perf_counter() - begun
        for part, took in seconds.items():
            spent[part] += float(took)
        numbers = combine(vertebra, fracture, np.asarray(heights), manifest["aggregation"])
        numbers = [None if np.isnan(number) else float(number) for number in numbers]
        print(
            json.dumps({"study": uid, "overall": numbers[0], "levels": numbers[1:], "slices": len(images)}), flush=True
        )
    print(json.dumps({"spent": spent}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
