"""The JSON Schema of the language, small enough for an editor to load at each start."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from core.pipelines.language.spec import PipelineSpec

_LEFT_OUT: Final = frozenset({"title", "default", "maxLength", "minLength", "discriminator", "propertyNames"})
_LEAST_SHARED: Final = 30
"""Characters of a part that stands several times, from which on it is told once."""


def json_schema() -> dict[str, Any]:
    """The schema of a spec, without titles and default values, equal parts told once. Under 12 KB as text."""
    return _shared(_told_once(_small(PipelineSpec.model_json_schema(by_alias=True))))


def _small(given: Any, *, names: bool = False) -> Any:
    """Without what no editor shows; names: the keys of this mapping are the user's words and stay."""
    if isinstance(given, list):
        return [_small(one) for one in given]
    if not isinstance(given, dict):
        return given
    branches = [one for one in given.get("anyOf", ()) if one != {"type": "null"}]
    if len(branches) == 1:
        # The language has no null: a word that may be left out is one that need not stand.
        given = {**{key: one for key, one in given.items() if key != "anyOf"}, **branches[0]}
    left_out = _LEFT_OUT | ({"type"} if {"const", "enum"} & given.keys() else set())
    return {
        key: _small(one, names=key in {"properties", "$defs"})
        for key, one in given.items()
        if names or key not in left_out
    }


def _told_once(schema: dict[str, Any]) -> dict[str, Any]:
    """Words that all branches of a choice share, said beside the choice; within a branch only that they may stand."""
    known = schema["$defs"]
    sources, steps = schema["properties"]["sources"]["patternProperties"], schema["properties"]["steps"]
    for holder, key in [(steps, "items"), *((sources, pattern) for pattern in sources)]:
        branches = [known[one["$ref"].rpartition("/")[2]] for one in holder[key]["oneOf"]]
        words = [one["properties"] for one in branches]
        same = {word: part for word, part in words[0].items() if all(one.get(word) == part for one in words)}
        for one in branches:
            one["properties"] |= dict.fromkeys(same, True)
            del one["type"]
        holder[key] = {"type": "object", "properties": same, **holder[key]}
    return schema


def _shared(schema: dict[str, Any]) -> dict[str, Any]:
    """Parts that stand at several places, moved to `$defs`."""
    counted = Counter(_text(part) for one in schema["$defs"].values() for part in _parts(one.get("properties", {})))
    often = [text for text, times in counted.items() if times > 2 and len(text) >= _LEAST_SHARED]
    names = {text: f"{number}" for number, text in enumerate(sorted(often, key=len, reverse=True))}
    moved = {key: _referring(one, names) if "properties" in one else one for key, one in schema["$defs"].items()}
    return {**schema, "$defs": {**moved, **{name: json.loads(text) for text, name in names.items()}}}


def _parts(properties: dict[str, Any]) -> Iterator[Any]:
    yield from (one for one in properties.values() if isinstance(one, dict) and "$ref" not in one)


def _referring(one: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    referred = {
        word: {"$ref": f"#/$defs/{names[_text(part)]}"} if _text(part) in names else part
        for word, part in one["properties"].items()
    }
    return {**one, "properties": referred}


def _text(part: Any) -> str:
    return json.dumps(part, separators=(",", ":"), sort_keys=True)
