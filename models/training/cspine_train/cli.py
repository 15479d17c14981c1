"""The command line: `python -m cspine_train all --tensors DIR --dataset DIR --out PACKAGE`, or step by step."""

import argparse
import json
import os
import sys
from pathlib import Path

from . import TrainingError, __version__

MODEL = "model.onnx"
RAW_MODEL = "uncalibrated.onnx"
CALIBRATION = "calibration.json"
EXPORT = "export.json"


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    from .model import ModelConfig
    from .train import TrainConfig

    training, model = TrainConfig(), ModelConfig()
    top = argparse.ArgumentParser(prog="python -m cspine_train", description="Trains and packages models for cspine.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    data = argparse.ArgumentParser(add_help=False)
    data.add_argument("--tensors", type=Path, required=True, help="folder that `cspine tensors` wrote")
    data.add_argument("--dataset", type=Path, required=True, help="data set folder in the RSNA 2022 layout")
    add = data.add_argument
    add("--held-tensors", type=Path, help="arrays to choose and to measure on; then all of --tensors is trained on")
    add("--held-dataset", type=Path, help="the data set of --held-tensors")
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
    add("--bf16", action="store_true", help="bfloat16; only for processors with AMX or AVX512-BF16")
    add("--max-steps", type=int, default=training.max_steps, help="stop early; 0: no limit")
    add("--backbone", default=model.backbone, help="timm name of an EfficientNetV2 (default %(default)s)")
    add("--coarsest", type=int, default=model.coarsest, choices=(16, 32), help="last stage (default %(default)s)")
    add("--cell", type=int, default=model.cell, choices=(8, 16), help="pixels of the map's cells (default %(default)s)")
    add("--resume", action="store_true", help="go on with the run in --run, if there is one")
    identity = argparse.ArgumentParser(add_help=False)
    identity.add_argument("--name", default="phantom-b0", help="the package's name (default %(default)s)")
    identity.add_argument("--model-version", default="0.1.0", help="the package's version (default %(default)s)")
    identity.add_argument(
        "--remark", action="append", default=[], metavar="TEXT", help="a further line of the card's limits; may be repeated"
    )

    def command(name, parents, text):
        sub = commands.add_parser(name, parents=parents, help=text, description=text)
        return sub

    run = "folder for checkpoint, log and measures"
    command("train", [data, splits, options], "Train.").add_argument("--run", type=Path, required=True, help=run)
    command("export", [data], "Calibrate on the validation split, write the ONNX graph and check it.").add_argument(
        "--run", type=Path, required=True, help="folder of the training run"
    )
    command("evaluate", [data], "Measure the exported graph.").add_argument(
        "--run", type=Path, required=True, help="folder of the training run"
    )
    package = command("package", [identity], "Write the package from an exported and measured run.")
    package.add_argument("--run", type=Path, required=True, help="folder of the training run")
    package.add_argument("--out", type=Path, required=True, help="the package's folder")
    everything = command("all", [data, splits, options, identity], "Train, export, evaluate and package.")
    everything.add_argument("--out", type=Path, required=True, help="the package's folder")
    everything.add_argument("--run", type=Path, help=f"{run} (default: OUT with `.run` added)")
    return top


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; 0 when it went well, 1 with one line on stderr when the user can put something right."""
    # Before PyTorch is loaded: threads that wait must not spin, or a second program on the machine slows every step
    # several times over.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    given = parser().parse_args(arguments)
    try:
        _check(given)
        _run(given)
    except TrainingError as error:
        print(f"cspine_train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("cspine_train: stopped; go on with --resume", file=sys.stderr)
        return 130
    return 0


def _check(given) -> None:
    """Values that make no sense together."""
    if hasattr(given, "validation") and not (
        given.validation >= 0 and given.test >= 0 and given.validation + given.test < 1
    ):
        raise TrainingError("--validation and --test must be parts of 1 that leave something to train on")
    if hasattr(given, "held_tensors") and (given.held_tensors is None) != (given.held_dataset is None):
        raise TrainingError("--held-tensors and --held-dataset go together")
    if hasattr(given, "minutes") and (given.minutes <= 0 or given.batch_size < 2):
        raise TrainingError("--minutes must be positive and --batch-size at least 2")


def _run(given) -> None:
    """The steps of a command, in order."""
    if given.command == "all" and given.run is None:
        given.run = given.out.with_name(given.out.name + ".run")
    collections = _collections(given) if hasattr(given, "tensors") else (None, None)
    steps = ("train", "export", "evaluate", "package") if given.command == "all" else (given.command,)
    for step in steps:
        {"train": _train, "export": _export, "evaluate": _evaluate, "package": _package}[step](given, *collections)


def _collections(given):
    """The labelled studies, to train on and, where they are apart, to measure on, with a line about each."""
    from .data import load_collection

    collections = []
    for tensors, dataset in ((given.tensors, given.dataset), (given.held_tensors, given.held_dataset)):
        if tensors is None:
            collections.append(None)
            continue
        collections.append(collection := load_collection(tensors, dataset))
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
    return split(collection, held, config["validation"], config["test"])


def _train(given, collection, held) -> None:
    from .model import ModelConfig
    from .train import TrainConfig, train

    model = ModelConfig(size=collection.size, backbone=given.backbone, coarsest=given.coarsest, cell=given.cell)
    names = ("minutes", "batch_size", "learning_rate", "seed", "workers", "threads", "bf16", "max_steps")
    config = TrainConfig(validation=given.validation, test=given.test, **{name: getattr(given, name) for name in names})
    train(collection, given.run, config, model, given.resume, lambda line: print(line, flush=True), held)


def _export(given, collection, held) -> None:
    from .evaluate import calibration_of
    from .export import export_checkpoint
    from .train import CHECKPOINT, load_checkpoint

    training = load_checkpoint(given.run / CHECKPOINT)
    export_checkpoint(given.run / CHECKPOINT, given.run / RAW_MODEL)
    validation = _parts(training, collection, held)["validation"]
    calibration = calibration_of(given.run / RAW_MODEL, validation, training["prior_shift"])
    (given.run / CALIBRATION).write_text(json.dumps(calibration.to_dict(), indent=2) + "\n", encoding="utf-8")
    print(f"{calibration.aggregation}, scale {calibration.scale}, offset {calibration.offset}")
    report = export_checkpoint(given.run / CHECKPOINT, given.run / MODEL, calibration)
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
    document = evaluate(given.run / MODEL, measured, parts, calibration, trained_on, held is not None)
    write_metrics(document, given.run / METRICS)
    print(table(document))


def _package(given, _, __) -> None:
    from .evaluate import METRICS
    from .package import write_package
    from .train import CHECKPOINT, load_checkpoint

    metrics = _read_json(given.run / METRICS, "evaluate")
    training = load_checkpoint(given.run / CHECKPOINT)
    write_package(given.out, given.run / MODEL, metrics, training, given.name, given.model_version, given.remark)
    print(f"package in {given.out}")


def _read_json(path: Path, step: str) -> dict:
    """A document that an earlier step wrote."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path}: {error}; run `python -m cspine_train {step}` first") from error
