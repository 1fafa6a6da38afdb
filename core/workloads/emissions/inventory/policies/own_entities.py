"""The buyer's own entities: what one of them sells to another is no purchase of the group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.workloads.emissions.factors.loaders.reading import rows_of


@dataclass(frozen=True, slots=True)
class OwnEntity:
    """vat, country: blank where unknown."""

    name: str
    country: str
    vat: str


def read_own(path: Path) -> tuple[OwnEntity, ...]:
    """Columns name, country, vat. Raises SchemaError: name is missing; InputError: a row has neither name nor VAT."""
    table = rows_of(path, ("name",))
    found = []
    for number, row in enumerate(table.to_dicts(), 2):
        if not row["name"] and not row.get("vat"):
            raise InputError(f"{path}, row {number}: an own entity needs a name or a vat", path=str(path), line=number)
        found.append(OwnEntity(row["name"] or "", row.get("country") or "", row.get("vat") or ""))
    return tuple(found)
