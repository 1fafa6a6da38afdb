"""Rows of worked examples: totals, parts, allocations, ranges, scenarios and chains of companies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from core.errors import InputError
from core.workloads.emissions.conformance.rows import Row
from core.workloads.emissions.conformance.terms import allocated, number, ranged, scenario_terms, term_value
from core.workloads.emissions.rules.units import unit_of

_SCOPE: Final = re.compile(r"sum of scope (\d) = ([\d.]+)")
_LOSS: Final = re.compile(r"(\w+) (.+) = ([\d.]+) MWh \* ([\d.]+)")


def example_rows(examples: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """One row or more for each example; an example that is refused is a wrong row with the sentence."""
    for example in examples:
        name = str(example.get("id", "?"))
        try:
            yield from _rows_of(name, example)
        except InputError as error:
            yield Row(name, "total", example.get("result", {}).get("recomputed"), None, wrong=True, note=error.message)


def _rows_of(name: str, example: Mapping[str, Any]) -> Iterator[Row]:
    if "companies" in example:
        yield from _chain_rows(name, example)
        return
    result = example["result"]
    unit = str(result["unit"])
    if "allocation" in example:
        shares = allocated(example["allocation"])
        yield Row(name, "total", result["recomputed"], sum(shares.values(), Fraction(0)), result.get("printed"), unit)
        for one, expected in example.get("expected", {}).items():
            yield Row(name, one, expected, shares[one], unit=unit)
        return
    terms = example["terms"]
    if example.get("range"):
        for end, part in enumerate(("low", "high")):
            printed = result["printed"][end] if "printed" in result else None
            yield Row(name, part, result["recomputed"][end], _total(ranged(terms, end), unit), printed, unit)
        return
    yield Row(name, "total", result["recomputed"], _total(terms, unit), result.get("printed"), unit)
    printed = {slip["part"]: slip.get("printed") for slip in example.get("misprints", ())}
    for part, expected in example.get("parts", {}).items():
        own = [term for term in terms if term.get("part") == part]
        if own:
            yield Row(name, part, expected, _total(own, unit), printed.get(part), unit)
    for term in terms:
        if "expected" in term:
            yield Row(name, str(term["label"]), term["expected"], _total([term], unit), unit=unit)
    scenarios = example.get("scenarios", {})
    base = next(iter(scenarios.values()), ())
    for which, figures in scenarios.items():
        expected = example["scenario_results"][which]
        yield Row(name, which, expected, _total(scenario_terms(terms, base, figures), unit), unit=unit)


def _total(terms: Sequence[Mapping[str, Any]], unit: str) -> Fraction:
    wanted = unit_of(unit)
    if not terms:
        raise InputError("the example has no terms")
    return sum((term_value(term, wanted) for term in terms), Fraction(0))


def _chain_rows(name: str, example: Mapping[str, Any]) -> Iterator[Row]:
    """Each stated identity of a chain of companies, both sides of it."""
    companies = example["companies"]
    for identity in example.get("identities", ()):
        if found := _SCOPE.fullmatch(identity):
            scope = f"scope_{found[1]}"
            got = sum((number(company[scope], scope) for company in companies.values()), Fraction(0))
            yield Row(name, identity, found[2], got, unit="tCO2e")
        elif found := _LOSS.fullmatch(identity):
            key = found[2].replace(" ", "_")
            lines = companies[found[1]]["scope_3"]
            own = [value for line, value in lines.items() if line.endswith(key)]
            product = number(found[3], identity) * number(found[4], identity)
            yield Row(name, identity, own[0], product, unit="tCO2e")
        else:
            yield Row(name, identity, None, None, note="this identity cannot be read")
