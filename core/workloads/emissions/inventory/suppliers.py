"""Suppliers of lines made one entity each: identifiers first, then names that no identifier contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl
from anyascii import anyascii

from core.matching.standardise.organisation_names import COMMON_WORDS
from core.workloads.emissions.inventory.policies.own_entities import OwnEntity

COLUMNS: Final = ("supplier_id", "supplier_vat", "supplier_lei", "supplier", "supplier_country")
_LEI: Final = re.compile(r"[A-Z0-9]{18}\d{2}")


def entities_of(lines: pl.DataFrame) -> pl.Series:
    """String: the entity of each line's supplier; null where it names none.

    An entity is called by its strongest identifier: `lei:`, `vat:`, `id:`, else `name:`. Suppliers that share a checked
    LEI, a VAT number or a supplier number are one; one known by name only joins the one entity of that name and
    country, and stays alone where there are several.
    Cost: linear in distinct suppliers, some 10 us each.
    """
    distinct = lines.select(COLUMNS).unique(maintain_order=True)
    named = _resolved(distinct.sort(COLUMNS).rows())
    schema = dict.fromkeys([*COLUMNS, "entity"], pl.String)
    rows = pl.DataFrame([(*key, entity) for key, entity in named.items()], schema=schema, orient="row")
    return lines.select(COLUMNS).join(rows, on=COLUMNS, how="left", nulls_equal=True, maintain_order="left")["entity"]


def own_suppliers(lines: pl.DataFrame, own: Sequence[OwnEntity]) -> pl.Series:
    """Boolean: the supplier is one of the buyer's own entities, by VAT number or by name and country."""
    vats = {vat_key(entity.vat) for entity in own if entity.vat}
    names = [(name_key(entity.name), entity.country.upper()) for entity in own if entity.name]
    columns = ["supplier", "supplier_country", "supplier_vat"]
    found = []
    for name, country, vat in lines.select(columns).unique(maintain_order=True).rows():
        by_name = name and any(
            name_key(name) == key and (not place or not country or place == country.upper()) for key, place in names
        )
        found.append((name, country, vat, bool((vat and vat_key(vat) in vats) or by_name)))
    rows = pl.DataFrame(
        found, schema=dict(zip([*columns, "is_own"], [pl.String] * 3 + [pl.Boolean], strict=True)), orient="row"
    )
    return lines.select(columns).join(rows, on=columns, how="left", nulls_equal=True, maintain_order="left")["is_own"]


@cache
def name_key(name: str) -> str:
    """Words of a name in Latin letters, sorted, without legal forms and what is said of everyone."""
    words = re.findall(r"[a-z0-9]+", anyascii(name).replace(".", "").casefold())
    told = sorted(word for word in words if word not in COMMON_WORDS)
    return " ".join(told or sorted(words))


def vat_key(vat: str) -> str:
    """Letters and digits of a VAT number, capitals."""
    return re.sub(r"[^A-Z0-9]", "", vat.upper())


def is_lei(text: str) -> bool:
    """Whether the text is an LEI with a right checksum (ISO 17442, ISO 7064 MOD 97-10)."""
    return bool(_LEI.fullmatch(text)) and int("".join(str(int(letter, 36)) for letter in text)) % 97 == 1


def _resolved(suppliers: Iterable[tuple[str | None, ...]]) -> dict[tuple[str | None, ...], str | None]:
    keys = {supplier: _identifiers(supplier) for supplier in suppliers}
    parent: dict[str, str] = {}
    for identifiers in keys.values():
        for other in identifiers[1:]:
            _join(parent, identifiers[0], other)
    best: dict[str, str] = {}
    for identifiers in keys.values():
        for identifier in identifiers:
            root = _root(parent, identifier)
            best[root] = min(best.get(root, identifier), identifier, key=_strength)
    by_name: dict[tuple[str, str], set[str]] = {}
    for (_, _, _, name, country), identifiers in keys.items():
        if identifiers and name:
            entity = best[_root(parent, identifiers[0])]
            by_name.setdefault((name_key(name), (country or "").upper()), set()).add(entity)
    return {
        supplier: best[_root(parent, identifiers[0])] if identifiers else _by_name(supplier, by_name)
        for supplier, identifiers in keys.items()
    }


def _by_name(supplier: tuple[str | None, ...], by_name: dict[tuple[str, str], set[str]]) -> str | None:
    _, _, _, name, country = supplier
    if not name:
        return None
    place = (name_key(name), (country or "").upper())
    known = by_name.get(place, set())
    return next(iter(known)) if len(known) == 1 else f"name:{place[0]}|{place[1]}"


def _identifiers(supplier: tuple[str | None, ...]) -> list[str]:
    number, vat, lei, _, _ = supplier
    found = [f"lei:{lei.upper()}"] if lei and is_lei(lei.upper()) else []
    found += [f"vat:{vat_key(vat)}"] if vat and len(vat_key(vat)) > 4 else []
    return found + ([f"id:{number}"] if number else [])


def _strength(identifier: str) -> tuple[int, str]:
    return ("lei", "vat", "id").index(identifier.partition(":")[0]), identifier


def _root(parent: dict[str, str], key: str) -> str:
    while (above := parent.get(key, key)) != key:
        parent[key] = parent.get(above, above)
        key = above
    return key


def _join(parent: dict[str, str], left: str, right: str) -> None:
    first, second = sorted((_root(parent, left), _root(parent, right)))
    parent[second] = first
