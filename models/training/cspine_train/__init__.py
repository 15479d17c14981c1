"""Training of cspine's models: arrays from `cspine tensors` in, a model package out.

The steps, one module each:

- `nifti`, `labels`: what a data set in the RSNA 2022 layout says about each slice;
- `data`, `augment`: arrays, splits and batches;
- `model`, `loss`, `train`: the network, what it is asked, and the loop;
- `calibrate`: what to do to its logits so that a study's probabilities are true to the validation split;
- `anatomy`, `distance`: what trained it, and what is unlike that;
- `export`: the ONNX graph, checked against PyTorch;
- `aggregate`, `metrics`, `evaluate`: slices to study, and how good that is, measured on the exported graph;
- `package`: `model.onnx`, `model.toml` and `CARD.md`, filled from the measurements alone.

Nothing here reads DICOM or windows, crops or resizes an image: the program does that once, for training and for use.
"""

__version__ = "0.3.0"

LEVELS = ("C1", "C2", "C3", "C4", "C5", "C6", "C7")
"""Names of the seven cervical levels, head first; the order of every `[.., 7]` array here."""

INPUT_MILLIMETRES = 112.0
"""Side of the square that the input covers, in mm: where a checkpoint of before 0.4.0 does not say."""

CHANNEL_OFFSETS_MM = (-2.0, 0.0, 2.0)
"""Where the input's channels lie along the stack, relative to the slice."""

WINDOW_HU = (-600.0, 1400.0)
"""Hounsfield units that map to 0 and 255."""

CENTRE = "spine"
"""What lies in the input's middle."""

SLAB_MM = 2.0
"""A channel averages the slices within this distance of its place, nearer ones weighing more: where a checkpoint of before
0.3.2 does not say."""

PREPROCESSING_VERSION = 3
"""The version of `cspine tensors` that this package reads."""


class TrainingError(Exception):
    """Something about the data or the command that the user can put right; the message says what, where and how."""
