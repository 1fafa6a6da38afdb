"""A model as rows: what each level of each field is worth, and what changed between two models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from core.matching.scoring.model import Model


@dataclass(frozen=True, slots=True)
class LevelRow:
    """One level: m and u are its shares among pairs of one person and of strangers, bits its weight for one person.

    `bits` is log2(m/u), pooled with its neighbour where too few pairs reach the level.
    """

    field: str
    level: str
    m: float
    u: float
    bits: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One level in two models."""

    field: str
    level: str
    m_before: float
    m_after: float
    u_before: float
    u_after: float
    bits_before: float
    bits_after: float
    bits_change: float

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def level_rows(model: Model) -> Iterator[LevelRow]:
    """All levels, field by field, the strongest first."""
    for field in model.fields:
        for at in reversed(range(len(field.levels))):
            m, u = field.shares["same"][at], field.shares["chance"][at]
            yield LevelRow(field.name, field.levels[at], m, u, field.bits["same"][at])


def changes(before: Model, after: Model) -> list[LevelChange]:
    """Levels that both models have, by how much their weight changed; the largest change first."""
    known = {(row.field, row.level): row for row in level_rows(before)}
    rows = []
    for new in level_rows(after):
        old = known.get((new.field, new.level))
        if old is not None:
            bits = (old.bits, new.bits, new.bits - old.bits)
            rows.append(LevelChange(new.field, new.level, old.m, new.m, old.u, new.u, *bits))
    return sorted(rows, key=lambda row: -abs(row.bits_change))
