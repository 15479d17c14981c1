"""Slices a second of a packaged network on one engine: network.py ENGINE MODEL.ONNX BATCH. `whole.py` starts it."""

import os
import sys
import time
from pathlib import Path

import numpy as np

SECONDS = 3.0


def runner(engine: str, model: Path, threads: int):
    """A function from images to outputs that nobody looks at."""
    half = engine.endswith("bf16")
    if engine == "onnxruntime":
        from pipeline import onnx_network

        return onnx_network(model, threads)
    if engine.startswith("torch"):
        from pipeline import torch_network

        return torch_network(model, half, threads)
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": "bf16" if half else "f32",
        "INFERENCE_NUM_THREADS": threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    return lambda images: compiled([images])


def main() -> None:
    engine, model, batch = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    import onnx

    shape = [axis.dim_value for axis in onnx.load(model).graph.input[0].type.tensor_type.shape.dim]
    images = np.random.default_rng(0).integers(0, 256, [batch, *shape[1:]], np.uint8)
    run = runner(engine, model, len(os.sched_getaffinity(0)))
    for _ in range(3):
        run(images)
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < SECONDS:
        run(images)
        count += batch
    print(count / (time.perf_counter() - begun))


if __name__ == "__main__":
    main()
