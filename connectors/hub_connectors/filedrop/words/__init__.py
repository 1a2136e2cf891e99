"""Status words of one-stop products as data: `<name>.toml` here, taken by a mapping with `words_from = "<name>"`."""

from __future__ import annotations

import tomllib
from importlib import resources


def names() -> list[str]:
    """The tables there are."""
    return sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml"))


def table(name: str) -> dict[str, dict[str, str]]:
    """Field -> the product's word -> value, as `words` of a mapping. ValueError for a name that is none of `names`."""
    if name not in names():
        raise ValueError(f"words_from: {name!r} is none of {', '.join(names())}")
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))


_FOLDER = resources.files("hub_connectors.filedrop.words")
