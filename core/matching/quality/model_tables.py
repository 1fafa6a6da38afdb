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


WAYS = {
    "free": "from the data alone",
    "bounded": "from the data, within bounds of what one person's records look like",
    "expected": "one person's records as generally expected, how many there are from the data",
    "usual": "what is usual of texts that stand alone, how much strangers have in common from the data",
}


def learning_lines(model: Model) -> Iterator[str]:
    """How a model was learnt, what was refused on the way, and what its pairs are like; nothing of older models."""
    told = model.learning
    if not told:
        return
    yield f"learnt {WAYS[told['way']]}"
    for number, faults in enumerate(told["refused"], start=1):
        yield f"start {number} refused: {'; '.join(faults)}"
    if told["misled"] is not None:
        yield f"what misled: {told['misled']}, which agrees in pairs that are not one person"
    for what, of in (("taken for one person", told["learnt"]), ("accepted by their levels", told["accepted"])):
        differ = ", ".join(f"{name} differs in {share:.1%}" for name, share in of["differ"].items())
        yield f"{of['pairs']:,.0f} pairs {what}: {differ or 'no field of a person alone'}"
