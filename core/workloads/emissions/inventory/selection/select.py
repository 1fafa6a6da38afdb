"""The factor, or sum of factors, of a distinct question of lines; or one sentence that says why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final, Literal

from core.currencies import EXPONENTS
from core.errors import InputError
from core.workloads.emissions.inventory.selection.catalog import Candidate, Catalog
from core.workloads.emissions.inventory.selection.ranking import ALIASES, Asked, first_lost, ranked
from core.workloads.emissions.rules.categories import REFUSED_STAGES, Place, place_of
from core.workloads.emissions.rules.units import Unit, spelt, unit_of

Basis = Literal["amount", "quantity"]
NAICS: Final = ("naics-2012", "naics-2017", "naics-2022", "naics")
SCHEMES: Final = (*NAICS, "useeio", "desnz", "epa-hub", "own")
SHOWN: Final = 5
_ROUNDING: Final = Fraction(1, 1000)
"""Relative: figures of one activity in two units differ by less, as each is rounded."""
_DRIVEN: Final = {(("length", 1),), (("length", 1), ("vehicle", 1))}


@dataclass(frozen=True, slots=True)
class Query:
    """What lines ask for; lines with the same question get the same answer. Blank: not stated."""

    scheme: str
    code: str
    unit: str
    year: int
    country: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A factor that counts. value: kg CO2e a unit of the line, or a currency unit of the factor."""

    candidate: Candidate
    value: Fraction
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """What a question comes to.

    Attributes:
        taken: added up; empty where there is no number. fate, reason: why there is none.
        review, note: the number counts, and somebody should look at it.
        shown: candidates as (data set, factor, first criterion lost; blank for the chosen).
    """

    place: Place | None = None
    basis: Basis = "amount"
    taken: tuple[Taken, ...] = ()
    fate: str | None = None
    reason: str = ""
    review: bool = False
    note: str = ""
    shown: tuple[tuple[str, str, str], ...] = field(default=())


def refused(reason: str, fate: str = "review") -> Choice:
    """No number, and why."""
    return Choice(fate=fate, reason=reason)


def select(query: Query, catalog: Catalog) -> Choice:
    """The choice of a coded line."""
    if query.scheme not in SCHEMES:
        if not query.scheme:
            return refused("the line has a code and no code_scheme that says what it is a code of")
        return refused(f"there is no code_scheme {query.scheme!r}; there are {', '.join(SCHEMES)}", "rejected")
    if query.scheme in NAICS or query.scheme == "useeio":
        return _by_spend(query, catalog)
    return _by_activity(query, catalog)


def _by_spend(query: Query, catalog: Catalog) -> Choice:
    code = query.code.removesuffix(".0")
    found, why = spend_candidates(query.scheme, code, catalog)
    if not found:
        return refused(why)
    place = place_of("naics", found[0][1].factor.code)
    order = ranked(found, Asked(query.year, query.country, found[0][1].factor.unit))
    best = order[0][0]
    # Of one source and edition, the codes that the line's code stands for must agree.
    same = [candidate for places, candidate in order if places == best]
    values = {catalog.kg(candidate.factor) for candidate in same}
    shown = _shown(order)
    if None in values:
        return replace(refused(f"the publisher gives no figure for {code}; a blank is no 0"), place=place, shown=shown)
    if len(values) > 1:
        low, high = min(v for v in values if v is not None), max(v for v in values if v is not None)
        sentence = (
            f"{query.scheme} {code} stands for {len(same)} codes with factors of {float(low):g} to {float(high):g}"
        )
        return replace(refused(f"{sentence} kg; name one of them"), place=place, shown=shown)
    chosen = same[0]
    if chosen.factor.unit not in EXPONENTS:
        return refused(f"the factor of {code} is a {chosen.factor.unit}, not a currency unit")
    flags = ("mapped code",) if best[1] else ()
    return Choice(place, "amount", (Taken(chosen, _known(values.pop()), flags),), shown=shown)


def spend_candidates(scheme: str, code: str, catalog: Catalog) -> tuple[list[tuple[int, Candidate]], str]:
    """Candidates with how their code was found: 0 as it is, 1 of another revision, 2 as parent; or why none."""
    if scheme == "useeio":
        found = catalog.of_reference(code)
        return [(1, each) for each in found], f"no factor of the set has the reference code {code}"
    if not code.isdigit() or not 2 <= len(code) <= 6:
        return [], f"{code!r} is no code of NAICS, which has two to six digits"
    if len(code) < 6:
        found = catalog.below("naics-2017", code)
        if without := _children_without_factor(code, found, catalog):
            return [], f"{scheme} {code} also stands for {without}, for which the set has no factor; name one code"
        return [(2, each) for each in found], f"no factor of the set stands below {scheme} {code}"
    direct = [(0, each) for each in catalog.exact(scheme, code)] if scheme != "naics-2017" else []
    codes = _codes_of_2017(scheme, code, catalog)
    level = 0 if codes == {code} else 1
    found = [each for mapped in sorted(codes) for each in catalog.exact("naics-2017", mapped)]
    lost = [mapped for mapped in sorted(codes) if not catalog.exact("naics-2017", mapped)]
    if found and lost:
        return direct, f"{scheme} {code} also stands for {', '.join(lost)} of 2017, for which there is no factor"
    if not found and not direct and scheme == "naics-2017":
        return [], _why_not_2017(code, catalog)
    mapped_found = [(level, each) for each in found]
    return direct + mapped_found, f"there is no factor for {scheme} {code} in the set"


