"""Writes the trained network as an ONNX graph and checks it against PyTorch."""

import hashlib
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from . import TrainingError
from .calibrate import Calibration
from .distance import Whitening
from .original import OriginalNetwork
from .train import load_checkpoint, trained_network

OPSET = 18
OUTPUTS = ("vertebra", "fracture", "activation", "features")
FORBIDDEN = {"Pad", "Shape", "BatchNormalization", "ConstantOfShape", "If", "Loop", "NonZero"}
"""Operators that would mean padding chains, sizes computed at run time or norms that were not folded."""

TOLERANCE = 1e-4
"""Largest difference from PyTorch: in probability for the two scores, in logits for the map."""

FEATURE_TOLERANCE = 1e-2
"""The same for white features, in parts of the largest: whitening enlarges what hardly differs between studies, and with it
the last digits."""


def export_checkpoint(
    checkpoint: Path, path: Path, calibration: Calibration | None = None, whitening: Whitening | None = None
) -> dict:
    """Exports a checkpoint's averaged network to `path`, calibrated and with white features where
    these are given; returns what was
    checked, with the file's SHA-256 and the checkpoint's step."""
    document = load_checkpoint(checkpoint)
    network = trained_network(document)
    if calibration is not None:
        network.calibrate(calibration.scale, calibration.offset)
    if whitening is not None:
        network.whiten(torch.from_numpy(whitening.mean), torch.from_numpy(whitening.matrix))
    return {"step": document["state"]["step"], **export_network(network, path)}


def export_network(network: torch.nn.Module, path: Path) -> dict:
    """Exports a network to `path` (uint8 `image` in, any number of slices; a network without maps has no `activation`).

    Raises `TrainingError` when the graph is not as agreed or differs from PyTorch.
    """
    network = network.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    size = network.config.size
    outputs = OUTPUTS[:2] if isinstance(network, OriginalNetwork) else OUTPUTS
    example = torch.zeros(2, 3, size, size, dtype=torch.uint8)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["image"],
            output_names=list(outputs),
            dynamic_shapes={"image": {0: torch.export.Dim("slices", min=1)}},
            verbose=False,
        )
    onnx.save(strip(program.model_proto), path)
    report = {"opset": OPSET, **check_graph(path, size, outputs), **check_parity(network, path)}
    report["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    report["bytes"] = path.stat().st_size
    return report


def strip(model: onnx.ModelProto) -> onnx.ModelProto:
    """Removes what only helps debugging: it names the files of the machine that exported."""
    graph = model.graph
    for holder in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        if holder.DESCRIPTOR.fields_by_name.get("metadata_props") is not None:
            del holder.metadata_props[:]
        holder.doc_string = ""
    del graph.value_info[:]
    return model


def check_graph(path: Path, size: int, expected: tuple[str, ...] = OUTPUTS) -> dict:
    """Names, types and shapes of inputs and outputs, and the operators; raises `TrainingError` where they are wrong."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    operators = Counter(node.op_type for node in model.graph.node)
    wrong = FORBIDDEN & operators.keys()
    if wrong:
        raise TrainingError(f"{path}: the graph holds {', '.join(sorted(wrong))}, which should have been folded away")
    session = _session(path)
    image = session.get_inputs()
    if [item.name for item in image] != ["image"] or image[0].type != "tensor(uint8)":
        raise TrainingError(f"{path}: inputs are {[(item.name, item.type) for item in image]}, not one uint8 `image`")
    if not isinstance(image[0].shape[0], str) or image[0].shape[1:] != [3, size, size]:
        raise TrainingError(f"{path}: `image` is {image[0].shape}, not [N, 3, {size}, {size}]")
    outputs = [item.name for item in session.get_outputs()]
    if outputs != list(expected):
        raise TrainingError(f"{path}: outputs are {outputs}, not {list(expected)}")
    return {"operators": dict(sorted(operators.items()))}


def check_parity(network: torch.nn.Module, path: Path) -> dict:
    """Largest absolute difference between PyTorch and ONNX Runtime, over a smooth ramp and a batch of noise."""
    session = _session(path)
    random, size = np.random.default_rng(0), network.config.size
    ramp = np.linspace(0, 255, size).astype(np.uint8)
    smooth = np.broadcast_to(np.minimum.outer(ramp, ramp), (1, 3, size, size))
    noise = random.integers(0, 256, (3, 3, size, size), np.uint8)
    outputs = [item.name for item in session.get_outputs()]
    worst = dict.fromkeys(outputs, 0.0)
    for images in (np.ascontiguousarray(smooth), noise):
        with torch.no_grad():
            expected = network(torch.from_numpy(images))
        for name, left, right in zip(outputs, expected, session.run(outputs, {"image": images})):
            apart = float(np.abs(left.numpy() - right).max())
            if name == "features":
                apart /= max(1.0, float(np.abs(right).max()))
            worst[name] = max(worst[name], apart)
    limits = {name: FEATURE_TOLERANCE if name == "features" else TOLERANCE for name in outputs}
    if not all(worst[name] <= limits[name] for name in outputs):
        raise TrainingError(f"{path}: differs from PyTorch by {worst}, more than {limits}")
    return {"largest_difference": worst}


def _session(path: Path) -> onnxruntime.InferenceSession:
    """A session on the CPU, as the program uses it."""
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
