"""What parts of a trained network are worth: each is taken away without training again, and the validation split measured.

Every variant gets its own calibration and its better aggregation, so that the part is judged and not the scale of what is left.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from .calibrate import Scores, calibrate
from .data import Study
from .evaluate import Prediction, choose, measure
from .model import ModelConfig, smooth_maximum
from .train import make

BATCH = 16


@dataclass(frozen=True)
class Variant:
    """One part taken away."""

    label: str
    weights: str = "average"
    """Of the checkpoint: `average`, `model` for the last step's, or `alone` for those before they were blended with a package's."""
    change: Callable[[torch.Tensor], torch.Tensor] | None = None
    """What is done to images `[N, 3, S, S]`, 0 to 1."""
    fracture: str = "fracture"
    """Where the slice's fracture logit comes from: `fracture`, or `break_map` alone, without the map of levels."""


def middle_only(images: torch.Tensor) -> torch.Tensor:
    """The slice itself in place of its neighbours."""
    return images[:, 1:2].expand(-1, 3, -1, -1)


def halved(images: torch.Tensor) -> torch.Tensor:
    """Half the resolution, at the same size."""
    small = torch.nn.functional.avg_pool2d(images, 2)
    return torch.nn.functional.interpolate(small, scale_factor=2.0, mode="bilinear", align_corners=False)


VARIANTS = (
    Variant("all of it"),
    Variant("its own training's weights alone", weights="alone"),
    Variant("last step's weights, not averaged", weights="model"),
    Variant("one slice instead of three", change=middle_only),
    Variant("half the resolution", change=halved),
    Variant("map of breaks without that of levels", fracture="break_map"),
)


def ablate(document: dict, studies: list[Study], kinds: dict, echo=print) -> list[dict]:
    """Measures every variant of a checkpoint's network on `studies`; rows like those of `metrics.json`, with a `label`."""
    rows = []
    minutes = document["state"]["elapsed"] / 60
    for variant in VARIANTS:
        if variant.weights not in document:
            continue
        network = make(ModelConfig(**document["model_config"]))
        network.load_state_dict(document[variant.weights])
        network = network.eval().to(memory_format=torch.channels_last)
        said = [predict(network, variant, study) for study in studies]
        scores = [Scores(p.vertebra, z, p.study.positions_mm, p.study.labels.study) for p, z in said]
        calibration = calibrate(scores, document["prior_shift"])
        for prediction, logits in said:
            z = np.clip(logits * calibration.scale + calibration.offset, -60, 60)
            prediction.fracture = 1.0 / (1.0 + np.exp(-z))
        predictions = [prediction for prediction, _ in said]
        thresholds = choose(predictions, calibration.aggregation)["thresholds"]
        found = measure(predictions, calibration.aggregation, thresholds, kinds)
        row = {"label": variant.label, "minutes": minutes, "calibration": calibration.to_dict()}
        rows.append({**row, "splits": {"validation": found}})
        areas = found["aggregations"][calibration.aggregation]
        echo(f"{variant.label}: AUC {areas['auc_overall']} study, {areas['auc_level']} level")
    return rows


@torch.no_grad()
def predict(network, variant: Variant, study: Study) -> tuple[Prediction, np.ndarray]:
    """What a variant says of a study, and its fracture logits before calibration, `[S, 7]`."""
    vertebra, logits, hottest, grid = [], [], [], network.config.grid
    for first in range(0, len(study.slices), BATCH):
        images = torch.from_numpy(np.array(study.array[first : first + BATCH])).float() / 255.0
        if variant.change is not None:
            images = variant.change(images)
        said = network.logits(images.contiguous(memory_format=torch.channels_last))
        vertebra.append(torch.sigmoid(said.vertebra).numpy())
        place = said.activation
        if variant.fracture == "break_map":
            place = said.break_map
            logits.append(smooth_maximum(place, network.config.sharpness).numpy())
        else:
            logits.append(said.fracture.numpy())
        hottest.append(np.stack(np.divmod(place.flatten(2).argmax(-1).numpy(), grid), -1))
    found = np.concatenate(logits).astype(np.float64)
    return Prediction(study, np.concatenate(vertebra), found, np.concatenate(hottest), grid), found