def _children_without_factor(code: str, found: Sequence[Candidate], catalog: Catalog) -> str:
    """A code below the parent that no factor is known for; blank: all have one, as far as codes are known."""
    if any(candidate.dataset.edition.screening for candidate in found):
        return "more codes than the screening set holds"
    children = {known for known in catalog.set.revisions.known.get("2017", ()) if known.startswith(code)}
    lost = sorted(children - {candidate.factor.code for candidate in found})
    return ", ".join(lost[:4]) if found else ""


def _codes_of_2017(scheme: str, code: str, catalog: Catalog) -> frozenset[str]:
    """Without a revision said, all that the code stands for in any."""
    revisions = catalog.set.revisions
    if scheme == "naics":
        return revisions.of_any(code)
    return revisions.to_2017(scheme[-4:], code)


def _why_not_2017(code: str, catalog: Catalog) -> str:
    for year in ("2022", "2012"):
        mapped = catalog.set.revisions.to_2017(year, code)
        if mapped != {code}:
            return f"{code} is no code of NAICS 2017 but of {year}, where it is {', '.join(sorted(mapped))} of 2017"
    return f"there is no factor for naics-2017 {code} in the set, and none is made of its parent"


def _by_activity(query: Query, catalog: Catalog) -> Choice:
    code = query.code
    if not query.unit:
        return refused("the line names a row of activity and no unit of its quantity", "rejected")
    try:
        unit = unit_of(query.unit)
    except InputError as error:
        return refused(error.message)
    found = [(0, each) for each in catalog.exact(query.scheme, code)]
    found = found or [(2, each) for each in catalog.below(query.scheme, code)]
    if not found:
        return refused(f"there is no factor {query.scheme} {code!r} in the set")
    place = place_of(query.scheme, found[0][1].factor.code)
    if query.scheme == "own":
        place = place or Place(1, "average-data", "cradle-to-gate")
    if place is None or place.category is None:
        why = REFUSED_STAGES.get(place.stage if place else "", "has no category in scope 3")
        return refused(f"{code!r} {why}")
    fits = [(level, each) for level, each in found if size_in(unit, each.unit) is not None]
    if not fits:
        return replace(refused(*_misfit(query, unit, [each for _, each in found])), place=place)
    order = ranked(fits, Asked(query.year, query.country, _spelling(query.unit, fits)))
    return replace(_of_order(query, catalog, order, unit), place=place, shown=_shown(order))


def _of_order(
    query: Query, catalog: Catalog, order: Sequence[tuple[tuple[object, ...], Candidate]], unit: Unit
) -> Choice:
    best = order[0][0]
    same = [candidate for places, candidate in order if places == best]
    values = {_in_line_unit(catalog, candidate, unit) for candidate in same}
    known = sorted(value for value in values if value is not None)
    if not known:
        return refused(f"the publisher gives no figure for {query.code!r} in {query.unit}; a blank is no 0")
    if None in values or known[-1] - known[0] > _ROUNDING * abs(known[0]):
        rows = ", ".join(sorted({candidate.factor.code.rpartition(" > ")[2] for candidate in same})[:6])
        return refused(
            f"{query.code!r} is ambiguous: {len(same)} rows of {float(known[0]):g} to {float(known[-1]):g} kg "
            f"a {query.unit} ({rows})"
        )
    # One figure, rounded in several units: that with most digits says it best.
    chosen = max(same, key=lambda candidate: (len((candidate.factor.value or "").strip("0.")), -candidate.number))
    flags = ("mapped code",) if best[1] else ()
    taken = [Taken(chosen, _known(_in_line_unit(catalog, chosen, unit)), flags)]
    note = ""
    if catalog.policy.well_to_tank == "add" and chosen.factor.code.partition(" > ")[0].casefold() in WELL_TO_TANK:
        beside = well_to_tank(chosen, catalog)
        value = None if beside is None else _in_line_unit(catalog, beside, unit)
        if beside is None or value is None:
            note = "the policy adds the well-to-tank row, and the publisher gives none"
        else:
            taken.append(Taken(beside, value))
    return Choice(basis="quantity", taken=tuple(taken), review=bool(note), note=note)


