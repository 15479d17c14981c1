"""The text of `CARD.md`: what a model is, what it was trained on, how good it is and on what. Every figure is measured."""

from dataclasses import dataclass, field

from . import INPUT_MILLIMETRES, LEVELS
from .anatomy import credits
from .distance import QUANTILE
from .evaluate import number
from .measured import Evaluation, ablation, real_necks, tables

INTENDED_USE = {
    "synthetic": "Demonstration and software testing. Not for patients: the fractures it has seen are all synthetic.",
    "clinical": "Research. Not a medical device; not validated for clinical use.",
}


@dataclass(frozen=True)
class Extras:
    """What the card says beside the run's own measures."""

    evaluations: list[Evaluation] = field(default_factory=list)
    parts: list[dict] = field(default_factory=list)
    """What `ablate` measured of the run."""
    compared: list[tuple[str, dict]] = field(default_factory=list)
    """Labels and `metrics.json` of other runs."""
    data: list[str] = field(default_factory=list)
    """Commands that made the training data."""
    remarks: list[str] = field(default_factory=list)
    """Further limits."""
    real: dict | None = None
    """What `cspine evaluate --real` measured."""


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
    held_out = f", {chosen['held_out']} of them of held-out anatomies" if chosen.get("held_out") else ""
    return f"validation split, {chosen['studies']} {metrics['nature']} studies{held_out}"


def novelty_data(novelty: dict) -> str:
    """One line on what the threshold of the features' distance was chosen on."""
    spreads = ", ".join(
        f"{name} median {found['median']:.2f}, 95th percentile {found['p95']:.2f} (n={found['studies']})"
        for name, found in (("training", novelty["training"]), ("held-out anatomies", novelty["held_out"]))
    )
    return f"{QUANTILE:.1%} of validation studies of held-out anatomies lie below; {spreads}"


def operating_point(metrics: dict) -> str:
    """One line on what the thresholds reach where they were chosen."""
    parts = []
    for name, point in metrics["thresholds_chosen_on"]["points"].items():
        parts.append(
            f"{name} sensitivity {number(point['sensitivity'])} (n={point['positives']}), "
            f"specificity {number(point['specificity'])} (n={point['negatives']})"
        )
    return "; ".join(parts) or "unknown"


def card(metrics: dict, training: dict, name: str, version: str, extras: Extras) -> str:
    """The text of `CARD.md`."""
    pixel = training.get("millimetres", INPUT_MILLIMETRES) / training["model_config"]["size"]
    lines = [f"# {name} {version}", "", INTENDED_USE[metrics["nature"]], ""]
    if metrics["nature"] == "synthetic":
        lines += [
            "**Every fracture it was trained on is synthetic. Its probabilities say nothing about patients**, and the",
            "figures below say only how well it reads further studies from the same generator.",
            "",
        ]
    else:
        lines += [
            "Whether the figures below hold at another hospital, scanner or population has not been measured here.",
            "",
        ]
    lines += _network(metrics, training) + _training(metrics, training, extras)
    if extras.evaluations:
        lines += ["## Measured by the program", ""]
        if len(extras.evaluations) > 1:
            lines += ["On studies that neither trained it nor chose anything.", ""]
        lines += tables(extras.evaluations)
    elif metrics["splits"]:
        lines += _splits(metrics)
    if extras.real:
        lines += ["## Real necks", "", *real_necks(extras.real)]
    lines += [f"Thresholds: {threshold_data(metrics)}; there: {operating_point(metrics)}.", ""]
    if novelty := metrics.get("novelty"):
        lines += [
            f"A study whose features lie farther than {novelty['threshold']:g} from the training studies' is unlike the training "
            f"data: {novelty_data(novelty)}.",
            "",
        ]
    if extras.parts or extras.compared:
        lines += ["## What the parts are worth", ""]
        if extras.parts:
            lines += ["Of this network, each part taken away without training again, on the validation studies:", ""]
            lines += [*ablation([(row["label"], row) for row in extras.parts]), ""]
        if extras.compared:
            lines += ["Other runs, on their validation studies:", "", *ablation(extras.compared), ""]
        lines += ["With so few studies, differences of some hundredths are chance.", ""]
    lines += ["## Limits", ""]
    lines += [
        f"- It works at {pixel:.3g} mm per pixel: what is finer is lost.",
        "- Axial CT only. It reads C1 to C7 and nothing else.",
        "- A level that it does not see gets no probability. That is not a negative finding.",
        *(f"- {remark}" for remark in extras.remarks),
        "- For research only; no decision about a patient may rest on it.",
        "",
        *_credits(metrics),
        f"SHA-256 of `model.onnx`: `{metrics['model_sha256']}`.",
    ]
    return "\n".join(lines) + "\n"


