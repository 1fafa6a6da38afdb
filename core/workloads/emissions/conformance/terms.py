"""Terms of a worked example multiplied exactly, units and all."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from core.errors import InputError
from core.workloads.emissions.rules.units import ONE, Unit, ratio, unit_of


def number(value: Any, what: str) -> Fraction:
    """A number of a vector, as its text says it. Raises InputError: it is none; a blank is never 0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputError(f"{what}: {value!r} is no number")
    try:
        return Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        raise InputError(f"{what}: {value!r} is no number") from None


def measured(value: Any, what: str) -> tuple[Fraction, Unit]:
    """`[number, unit]`. Raises InputError: it is not of that form, or the unit cannot be read."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < 2:
        raise InputError(f"{what}: {value!r} is not [number, unit]")
    return number(value[0], what), unit_of(str(value[1]))


def term_value(term: Mapping[str, Any], wanted: Unit) -> Fraction:
    """The term in the unit of the result.

    Raises InputError: a figure is missing or no number, or the units do not multiply out to the result's.
    """
    what = f"the term {term.get('label', '')!r}"
    if "quantity" not in term:
        raise InputError(f"{what} has no quantity")
    amount, unit = measured(term["quantity"], f"{what}, quantity")
    factors = [*term.get("times", ()), *([term["factor"]] if "factor" in term else [])]
    for factor in factors:
        size, its_unit = measured(factor, what)
        amount, unit = amount * size, unit * its_unit
    share, share_unit = _share(term, what)
    return amount * share * ratio(unit * share_unit, wanted, what)


def ranged(terms: Sequence[Mapping[str, Any]], end: int) -> list[dict[str, Any]]:
    """The terms with the lower (0) or upper (1) figure of every `[[low, high], unit]`."""
    found = []
    for term in terms:
        times = [[x[0][end] if isinstance(x[0], list) else x[0], *x[1:]] for x in term.get("times", ())]
        found.append({**term, "times": times})
    return found


def allocated(spec: Mapping[str, Any]) -> dict[str, Fraction]:
    """A total shared out by the product of each one's keys. Raises InputError: the keys come to nothing."""
    total, _ = measured(spec.get("total"), "the total to allocate")
    weights: dict[str, Fraction] = {}
    for name, parts in spec.get("keys", {}).items():
        weights[name] = Fraction(1)
        for part in parts:
            weights[name] *= number(part, f"the key of {name}")
    whole = sum(weights.values(), Fraction(0))
    if whole <= 0:
        raise InputError("the keys of an allocation come to nothing; they must be above 0")
    return {name: total * weight / whole for name, weight in weights.items()}


def scenario_terms(terms: Sequence[Mapping[str, Any]], base: Sequence[Any], own: Sequence[Any]) -> list[dict[str, Any]]:
    """The terms with the figures of another scenario in the places where those of the first stand."""
    changed = dict(zip(map(str, base), own, strict=True))
    return [
        {**term, "times": [[changed.get(str(x[0]), x[0]), *x[1:]] for x in term.get("times", ())]} for term in terms
    ]


def _share(term: Mapping[str, Any], what: str) -> tuple[Fraction, Unit]:
    if "share" not in term:
        return Fraction(1), ONE
    above, below = (number(part, f"{what}, share") for part in term["share"])
    if below == 0:
        raise InputError(f"{what}: its share divides by 0")
    unit = str(term.get("share_unit", ""))
    if not unit:
        return above / below, ONE
    top, _, bottom = re.sub(r"\s", "", unit).partition("/")
    return above / below, unit_of(top) / unit_of(bottom) if bottom else unit_of(top)
