"""The card's tables of what `cspine evaluate` measured with the packaged model, and of what single parts are worth."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import LEVELS, TrainingError
from .anatomy import joined

FORMAT = 2
"""Of `evaluation.json`."""

REAL_FORMAT = 1
"""Of `real.json`."""

PLOTS = ("roc.svg", "reliability.svg")
"""Of what `cspine evaluate` draws, what the card shows."""


@dataclass(frozen=True)
class Evaluation:
    """One `evaluation.json`, what its studies are called, and how it came about."""

    label: str
    command: str
    document: dict
    plots: tuple[Path, ...] = ()
    """The pictures beside it that the card shows: ROC curve and reliability."""

    def found(self, group: str) -> dict | None:
        """Measures of a group of its studies: `held_out` or `known` anatomies, or `all` data sets together."""
        return self.document["all"] if group == "all" else self.document["anatomies"][group]


def read_evaluation(label: str, path: Path, command: str, sha256: str) -> Evaluation:
    """Reads what `cspine evaluate` wrote. Raises `TrainingError` when it is not of the model with this hash."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        form, digest = document["format"], document["model"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: {error!r}; write it with `cspine evaluate --out`") from error
    if form != FORMAT:
        raise TrainingError(f"{path}: format {form}, but this package reads {FORMAT}; use a matching cspine")
    if digest != sha256:
        raise TrainingError(f"{path} is of another model; run `cspine evaluate` with this package again")
    plots = tuple(plot for plot in (path.parent / name for name in PLOTS) if plot.is_file())
    return Evaluation(label, command, document, plots)


def read_real(path: Path, sha256: str) -> dict:
    """Reads what `cspine evaluate --real` wrote. Raises `TrainingError` when it is not of the model with this hash."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        form, digest = document["format"], document["model"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: {error!r}; write it with `cspine evaluate --real FOLDER --out`") from error
    if form != REAL_FORMAT:
        raise TrainingError(f"{path}: format {form}, but this package reads {REAL_FORMAT}; use a matching cspine")
    if digest != sha256:
        raise TrainingError(f"{path} is of another model; run `cspine evaluate --real` with this package again")
    return document


def plot_name(evaluation: Evaluation, plot: Path) -> str:
    """Where the package keeps a plot, below its folder."""
    label = re.sub(r"[^a-z0-9]+", "-", evaluation.label.lower()).strip("-")
    return f"plots/{label}-{plot.name}"


def value(measure: dict | None) -> str:
    """A figure with its 95 % interval, and the counts of a share; a dash where there is none."""
    if not measure or measure.get("value") is None:
        return "-"
    text = f"{measure['value']:.3f}"
    if measure.get("low") is not None:
        text += f" [{measure['low']:.3f}, {measure['high']:.3f}]"
    return text + (f" ({measure['count']}/{measure['of']})" if "of" in measure else "")


def plain(number: float | None) -> str:
    """A figure without an interval."""
    return "-" if number is None else f"{number:.3f}"


def lowest(found: dict) -> str:
    """The level with the least AUC."""
    known = [(found["auc"][level]["value"], level) for level in LEVELS if found["auc"][level]]
    known = [(area, level) for area, level in known if area is not None]
    return f"{min(known)[1]} {min(known)[0]:.3f}" if known else "-"


def rows(found: dict) -> list[tuple[str, str]]:
    """The measures of an evaluation, in the card's order."""
    thresholds, place, loss = found["thresholds"], found["localisation"], found["rsna_log_loss"]
    return [
        ("studies, broken", f"{found['studies']}, {found['fractured']}"),
        ("AUC, study", value(found["auc"]["overall"])),
        ("AUC, mean of the levels", value(found["auc"]["mean_level"])),
        ("AUC, lowest level", lowest(found)),
        *((f"AUC, {level}", value(found["auc"][level])) for level in LEVELS),
        ("RSNA 2022 metric", value(loss)),
        ("... of a guess: these studies' rates, RSNA's", f"{plain(loss['guess_rates'])}, {plain(loss['guess_rsna'])}"),
        ("sensitivity at 95 % specificity, study", value(found["sensitivity_at_95_specificity"])),
        *(
            (f"{measure}, {what}, at {thresholds[what]['threshold']:.3g}", value(thresholds[what][measure]))
            for what in ("overall", "level")
            for measure in ("sensitivity", "specificity")
        ),
        ("calibration error, study, level", f"{plain(found['ece']['study'])}, {plain(found['ece']['level'])}"),
        ("visibility of levels, mean average precision", plain(found["visibility_ap"]["mean"])),
        ("whole levels with both ends within 5 mm", value(found["level_ranges"]["within_5mm"])),
        ("hot spot in the fracture's box, of found levels", value(place["hot_spot_in_box"])),
        ("... in the box enlarged by 5 mm", value(place["in_box_5mm"])),
        ("key slice among the fracture's", value(place["key_slice"])),
        ("declined as no neck: broken, sound", f"{found['declined']['fractured']}, {found['declined']['sound']}"),
    ]


