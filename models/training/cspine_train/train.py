"""The training loop: a time budget, a cosine schedule over it, averaged weights, checkpoints to resume from."""

import json
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from . import TrainingError, __version__, anatomy, curves, loss, original, unfold
from .augment import Augmentation
from .data import Batch, Batches, Collection, Study, collate, split, summary
from .metrics import area_under_curve
from .model import ModelConfig, Network
from .original import OriginalNetwork

CHECKPOINT = "checkpoint.pt"
LOG = "log.jsonl"
WATCHED_SLICES = 192
"""Slices of the validation split that are looked at while training runs; they decide nothing."""

CONSISTENCY_PART = 4
"""One of so many slices of a batch is looked at twice, for `TrainConfig.consistency`."""

PARTS = ("maps", "bend", "thick", "average", "balance")
"""What `TrainConfig.without` can leave out, to measure what it is worth: learning from maps of levels and breaks, bending
the pictures, slices as if they lay far apart, averaging the weights, drawing fractured slices more often."""


@dataclass(frozen=True)
class TrainConfig:
    """How a run is done."""

    minutes: float = 25.0
    """Training time in all, over every resumption; evaluation and export come on top."""
    batch_size: int = 24
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warmup: float = 0.05
    """Part of the budget over which the learning rate rises."""
    average: float = 0.997
    """Decay of the average of the weights, per step; smaller in the first steps."""
    clip: float = 5.0
    """Largest norm of the gradient."""
    positive_share: float = 0.45
    validation: float = 0.15
    test: float = 0.15
    seed: int = 1
    workers: int = 1
    threads: int = 0
    """Threads of the network; 0 leaves the choice to PyTorch."""
    bf16: bool = False
    """bfloat16 for convolutions: for GPUs, and for processors with AMX or AVX512-BF16."""
    device: str = "auto"
    """`cpu`, `cuda`, or `auto`: a GPU where PyTorch finds one."""
    compiled: bool = False
    """Compile the network's steps first: needs a C++ compiler and a minute, then saves a third of the time."""
    coarse_size: int = 0
    """Size of the images in the first part of the time, in pixels; 0: that of the arrays throughout."""
    coarse_share: float = 0.5
    """That first part."""
    epochs: float = 0.0
    """Stops after so many slices per slice of the training split; 0: the time decides alone."""
    without: tuple[str, ...] = ()
    """Of `PARTS`, what to leave out."""
    shares: tuple[tuple[str, float], ...] = ()
    """Anatomies and the parts of each batch that are drawn from their studies."""
    consistency: float = 0.0
    """Weight of the loss for saying something else of a slice that is mirrored and shifted; 0 leaves it out."""
    checkpoint_seconds: float = 120.0
    watch_seconds: float = 240.0
    log_seconds: float = 20.0
    max_steps: int = 0
    """Stops early, for tests; 0 is no limit."""

    def to_dict(self) -> dict:
        """The fields as plain values."""
        return asdict(self)


