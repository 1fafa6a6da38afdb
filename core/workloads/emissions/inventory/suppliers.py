"""Suppliers of lines made one entity each: identifiers first, then names that no identifier contradicts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Final

import polars as pl
from anyascii import anyascii

from core.matching.standardise.organisation_names import COMMON_WORDS, LEGAL_WORDS
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
    """String: `own` where the supplier is one of the buyer's own entities, `alike` where only a person can tell; null.

    Own is who has the VAT number of one, or its name but for legal forms, if neither country nor VAT number gainsay.
    Alike is who has its name but for words that are said of everyone (group, services), or with another VAT number.
    """
    known = [(_legal_key(each.name), name_key(each.name), each.country.upper(), vat_key(each.vat)) for each in own]
    columns = ["supplier", "supplier_country", "supplier_vat"]
    distinct = lines.select(columns).unique(maintain_order=True).rows()
    found = [(*supplier, _ownness(supplier, known)) for supplier in distinct]
    rows = pl.DataFrame(found, schema=dict.fromkeys([*columns, "own"], pl.String), orient="row")
    return lines.select(columns).join(rows, on=columns, how="left", nulls_equal=True, maintain_order="left")["own"]


def _ownness(supplier: tuple[str | None, ...], known: Sequence[tuple[str, str, str, str]]) -> str | None:
    name, country, vat = (text or "" for text in supplier)
    number = vat_key(vat)
    if number and any(number == own for *_, own in known):
        return "own"
    best = None
    for legal, key, place, own in known:
        if not key or name_key(name) != key or (place and country and place != country.upper()):
            continue
        if _legal_key(name) == legal and not (number and own):
            return "own"
        best = "alike"
    return best


@cache
def name_key(name: str) -> str:
    """Words of a name in Latin letters, sorted, without legal forms and what is said of everyone."""
    return _key(name, COMMON_WORDS)


def _legal_key(name: str) -> str:
    """The same with what is said of everyone."""
    return _key(name, LEGAL_WORDS)


def _key(name: str, left_out: Collection[str]) -> str:
    words = re.findall(r"[a-z0-9]+", anyascii(name).replace(".", "").casefold())
    told = sorted(word for word in words if word not in left_out)
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
