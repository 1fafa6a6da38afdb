"""A request being read: what is understood is taken out, and what is left over at the end is a question."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from core.workloads.assistant.planning.places import Known, Place

_Kept = TypeVar("_Kept")

MARK: Final = "\N{SECTION SIGN}"
"""Begins what stands for a value or a name; a request that has one is read without it."""

_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'(?![a-z])|\"([^\"]*)\"|`([^`]*)`")
_NEW_TABLE: Final = re.compile(r"(?<![\w.:/§])([a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*)(?![\w/])")
_FILE: Final = re.compile(r"(?<![\w./])([\w-]+\.(?:csv|parquet|jsonl|json|xlsx))(?!\w)")


@dataclass(slots=True)
class Request:
    """The text that is left, in small letters, and what its marks stand for."""

    text: str
    values: list[str] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    pipelines: list[str] = field(default_factory=list)
    cased: dict[str, str] = field(default_factory=dict)
    """Words as they were written, by their small letters."""
    whole: str = ""
    """The text before anything was taken out."""

    def part(self, text: str) -> Request:
        """Some words by themselves, with the same marks."""
        return replace(self, text=text)

    def take(self, pattern: str) -> re.Match[str] | None:
        """Find a pattern and take it out; a bar stands where it was, over which no pattern reaches."""
        found = re.search(pattern, self.text)
        if found:
            self.text = f"{self.text[: found.start()]} | {self.text[found.end() :]}"
        return found

    def has(self, pattern: str) -> bool:
        """Whether a pattern stands in what is left."""
        return re.search(pattern, self.text) is not None

    def value(self, written: str) -> str | None:
        """The value that a mark stands for."""
        found = re.fullmatch(rf"{MARK}v(\d+)", written)
        return self.values[int(found[1])] if found else None


def read(text: str, known: Known) -> Request:
    """Mask values and names of the catalog. A value is never a word, whatever it spells."""
    request = Request(" ".join(text.replace(MARK, " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split()))
    request.text = _QUOTED.sub(lambda found: _kept(request.values, "v", _unquoted(found)), request.text)
    request.cased = {word.lower(): word for word in re.findall(r"[\w-]+", request.text)}
    request.text = request.text.lower()
    request.text = re.sub(r"(?<=\w)'s\b", "", request.text)
    for written, place in _written_names(known):
        pattern = rf"(?<![\w.:/{MARK}]){re.escape(written.lower())}(?![\w/])(?!\.\w)"
        if re.search(pattern, request.text):
            request.text = re.sub(pattern, _kept(request.places, "t", place), request.text)
    for name in sorted(known.specs, key=len, reverse=True):
        pattern = rf"(?<![\w.:/{MARK}]){re.escape(name.lower())}(?![\w.])"
        if "_" in name and re.search(pattern, request.text):
            request.text = re.sub(pattern, _kept(request.pipelines, "p", name), request.text)
    request.text = _FILE.sub(lambda found: _kept(request.files, "f", found[1]), request.text)
    request.text = _NEW_TABLE.sub(lambda found: _kept(request.names, "n", found[1]), request.text)
    for name in sorted({name for one in known.places for name in (*one.columns, *one.hidden)}, key=len, reverse=True):
        if "_" in name:
            request.text = re.sub(_spaced(name), name, request.text)
    request.whole = request.text
    return request


def _spaced(column: str) -> str:
    """A column of several words written with spaces; its last word also in the plural, none before a time of day."""
    words = "[ -]".join(map(re.escape, column.lower().split("_")))
    return rf"(?<![\w.{MARK}-]){words}s?(?![\w-])(?! (?:\d|(?:mon|tues|wednes|thurs|fri|satur|sun|week)days?\b))"


def _written_names(known: Known) -> list[tuple[str, Place]]:
    """Ways to write places out, the longest first; one that two places share is none."""
    ways: dict[str, list[Place]] = {}
    for place in known.places:
        names = {place.id, place.name}
        if place.kind == "file" and "*" not in place.name:
            names.add(place.name.rpartition("/")[2])
        for name in names:
            ways.setdefault(name, []).append(place)
    sole = [(name, places[0]) for name, places in ways.items() if len(places) == 1]
    return sorted(sole, key=lambda way: -len(way[0]))


def _unquoted(found: re.Match[str]) -> str:
    return found[1].replace("''", "'") if found[1] is not None else (found[2] or found[3] or "")


def _kept(kept: list[_Kept], letter: str, one: _Kept) -> str:
    if one not in kept:
        kept.append(one)
    return f"{MARK}{letter}{kept.index(one)}"
