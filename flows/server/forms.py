"""How the Prefect UI shows what a flow can be told: the form of a run. Each flow has its model beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNITS = {"s": "(s)", "gb": "(GB)", "mb": "(MB)"}
# Of parameters that no model describes.
DESCRIPTIONS = {"postgres_block": "Postgres block whose database is used; empty: the database of the settings"}


def form(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema of parameters as Prefect's UI shows it best: in our order, titles in words, what may be left out empty.

    The server sorts names, and shows fields in the order of `position`. Of `X | None` its form makes a choice of
    two types; of `X` without a default a plain field, and null is taken for it all the same.
    """
    models = {name: _arranged(model) for name, model in schema.get("definitions", {}).items()}
    return _arranged(schema) | ({"definitions": models} if models else {})


def _arranged(model: Mapping[str, Any]) -> dict[str, Any]:
    if "properties" not in model:
        return dict(model)
    fields = {
        name: _field(name, shown) | {"position": position}
        for position, (name, shown) in enumerate(model["properties"].items())
    }
    return {**model, "properties": fields}


def _field(name: str, shown: Mapping[str, Any]) -> dict[str, Any]:
    field = {**shown, "title": _title(name)}
    if name in DESCRIPTIONS:
        field.setdefault("description", DESCRIPTIONS[name])
    kinds = [one for one in field.get("anyOf", ()) if one != {"type": "null"}]
    if len(kinds) == 1 and "type" in kinds[0] and field.get("default") is None:
        del field["anyOf"]
        field.pop("default", None)
        field |= kinds[0]
    return field


def _title(name: str) -> str:
    *words, last = name.split("_")
    said = " ".join([*words, UNITS.get(last, last) if words else last])
    return said[:1].upper() + said[1:]