class WeightAverage:
    """Exponential moving average of a network's weights and batch-norm statistics."""

    def __init__(self, network: Network, decay: float):
        self.decay = decay
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: Network, step: int) -> None:
        """Moves towards the network; `step` counts from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, value in network.state_dict().items():
            if value.dtype.is_floating_point:
                self.values[name].lerp_(value, 1.0 - decay)
            else:
                self.values[name].copy_(value)


def make(config: ModelConfig) -> Network | OriginalNetwork:
    """A network with random weights."""
    return OriginalNetwork(config) if config.original else Network(config)


def one_cycle(progress: float) -> float:
    """Factor of the learning rate as PyTorch's OneCycleLR has it by default: from 1/25 to 1 over three tenths, then to
    1/250000, both along half cosines (Smith and Topin, arXiv:1708.07120)."""

    def between(start: float, end: float, part: float) -> float:
        return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * min(part, 1.0)))

    return between(0.04, 1.0, progress / 0.3) if progress < 0.3 else between(1.0, 4e-6, (progress - 0.3) / 0.7)


def schedule(progress: float, warmup: float) -> float:
    """Factor of the learning rate at a part of the budget: a linear rise, then a half cosine down to 0."""
    if progress < warmup:
        return max(progress / warmup, 0.01)
    return 0.5 * (1.0 + math.cos(math.pi * min(1.0, (progress - warmup) / max(1.0 - warmup, 1e-9))))


def train(
    collection: Collection,
    run: Path,
    config: TrainConfig,
    model_config: ModelConfig,
    resume: bool = False,
    echo=print,
    held: Collection | None = None,
    start_from: Path | None = None,
    known: list[str] | None = None,
) -> Path:
    """Trains for the time budget and returns the checkpoint's path. `held` as in `data.split`; `start_from`: another
    run's folder or checkpoint, whose averaged weights take the place of random ones, or a package's folder or graph,
    whatever its size of images was; `known`: the anatomies that those weights learnt from, where the package does not name
    them.

    Raises `TrainingError` when the run folder holds another run, when there is nothing to train on, or when the weights
    to begin with are of another network.
    """
    parts = split(collection, held, config.validation, config.test)
    if not parts["train"]:
        raise TrainingError("the training split is empty; give more studies, or smaller --validation and --test")
    run.mkdir(parents=True, exist_ok=True)
    path = run / CHECKPOINT
    if path.exists() and not resume:
        raise TrainingError(f"{path} exists; add --resume to go on with it, or give another --run folder")
    unknown = set(config.without) - set(PARTS)
    if unknown:
        raise TrainingError(f"--without {sorted(unknown)[0]}: known are {', '.join(PARTS)}")
    if config.threads:
        torch.set_num_threads(config.threads)
    device = _device(config.device)
    if config.bf16 and imitates_bf16(device):
        echo("this processor only imitates bfloat16 (no AMX, no AVX512-BF16): training is faster without --bf16")
    torch.manual_seed(config.seed)
    network = make(model_config).to(device, memory_format=torch.channels_last)
    if model_config.original:
        optimizer = torch.optim.Adam(network.parameters(), lr=original.RATE)
    else:
        optimizer = torch.optim.AdamW(_parameter_groups(network, config.weight_decay), lr=config.learning_rate)
    average = WeightAverage(network, 0.0 if "average" in config.without else config.average)
    state = {"step": 0, "elapsed": 0.0, "images": 0}
    trained_on = {study.uid for study in parts["train"]}
    origin, names = "", [study.anatomy for study in parts["train"]]
    if path.exists():
        document = _restore(path, network, optimizer, average, model_config)
        state = document["state"]
        trained_on |= set(document["trained_on"])
        origin = document.get("origin", "")
        names.append(document.get("anatomies"))
    left_out = {name: 0.0 for name in ("bend", "thick") if name in config.without}
    augmentation = Augmentation(**left_out)

    def batches(size: int) -> Batches:
        share = None if "balance" in config.without else config.positive_share
        grid = size // model_config.cell
        return Batches(parts["train"], grid, config.batch_size, config.seed, share, augmentation, state["step"], size, dict(config.shares))

    if start_from is not None and not path.exists():
        source = batches(config.coarse_size or model_config.size)
        learnt, origin = _begin(start_from, network, average, model_config, source)
        trained_on |= learnt
        names.append(known or anatomies_of(start_from))
    trained_anatomies = anatomy.union(names)
    if trained_anatomies is None:
        echo("the anatomies that train this network are not all named: its package will not tell held-out from known ones")
    counts = {name: summary(studies) for name, studies in parts.items()}
    slab_mm, millimetres = collection.slab_mm, collection.millimetres
    watched = _watched(parts["validation"], model_config)
    with (run / LOG).open("a", encoding="utf-8") as log:

        def note(event: str, **values):
            line = {"event": event, "step": state["step"], "seconds": round(state["elapsed"], 1), **values}
            log.write(json.dumps(line) + "\n")
            log.flush()
            echo(" ".join(f"{key}={value}" for key, value in line.items() if not isinstance(value, dict)))
            if event == "watch":
                curves.draw(run / LOG, run / curves.CURVES)

        note("start", train=config.to_dict(), model=model_config.to_dict(), data=counts)

        def save():
            document = {
                "version": __version__,
                "model_config": model_config.to_dict(),
                "train_config": config.to_dict(),
                "state": state,
                "data": counts,
                "nature": collection.nature,
                "slab_mm": slab_mm,
                "millimetres": millimetres,
                "trained_on": sorted(trained_on),
                "origin": origin,
                "anatomies": trained_anatomies,
                "prior_shift": loss.prior_shift(*batches(model_config.size).rates()),
                "model": network.state_dict(),
                "average": average.values,
                "optimizer": optimizer.state_dict(),
            }
            write_checkpoint(document, path)

        slices = sum(len(study.slices) for study in parts["train"])
        last_step = math.ceil(config.epochs * slices / config.batch_size) if config.epochs else config.max_steps
        clock = Clock(config.minutes * 60.0, last_step, state)
        coarse = config.coarse_share if config.coarse_size else 0.0
        try:
            for size, until in ((config.coarse_size, coarse), (model_config.size, 1.0)):
                if clock.progress() < until:
                    source = _loader(batches(size), config.workers)
                    _loop(network, optimizer, average, iter(source), config, clock, until, note, save, watched)
        finally:
            # Also when it is interrupted, or the loss is lost: to look at, and to go on from.
            save()
        note("end", **_watch(network, average, watched))
        curves.draw(run / LOG, run / curves.CURVES)
    return path


@dataclass
class Clock:
    """How far a run has come: by its time or by its steps, whichever is farther."""

    budget: float
    """Seconds."""
    last_step: int
    """0: the time decides alone."""
    state: dict
    """`step` and `elapsed` are kept here, for the checkpoint."""

    def progress(self) -> float:
        """0 to 1."""
        by_steps = self.state["step"] / self.last_step if self.last_step else 0.0
        return min(1.0, max(self.state["elapsed"] / self.budget, by_steps))


def _device(name: str) -> torch.device:
    """The device of that name. Raises `TrainingError` where there is none."""
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise TrainingError("--device cuda: PyTorch finds no GPU here; leave the option out, or install its CUDA build")
    return torch.device("cuda" if found and name != "cpu" else "cpu")


def imitates_bf16(device: torch.device) -> bool:
    """Whether the device is a processor without instructions for bfloat16, which then is slower than float32."""
    return device.type == "cpu" and not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _loader(source: Batches, workers: int) -> DataLoader:
    """Batches, read ahead by so many processes."""
    return DataLoader(
        source,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=4 if workers else None,
        worker_init_fn=_quiet_worker,
        pin_memory=torch.cuda.is_available(),
    )


def _loop(network, optimizer, average, batches, config, clock, until, note, save, watched):
    """Steps until the run has come to `until`; the clock's state is kept up to date for `save` and `note`."""
    network.train()
    # Compiled anew: the images' size is part of what is compiled.
    said = torch.compile(network.logits, dynamic=False) if config.compiled else network.logits
    peak = original.RATE if network.config.original else config.learning_rate
    state = clock.state
    names = ("loss", "vertebra", "fracture", "level_map", "break_map")
    sums, seen, since = np.zeros(5), 0, time.monotonic()
    logged = saved = looked = last = time.monotonic()
    first = True
    with tqdm(total=100, disable=None, unit="%", bar_format="{l_bar}{bar}| {elapsed}, {remaining} left") as bar:
        while (progress := clock.progress()) < until:
            factor = one_cycle(progress) if network.config.original else schedule(progress, config.warmup)
            for group in optimizer.param_groups:
                group["lr"] = peak * factor
            parts = step(network, optimizer, next(batches), config, said)
            average.update(network, state["step"])
            now = time.monotonic()
            state["step"] += 1
            state["images"] += config.batch_size
            if not (first and config.compiled):
                # Compiling is no training.
                state["elapsed"] += now - last
            first, last = False, now
            bar.update(int(100 * progress) - bar.n)
            sums += parts
            seen += 1
            if now - logged >= config.log_seconds or state["step"] == 1:
                values = {name: round(float(value), 4) for name, value in zip(names, sums / seen)}
                speed = round(seen * config.batch_size / (now - since), 1)
                note("train", **values, rate=round(peak * factor, 6), images_per_second=speed)
                sums, seen, since, logged = np.zeros(5), 0, now, now
            if now - saved >= config.checkpoint_seconds:
                save()
                saved = last = time.monotonic()
            if now - looked >= config.watch_seconds:
                note("watch", **_watch(network, average, watched))
                network.train()
                looked = last = since = time.monotonic()


