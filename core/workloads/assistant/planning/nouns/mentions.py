"""Nouns of a request that speak of places of the catalog: each becomes a mark, as if it were written out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from core.workloads.assistant.planning.evidence import figures_of
from core.workloads.assistant.planning.nouns.linking import explained_by, is_same, link, names_of, says_kind
from core.workloads.assistant.planning.places import Known, Place, stem, words_of
from core.workloads.assistant.planning.scene import forms_of
from core.workloads.assistant.planning.text import MARK, Request

_CONNECTORS: Final = frozenset({"of", "the", "from", "in", "our"})
_TOKEN: Final = re.compile(rf"{MARK}\w+|[a-z][\w-]*|\S")


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its place in the text; kind: n of a name, b of a block, k of a kind of place, c between, "" none."""

    text: str
    start: int
    end: int
    kind: str


def mark_places(request: Request, known: Known, target: Place | None) -> list[str]:
    """Write a mark for each noun that is one place. Gives ids of places among which a noun leaves the choice."""
    near: list[str] = []
    while True:
        run = next(iter(_runs(request, known)), None)
        if run is None:
            break
        place, words = _resolved(run, request, known, target, near)
        if place is None:
            request.text = f"{request.text[: run[0].start]}~{request.text[run[0].start :]}"
            continue
        if place not in request.places:
            request.places.append(place)
        mark = f"{MARK}t{request.places.index(place)}"
        request.text = f"{request.text[: words[0].start]}{mark}{request.text[words[-1].end :]}"
    request.text = request.text.replace("~", "")
    for _ in range(3):
        request.text = re.sub(rf"({MARK}t\d+) (?:(?:of|in|from) )?(?:the )?\1(?!\d)", r"\1", request.text)
    return near


def _runs(request: Request, known: Known) -> list[list[Word]]:
    """Neighbouring words that speak of a place, at least one of them of its name."""
    runs: list[list[Word]] = [[]]
    for found in _TOKEN.finditer(request.text):
        kind = _kind(found[0], known) if request.text[found.start() - 1 : found.start()] != "~" else ""
        if kind:
            runs[-1].append(Word(found[0], found.start(), found.end(), kind))
        else:
            runs.append([])
    trimmed = [_trimmed(run) for run in runs]
    return [run for run in trimmed if any(word.kind == "n" for word in run)]


def _trimmed(run: list[Word]) -> list[Word]:
    while run and run[0].kind == "c":
        run = run[1:]
    while run and run[-1].kind == "c":
        run = run[:-1]
    return run


def _kind(word: str, known: Known) -> str:
    if word in _CONNECTORS:
        return "c"
    if not word[0].isalpha():
        return ""
    named = [one for one in known.places if any(is_same(name, word) for name in names_of(one))]
    if any(len(names_of(one)) == 1 or word not in figures_of(known) for one in named):
        return "n"
    if any(word == one or stem(word) in map(stem, words_of(one)) for one in known.catalog.blocks):
        return "b"
    return "k" if says_kind([word]) else ""


def _resolved(
    run: list[Word], request: Request, known: Known, target: Place | None, near: list[str]
) -> tuple[Place | None, list[Word]]:
    """The place that the longest beginning of some words means, and these words."""
    for length in range(len(run), 0, -1):
        part = _trimmed(run[:length])
        words = [word.text for word in part if word.kind != "c"]
        if not any(word.kind == "n" for word in part):
            break
        place = _place_of(words, request, known, target, near if length == len(run) else [])
        if place is not None:
            return place, part
    return None, []


def _place_of(words: list[str], request: Request, known: Known, target: Place | None, near: list[str]) -> Place | None:
    said = [one for one in request.places if one is not target]
    named = [one for one in said if set(words) <= explained_by(one, words) and _has_name(one, words)]
    if len(named) == 1:
        return named[0]
    told = [*said, target] if said and target else said
    if len(words) == 1 and any(words[0] in forms_of(one.columns) for one in told):
        return None
    for among in _preferred(words, known, target):
        linked = link(words, known, among)
        if not linked.places:
            continue
        whole = linked.explained | (explained_by(target, words) if target else frozenset())
        if not set(words) <= whole:
            continue
        if len(linked.places) == 1:
            return linked.places[0]
        near += [one.id for one in linked.places if one.id not in near]
        return None
    return None


def _has_name(place: Place, words: list[str]) -> bool:
    return any(is_same(name, word) for name in names_of(place) for word in words)


def _preferred(words: list[str], known: Known, target: Place | None) -> list[list[Place]]:
    """A bare noun is a table of the warehouse; into one that is there come files and endpoints, or other databases."""
    among = [one for one in known.places if one is not target]
    if blocks := {one for one in known.catalog.blocks if one in words or set(one.split("_")) & set(words)}:
        return [[one for one in among if one.at in blocks]]
    if says_kind(words):
        return [among]
    inside = [one for one in among if one.in_warehouse]
    outside = [one for one in among if not one.in_warehouse]
    return [inside, outside] if target is None else [outside, inside]
