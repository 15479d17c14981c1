"""The weights of a packaged network, out of its graph and back into a network that can be trained.

The export leaves a convolution as it is, or folds the batch norm after it into its weight and bias; what scales the
pixels before, and calibrates the fracture logits behind, are steps of their own and change no weight. The graph's
convolutions stand in the order in which PyTorch runs them.

A batch norm that learns again needs the mean `m` and variance `v` of what comes to it, which folding has lost: they are
taken from training images. With the folded bias `b`, `weight = sqrt(v + eps)` and `bias = m + b` compute what the graph
does; in training, where a batch's own mean and variance take the place of `m` and `v`, nearly so.
"""

import copy
import hashlib
import tomllib
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from . import TrainingError
from .model import Network

GRAPH, MANIFEST = "model.onnx", "model.toml"

BATCHES = 8
"""Training batches that the means and variances are taken from."""

TOLERANCE = 1e-3
"""Largest difference from the graph: in probability for the visibility, in logits for the map."""

OPTIONS = "give the --backbone, --coarsest and --cell that it was trained with; its CARD.md names the first"


def origin(path: Path) -> str:
    """One line on a graph, with its package's name and version where a manifest lies beside it.

    Raises `TrainingError` when the manifest is broken or of another graph.
    """
    manifest = path.with_name(MANIFEST)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if not manifest.exists():
            return f"the graph {path.name} (SHA-256 begins with {digest[:12]})"
        document = tomllib.loads(manifest.read_text(encoding="utf-8"))
        name, version, said = (document[key] for key in ("name", "version", "sha256"))
    except (OSError, ValueError, KeyError) as error:
        raise TrainingError(f"{manifest}: {error!r}; get the package again") from error
    if said != digest:
        raise TrainingError(f"{path} is not the graph that {manifest} names; get the package again")
    return f"the package {name} {version} (SHA-256 begins with {digest[:12]})"


def training_anatomies(path: Path) -> list[str] | None:
    """The anatomies that a graph's package names; `None` where it names none, or where no manifest lies beside the graph."""
    manifest = path.with_name(MANIFEST)
    if not manifest.exists():
        return None
    try:
        return tomllib.loads(manifest.read_text(encoding="utf-8")).get("training_anatomies")
    except (OSError, ValueError) as error:
        raise TrainingError(f"{manifest}: {error!r}; get the package again") from error