def _credits(metrics: dict) -> list[str]:
    """Whom to credit for the anatomies that trained it."""
    named = credits(metrics.get("training_anatomies") or [])
    return ["## Credits", "", "It was trained on anatomies made from", "", *(f"- {name}" for name in named), ""] if named else []


def _network(metrics: dict, training: dict) -> list[str]:
    """What it is."""
    model, calibration = training["model_config"], metrics["calibration"]
    field = training.get("millimetres", INPUT_MILLIMETRES)
    pixel = field / model["size"]
    weights = ", begun with trained weights (below)" if training.get("origin") else " without pretrained weights"
    lines = [
        "## What it is",
        "",
        f"`{model['backbone']}`{weights}. It sees {model['size']} x {model['size']} pixels of "
        f"{pixel:.3g} mm, {field:.3g} mm about the spine,",
    ]
    if model.get("original"):
        lines.append("on the slice and on those 2 mm above and below, and says what the slice shows; it has no maps.")
    else:
        grid = model["size"] // model["cell"]
        lines += [
            f"on the slice and on those 2 mm above and below. Two maps of {grid} x {grid} cells of "
            f"{model['cell'] * pixel:.3g} mm say where bone is broken and where each",
            "level lies; their product is the activation map, and a smooth maximum of it the slice's fracture probability.",
        ]
    return [*lines, f"Slices are combined by `{calibration['aggregation']}` ({calibration['reason']}).", ""]


def _training(metrics: dict, training: dict, extras: Extras) -> list[str]:
    """What it was trained on, and how."""
    config, state, calibration = training["train_config"], training["state"], metrics["calibration"]
    fitted = (
        f"fitted to the levels and studies of {calibration['studies']} validation studies"
        if calibration["studies"]
        else "to undo that training draws fractured slices more often and weighs them more"
    )
    coarse = config.get("coarse_size", 0)
    sizes = f", the first {config['coarse_share']:.0%} of the time at {coarse} x {coarse} pixels" if coarse else ""
    lines = [
        "## Training",
        "",
        f"{training_data(metrics)}.",
        *([f"Anatomies: {', '.join(metrics['training_anatomies'])}."] if metrics.get("training_anatomies") else []),
        *([f"It began with the weights of {training['origin']}."] if training.get("origin") else []),
        f"{state['step']} steps of {config['batch_size']} slices in {state['elapsed'] / 60:.1f} minutes{sizes}; seed "
        f"{config['seed']}{', bfloat16' if config.get('bf16') else ''}.",
        *(
            [f"Then the mean of these weights and those of {training['blended']} was taken (Wortsman et al., ICML 2022)."]
            if training.get("blended")
            else []
        ),
        f"Fracture logits are multiplied by {calibration['scale']:g} and moved by {calibration['offset']:g}: {fitted}.",
    ]
    if not metrics["held"]:
        lines.append(
            f"Necks are split by a hash: {config['validation']:g} validation, {config['test']:g} test, the rest training."
        )
    if extras.data:
        lines += ["", "The studies to learn from and to choose on come from", "", "```sh", *extras.data, "```"]
    return [*lines, ""]


def _splits(metrics: dict) -> list[str]:
    """What the training package measured by itself, where the program has not measured yet."""
    where = "test" if "test" in metrics["splits"] else "validation"
    found = metrics["splits"][where]
    chosen = found["aggregations"][metrics["calibration"]["aggregation"]]
    lines = [f"## Measured on the {where} split", ""]
    if where == "validation":
        lines += ["These studies also chose the thresholds.", ""]
    data, pointing = metrics["data"][where], found["pointing"]
    lines += [
        f"{data['studies']} {metrics['nature']} studies, {data['fractured_studies']} with a fracture, {data['slices']} "
        "slices. Not yet measured with `cspine evaluate`.",
        "",
        "| measure | value |",
        "|---|---|",
        f"| AUC, study | {number(chosen['auc_overall'])} |",
        f"| AUC, all seen levels together | {number(chosen['auc_level'])} |",
        *(f"| AUC, {level} | {number(chosen['auc'][level])} |" for level in LEVELS),
        f"| RSNA 2022 metric | {number(chosen['rsna_log_loss'])} (of a guess of this split's own rates: "
        f"{number(found['rsna_log_loss_of_rates'])}) |",
        f"| calibration error, study | {number(found['calibration_error']['overall'])} |",
        f"| calibration error, level | {number(found['calibration_error']['level'])} |",
        f"| hottest cell touches the box | {number(pointing['touch'])} of {pointing['slices_and_levels']} |",
    ]
    return [*lines, ""]
