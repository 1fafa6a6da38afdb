"""Which category of scope 3 a factor's code stands for, by which method, and at which stage of the chain it counts."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_name("categories.csv")
REFUSED_STAGES: Final[Mapping[str, str]] = {
    "combustion": "is the burning of a fuel, which is scope 1 of whoever burns it; scope 3 takes its well-to-tank row",
    "generation": "is the generation of electricity or heat, which is scope 2; scope 3 takes well-to-tank and losses",
    "release": "is the release of a gas, which is scope 1 of whoever releases it",
    "biogenic": "is biogenic CO2 outside of the scopes, which is reported apart and never added",
}
"""Stages that never count in scope 3, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """category: 1 to 15; None where the code has none in scope 3."""

    category: int | None
    method: str
    stage: str


def place_of(scheme: str, code: str) -> Place | None:
    """Place of a code: the longest prefix of the table that begins it; None: no prefix does."""
    family = "naics" if scheme.startswith("naics") else scheme
    folded = code.casefold()
    fits = [(len(prefix), place) for prefix, place in _by_scheme().get(family, ()) if folded.startswith(prefix)]
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def places() -> list[tuple[str, str, Place]]:
    """Scheme, prefix and place of every row of the table."""
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return [
            (row["scheme"], row["prefix"], Place(_number(row["category"]), row["method"], row["stage"]))
            for row in csv.DictReader(file)
        ]


@cache
def _by_scheme() -> dict[str, list[tuple[str, Place]]]:
    found: dict[str, list[tuple[str, Place]]] = {}
    for scheme, prefix, place in places():
        found.setdefault(scheme, []).append((prefix.casefold(), place))
    return found


def _number(text: str) -> int | None:
    return int(text) if text else None