WELL_TO_TANK: Final = {
    "business travel- air": "WTT- business travel- air",
    "business travel- sea": "WTT- business travel- sea",
    "business travel- land": "WTT- pass vehs & travel- land",
    "freighting goods": "WTT- delivery vehs & freight",
    "managed assets- vehicles": "WTT- pass vehs & travel- land",
}


def well_to_tank(candidate: Candidate, catalog: Catalog) -> Candidate | None:
    """The well-to-tank row beside a row of DESNZ, of the same unit and data set; None: there is none."""
    if candidate.factor.scheme != "desnz":
        return None
    first, _, rest = candidate.factor.code.partition(" > ")
    head = WELL_TO_TANK.get(first.casefold())
    if head is None:
        return None
    name, _, tail = rest.casefold().removeprefix("managed ").partition(" > ")
    # DESNZ has no refrigerated lorries, and plural motorbikes, in its well-to-tank tables.
    for group in (name, name.removesuffix("s"), name.replace("hgvs", "hgv").replace(" refrigerated", "")):
        beside = [
            each
            for each in catalog.exact("desnz", f"{head} > WTT- {group}" + (f" > {tail}" if tail else ""))
            if each.factor.unit == candidate.factor.unit and each.dataset is candidate.dataset
        ]
        if beside:
            return beside[0]
    return None


ELECTRICITY: Final = {
    "GB": (
        "WTT- UK electricity > WTT- UK electricity (generation) > Electricity: UK > kWh",
        "Transmission and distribution > T&D- UK electricity > Electricity: UK > kWh",
        "WTT- UK electricity > WTT- UK electricity (T&D) > Electricity: UK > kWh",
    )
}
"""Rows that an electricity line without a row of its own counts: well-to-tank, losses, and well-to-tank of losses."""


def select_electricity(query: Query, catalog: Catalog) -> Choice:
    """Electricity bought, of which nobody says which row it is; the generation itself is scope 2."""
    country = ALIASES.get(query.country.upper(), query.country.upper())
    if country not in ELECTRICITY:
        where = f"of {country}" if country else "of a line without country"
        return refused(f"no rows of well-to-tank and losses are known for electricity {where}")
    parts = [select(replace(query, scheme="desnz", code=code), catalog) for code in ELECTRICITY[country]]
    if failed := next((part for part in parts if part.fate), None):
        return refused(f"electricity needs well-to-tank, losses and well-to-tank of losses: {failed.reason}")
    return Choice(
        Place(3, "average-data", "well-to-tank"),
        "quantity",
        tuple(taken for part in parts for taken in part.taken[:1]),
        shown=tuple(row for part in parts for row in part.shown[:1]),
    )


def size_in(given: Unit, wanted: Unit) -> Fraction | None:
    """What one `given` is in `wanted`; None: another dimension. A km of a vehicle's factor is a vehicle-km."""
    fits = given.dimension == wanted.dimension or {given.dimension, wanted.dimension} == _DRIVEN
    return given.size / wanted.size if fits else None


def _in_line_unit(catalog: Catalog, candidate: Candidate, unit: Unit) -> Fraction | None:
    value, size = catalog.kg(candidate.factor), size_in(unit, candidate.unit)
    return None if value is None or size is None else value * size


def _misfit(query: Query, unit: Unit, found: Sequence[Candidate]) -> tuple[str, str]:
    dimensions = {spelt(candidate.unit.dimension) for candidate in found}
    if spelt(unit.dimension) == "energy" and dimensions & {"energy_gross", "energy_net"}:
        return f"{query.unit} of a fuel is gross or net: write {query.unit} (Gross CV) or (Net CV)", "review"
    units = ", ".join(sorted({candidate.factor.unit for candidate in found}))
    return (
        f"the unit {query.unit} is a {spelt(unit.dimension)}, and {query.code!r} has factors a {units} only",
        "rejected",
    )


def _spelling(unit: str, fits: Sequence[tuple[int, Candidate]]) -> str:
    """The factors' spelling of the very unit of the line, where one has it."""
    given = unit_of(unit)
    return next((each.factor.unit for _, each in fits if each.unit == given), unit)


def _shown(order: Sequence[tuple[tuple[object, ...], Candidate]]) -> tuple[tuple[str, str, str], ...]:
    best = order[0][0]
    return tuple(
        (
            f"{each.dataset.edition.source} {each.dataset.edition.edition}",
            f"{each.number}: {each.factor.label} a {each.factor.unit}",
            first_lost(best, places),
        )
        for places, each in order[:SHOWN]
    )


def _known(value: Fraction | None) -> Fraction:
    assert value is not None
    return value
