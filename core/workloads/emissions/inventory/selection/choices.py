"""Distinct questions of lines answered once each, and the answers given back to the lines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any, Final

import polars as pl

from core.errors import InputError
from core.workloads.emissions.inventory.policies.crosswalk import Part
from core.workloads.emissions.inventory.selection.catalog import Candidate, Catalog
from core.workloads.emissions.inventory.selection.select import (
    Choice,
    Query,
    Taken,
    refused,
    select,
    select_electricity,
)
from core.workloads.emissions.rules.categories import Place
from core.workloads.emissions.rules.decimals import exact
from core.workloads.emissions.rules.uncertainty import class_spread
from core.workloads.emissions.rules.units import Unit, unit_of

KEYS: Final = (
    *("code_scheme", "code", "buyer_code", "unit", "year", "place", "electric", "is_capital"),
    *("supplier_factor", "supplier_factor_unit", "supplier_factor_boundary", "own_currency"),
)
STATED: Final = "stated by the supplier"
_ELECTRICITY: Final = r"(?i)\b(electricity|strom|\x{e9}lectricit\x{e9}|electricidad)\b"
_S_OF_METHOD: Final[Mapping[str, float]] = {"supplier-specific": 0.1, "spend": 0.4}
_S_PHYSICAL: Final = 0.2
"""Working assumptions of s, the standard deviation of the logarithm, where a factor's publisher states none."""
_DQ_OF_METHOD: Final[Mapping[str, int]] = {"supplier-specific": 1, "spend": 4}
_DQ_PHYSICAL: Final = 2


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to one question, as columns take it.

    value: kg CO2e a unit of the line's quantity, or a unit of `currency`; None where there is no number.
    """

    choice: Choice
    value: Fraction | None
    currency: str = ""
    price_year: int | None = None
    valuation: str = ""
    margin_share: Fraction | None = None
    has_margins: bool = False
    s_factor: float = 0.0
    s_class: float = 0.0
    group: str = ""


def asked(frame: pl.DataFrame, *, by_place: bool) -> pl.DataFrame:
    """The frame with the columns of a question, `KEYS`, and `country_of`.

    Args:
        by_place: some factors are told apart by their region only; else the country is no part of a coded question.
    """
    supplied = pl.col("supplier_factor").is_not_null()
    bare = pl.col("code").is_null() & pl.col("buyer_code").is_null() & pl.col("text").str.contains(_ELECTRICITY)
    electric = pl.col("n").is_not_null() & (bare | (pl.col("code").str.to_lowercase() == "electricity"))
    return frame.with_columns(
        electric=electric.fill_null(False),
        is_capital=(pl.col("capex").str.to_uppercase() == "Y").fill_null(False),
        country_of=pl.coalesce("country", "supplier_country"),
        place=pl.when(electric | pl.lit(by_place)).then(pl.coalesce("country", "supplier_country")),
        own_currency=pl.when(supplied).then(pl.col("currency")),
    )


def answer(row: Mapping[str, Any], catalog: Catalog) -> Answered:
    """The answer to one question (a row of `KEYS`)."""
    stated = _by_supplier(row, catalog) if row["supplier_factor"] is not None else None
    if stated is not None and stated.value is not None:
        return _capital(stated, row)
    found = _coded(row, catalog)
    if stated is None:
        return _capital(found, row)
    if found.value is None:
        return stated
    note = f"the supplier's factor is not used: {stated.choice.reason}"
    return _capital(replace(found, choice=replace(found.choice, review=True, note=note)), row)


def _coded(row: Mapping[str, Any], catalog: Catalog) -> Answered:
    query = Query(row["code_scheme"] or "", row["code"] or "", row["unit"] or "", row["year"] or 0, row["place"] or "")
    if row["electric"]:
        return _answered(select_electricity(query, catalog), catalog)
    if query.code:
        return _answered(select(query, catalog), catalog)
    if row["buyer_code"]:
        return _by_crosswalk(row["buyer_code"], query, catalog)
    return Answered(refused("the line has no code, and its text alone is no class"), None)


def _by_crosswalk(code: str, query: Query, catalog: Catalog) -> Answered:
    crosswalk = catalog.policy.crosswalk
    parts = crosswalk.parts.get(code)
    if parts is None:
        alike = crosswalk.without_zeros(code)
        lost = f"; it may have lost its leading zeros: the crosswalk has {', '.join(alike[:3])}" if alike else ""
        return Answered(refused(f"the crosswalk has no buyer_code {code!r}{lost}"), None)
    found = [(part, _of_part(part, query, catalog)) for part in parts]
    if failed := next((each for _, each in found if each.value is None), None):
        return failed
    if len(found) == 1:
        return found[0][1]
    return _mixed(code, found)


def _of_part(part: Part, query: Query, catalog: Catalog) -> Answered:
    answered = _answered(select(replace(query, scheme=part.scheme, code=part.code), catalog), catalog)
    place = answered.choice.place
    if part.category is None or place is None:
        return answered
    return replace(answered, choice=replace(answered.choice, place=replace(place, category=part.category)))


def _mixed(code: str, found: list[tuple[Part, Answered]]) -> Answered:
    """The mean of what a code stands for, and how far apart that is. Never a sum of two units."""
    first = found[0][1]
    bases = {(each.choice.basis, each.currency, each.price_year, each.valuation) for _, each in found}
    categories = {each.choice.place.category for _, each in found if each.choice.place}
    if len(bases) > 1:
        return Answered(
            refused(f"buyer_code {code!r} stands for factors of different units, which are not added"), None
        )
    if len(categories) > 1:
        names = ", ".join(map(str, sorted(filter(None, categories))))
        return Answered(refused(f"buyer_code {code!r} stands for the categories {names}; a line has one"), None)
    shares, values = [part.share for part, _ in found], [each.value or Fraction(0) for _, each in found]
    mean = sum((share * value for share, value in zip(shares, values, strict=True)), Fraction(0))
    s_class = class_spread([*map(float, shares)], [*map(float, values)])[1] if mean > 0 else 0.0
    taken = tuple(taken for _, each in found for taken in each.choice.taken)
    return replace(
        first,
        choice=replace(
            first.choice, taken=taken, shown=tuple(row for _, each in found for row in each.choice.shown[:1])
        ),
        value=mean,
        s_class=s_class,
        has_margins=any(each.has_margins for _, each in found),
    )


def _answered(choice: Choice, catalog: Catalog) -> Answered:
    if not choice.taken:
        return Answered(choice, None)
    first = choice.taken[0].candidate
    edition, factor = first.dataset.edition, first.factor
    by_amount = choice.basis == "amount"
    method = choice.place.method if choice.place else ""
    return Answered(
        choice,
        sum((taken.value for taken in choice.taken), Fraction(0)),
        currency=factor.unit if by_amount else "",
        price_year=edition.price_year if by_amount else None,
        valuation=edition.valuation or "" if by_amount else "",
        margin_share=None if factor.margin_share is None else Fraction(factor.margin_share),
        has_margins=by_amount and catalog.has_margins(factor),
        s_factor=factor.ln_sd if factor.ln_sd is not None else _S_OF_METHOD.get(method, _S_PHYSICAL),
        group=factor.error_group or f"{first.dataset.dataset_id} {first.number}",
    )


def _by_supplier(row: Mapping[str, Any], catalog: Catalog) -> Answered:
    """A supplier's own figure: only of cradle to gate, and only in the line's unit or a currency."""
    boundary = row["supplier_factor_boundary"]
    why = {
        "gate-to-gate": "it leaves out what the supplier buys, and no factor without the replaced stages is given",
        "cradle-to-grave": "it holds use and end of life, which are categories 11 and 12",
        None: "its boundary is not stated",
    }
    if boundary in why:
        return Answered(refused(why[boundary]), None)
    try:
        value, below = _stated_factor(row["supplier_factor"], row["supplier_factor_unit"] or "")
    except InputError as error:
        return Answered(refused(error.message), None)
    if value <= 0:
        return Answered(refused("it is not above 0"), None)
    found = _coded(row, catalog).choice.place
    place = Place((found.category if found else None) or 1, "supplier-specific", "cradle-to-gate")
    choice = Choice(place, "amount" if _is_money(below) else "quantity", shown=(("supplier", STATED, ""),))
    if _is_money(below):
        currency = below.dimension[0][0]
        return Answered(choice, value, currency=currency, s_factor=_S_OF_METHOD["supplier-specific"])
    if not row["unit"]:
        return Answered(
            refused(f"it is a {row['supplier_factor_unit']}, and the line has no quantity with a unit"), None
        )
    try:
        unit = unit_of(row["unit"])
    except InputError as error:
        return Answered(refused(f"of the line's quantity {error.message}"), None)
    if unit.dimension != below.dimension:
        return Answered(refused(f"it is a {row['supplier_factor_unit']}, and the quantity is in {row['unit']}"), None)
    return Answered(choice, value * unit.size / below.size, s_factor=_S_OF_METHOD["supplier-specific"])


def _stated_factor(text: str, unit: str) -> tuple[Fraction, Unit]:
    """kg CO2e a unit, and the unit below the stroke."""
    above, stroke, below = unit.replace(" per ", "/").partition("/")
    if not above.strip():
        raise InputError("its unit is not stated")
    mass = unit_of(above)
    if not stroke or mass.dimension != (("co2e", 1),):
        raise InputError("its unit is no mass of CO2e a unit, such as kgCO2e/kg")
    return exact(text, "supplier_factor") * mass.size, unit_of(below)


def _is_money(unit: Unit) -> bool:
    return len(unit.dimension) == 1 and len(unit.dimension[0][0]) == 3 and unit.dimension[0][0].isupper()


def _capital(answered: Answered, row: Mapping[str, Any]) -> Answered:
    place = answered.choice.place
    if not row["is_capital"] or place is None or place.category != 1:
        return answered
    return replace(answered, choice=replace(answered.choice, place=replace(place, category=2)))


def as_row(answered: Answered) -> dict[str, Any]:
    """Columns of an answer."""
    choice, taken = answered.choice, answered.choice.taken
    place = choice.place
    ids = list(dict.fromkeys(each.candidate.dataset.dataset_id for each in taken))
    method = place.method if place else None
    is_stated = answered.value is not None and not taken
    first = taken[0].candidate if taken else None
    return {
        "choice_fate": choice.fate,
        "choice_reason": choice.reason or None,
        "choice_review": choice.review,
        "note": choice.note or None,
        "category": place.category if place else None,
        "method": method,
        "basis": choice.basis if answered.value is not None else None,
        "dataset_id": STATED if is_stated else "+".join(ids) or None,
        "factor_no": "supplier" if is_stated else "+".join(str(each.candidate.number) for each in taken) or None,
        "factor_currency": answered.currency or None,
        "price_year": answered.price_year,
        "factor_valuation": answered.valuation or None,
        "has_margins": answered.has_margins,
        "s_factor": answered.s_factor,
        "s_class": answered.s_class,
        "error_group": answered.group or None,
        "price_scheme": first.factor.scheme if first else None,
        "price_code": first.factor.code if first else None,
        **_quality(first, method or "", taken),
    }


def _quality(first: Candidate | None, method: str, taken: tuple[Taken, ...]) -> dict[str, Any]:
    edition = first.dataset.edition if first else None
    return {
        "dq_method": _DQ_OF_METHOD.get(method, _DQ_PHYSICAL),
        "edition_year": edition.year or None if edition else None,
        "factor_region": (first.factor.region or None) if first else None,
        "screening": bool(edition and edition.screening),
        "gwp_fixed": any(not each.candidate.factor.gases for each in taken),
        "is_mapped": any(each.flags for each in taken),
    }


@cache
def s_of(s_factor: float, s_class: float, s_own: float) -> float:
    """s of a product of independent lognormals."""
    return math.sqrt(s_factor**2 + s_class**2 + s_own**2)