def unfold(path: Path, network: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Gives a network, on whatever device, the weights of the graph at `path`; it stays uncalibrated. `batches`: images
    `[N, 3, size, size]`, 0 to 1, like those that it will be trained on.

    Raises `TrainingError` when the graph cannot be read, is of another network, or does not count in 32 bits.
    """
    learnt = filled(path, network)
    with torch.no_grad():
        _settle(learnt, [norm for _, _, norm in _layers(learnt) if norm is not None], batches)
    network.load_state_dict(learnt.state_dict())


def filled(path: Path, network: nn.Module) -> Network:
    """A network like `network`, on the CPU, with the weights of the graph at `path`: batch norms are folded, uncalibrated.

    Raises `TrainingError` when the graph cannot be read, is of another network, or does not count in 32 bits.
    """
    if not isinstance(network, Network):
        raise TrainingError(f"{path}: for networks with maps only")
    found = _convolutions(path)
    # On the CPU: a GPU's convolutions are too rough to be compared with the graph's.
    learnt = copy.deepcopy(network).cpu().eval()
    with torch.no_grad():
        _fill(path, _layers(learnt), found)
        _check(path, learnt)
    return learnt


def fold(network: Network) -> None:
    """Moves the batch norms into the weights of the convolutions before them, as the export does; norms then only add a bias."""
    with torch.no_grad():
        for _, layer, norm in _layers(network):
            if norm is None:
                continue
            factor = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            layer.weight.mul_(factor.reshape(-1, 1, 1, 1))
            norm.bias.sub_(norm.running_mean * factor)
            _only_add(norm)


def _convolutions(path: Path) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """Weight and bias of the graph's convolutions, in order."""
    try:
        graph = onnx.load(path).graph
    except Exception as error:
        raise TrainingError(f"{path}: cannot be read as ONNX ({error}); give a package's folder or {GRAPH}") from error
    outputs = [output.name for output in graph.output]
    if "activation" not in outputs:
        raise TrainingError(f"{path}: outputs are {outputs}, no `activation`; give a package of a network with maps")
    stored = {tensor.name: tensor for tensor in graph.initializer}
    found = []
    for names in ([name for name in node.input[1:] if name] for node in graph.node if node.op_type == "Conv"):
        tensors = [stored.get(name) for name in names]
        if any(tensor is None or tensor.data_type != onnx.TensorProto.FLOAT for tensor in tensors):
            raise TrainingError(f"{path}: does not count in 32 bits; give the package that it was made from")
        weight, *bias = (onnx.numpy_helper.to_array(tensor) for tensor in tensors)
        found.append((weight, bias[0] if bias else None))
    return found


def _layers(network: Network) -> list[list]:
    """Name, convolution and the batch norm after it, or `None`, in the order in which the convolutions run."""
    layers, hooks = [], []

    def convolved(name, module, *_):
        layers.append([name, module, None])

    def normalised(module, *_):
        layers[-1][2] = module

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            hooks.append(module.register_forward_hook(partial(convolved, name)))
        elif isinstance(module, nn.BatchNorm2d):
            hooks.append(module.register_forward_hook(normalised))
    size = network.config.size
    network.logits(torch.zeros(1, 3, size, size))
    for hook in hooks:
        hook.remove()
    return layers


def _fill(path: Path, layers: list[list], found: list[tuple[np.ndarray, np.ndarray | None]]) -> None:
    """Gives the layers the graph's weights; batch norms then only add the folded bias. The exporter leaves out a bias
    of zeros. Raises `TrainingError` where something does not fit."""
    if len(found) != len(layers):
        raise TrainingError(f"{path} is of another network: {len(found)} convolutions, not {len(layers)}; {OPTIONS}")
    for (name, layer, norm), (weight, bias) in zip(layers, found):
        adds = layer.bias if norm is None else norm.bias
        if weight.shape != tuple(layer.weight.shape):
            shapes = f"{name} is {weight.shape}, not {tuple(layer.weight.shape)}"
            raise TrainingError(f"{path} is of another network: {shapes}; {OPTIONS}")
        if adds is None and bias is not None:
            raise TrainingError(f"{path} is of another network: {name} has a bias; {OPTIONS}")
        layer.weight.copy_(torch.tensor(weight))
        if norm is not None:
            _only_add(norm)
        if adds is not None:
            adds.copy_(torch.zeros_like(adds) if bias is None else torch.tensor(bias))


def _only_add(norm: nn.BatchNorm2d) -> None:
    """Leaves a batch norm nothing to do but to add its bias."""
    norm.running_mean.zero_()
    norm.running_var.fill_(1.0 - norm.eps)
    norm.weight.fill_(1.0)


def _check(path: Path, network: Network) -> None:
    """Compares network and graph, at the graph's size, on pictures of coarse noise. Raises `TrainingError` when they
    differ by more than the calibration, a line through the map's logits."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    size = session.get_inputs()[0].shape[-1]
    noise = np.random.default_rng(0).integers(0, 256, (2, 3, size // 8, size // 8), np.uint8).repeat(8, 2).repeat(8, 3)
    vertebra, activation = session.run(["vertebra", "activation"], {"image": noise})
    said = network.logits(torch.from_numpy(noise) / 255.0)
    ours, theirs = said.activation.double().numpy().ravel(), activation.ravel()
    apart = np.abs(np.polyval(np.polyfit(ours, theirs, 1), ours) - theirs).max()
    apart = max(apart, np.abs(torch.sigmoid(said.vertebra).numpy() - vertebra).max())
    if not apart <= TOLERANCE:
        raise TrainingError(f"{path} is of another network: weights fit, outputs differ by {apart:.2g}; {OPTIONS}")


def _settle(network: Network, norms: list[nn.BatchNorm2d], batches: Iterable[torch.Tensor]) -> None:
    """Gives batch norms, which until now only add a bias, the mean and variance of what comes to them from images, and
    changes their weight and bias so that they compute the same."""
    sums = {norm: torch.zeros(3, norm.num_features, dtype=torch.float64) for norm in norms}

    def note(norm, inputs):
        values = inputs[0].double()
        count = torch.full((norm.num_features,), values[:, 0].numel())
        sums[norm] += torch.stack([count, values.sum((0, 2, 3)), values.square().sum((0, 2, 3))])

    hooks = [norm.register_forward_pre_hook(note) for norm in norms]
    for images in batches:
        network.logits(images)
    for hook in hooks:
        hook.remove()
    for norm, (count, total, squares) in sums.items():
        mean = total / count
        variance = (squares / count - mean**2).clamp(min=0.0)
        norm.bias.add_(mean)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