GROUPS = {
    "held_out": ("Held-out anatomies", "None of these studies' vertebrae come from a source that trained it."),
    "known": ("Known anatomies", "These studies' vertebrae come from sources that trained it, in necks that did not."),
}
"""Titles of the groups of studies, those that say most first."""


def tables(evaluations: list[Evaluation]) -> list[str]:
    """The evaluations side by side: held-out anatomies, then known ones, then every combination of sources. Where the
    package or a data set does not name anatomies, all studies together."""
    lines = []
    for group, (title, text) in GROUPS.items():
        if mine := [evaluation for evaluation in evaluations if evaluation.found(group)]:
            lines += [f"### {title}", "", text, "", *figures(mine, group), ""]
    grouped = [evaluation for evaluation in evaluations if any(evaluation.found(group) for group in GROUPS)]
    if others := [evaluation for evaluation in evaluations if evaluation not in grouped]:
        lines += ["### Anatomies not stated", "", "Whether these anatomies trained it is not known.", "", *figures(others, "all"), ""]
    for evaluation in grouped:
        lines += [*combinations(evaluation), ""]
    return [*lines, *commands(evaluations)]


def figures(evaluations: list[Evaluation], group: str) -> list[str]:
    """The measures of a group, then its fractures by kind and by width."""
    heads = " | ".join(evaluation.label for evaluation in evaluations)
    rule = "|---" * (1 + len(evaluations)) + "|"
    lines = [f"| measure | {heads} |", rule]
    measures = [evaluation.found(group) for evaluation in evaluations]
    for cells in zip(*map(rows, measures)):
        lines.append(f"| {cells[0][0]} | " + " | ".join(cell for _, cell in cells) + " |")
    for title, key in (("kind", "by_kind"), ("width of the gap, mm", "by_width_mm"), ("displacement, mm", "by_displacement_mm")):
        names = list(dict.fromkeys(name for found in measures for name in found.get(key, {})))
        if key == "by_kind":
            names.sort()
        if not names:
            continue
        lines += ["", f"| fractures found, by {title} | {heads} |", rule]
        for name in names:
            cells = (value(found.get(key, {}).get(name)) for found in measures)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    groups = [found.get("by_widest_gap_mm", {}) for found in measures]
    if names := sorted({name for group in groups for name in group}):
        lines += ["", f"| AUC of the studies with such a widest gap, mm, against all sound ones | {heads} |", rule]
        for name in names:
            cells = (f"{value(group[name]['auc_overall'])} ({group[name]['fractured']})" if name in group else "-" for group in groups)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def combinations(evaluation: Evaluation) -> list[str]:
    """One row per combination of sources."""
    lines = [
        f"| {evaluation.label}: sources of the vertebrae | anatomy | studies, broken | AUC, study | AUC, mean of the levels | "
        "sensitivity, level | specificity, level | whole levels with both ends within 5 mm |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in evaluation.document["anatomies"]["combinations"]:
        names = ("auc_overall", "auc_mean_level", "level_sensitivity", "level_specificity", "level_ranges_within_5mm")
        cells = " | ".join(value(row[name]) for name in names)
        lines.append(f"| {joined(row['sources'])} | {row['training']} | {row['studies']}, {row['fractured']} | {cells} |")
    return lines


def commands(evaluations: list[Evaluation]) -> list[str]:
    """How to measure it again, with the plots."""
    lines = ["In brackets 95 % intervals. These commands measure it again:", ""]
    for evaluation in evaluations:
        lines += [f"{evaluation.label}:", "", "```sh", *evaluation.command.split("\n"), "```", ""]
        pictures = [f"![{plot.stem}, {evaluation.label}]({plot_name(evaluation, plot)})" for plot in evaluation.plots]
        lines += [" ".join(pictures), ""] if pictures else []
    return lines


def real_necks(document: dict) -> list[str]:
    """One row per level of every study of `real.json`; slices are InstanceNumbers."""
    def slices(ends):
        return "-" if ends is None else f"{ends[0]}-{ends[1]}"

    lines = [
        f"Alert from {document['overall_threshold']:.1%}, flag from {document['level_threshold']:.1%}. Slices are InstanceNumbers. "
        "Nothing was trained, calibrated or chosen on these studies; they are too few for an AUC.",
    ]
    for study in document["studies"]:
        truth = ", ".join(level["level"] for level in study["levels"] if level["fractured"])
        if study["overall"] is None:
            said = f"{study['status']}: {study['reason']}"
        else:
            order = {True: "in order", False: "not in order", None: "fewer than two"}[study["levels_in_order"]]
            said = (
                f"overall {study['overall']:.1%}, {'alert' if study['alert'] else 'no alert'}; levels found {order}; "
                f"{study['false_flags']} unfractured levels flagged"
            )
        lines += ["", f"**{study['study']}** ({f'fractured: {truth}' if study['fractured'] else 'not fractured'}): {said}.", ""]
        if study["overall"] is None:
            continue
        lines += [
            "| level | probability | flag | key slice | boxed slices | range found | range labeled | ends off, mm |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for level in study["levels"]:
            probability = "not seen" if level["probability"] is None else f"{level['probability']:.1%}"
            off = "-" if level["ends_mm"] is None else ", ".join(f"{end:+.1f}" for end in level["ends_mm"])
            key = "-" if level["key_slice"] is None else str(level["key_slice"])
            if level["key_slice_in_boxed_range"] is not None:
                key += " (in the boxed range)" if level["key_slice_in_boxed_range"] else " (outside the boxed range)"
            lines.append(
                f"| {level['level']}{', fractured' if level['fractured'] else ''} | {probability} | {'flag' if level['flag'] else '-'} | "
                f"{key} | {slices(level['boxed'])} | {slices(level['range'])} | {slices(level['labeled_range'])} | {off} |"
            )
    return [*lines, ""]


def ablation(runs: list[tuple[str, dict]]) -> list[str]:
    """Rows of `metrics.json` documents, each measured on its own validation split."""
    lines = [
        "| run | minutes | studies | AUC, study | AUC, levels together | RSNA 2022 metric | hottest cell in the box |",
        "|---|---|---|---|---|---|---|",
    ]
    for label, metrics in runs:
        split = "validation" if "validation" in metrics["splits"] else "test"
        found = metrics["splits"][split]
        chosen = found["aggregations"][metrics["calibration"]["aggregation"]]
        lines.append(
            f"| {label} | {metrics['minutes']:.1f} | {found['studies']} | {plain(chosen['auc_overall'])} | "
            f"{plain(chosen['auc_level'])} | {plain(chosen['rsna_log_loss'])} | {plain(found['pointing']['touch'])} |"
        )
    return lines
