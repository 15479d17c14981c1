"""A package's variant whose convolutions count in 8 bits.

Static quantisation by ONNX Runtime: QDQ nodes, activations in uint8 and weights in int8 by channel, ranges from slices
that the network learnt from. The last layers, whose outputs are logits over a wide range, stay in 32 bits. What it costs
on studies is for `cspine evaluate` to say, with both packages on the same data.
"""

import hashlib
import re
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from . import TrainingError
from .data import Study
from .export import strip

SLICES = 128
"""Slices that the ranges are taken from, spread evenly over the studies."""

BATCH = 8


class Slices(CalibrationDataReader):
    """Evenly spread slices of studies, in small batches."""

    def __init__(self, studies: list[Study], slices: int = SLICES):
        places = [(study, index) for study in studies for index in range(len(study.slices))]
        if not places:
            raise TrainingError("none of these studies was trained on: there is nothing to take the ranges from")
        chosen = np.linspace(0, len(places) - 1, min(slices, len(places))).astype(int)
        picked = [places[number] for number in chosen]
        self.batches = iter(
            {"image": np.stack([study.array[index] for study, index in picked[first : first + BATCH]])}
            for first in range(0, len(picked), BATCH)
        )

    def get_next(self) -> dict | None:
        """The next batch, or `None` after the last."""
        return next(self.batches, None)


def quantise(model: Path, out: Path, studies: list[Study]) -> None:
    """Writes the quantised variant of `model` to `out`.

    Weights take 7 of their 8 bits: processors without VNNI add up pairs of products in 16 bits, which 8 would overflow.
    """
    graph = onnx.load(model).graph
    wide = last_layers(graph)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(model), str(prepared), skip_symbolic_shape=True)
        names = {node.name for node in onnx.load(prepared).graph.node}
        quantize_static(
            str(prepared),
            str(out),
            Slices(studies),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            reduce_range=True,
            op_types_to_quantize=["Conv", "Gemm", "MatMul"],
            nodes_to_exclude=[name for name in wide if name in names],
        )
    onnx.save(strip(onnx.load(out)), out)


def last_layers(graph: onnx.GraphProto) -> list[str]:
    """Names of the convolutions and products after which no other follows: the heads."""
    makers = {output: node for node in graph.node for output in node.output}
    found, seen = [], set()
    waiting = [output.name for output in graph.output]
    while waiting:
        node = makers.get(waiting.pop())
        if node is None or node.name in seen:
            continue
        seen.add(node.name)
        if node.op_type in ("Conv", "Gemm", "MatMul"):
            found.append(node.name)
        else:
            waiting += list(node.input)
    return sorted(found)


def quantise_package(package: Path, out: Path, studies: list[Study], trained_on: set[str]) -> dict[str, float]:
    """Writes the quantised variant of a whole package; thresholds and all else stay as they are. The ranges are taken
    from those of `studies` that the network was trained on.

    Returns the largest and the mean difference of a fracture's and of a visibility's probability on these slices.
    """
    text = (package / "model.toml").read_text(encoding="utf-8")
    manifest, learnt = tomllib.loads(text), [study for study in studies if study.uid in trained_on]
    sizes = {study.array.shape[-1] for study in learnt} - {manifest["input"]["size"]}
    if sizes:
        raise TrainingError(
            f"arrays of {sizes} pixels, but {package} takes {manifest['input']['size']}; give those that it learnt from"
        )
    out.mkdir(parents=True, exist_ok=True)
    if (out / "model.onnx").resolve() == (package / "model.onnx").resolve():
        raise TrainingError("--out must be another folder than --package")
    quantise(package / "model.onnx", out / "model.onnx", learnt)
    apart = differences(package / "model.onnx", out / "model.onnx", learnt)
    digest = hashlib.sha256((out / "model.onnx").read_bytes()).hexdigest()
    name = f"{manifest['name']}-int8"
    for key, value in (("name", name), ("sha256", digest)):
        text = re.sub(rf'(?m)^{key} = ".*"$', f'{key} = "{value}"', text, count=1)
    (out / "model.toml").write_text(text, encoding="utf-8")
    (out / "CARD.md").write_text(card(manifest, name, digest, len(learnt), apart), encoding="utf-8")
    return apart


def differences(exact: Path, rough: Path, studies: list[Study]) -> dict[str, float]:
    """The largest and mean difference of two graphs' probabilities on evenly spread slices."""
    sessions = [onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]) for path in (exact, rough)]
    heads, found = ["vertebra", "fracture"], {"vertebra": [], "fracture": []}
    for batch in Slices(studies).batches:
        for head, left, right in zip(heads, *(session.run(heads, batch) for session in sessions)):
            found[head].append(np.abs(left - right).ravel())
    joined = {head: np.concatenate(parts) for head, parts in found.items()}
    return {
        f"{head} {kind}": float(of(values))
        for head, values in joined.items()
        for kind, of in (("largest", np.max), ("mean", np.mean))
    }


def card(manifest: dict, name: str, digest: str, studies: int, apart: dict[str, float]) -> str:
    """The text of the variant's `CARD.md`."""
    return f"""# {name} {manifest["version"]}

{manifest["intended_use"]}

The network of `{manifest["name"]}` {manifest["version"]}, whose `CARD.md` says what it is, what it learnt from and what
it is not for (sha256 {manifest["sha256"]}).

Here its convolutions count in 8 bits (sha256 {digest}):
activations in uint8, weights in int8 by channel, their ranges taken from at most {SLICES} slices of {studies} studies
that it learnt from. Calibration, aggregation and thresholds are those of that package.

On these slices the probability of a fracture differs by {apart["fracture mean"]:.5f} on average and by
{apart["fracture largest"]:.3f} at most, the visibility of a level by {apart["vertebra mean"]:.5f} and {apart["vertebra largest"]:.3f}.
What that costs on studies: `cspine evaluate DATASET --model PACKAGE` with both packages, side by side.
"""
