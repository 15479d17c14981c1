"""The command line: `python -m cspine_train all --tensors DIR --dataset DIR --out PACKAGE`, or step by step."""

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

from . import INPUT_MILLIMETRES, TrainingError, __version__

MODEL = "model.onnx"
RAW_MODEL = "uncalibrated.onnx"
CALIBRATION = "calibration.json"
EXPORT = "export.json"
NOVELTY = "novelty.json"
ABLATION = "ablation.json"
ORIGINAL_BACKBONE = "tf_efficientnetv2_s"


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    from .model import ModelConfig
    from .train import PARTS, TrainConfig

    training, model = TrainConfig(), ModelConfig()
    top = argparse.ArgumentParser(prog="python -m cspine_train", description="Trains and packages models for cspine.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    data = argparse.ArgumentParser(add_help=False)
    add = data.add_argument
    add("--tensors", type=Path, required=True, nargs="+", help="folders that `cspine tensors` wrote")
    add("--dataset", type=Path, required=True, nargs="+", help="their data sets, in the same order and the RSNA 2022 layout")
    add("--held-tensors", type=Path, nargs="+", help="arrays to choose and to measure on; then --tensors is all trained on")
    add("--held-dataset", type=Path, nargs="+", help="the data sets of --held-tensors")
    splits = argparse.ArgumentParser(add_help=False)
    for name in ("validation", "test"):
        value = getattr(training, name)
        splits.add_argument(f"--{name}", type=float, default=value, help=f"part of the studies (default {value})")
    options = argparse.ArgumentParser(add_help=False)
    add = options.add_argument
    add("--minutes", type=float, default=training.minutes, help="training time in all (default %(default)s)")
    add("--batch-size", type=int, default=training.batch_size, help="slices per step (default %(default)s)")
    add("--learning-rate", type=float, default=training.learning_rate, help="peak (default %(default)s)")
    add("--seed", type=int, default=training.seed, help="of weights, batches and changes (default %(default)s)")
    add("--workers", type=int, default=training.workers, help="processes that read slices (default %(default)s)")
    add("--threads", type=int, default=training.threads, help="of the network; 0: PyTorch's choice")
    add("--bf16", action="store_true", help="bfloat16; for GPUs and processors with AMX or AVX512-BF16")
    add("--device", default=training.device, choices=("auto", "cpu", "cuda"), help="default: a GPU where there is one")
    add("--compile", action="store_true", help="compile the steps first; needs a C++ compiler and a minute")
    add("--coarse-size", type=int, default=0, help="pixels of the images in the first part of the time; 0: all of them")
    add("--coarse-share", type=float, default=training.coarse_share, help="that part (default %(default)s)")
    add("--epochs", type=float, default=0.0, help="stop after so many; 0: only the time counts")
    add("--without", action="append", default=[], choices=PARTS, help="leave a part out, to measure what it is worth")
    add(
        "--original",
        action="store_true",
        help="the original system's network and loss: EfficientNetV2-S unless --backbone says otherwise",
    )
    add("--max-steps", type=int, default=training.max_steps, help="stop early; 0: no limit")
    add("--backbone", help=f"timm name of an EfficientNetV2 (default {model.backbone})")
    add("--coarsest", type=int, default=model.coarsest, choices=(16, 32), help="last stage (default %(default)s)")
    add("--cell", type=int, default=model.cell, choices=(8, 16), help="pixels of the map's cells (default %(default)s)")
    add(
        "--share",
        action="append",
        default=[],
        type=_share,
        metavar="ANATOMY=PART",
        help="draw this part of each batch from studies with this anatomy (truth.json), the rest from the others; may be repeated",
    )
    add("--consistency", type=float, default=training.consistency, help="weight of equal answers for mirrored, shifted slices")
    add("--known", nargs="+", metavar="ANATOMY", help="what the weights of --start-from learnt from, if their package does not say")
    add("--resume", action="store_true", help="go on with the run in --run, if there is one")
    add(
        "--start-from",
        type=Path,
        metavar="RUN_OR_PACKAGE",
        help="begin a new run with the weights of that run, package or model.onnx, whatever its size was; a package does "
        "not know its studies: validation and test need others than it learnt from (its card names their seeds)",
    )
    identity = argparse.ArgumentParser(add_help=False)
    identity.add_argument("--name", default="phantom-b0", help="the package's name (default %(default)s)")
    identity.add_argument("--model-version", default="0.1.0", help="the package's version (default %(default)s)")
    identity.add_argument(
        "--evaluation",
        action="append",
        default=[],
        nargs=3,
        metavar=("LABEL", "FILE", "COMMAND"),
        help="what `cspine evaluate` measured with this package, and how, for the card; may be repeated",
    )
    identity.add_argument(
        "--real",
        type=Path,
        metavar="FILE",
        help="what `cspine evaluate --real` measured with this package (real.json), for the card",
    )
    identity.add_argument(
        "--compared",
        action="append",
        default=[],
        nargs=2,
        metavar=("LABEL", "RUN"),
        help="another run, exported and evaluated, for the card's table of what parts are worth; may be repeated",
    )
    identity.add_argument(
        "--data", action="append", default=[], metavar="COMMAND", help="a command that made the training data, for the card"
    )
    identity.add_argument(
        "--remark", action="append", default=[], metavar="TEXT", help="a further line of the card's limits; may be repeated"
    )

    def command(name, parents, text):
        sub = commands.add_parser(name, parents=parents, help=text, description=text)
        return sub

    prepare = command("prepare", [], "Write the arrays of a data set, and say what is in them.")
    prepare.add_argument("--dataset", type=Path, required=True, help="data set folder in the RSNA 2022 layout")
    prepare.add_argument("--tensors", type=Path, required=True, help="folder to write to")
    prepare.add_argument("--size", type=int, default=model.size, help="pixels of the input (default %(default)s)")
    prepare.add_argument("--field", type=float, default=INPUT_MILLIMETRES, help="mm that it covers (default %(default)s)")
    prepare.add_argument("--program", default="cspine", help="path of the program (default: %(default)s, from PATH)")
    run = "folder for checkpoint, log and measures"
    command("train", [data, splits, options], "Train.").add_argument("--run", type=Path, required=True, help=run)
    blend = command("blend", [], "Write a run whose weights are the mean of a run's and packages'; export and measure it like any.")
    blend.add_argument("--run", type=Path, required=True, help="folder of the training run")
    blend.add_argument(
        "--package", type=Path, required=True, nargs="+", help="packages, or their model.onnx, most often the one it began with"
    )
    blend.add_argument("--known", nargs="+", metavar="ANATOMY", help="what trained the packages, if they do not say")
    blend.add_argument("--out", type=Path, required=True, help="folder of the new run")
    export = command("export", [data], "Calibrate on the validation split, write the ONNX graph and check it.")
    export.add_argument("--run", type=Path, required=True, help="folder of the training run")
    command("evaluate", [data], "Measure the exported graph.").add_argument(
        "--run", type=Path, required=True, help="folder of the training run"
    )
    command("ablate", [data], "Measure on the validation split what parts of the network are worth.").add_argument(
        "--run", type=Path, required=True, help="folder of the training run"
    )
    quantise = command("quantise", [data], "Write a package's variant in 8 bits, with ranges from what it learnt from.")
    quantise.add_argument("--run", type=Path, required=True, help="the training run: it knows what was trained on")
    quantise.add_argument("--package", type=Path, required=True, help="the package")
    quantise.add_argument("--out", type=Path, required=True, help="the variant's folder")
    compare = command("compare", [], "Whether a package may take another's place, by the area under the curve.")
    compare.add_argument("first", type=Path, help="what `cspine evaluate --out` wrote of the one")
    compare.add_argument("second", type=Path, help="and of the other, on the same studies")
    package = command("package", [identity], "Write the package from an exported and measured run.")
    package.add_argument("--run", type=Path, required=True, help="folder of the training run")
    package.add_argument("--out", type=Path, required=True, help="the package's folder")
    everything = command("all", [data, splits, options, identity], "Train, export, evaluate and package.")
    everything.add_argument("--out", type=Path, required=True, help="the package's folder")
    everything.add_argument("--run", type=Path, help=f"{run} (default: OUT with `.run` added)")
    return top


def _share(text: str) -> tuple[str, float]:
    """`ANATOMY=PART`. Raises `argparse.ArgumentTypeError` for anything else."""
    name, _, part = text.rpartition("=")
    try:
        value = float(part)
    except ValueError:
        value = -1.0
    if not name or not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text}: give a name and a part of 1, such as VHF=0.3")
    return name, value


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; 0 when it went well, 1 with one line on stderr when the user can put something right."""
    # Before PyTorch is loaded: threads that wait must not spin, or a second program on the machine slows every step
    # several times over.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    given = parser().parse_args(arguments)
    try:
        _check(given)
        return _run(given)
    except TrainingError as error:
        print(f"cspine_train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cspine_train: stopped; go on with --resume", file=sys.stderr)
        return 130


def _check(given) -> None:
    """Values that make no sense together."""
    from .labels import SIZE_STEP

    if hasattr(given, "validation") and not (
        given.validation >= 0 and given.test >= 0 and given.validation + given.test < 1
    ):
        raise TrainingError("--validation and --test must be parts of 1 that leave something to train on")
    for tensors, dataset in (("tensors", "dataset"), ("held_tensors", "held_dataset")):
        if given.command in ("prepare", "blend", "package", "compare"):
            continue
        counts = [len(getattr(given, name) or ()) for name in (tensors, dataset)]
        if counts[0] != counts[1]:
            names = [f"--{name.replace('_', '-')}" for name in (tensors, dataset)]
            raise TrainingError(f"{names[0]} and {names[1]} go together: {counts[0]} and {counts[1]} folders are given")
    if hasattr(given, "minutes") and (given.minutes <= 0 or given.batch_size < 2):
        raise TrainingError("--minutes must be positive and --batch-size at least 2")
    if hasattr(given, "share") and (sum(dict(given.share).values()) > 1.0 + 1e-6 or given.consistency < 0):
        raise TrainingError("--share: the parts must not add up to more than 1; --consistency must not be negative")
    if hasattr(given, "coarse_size") and (
        given.coarse_size < 0 or given.coarse_size % SIZE_STEP or not 0 <= given.coarse_share <= 1
    ):
        raise TrainingError(f"--coarse-size must be a multiple of {SIZE_STEP}, and --coarse-share a part of 1")


def _run(given) -> int:
    """The steps of a command, in order; the exit code."""
    if given.command == "prepare":
        from .prepare import prepare

        prepare(given.dataset, given.tensors, given.program, given.size, given.field)
        return 0
    if given.command == "compare":
        from .compare import compare

        lines, fit = compare(given.first, given.second)
        print("\n".join(lines))
        return 0 if fit else 1
    if given.command == "blend":
        from .blend import blend

        document = blend(given.run, given.package, given.out, given.known)
        print(f"{given.out}: the mean with {document['blended']}; now `export` and `evaluate` with --run {given.out}")
        return 0
    if given.command == "all" and given.run is None:
        given.run = given.out.with_name(given.out.name + ".run")
    collections = _collections(given) if hasattr(given, "tensors") else (None, None)
    steps = ("train", "export", "evaluate", "package") if given.command == "all" else (given.command,)
    for step in steps:
        STEPS[step](given, *collections)
    return 0


def _collections(given):
    """The labelled studies, to train on and, where they are apart, to measure on, with a line about each."""
    from .data import load_collection, merged

    collections = []
    for tensors, dataset in ((given.tensors, given.dataset), (given.held_tensors, given.held_dataset)):
        if tensors is None:
            collections.append(None)
            continue
        collections.append(collection := merged([load_collection(*pair) for pair in zip(tensors, dataset)]))
        fractured = sum(study.labels.study[0] > 0.5 for study in collection.studies)
        print(
            f"{len(collection.studies)} {collection.nature} studies, {fractured} with a fracture; "
            f"{collection.unlabelled} without labels are left out"
        )
    return collections


def _parts(training, collection, held):
    """The studies of each split of a run."""
    from .data import split

    config = training["train_config"]
    parts = split(collection, held, config["validation"], config["test"])
    # A data set that is held out only now leaves some studies of the other untouched: they are in no split.
    trained_on = set(training["trained_on"])
    return {**parts, "train": [study for study in parts["train"] if study.uid in trained_on]}


def _train(given, collection, held) -> None:
    from .model import ModelConfig
    from .train import TrainConfig, train

    backbone = given.backbone or (ORIGINAL_BACKBONE if given.original else ModelConfig.backbone)
    model = ModelConfig(
        size=collection.size, backbone=backbone, coarsest=given.coarsest, cell=given.cell, original=given.original
    )
    names = (
        "minutes",
        "batch_size",
        "learning_rate",
        "seed",
        "workers",
        "threads",
        "bf16",
        "device",
        "coarse_size",
        "coarse_share",
        "epochs",
        "max_steps",
        "consistency",
        "validation",
        "test",
    )
    config = TrainConfig(
        compiled=given.compile,
        without=tuple(given.without),
        shares=tuple(given.share),
        **{name: getattr(given, name) for name in names},
    )
    echo = partial(print, flush=True)
    train(collection, given.run, config, model, given.resume, echo, held, given.start_from, given.known)


def _export(given, collection, held) -> None:
    from .distance import FITTED_STUDIES, evenly
    from .evaluate import calibration_of, novelty_of, predict_all
    from .export import export_checkpoint
    from .train import CHECKPOINT, load_checkpoint

    training = load_checkpoint(given.run / CHECKPOINT)
    export_checkpoint(given.run / CHECKPOINT, given.run / RAW_MODEL)
    parts = _parts(training, collection, held)
    # Its features are wanted of some training studies, too: what is unlike them is unknown to the network.
    looked_at = {"validation": parts["validation"], "train": evenly(parts["train"], FITTED_STUDIES)}
    said = predict_all(given.run / RAW_MODEL, looked_at, print)
    calibration = calibration_of(said["validation"], training["prior_shift"])
    (given.run / CALIBRATION).write_text(json.dumps(calibration.to_dict(), indent=2) + "\n", encoding="utf-8")
    print(f"{calibration.aggregation}, scale {calibration.scale}, offset {calibration.offset}")
    found = novelty_of(said["train"], said["validation"], training.get("anatomies"))
    (given.run / NOVELTY).write_text(json.dumps(found and found[1].to_dict(), indent=2) + "\n", encoding="utf-8")
    print("too few studies of held-out anatomies: no threshold of the features' distance" if found is None else found[1])
    report = export_checkpoint(given.run / CHECKPOINT, given.run / MODEL, calibration, found and found[0])
    (given.run / EXPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"{given.run / MODEL}: {report['bytes']} bytes, differs from PyTorch by {report['largest_difference']}")


def _evaluate(given, collection, held) -> None:
    from .calibrate import Calibration
    from .evaluate import METRICS, evaluate, table, write_metrics
    from .train import CHECKPOINT, load_checkpoint

    training = load_checkpoint(given.run / CHECKPOINT)
    if _read_json(given.run / EXPORT, "export")["step"] != training["state"]["step"]:
        raise TrainingError(
            f"{given.run / MODEL} is older than the checkpoint; run `python -m cspine_train export` again"
        )
    calibration = Calibration(**_read_json(given.run / CALIBRATION, "export"))
    parts, trained_on = _parts(training, collection, held), set(training["trained_on"])
    measured = collection if held is None else held
    document = evaluate(
        given.run / MODEL,
        measured,
        parts,
        calibration,
        trained_on,
        held is not None,
        training["state"]["elapsed"] / 60,
        training.get("anatomies"),
        _read_json(given.run / NOVELTY, "export"),
    )
    # The run knows what it was trained on, however much of that is given now.
    document["data"]["train"] = training["data"]["train"]
    write_metrics(document, given.run / METRICS)
    print(table(document))


def _ablate(given, collection, held) -> None:
    from .ablate import ablate
    from .train import CHECKPOINT, load_checkpoint

    training = load_checkpoint(given.run / CHECKPOINT)
    measured = collection if held is None else held
    rows = ablate(training, _parts(training, collection, held)["validation"], measured.kinds)
    (given.run / ABLATION).write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def _quantise(given, collection, _) -> None:
    from .quantise import quantise_package
    from .train import CHECKPOINT, load_checkpoint

    trained_on = set(load_checkpoint(given.run / CHECKPOINT)["trained_on"])
    apart = quantise_package(given.package, given.out, collection.studies, trained_on)
    print("; ".join(f"{what} difference {value:.5f}" for what, value in apart.items()))
    print(f"package in {given.out}; now `cspine evaluate DATASET --model {given.out}`, and the same with {given.package}")


def _package(given, _, __) -> None:
    from .evaluate import METRICS
    from .card import Extras
    from .measured import read_evaluation, read_real
    from .package import write_package
    from .train import CHECKPOINT, load_checkpoint

    metrics = _read_json(given.run / METRICS, "evaluate")
    training = load_checkpoint(given.run / CHECKPOINT)
    evaluations = [
        read_evaluation(label, Path(path), command, metrics["model_sha256"]) for label, path, command in given.evaluation
    ]
    compared = [(label, _read_json(Path(run) / METRICS, "evaluate")) for label, run in given.compared]
    parts = _read_json(given.run / ABLATION, "ablate") if (given.run / ABLATION).exists() else []
    real = read_real(given.real, metrics["model_sha256"]) if given.real else None
    extras = Extras(evaluations, parts, compared, given.data, given.remark, real)
    write_package(given.out, given.run / MODEL, metrics, training, given.name, given.model_version, extras)
    print(f"package in {given.out}")


def _read_json(path: Path, step: str) -> dict:
    """A document that an earlier step wrote."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: {error}; run `python -m cspine_train {step}` first") from error


STEPS = {"train": _train, "export": _export, "evaluate": _evaluate, "ablate": _ablate, "quantise": _quantise, "package": _package}
