"""A packaged network as a PyTorch module with the same weights: the graph of `model.onnx`, node by node, as `torch.fx`.

Only what `cspine_train export` writes is known: its operators, its SiLU as a product with a sigmoid. Run by itself it
compares the module with ONNX Runtime and ends with 1 where they are apart.
"""

import operator
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from onnx import helper, numpy_helper
from torch import fx, nn

CLOSE = 1e-4
"""Largest difference from ONNX Runtime, in probability."""


def _reduced(reduce, graph, node, get, constant):
    axes = [int(axis) for axis in constant(node.input[1])]
    keep = bool(_attributes(node).get("keepdims", 1))
    return graph.call_function(reduce, (get(node.input[0]), axes, keep))


def _attributes(node) -> dict:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def module_of(path: Path) -> nn.Module:
    """The module: uint8 or float `[N, 3, size, size]` to the graph's outputs, in their order."""
    model = onnx.load(path)
    weights = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    root, graph = nn.Module(), fx.Graph()
    values = {item.name: graph.placeholder("image") for item in model.graph.input}

    def constant(name: str) -> np.ndarray:
        return weights[name]

    def get(name: str):
        if name not in values:
            value = weights[name]
            if value.ndim == 0:
                return value.item()
            key = "weight_" + str(len(values))
            root.register_buffer(key, torch.from_numpy(value.copy()))
            values[name] = graph.get_attr(key)
        return values[name]

    def convolution(node):
        attributes, weight = _attributes(node), weights[node.input[1]]
        pads, (outputs, inputs) = attributes["pads"], weight.shape[:2]
        if attributes.get("auto_pad", b"NOTSET") != b"NOTSET" or pads[:2] != pads[2:]:
            raise SystemExit(f"{node.name}: padding that PyTorch has not")
        layer = nn.Conv2d(
            inputs * attributes["group"],
            outputs,
            weight.shape[2:],
            attributes["strides"],
            pads[:2],
            attributes["dilations"],
            attributes["group"],
            bias=len(node.input) > 2,
        )
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weight.copy()))
            if len(node.input) > 2:
                layer.bias.copy_(torch.from_numpy(weights[node.input[2]].copy()))
        key = f"convolution_{len(values)}"
        root.add_module(key, layer)
        return graph.call_module(key, (get(node.input[0]),))

    plain = {
        "Add": operator.add,
        "Sub": operator.sub,
        "Mul": operator.mul,
        "Div": operator.truediv,
        "Max": torch.maximum,
        "Sigmoid": torch.sigmoid,
        "Exp": torch.exp,
        "Log": torch.log,
        "Neg": torch.neg,
    }
    sigmoids = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "Sigmoid"}
    for node in model.graph.node:
        kind, first = node.op_type, node.input[0]
        if kind == "Conv":
            value = convolution(node)
        elif kind == "Mul" and sigmoids.get(node.input[1]) == first:
            value = graph.call_function(functional.silu, (get(first),))
        elif kind in plain:
            value = graph.call_function(plain[kind], tuple(get(name) for name in node.input))
        elif kind == "Cast":
            value = graph.call_method("float", (get(first),))
        elif kind == "Clip":
            value = graph.call_function(torch.clamp, (get(first), *(get(name) for name in node.input[1:])))
        elif kind == "ReduceMean":
            value = _reduced(torch.mean, graph, node, get, constant)
        elif kind == "ReduceMax":
            value = _reduced(torch.amax, graph, node, get, constant)
        elif kind == "Reshape":
            shape = tuple(int(size) for size in constant(node.input[1]))
            value = graph.call_function(torch.reshape, (get(first), shape))
        elif kind == "Squeeze":
            axes = tuple(int(axis) for axis in constant(node.input[1]))
            value = graph.call_function(torch.squeeze, (get(first), axes))
        elif kind == "Resize":
            scale = [float(factor) for factor in constant(node.input[2])[2:]]
            value = graph.call_function(
                functional.interpolate, (get(first),), {"scale_factor": scale, "mode": "nearest"}
            )
        else:
            raise SystemExit(f"{path}: {kind} is not known here")
        values[node.output[0]] = value
    graph.output(tuple(values[item.name] for item in model.graph.output))
    module = fx.GraphModule(root, graph)
    # The sigmoids that became part of a SiLU.
    module.graph.eliminate_dead_code()
    module.recompile()
    return module


def main(path: Path) -> int:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    shape = [3, *session.get_inputs()[0].shape[1:]]
    images = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    with torch.inference_mode():
        ours = module_of(path).eval()(torch.from_numpy(images))
    theirs = session.run(None, {"image": images})
    apart = [float(np.abs(a.numpy() - b).max()) for a, b in zip(ours, theirs)]
    print(f"PyTorch and ONNX Runtime are apart by {apart}")
    return int(max(apart[:2]) > CLOSE)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
