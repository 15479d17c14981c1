"""Writes a model package: `model.onnx`, `model.toml`, `CARD.md`. Every figure comes from the measurements."""

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

from . import CHANNEL_OFFSETS_MM, INPUT_MILLIMETRES, INPUT_SIZE, LEVELS, WINDOW_HU, TrainingError
from .aggregate import MINIMUM_MM, PRESENCE
from .evaluate import number

INTENDED_USE = {
    "synthetic": "Demonstration and software testing. Not for patients: it has seen only synthetic necks.",
    "clinical": "Research. Not a medical device; not validated for clinical use.",
}


def write_package(out: Path, model: Path, metrics: dict, training: dict, name: str, version: str) -> None:
    """Writes the package folder.

    `metrics` as `evaluate.evaluate` returns it, `training` the checkpoint. Raises `TrainingError` when the
    metrics are of another model or the name is not fit for a manifest.
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
    text = manifest(metrics, name, version)
    tomllib.loads(text)
    (out / "model.toml").write_text(text, encoding="utf-8")
    (out / "CARD.md").write_text(card(metrics, training, name, version), encoding="utf-8")


def manifest(metrics: dict, name: str, version: str) -> str:
    """The text of `model.toml`."""
    thresholds, nature = metrics["thresholds"], metrics["nature"]
    sections = {
        "": {
            "format": 1,
            "name": name,
            "version": version,
            "sha256": metrics["model_sha256"],
            "nature": nature,
            "aggregation": metrics["aggregation"],
            "intended_use": INTENDED_USE[nature],
            "training_data": training_data(metrics),
        },
        "input": {
            "name": "image",
            "size": INPUT_SIZE,
            "millimetres": INPUT_MILLIMETRES,
            "channel_offsets_mm": list(CHANNEL_OFFSETS_MM),
            "window_hu": list(WINDOW_HU),
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
    lines = []
    for section, values in sections.items():
        if section:
            lines.append(f"\n[{section}]")
        # A JSON string, number or list of these is the same text in TOML, as long as it is ASCII.
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"


def training_data(metrics: dict) -> str:
    """One line on the data that trained the network."""
    data = metrics["data"]["train"]
    kind = "synthetic" if metrics["nature"] == "synthetic" else "clinical"
    return (
        f"{data['studies']} {kind} studies ({data['fractured_studies']} with a fracture), {data['slices']} slices; "
        f"{data['with_segmentation']} studies with segmentation, {data['slices_with_boxes']} slices with boxes"
    )


def threshold_data(metrics: dict) -> str:
    """One line on what the thresholds were chosen on."""
    chosen = metrics["thresholds_chosen_on"]
    missing = [name for name in ("overall", "level") if name not in chosen["points"]]
    if missing:
        return f"{' and '.join(missing)} not chosen: the validation split lacks fractured or sound cases"
    return f"validation split, {chosen['studies']} {metrics['nature']} studies"


def operating_point(metrics: dict) -> str:
    """One line on what the thresholds reach where they were chosen."""
    parts = []
    for name, point in metrics["thresholds_chosen_on"]["points"].items():
        parts.append(
            f"{name} sensitivity {number(point['sensitivity'])} (n={point['positives']}), "
            f"specificity {number(point['specificity'])} (n={point['negatives']})"
        )
    return "; ".join(parts) or "unknown"


def card(metrics: dict, training: dict, name: str, version: str) -> str:
    """The text of `CARD.md`."""
    config, model, state = training["train_config"], training["model_config"], training["state"]
    synthetic = metrics["nature"] == "synthetic"
    where = "test" if "test" in metrics["splits"] else "validation"
    found = metrics["splits"][where]
    chosen = found["aggregations"][metrics["aggregation"]]
    lines = [f"# {name} {version}", "", INTENDED_USE[metrics["nature"]], ""]
    if synthetic:
        lines += [
            "**Trained on synthetic phantoms only. Its probabilities say nothing about patients**, and the figures",
            "below say only how well it reads further phantoms from the same generator.",
            "",
        ]
    else:
        lines += [
            "Whether the figures below hold at another hospital, scanner or population has not been measured here.",
            "",
        ]
    lines += [
        "## What it is",
        "",
        f"`{model['backbone']}` without pretrained weights; the graph averages its {INPUT_SIZE}-pixel input to "
        f"{model['internal_size']} pixels,",
        f"so it sees {INPUT_MILLIMETRES / model['internal_size']:g} mm per pixel, and the activation map has "
        f"{model['grid']} x {model['grid']} cells of {INPUT_MILLIMETRES / model['grid']:g} mm.",
        f"A slice's fracture probability is a smooth maximum of that map. Slices are combined by "
        f"`{metrics['aggregation']}`",
        f"({metrics['aggregation_reason']}).",
        "",
        "## Training",
        "",
        f"{training_data(metrics)}.",
        f"Fracture logits are moved by {training['prior_shift']:.2f} to undo that training draws fractured slices "
        "more often and weighs them more.",
        f"{state['step']} steps of {config['batch_size']} slices in {state['elapsed'] / 60:.1f} minutes, seed "
        f"{config['seed']}. Necks are split by a hash:",
        f"{config['validation']:g} validation, {config['test']:g} test, the rest training.",
        "",
        f"## Measured on the {where} split",
        "",
    ]
    if where == "validation":
        lines += ["The test split is empty: these figures are of the studies that also chose the thresholds.", ""]
    data = metrics["data"][where]
    lines += [
        f"{data['studies']} {metrics['nature']} studies, {data['fractured_studies']} with a fracture, {data['slices']} "
        "slices. With so few studies each figure is rough.",
        "",
        "| measure | value |",
        "|---|---|",
        f"| AUC, study | {number(chosen['auc_overall'])} |",
        f"| AUC, all seen levels together | {number(chosen['auc_level'])} |",
        *(f"| AUC, {level} | {number(chosen['auc'][level])} |" for level in LEVELS),
        f"| RSNA 2022 weighted log loss | {number(chosen['rsna_log_loss'])} |",
    ]
    for label, key in (("study", "overall"), ("level", "level")):
        point, threshold = found["at_thresholds"][key], metrics["thresholds"][key]
        lines.append(
            f"| {label}, threshold {threshold} | sensitivity {number(point['sensitivity'])} (n={point['positives']}), "
            f"specificity {number(point['specificity'])} (n={point['negatives']}) |"
        )
    visible, pointing = found["visibility"], found["pointing"]
    lines += [
        *(
            f"| fractures found by the level threshold: {kind} | {counts['found']} of {counts['levels']} |"
            for kind, counts in found["kinds"].items()
        ),
        f"| studies declined as no neck | {found['declined']} |",
        f"| fractured levels that it did not see at all | {found['fractured_levels_not_seen']} |",
        f"| level visible in a slice | accuracy {number(visible['slices']['accuracy'])}, sensitivity "
        f"{number(visible['slices']['sensitivity'])}, precision {number(visible['slices']['precision'])} |",
        f"| hottest cell's centre lies in the fracture's box | {number(pointing['centre'])} of "
        f"{pointing['slices_and_levels']} (by chance {number(pointing['chance'])}) |",
        f"| hottest cell touches the box | {number(pointing['touch'])} |",
        f"| slice with the highest score has a box of the level | {number(pointing['key_slice'])} of "
        f"{pointing['fractured_levels']} |",
        "",
        f"Thresholds: {threshold_data(metrics)}; there: {operating_point(metrics)}.",
        "",
        "## Limits",
        "",
    ]
    if synthetic:
        lines.append("- Real fractures, degenerative change, metal, contrast and motion were not in the training data.")
    lines += [
        f"- It works at {INPUT_MILLIMETRES / model['internal_size']:g} mm per pixel: what is finer is lost.",
        "- Axial CT only. It reads C1 to C7 and nothing else.",
        "- A level that it does not see gets no probability. That is not a negative finding.",
        "- Probabilities are not calibrated beyond what training gives.",
        "- For research only; no decision about a patient may rest on it.",
        "",
        f"SHA-256 of `model.onnx`: `{metrics['model_sha256']}`.",
    ]
    return "\n".join(lines) + "\n"
