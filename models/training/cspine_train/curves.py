"""Draws a run's log as curves."""

import json
from pathlib import Path

CURVES = "curves.svg"

LOSSES = ("loss", "vertebra", "fracture", "level_map", "break_map")


def read_log(path: Path) -> list[dict]:
    """The lines of a log; one that was cut off by a kill is left out."""
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(text))
        except ValueError:
            continue
    return lines


def draw(log: Path, picture: Path) -> None:
    """Writes the training loss and its parts, and what the watched validation slices gave, over the minutes, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    # Nothing in the file that differs from run to run but the curves.
    matplotlib.rcParams["svg.hashsalt"] = "cspine"
    from matplotlib import pyplot

    lines = read_log(log)
    figure, (above, below) = pyplot.subplots(2, 1, sharex=True, figsize=(8, 6), layout="constrained")
    for name in LOSSES:
        points = [(line["seconds"] / 60, line[name]) for line in lines if line["event"] == "train"]
        above.plot(*zip(*points) if points else ([], []), label=name, linewidth=1)
    above.set(ylabel="training loss", yscale="log")
    above.legend()
    for name in ("watched_fracture_auc", "watched_vertebra_auc"):
        points = [(line["seconds"] / 60, line[name]) for line in lines if line.get(name) is not None]
        below.plot(*zip(*points) if points else ([], []), label=name.replace("watched_", "").replace("_", " "))
    below.set(xlabel="minutes of training", ylabel="watched validation slices")
    below.legend()
    figure.savefig(picture, metadata={"Date": None})
    pyplot.close(figure)
