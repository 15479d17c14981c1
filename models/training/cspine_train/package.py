"""Writes a model package: `model.onnx`, `model.toml`, `CARD.md` and its plots. Every figure comes from the measurements."""

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

from . import CENTRE, CHANNEL_OFFSETS_MM, INPUT_MILLIMETRES, SLAB_MM, WINDOW_HU, TrainingError
from .aggregate import MINIMUM_MM, PRESENCE
from .card import INTENDED_USE, Extras, card, novelty_data, operating_point, threshold_data, training_data
from .measured import plot_name


def write_package(
    out: Path, model: Path, metrics: dict, training: dict, name: str, version: str, extras: Extras | None = None
) -> None:
    """Writes the package folder.

    `metrics` as `evaluate.evaluate` returns it, `training` the checkpoint, `extras` what the card says besides. Raises
    `TrainingError` when the metrics are of another model or the name is not fit for a manifest.
    """
    for label, text in (("--name", name), ("--version", version)):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", text):
            raise TrainingError(f"{label} {text!r}: use up to 40 letters, digits, dots, dashes and underscores")
    digest = hashlib.sha256(model.read_bytes()).hexdigest()
    if digest != metrics["model_sha256"]:
        raise TrainingError(f"{model} is not the model that was measured; run `python -m cspine_train evaluate` again")
    out.mkdir(parents=True, exist_ok=True)
    if model.resolve() != (out / "model.onnx").resolve():
        shutil.copyfile(model, out / "model.onnx")
    extras = extras or Extras()
    for evaluation in extras.evaluations:
        for plot in evaluation.plots:
            copy = out / plot_name(evaluation, plot)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(plot, copy)
    text = manifest(metrics, training, name, version)
    tomllib.loads(text)
    (out / "model.toml").write_text(text, encoding="utf-8")
    (out / "CARD.md").write_text(card(metrics, training, name, version, extras), encoding="utf-8")


def manifest(metrics: dict, training: dict, name: str, version: str) -> str:
    """The text of `model.toml`; the input's form is that of the arrays in the checkpoint `training`."""
    thresholds, nature = metrics["thresholds"], metrics["nature"]
    sections = {
        "": {
            "format": 1,
            "name": name,
            "version": version,
            "sha256": metrics["model_sha256"],
            "nature": nature,
            "aggregation": metrics["calibration"]["aggregation"],
            "intended_use": INTENDED_USE[nature],
            "training_data": training_data(metrics),
            **({"training_anatomies": metrics["training_anatomies"]} if metrics.get("training_anatomies") else {}),
        },
        "input": {
            "name": "image",
            "size": training["model_config"]["size"],
            "millimetres": training.get("millimetres", INPUT_MILLIMETRES),
            "channel_offsets_mm": list(CHANNEL_OFFSETS_MM),
            "window_hu": list(WINDOW_HU),
            "centre": CENTRE,
            "slab_mm": training.get("slab_mm", SLAB_MM),
        },
        "outputs": {"vertebra": "vertebra", "fracture": "fracture", "activation": "activation"},
        "thresholds": {
            "overall": thresholds["overall"],
            "level": thresholds["level"],
            "data": threshold_data(metrics),
            "operating_point": operating_point(metrics),
        },
        "presence": {"vertebra": PRESENCE, "minimum_mm": MINIMUM_MM},
    }
    if novelty := metrics.get("novelty"):
        sections["features"] = {"output": "features", "threshold": novelty["threshold"], "data": novelty_data(novelty)}
    lines = []
    for section, values in sections.items():
        if section:
            lines.append(f"\n[{section}]")
        # A JSON string, number or list of these is the same text in TOML, as long as it is ASCII.
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