def step(network, optimizer: torch.optim.Optimizer, batch: Batch, config: TrainConfig, said=None) -> np.ndarray:
    """One step; returns the total loss and its four parts. `said`: the network's `logits`, where they are compiled.
    Raises `TrainingError` when the loss is not finite."""
    device = network.scale.device
    batch = batch.to(device)
    images = batch.images.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16, enabled=config.bf16):
        logits = (said or network.logits)(images)
        if config.consistency > 0.0:
            part = images[: max(1, len(images) // CONSISTENCY_PART)]
            moved = network.logits(mirrored_and_shifted(part, network.config.cell))
    losses = loss.compute(logits, batch, "maps" not in config.without)
    total = losses.total
    if config.consistency > 0.0:
        total = total + config.consistency * loss.inconsistency(logits, moved)
    if not torch.isfinite(total):
        raise TrainingError("the loss is no longer finite; resume with a smaller --learning-rate")
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip)
    optimizer.step()
    return np.array(losses.values())


def mirrored_and_shifted(images: torch.Tensor, pixels: int) -> torch.Tensor:
    """Images `[N, C, H, W]`, left and right exchanged, moved by up to `pixels` along each axis, edges repeated."""
    across, down = (int(torch.randint(-pixels, pixels + 1, ())) for _ in range(2))
    padded = torch.nn.functional.pad(images.flip(-1), (pixels,) * 4, mode="replicate")
    height, width = images.shape[-2:]
    return padded[..., pixels + down : pixels + down + height, pixels + across : pixels + across + width]


def _parameter_groups(network: Network, decay: float) -> list[dict]:
    """Weights decay; biases and batch norms do not."""
    matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    rest = [parameter for parameter in network.parameters() if parameter.ndim <= 1]
    return [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}]


