"""Anatomies: the sources of a phantom's vertebrae, by the names that `truth.json` gives them."""

import re
from collections.abc import Iterable

CREDITS = (
    (
        re.compile(r"gl\d+|verse"),
        "VerSe (Sekuboyina et al., Med Image Anal 2021; Löffler et al., Radiol Artif Intell 2020), CC BY-SA 4.0",
    ),
    (re.compile(r"bodyparts3d"), "BodyParts3D, © The Database Center for Life Science, CC BY-SA 2.1 Japan"),
    (re.compile(r"vhf"), "Visible Human Female CT, courtesy of the U.S. National Library of Medicine"),
)
"""Beginnings of anatomies' names, in lower case, and whom to credit."""


def of_truth(study: dict) -> tuple[str, ...]:
    """The sources of a study of `truth.json`, sorted; files from before `anatomy` name one kind of source, or none."""
    named = study.get("anatomy") or ([study["source"]] if study.get("source") else [])
    return tuple(sorted(set(named)))


def joined(sources: Iterable[str]) -> str:
    """The sources as one text, as `cspine evaluate` writes them."""
    return " + ".join(sources) or "unstated"


def union(named: Iterable[Iterable[str] | None]) -> list[str] | None:
    """All names, sorted; `None` where one of the lists is unknown or empty."""
    lists = [None if names is None else list(names) for names in named]
    return sorted({name for names in lists for name in names}) if lists and all(lists) else None


def held_out(sources: Iterable[str], trained: list[str] | None) -> bool:
    """Whether none of a study's sources trained the network. A study or a network without names is not held out."""
    sources = set(sources)
    return trained is not None and bool(sources) and not sources & set(trained)


def credits(names: Iterable[str]) -> list[str]:
    """Whom to credit for anatomies of these names."""
    lower = [name.lower() for name in names]
    return [credit for pattern, credit in CREDITS if any(pattern.match(name) for name in lower)]
