"""A variant of the exported graph whose convolutions count in 8 bits, and what that costs.

Static quantisation by ONNX Runtime: QDQ nodes, activations in uint8 and weights in int8 by channel, ranges from slices of
the validation split. The last layers, whose outputs are logits over a wide range, stay in 32 bits.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
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
            raise TrainingError("the validation split is empty: there is nothing to take the ranges from")
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
    """Writes the quantised variant of `model` to `out`."""
    graph = onnx.load(model).graph
    wide = last_layers(graph)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        prepared = os.path.join(folder, "prepared.onnx")
        quant_pre_process(str(model), prepared, skip_symbolic_shape=True)
        names = {node.name for node in onnx.load(prepared).graph.node}
        quantize_static(
            prepared,
            str(out),
            Slices(studies),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
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