def _quiet_worker(_: int) -> None:
    """A worker reads and resamples on one core; the network has the others."""
    torch.set_num_threads(1)


def _restore(path, network, optimizer, average, model_config) -> dict:
    """Loads a checkpoint into its parts and returns it."""
    document = _unblended(path)
    if document["model_config"] != model_config.to_dict():
        raise TrainingError(f"{path} is of another model ({document['model_config']}); give the same model options")
    network.load_state_dict(document["model"])
    optimizer.load_state_dict(document["optimizer"])
    average.values = document["average"]
    return document


def _unblended(path: Path) -> dict:
    """A checkpoint that training can go on from."""
    document = load_checkpoint(path)
    if document.get("blended"):
        raise TrainingError(f"{path}: blended weights have no norms to train with; begin with the package that came of them")
    return document


def _begin(
    path: Path, network, average: WeightAverage, model_config: ModelConfig, source: Batches
) -> tuple[set[str], str]:
    """Gives a new network the weights of another run or, with images of `source`, of a package; returns the studies
    that they learnt from, as far as is known, and one line on them. The original network takes those stages of the
    backbone that ours has, so that both can be measured from the same beginning."""
    if model_config.original:
        device = network.scale.device
        lender_config = replace(model_config, original=False)
        lender = make(lender_config).to(device, memory_format=torch.channels_last)
        learnt, origin = _begin(path, lender, WeightAverage(lender, 0.0), lender_config, source)
        mine, theirs = network.backbone.state_dict(), lender.backbone.state_dict()
        network.backbone.load_state_dict({name: theirs.get(name, value) for name, value in mine.items()})
        average.values = {name: value.detach().clone() for name, value in network.state_dict().items()}
        return learnt, f"the backbone of {origin}"
    path = _weights(path)
    if path.suffix == ".onnx":
        learnt, origin = set(), unfold.origin(path)
        unfold.unfold(path, network, (batch.images for batch in islice(source, unfold.BATCHES)))
    else:
        document = _unblended(path)
        theirs, ours = (dict(config, size=0) for config in (document["model_config"], model_config.to_dict()))
        if theirs != ours:
            theirs = document["model_config"]
            raise TrainingError(f"{path} is of another network ({theirs}); give the same model options")
        network.load_state_dict(document["average"])
        learnt, origin = set(document["trained_on"]), _came_from(document)
    average.values = {name: value.detach().clone() for name, value in network.state_dict().items()}
    return learnt, origin


