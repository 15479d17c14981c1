"""Has the program write the arrays of a data set, and says what is in them."""

import shutil
import subprocess
from pathlib import Path

from . import LEVELS, TrainingError
from .data import Collection, load_collection, summary

IMAGES = "train_images"


def prepare(dataset: Path, tensors: Path, program: str, size: int, field: float, echo=print) -> Collection:
    """Runs `cspine tensors` over the data set's `train_images`; arrays that are complete are kept, so an interrupted run goes
    on. Returns the labelled studies. Raises `TrainingError` when the program is missing or fails, or nothing is left."""
    images = dataset / IMAGES
    if not images.is_dir():
        raise TrainingError(f"{images}: not found; --dataset must be a folder in the RSNA 2022 layout")
    found = shutil.which(program)
    if found is None:
        raise TrainingError(f"{program}: no such program; build it with `cargo build --release` and give --program its path")
    form = ["--size", str(size), "--field", repr(field)]
    done = subprocess.run([found, "tensors", str(images), "--out", str(tensors), *form], check=False)
    # 1: some studies were left out, each with a line that says why.
    if done.returncode not in (0, 1):
        raise TrainingError(f"`cspine tensors` ended with {done.returncode}; its last lines say why")
    collection = load_collection(tensors, dataset)
    for line in describe(collection):
        echo(line)
    return collection


def describe(collection: Collection) -> list[str]:
    """What is known of the studies, as lines."""
    counts = summary(collection.studies)
    by_level = ", ".join(f"{name} {counts['fractured_levels'][name]}" for name in LEVELS)
    return [
        f"{counts['studies']} {collection.nature} studies, {counts['slices']} slices of {collection.size} x "
        f"{collection.size}; {collection.unlabelled} without a row in train.csv",
        f"fractured: {counts['fractured_studies']} ({by_level})",
        f"segmented: {counts['with_segmentation']}; with masks of breaks: {counts['with_masks']}; slices with boxes: "
        f"{counts['slices_with_boxes']}",
    ]
