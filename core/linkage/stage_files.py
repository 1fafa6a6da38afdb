"""Files that one stage leaves to later ones: pairs and placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import orjson

from core.matching.edges import Edges
from core.storage.workspace import Array, Folder, load_frame


def load_edges(folder: Folder) -> Edges:
    """Read the scored pairs a stage left in its folder."""
    return Edges.from_frame(load_frame(folder, "edges"))


def save_placeholders(folder: Path, values: Mapping[str, Array]) -> None:
    """Keep the packed values that a run took for placeholders, so that explanations blank the same ones."""
    named = {field: found.tolist() for field, found in values.items()}
    (folder / "placeholders.json").write_bytes(orjson.dumps(named))


def load_placeholders(folder: Folder) -> dict[str, list[int]]:
    """Read what `save_placeholders` wrote."""
    found: dict[str, list[int]] = orjson.loads((folder / "placeholders.json").read_bytes())
    return found
