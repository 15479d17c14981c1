"""Whether one package may take another's place, by what `cspine evaluate` measured of both on the same studies."""

import json
from pathlib import Path

from . import LEVELS, TrainingError

STUDIES, LEVEL = 0.005, 0.01
"""What may be lost of the area under the curve: of the studies less than this, of any level no more than this."""


def compare(first: Path, second: Path) -> tuple[list[str], bool]:
    """The areas of two folders that `cspine evaluate --out` wrote, as lines, and whether the second may take the
    first's place."""
    documents = [_read(folder / "evaluation.json") for folder in (first, second)]
    if len({document["all"]["studies"] for document in documents}) > 1:
        raise TrainingError(
            f"{first} and {second} are of different studies; evaluate both packages on the same data sets"
        )
    lines = [
        " ".join(f"{word:>12}" for word in ("", *(document["model"]["name"] for document in documents), "difference"))
    ]
    fit = True
    for name in ("overall", *LEVELS):
        areas = [(document["all"]["auc"].get(name) or {}).get("value") for document in documents]
        if areas == [None, None]:
            lines.append(f"{name:>12} not measured: sound or fractured ones are missing")
            continue
        lost = float("inf") if None in areas else areas[0] - areas[1]
        good = lost < STUDIES if name == "overall" else lost <= LEVEL
        fit &= good
        shown = (f"{area:12.4f}" if area is not None else f"{'-':>12}" for area in areas)
        lines.append(f"{name:>12} {' '.join(shown)} {-lost:+12.4f}{'' if good else '  too much'}")
    return lines, fit


def _read(path: Path) -> dict:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {
            "model": {"name": document["model"]["name"]},
            "all": {key: document["all"][key] for key in ("studies", "auc")},
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{path}: {error!r}; write it with `cspine evaluate --out`") from error