def _weights(path: Path) -> Path:
    """The file with the weights: `path` itself, or a run's checkpoint or package's graph in that folder."""
    if not path.is_dir():
        return path
    for name in (CHECKPOINT, unfold.GRAPH):
        if (path / name).exists():
            return path / name
    raise TrainingError(f"{path} holds neither {CHECKPOINT} nor {unfold.GRAPH}; give a run's folder or a package's")


def anatomies_of(path: Path) -> list[str] | None:
    """The anatomies that a run's or a package's weights learnt from; `None` where it does not name them."""
    path = _weights(path)
    return unfold.training_anatomies(path) if path.suffix == ".onnx" else load_checkpoint(path).get("anatomies")


def _came_from(document: dict) -> str:
    """One line on a run that another began with, and on those before it."""
    state, config, data = document["state"], document["model_config"], document["data"]["train"]
    line = (
        f"{state['step']} steps in {state['elapsed'] / 60:.1f} minutes on {data['studies']} other studies at "
        f"{config['size']} x {config['size']} pixels"
    )
    return f"{document['origin']}; then {line}" if document.get("origin") else line


def write_checkpoint(document: dict, path: Path) -> None:
    """Writes a checkpoint; one that is there stays whole until the new one is."""
    temporary = path.with_suffix(".part")
    torch.save(document, temporary)
    os.replace(temporary, path)


def load_checkpoint(path: Path) -> dict:
    """Reads a checkpoint. Raises `TrainingError` when it is missing or broken."""
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise TrainingError(f"{path}: not found; run `python -m cspine_train train` first") from error
    except Exception as error:
        raise TrainingError(f"{path}: cannot be read ({error}); train again") from error


def trained_network(document: dict) -> Network | OriginalNetwork:
    """The averaged network of a checkpoint, ready for use but not calibrated."""
    network = make(ModelConfig(**document["model_config"]))
    network.load_state_dict(document["average"])
    return network.eval()


def _watched(studies: list[Study], config: ModelConfig) -> list[Batch]:
    """Slices of the validation split to look at while training runs: half with a fracture, always the same."""
    if not studies:
        return []
    source = Batches(studies, config.grid, 0, seed=0)
    random = np.random.default_rng(0)
    picks = []
    for pool in (source.positive, source.negative):
        # A slice may show the breaks of two levels.
        slices = ((study, int(index)) for study, indices in pool for index in indices)
        every = list({(study.uid, index): (study, index) for study, index in slices}.values())
        chosen = random.permutation(len(every))[: WATCHED_SLICES // 2]
        picks += [every[index] for index in chosen]
    return [collate(picks[first : first + 32], config.grid) for first in range(0, len(picks), 32)]


@torch.no_grad()
def _watch(network: Network, average: WeightAverage, watched: list[Batch]) -> dict:
    """Loss and AUC of the averaged weights on the watched slices."""
    if not watched:
        return {}
    device = network.scale.device
    shown = make(replace(network.config)).to(device, memory_format=torch.channels_last)
    shown.load_state_dict(average.values)
    shown.eval()
    totals, fracture, truth, visible, seen = [], [], [], [], []
    for batch in watched:
        batch = batch.to(device)
        said = shown.logits(batch.images.contiguous(memory_format=torch.channels_last))
        totals.append(loss.compute(said, batch).total.item())
        fracture.append(said.fracture.cpu().numpy())
        truth.append(batch.fracture.cpu().numpy())
        visible.append(said.vertebra.cpu().numpy())
        seen.append(batch.visible.cpu().numpy())
    fracture, truth, visible, seen = (np.concatenate(values).ravel() for values in (fracture, truth, visible, seen))
    known = ~np.isnan(seen)
    values = {
        "watched_loss": float(np.mean(totals)),
        "watched_fracture_auc": area_under_curve(truth, fracture),
        "watched_vertebra_auc": area_under_curve(seen[known], visible[known]),
    }
    return {name: None if value is None else round(value, 4) for name, value in values.items()}
