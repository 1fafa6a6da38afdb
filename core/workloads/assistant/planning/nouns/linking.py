"""Which place of the catalog some words mean."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from core.matching.reference import jaro_winkler
from core.workloads.assistant.planning.places import Known, Place, PlaceKind, stem, words_of

_ALIKE: Final = 0.93
_MARGIN: Final = 0.15
"""By how much the best place leads, as a share of the words' weight; below it there is a question."""

_KINDS: Final[dict[str, tuple[PlaceKind, str]]] = {
    "csv": ("file", "csv"), "parquet": ("file", "parquet"), "spreadsheet": ("file", "excel"),
    "sheet": ("file", "excel"), "excel": ("file", "excel"),
    "workbook": ("file", "excel"), "xlsx": ("file", "excel"), "jsonl": ("file", "json"),
    "json": ("file", "json"), "file": ("file", ""), "api": ("endpoint", ""), "endpoint": ("endpoint", ""),
    "table": ("table", ""),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Linked:
    """The places that lead, best first, and the words that the first explains."""

    places: tuple[Place, ...]
    explained: frozenset[str]


def link(words: Sequence[str], known: Known, among: Iterable[Place]) -> Linked:
    """Places by the words of their name, block and kind, weighed by rarity; one that leads by a margin stands alone."""
    places = [one for one in among if not one.relation.denied]
    said = [_KINDS[stem(word)] for word in words if stem(word) in _KINDS]
    places = [one for one in places if all(kind == one.kind and form in {"", one.format} for kind, form in said)]
    rarity = Counter(word for one in known.places for word in set(names_of(one)))
    scored = []
    for place in places:
        explained = {word for word in words if _explains(place, word)}
        own = [name for name in names_of(place) if any(is_same(name, word) for word in words)]
        weight = sum(1 / rarity[name] for name in set(own))
        missing = len(set(names_of(place)) - set(own)) * 0.3
        if own:
            scored.append((len(explained) + weight - missing, place, explained))
    scored.sort(key=lambda found: -found[0])
    if not scored:
        return Linked((), frozenset())
    best = scored[0][0]
    near = [place for score, place, _ in scored if score > best - _MARGIN * max(1.0, best)]
    return Linked(tuple(near), frozenset(scored[0][2]))


def explained_by(place: Place, words: Sequence[str]) -> frozenset[str]:
    """The words that speak of a place: of its name, its block, its kind."""
    return frozenset(word for word in words if _explains(place, word))


def names_of(place: Place) -> list[str]:
    """The words of its name, in the singular, without its schema and its ending."""
    base = place.name.rpartition(".")[2] if place.kind == "table" else re.sub(r"\.\w+$|\w+=[^/]*", "", place.name)
    return [stem(word) for word in words_of(base)]


def says_kind(words: Sequence[str]) -> bool:
    """Whether the words say what kind of place is meant."""
    return any(stem(word) in _KINDS for word in words)


def _explains(place: Place, word: str) -> bool:
    if stem(word) in _KINDS:
        return True
    block = [*map(stem, words_of(place.at)), place.at]
    return any(is_same(name, word) for name in [*names_of(place), *block])


def is_same(name: str, word: str) -> bool:
    """Whether a word is that name, in the plural or misspelt."""
    short = stem(word)
    return name == short or (min(len(name), len(short)) > 4 and jaro_winkler(name, short) >= _ALIKE)
