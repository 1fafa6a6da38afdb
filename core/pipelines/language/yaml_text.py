"""YAML without its traps: true, false, numbers and text; no anchor, no tag, no doubled key, no second document."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import yaml

from core.errors import SpecError

MAX_BYTES: Final = 256 * 1024
"""Of a spec, in UTF-8."""

_MAX_DEPTH: Final = 30
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,18})", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?[0-9]{1,19}\.[0-9]{1,19}", re.ASCII)


def read_yaml(text: str | bytes, max_bytes: int = MAX_BYTES, what: str = "spec") -> dict[str, Any]:
    """What a text says, as dict, list, str, int, float and bool.

    Plain `yes`, `no`, `on`, `null` and 2026-01-01 are text: the language has no value of their kind.

    Raises SpecError: too large, no UTF-8, no YAML, or with what the language has no use for; says line and column.
    """
    raw = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if len(raw) > max_bytes:
        raise SpecError(f"a {what} has at most {max_bytes // 1024:,} KB; this one has {len(raw) / 1024:,.0f} KB")
    try:
        decoded = raw.decode()
    except UnicodeDecodeError as error:
        raise SpecError(f"the {what} is no text in UTF-8 (byte {error.start + 1}); save it as UTF-8") from None
    try:
        return _document(decoded)
    except yaml.MarkedYAMLError as error:
        raise SpecError(f"{_place(error.problem_mark)}this is no YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SpecError(f"this is no YAML of the language: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        return f"the character {error.character!r} at position {error.position + 1} may not stand in it"
    return "it is nested too deeply"


def _document(text: str) -> dict[str, Any]:
    events = _events(text)
    documents = [event for event in events if isinstance(event, yaml.DocumentStartEvent)]
    if not documents:
        raise SpecError("the spec is empty; it begins with `pipeline: NAME`")
    if len(documents) > 1:
        raise SpecError(f"{_place(documents[1].start_mark)}a second document begins; a file holds one pipeline")
    value, _ = _value(events, 2)
    if not isinstance(value, dict):
        raise SpecError("a spec is a mapping of words such as pipeline, sources, steps and sink")
    return value


def _events(text: str) -> list[Any]:
    """What the text says; ends at the first event that is too deep, for the parser takes squared time there."""
    events: list[Any] = []
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise SpecError(f"{_place(event.start_mark)}nested more than {_MAX_DEPTH} deep")
        events.append(event)
    return events


def _value(events: list[Any], at: int) -> tuple[Any, int]:
    """The value that begins at an event, and the event behind it."""
    event = events[at]
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise SpecError(f"{_place(event.start_mark)}anchors and aliases are no part of the language; write it out")
    if getattr(event, "tag", None):
        raise SpecError(f"{_place(event.start_mark)}tags such as {event.tag[:30]} are no part of the language")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event), at + 1
    if isinstance(event, yaml.SequenceStartEvent):
        items, at = [], at + 1
        while not isinstance(events[at], yaml.SequenceEndEvent):
            item, at = _value(events, at)
            items.append(item)
        return items, at + 1
    return _mapping(events, at + 1)


def _mapping(events: list[Any], at: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while not isinstance(events[at], yaml.MappingEndEvent):
        key = events[at]
        if not isinstance(key, yaml.ScalarEvent):
            raise SpecError(f"{_place(key.start_mark)}a key is a word, not a list or mapping")
        _value(events, at)
        if key.value in found:
            raise SpecError(f"{_place(key.start_mark)}the key {key.value[:60]} stands twice; keep one")
        found[key.value], at = _value(events, at + 1)
    return found, at + 1


def _scalar(event: Any) -> str | int | float | bool:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in {"true", "false"}:
        return text == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
