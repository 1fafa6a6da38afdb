"""Which of several factors is taken: one criterion after the other, never a sum of weights."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.workloads.emissions.inventory.selection.catalog import Candidate

CRITERIA: Final = ("source", "code", "region", "year", "unit", "patch", "place in the set")
_WORLD: Final = frozenset({"", "GLO", "RoW", "WORLD"})
ALIASES: Final = {"UK": "GB", "GBR": "GB", "UNITED KINGDOM": "GB", "GREAT BRITAIN": "GB", "USA": "US"}
"""Other names of countries -> ISO 3166."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a line brings to the choice. country: two letters or blank; own_unit: spelling of its unit, or currency."""

    year: int
    country: str
    own_unit: str


def ranked(candidates: Sequence[tuple[int, Candidate]], asked: Asked) -> list[tuple[tuple[object, ...], Candidate]]:
    """Candidates with their places by criterion, the best first; the order that they come in changes nothing.

    Args:
        candidates: with how their code was found, 0 the very code.
    """
    placed = [(places_of(level, candidate, asked), candidate) for level, candidate in candidates]
    return sorted(placed, key=lambda pair: (pair[0], pair[1].dataset.dataset_id, pair[1].number))


def places_of(level: int, candidate: Candidate, asked: Asked) -> tuple[object, ...]:
    """A place for each of `CRITERIA`; less is better."""
    edition = candidate.dataset.edition
    distance = (edition.year or asked.year) - asked.year
    return (
        candidate.rank,
        level,
        region_place(candidate.factor.region or edition.region, asked.country),
        (0, 0) if distance == 0 else (1, -distance) if distance < 0 else (2, distance),
        0 if candidate.factor.unit == asked.own_unit else 1,
        tuple(-int(number) for number in re.findall(r"\d+", edition.patch)),
        candidate.place,
    )


def region_place(region: str, country: str) -> int:
    """0 the country (or nothing asked), 1 the world, 2 another one."""
    wanted = ALIASES.get(country.upper(), country.upper())
    if not wanted or region.upper() == wanted:
        return 0
    return 1 if region in _WORLD else 2


def first_lost(chosen: tuple[object, ...], other: tuple[object, ...]) -> str:
    """The first criterion on which another candidate is behind; blank: on none."""
    return next((name for name, a, b in zip(CRITERIA, chosen, other, strict=True) if a != b), "")
