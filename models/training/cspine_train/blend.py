"""The mean of a trained network's weights and of those of packages that came before it.

Networks that one began from the other, or both from a third, mostly lie in one valley of the loss: the mean of their weights is a
network of its own, as a rule steadier than either ("Model soups", Wortsman et al., ICML 2022), and costs nothing to run. Weights are
folded before they are averaged, as a package holds them: the norms' own means and variances say nothing beside those of another network.
"""

from pathlib import Path

import torch

from . import TrainingError, anatomy
from .train import CHECKPOINT, anatomies_of, load_checkpoint, trained_network, write_checkpoint
from .unfold import GRAPH, filled, fold, origin


def blend(run: Path, packages: list[Path], out: Path, known: list[str] | None = None) -> dict:
    """Writes to the folder `out` the checkpoint of `run` with the mean of its averaged weights and those of `packages`, their
    folders or graphs; returns it. It can be exported and measured like any run's, and the export calibrates it anew.
    `known`: the anatomies that trained the packages, where they do not name them.

    Raises `TrainingError` when `out` holds a run, when they are of different networks, or when the run's is blended already.
    """
    path = out / CHECKPOINT
    if path.exists():
        raise TrainingError(f"{path} exists; give another --out folder")
    document = load_checkpoint(run / CHECKPOINT)
    if document.get("blended"):
        raise TrainingError(f"{run} is blended already, with {document['blended']}; give the run that was trained")
    graphs = [package / GRAPH if package.is_dir() else package for package in packages]
    ours = trained_network(document)
    others = [filled(graph, ours) for graph in graphs]
    fold(ours)
    mean = ours.state_dict()
    for number, other in enumerate(others, start=2):
        for name, value in other.state_dict().items():
            if value.is_floating_point():
                mean[name] = torch.lerp(mean[name], value, 1.0 / number)
    blended = " and ".join(origin(graph) for graph in graphs)
    names = known or anatomy.union(anatomies_of(graph) for graph in graphs)
    document = {
        **document,
        "average": mean,
        "alone": document["average"],
        "blended": blended,
        "anatomies": anatomy.union([document.get("anatomies"), names]),
    }
    out.mkdir(parents=True, exist_ok=True)
    write_checkpoint(document, path)
    return document
