"""Writes a model package: `model.onnx`, `model.toml`, `CARD.md`. Every figure comes from the measurements."""

import hashlib
import json
import re
import shutil
import tomllib
from pathlib import Path

from . import CENTRE, CHANNEL_OFFSETS_MM, INPUT_MILLIMETRES, LEVELS, WINDOW_HU, TrainingError
from .aggregate import MINIMUM_MM, PRESENCE
from .evaluate import number

INTENDED_USE = {
    "synthetic": "Demonstration and software testing. Not for patients: it has seen only synthetic necks.",
    "clinical": "Research. Not a medical device; not validated for clinical use.",
}


def write_package(
    out: Path, model: Path, metrics: dict, training: dict, name: str, version: str, remarks: list[str] = ()
) -> None:
    """Writes the package folder.

    `metrics` as `evaluate.evaluate` returns it, `training` the checkpoint, `remarks` further limits for the card. Raises `TrainingError` when the
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
    text = manifest(metrics, training["model_config"]["size"], name, version)
    tomllib.loads(text)
    (out / "model.toml").write_text(text, encoding="utf-8")
    (out / "CARD.md").write_text(card(metrics, training, name, version, remarks), encoding="utf-8")


def manifest(metrics: dict, size: int, name: str, version: str) -> str:
    """The text of `model.toml`; `size` of the input in pixels."""
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
        },
        "input": {
            "name": "image",
            "size": size,
            "millimetres": INPUT_MILLIMETRES,
            "channel_offsets_mm": list(CHANNEL_OFFSETS_MM),
            "window_hu": list(WINDOW_HU),
            "centre": CENTRE,
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
        f"{data['with_segmentation']} studies with segmentation, {data['with_masks']} with fracture masks, "
        f"{data['slices_with_boxes']} slices with boxes"
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


def card(metrics: dict, training: dict, name: str, version: str, remarks: list[str] = ()) -> str:
    """The text of `CARD.md`."""
    config, model, state = training["train_config"], training["model_config"], training["state"]
    synthetic = metrics["nature"] == "synthetic"
    where = "test" if "test" in metrics["splits"] else "validation"
    found = metrics["splits"][where]
    calibration = metrics["calibration"]
    chosen = found["aggregations"][calibration["aggregation"]]
    pixel, grid = INPUT_MILLIMETRES / model["size"], model["size"] // model["cell"]
    fitted = (
        f"fitted to the levels and studies of {calibration['studies']} validation studies"
        if calibration["studies"]
        else "to undo that training draws fractured slices more often and weighs them more"
    )
    held = config["test"] / (config["validation"] + config["test"]) if metrics["held"] else 0.0
    split = (
        f"The figures are of a data set of its own with other necks, divided by a hash: {1 - held:.2g} validation, "
        f"{held:.2g} test."
        if metrics["held"]
        else f"Necks are split by a hash: {config['validation']:g} validation, {config['test']:g} test, the rest "
        "training."
    )
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
        f"`{model['backbone']}` without pretrained weights. It sees {model['size']} x {model['size']} pixels of "
        f"{pixel:g} mm, {INPUT_MILLIMETRES:g} mm about the spine,",
        f"on the slice and on those 2 mm above and below. Two maps of {grid} x {grid} cells of "
        f"{model['cell'] * pixel:g} mm say where bone is broken and where each",
        "level lies; their product is the activation map, and a smooth maximum of it the slice's fracture probability.",
        f"Slices are combined by `{calibration['aggregation']}` ({calibration['reason']}).",
        "",
        "## Training",
        "",
        f"{training_data(metrics)}.",
        f"Fracture logits are multiplied by {calibration['scale']:g} and moved by {calibration['offset']:g}: {fitted}.",
        f"{state['step']} steps of {config['batch_size']} slices in {state['elapsed'] / 60:.1f} minutes, seed "
        f"{config['seed']}.",
        split,
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
        f"| RSNA 2022 weighted log loss | {number(chosen['rsna_log_loss'])} (of a guess of this split's own rates: "
        f"{number(found['rsna_log_loss_of_rates'])}) |",
        f"| calibration error, study | {number(found['calibration_error']['overall'])} |",
        f"| calibration error, level | {number(found['calibration_error']['level'])} |",
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
        f"- It works at {pixel:g} mm per pixel: what is finer is lost.",
        "- Axial CT only. It reads C1 to C7 and nothing else.",
        "- A level that it does not see gets no probability. That is not a negative finding.",
        *(f"- {remark}" for remark in remarks),
        "- For research only; no decision about a patient may rest on it.",
        "",
        f"SHA-256 of `model.onnx`: `{metrics['model_sha256']}`.",
    ]
    return "\n".join(lines) + "\n"
