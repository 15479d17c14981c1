"""The card's tables of what `cspine evaluate` measured with the packaged model, and of what single parts are worth."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import LEVELS, TrainingError

FORMAT = 1
"""Of `evaluation.json`."""

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

    @property
    def found(self) -> dict:
        """All data sets of the file together."""
        return self.document["all"]


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


def tables(evaluations: list[Evaluation]) -> list[str]:
    """The evaluations side by side, then their fractures by kind and by width, then how to do it again."""
    heads = " | ".join(evaluation.label for evaluation in evaluations)
    rule = "|---" * (1 + len(evaluations)) + "|"
    lines = [f"| measure | {heads} |", rule]
    columns = [rows(evaluation.found) for evaluation in evaluations]
    for cells in zip(*columns):
        lines.append(f"| {cells[0][0]} | " + " | ".join(cell for _, cell in cells) + " |")
    for title, key in (("kind", "by_kind"), ("width of the gap, mm", "by_width_mm"), ("displacement, mm", "by_displacement_mm")):
        names = list(dict.fromkeys(name for evaluation in evaluations for name in evaluation.found.get(key, {})))
        if key == "by_kind":
            names.sort()
        if not names:
            continue
        lines += ["", f"| fractures found, by {title} | {heads} |", rule]
        for name in names:
            cells = (value(evaluation.found.get(key, {}).get(name)) for evaluation in evaluations)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    groups = [evaluation.found.get("by_widest_gap_mm", {}) for evaluation in evaluations]
    if names := sorted({name for group in groups for name in group}):
        lines += ["", f"| AUC of the studies with such a widest gap, mm, against all sound ones | {heads} |", rule]
        for name in names:
            cells = (f"{value(group[name]['auc_overall'])} ({group[name]['fractured']})" if name in group else "-" for group in groups)
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "In brackets 95 % intervals. These commands measure it again:", ""]
    for evaluation in evaluations:
        lines += [f"{evaluation.label}:", "", "```sh", *evaluation.command.split("\n"), "```", ""]
        pictures = [f"![{plot.stem}, {evaluation.label}]({plot_name(evaluation, plot)})" for plot in evaluation.plots]
        lines += [" ".join(pictures), ""] if pictures else []
    return lines


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
