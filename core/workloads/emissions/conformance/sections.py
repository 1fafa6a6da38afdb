"""Rows of the sections beside the worked examples: units, prices, uncertainty, double counts, investments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from core.errors import InputError
from core.workloads.emissions.conformance.rows import Row
from core.workloads.emissions.conformance.terms import measured, number, term_value
from core.workloads.emissions.rules.financed import financed, weighted_score
from core.workloads.emissions.rules.gases import GWP_SETS, co2e
from core.workloads.emissions.rules.uncertainty import class_spread, grouped, pedigree_s, spread_of
from core.workloads.emissions.rules.units import ratio, unit_of


def unit_rows(content: Mapping[str, Any]) -> Iterator[Row]:
    """Equal quantities, and what must be refused (1: it is)."""
    for left, right in content.get("equal", ()):
        (given, its_unit), (_, wanted) = (measured(text.split(maxsplit=1), "a quantity") for text in (left, right))
        yield Row("units", f"{left} = {right}", right.split(maxsplit=1)[0], given * ratio(its_unit, wanted, left))
    for text in content.get("refused", ()):
        yield Row("units", f"refused: {text}", 1, Fraction(_is_refused(text)))


def gwp_rows(content: Mapping[str, Any]) -> Iterator[Row]:
    """Gases by report, and blends by the mass of their parts."""
    gases = {name: values for name, values in content.items() if name != "blends_by_mass"}
    parts = {name: {name: Fraction(1)} for name in gases}
    for name, said in content.get("blends_by_mass", {}).items():
        gases[name] = {key: value for key, value in said.items() if key in GWP_SETS}
        parts[name] = {gas: number(share, name) for gas, share in said["parts"].items()}
    for name, values in gases.items():
        yield from (_gwp_row(name, parts[name], gwp_set, expected) for gwp_set, expected in values.items())


def _gwp_row(name: str, parts: Mapping[str, Fraction], gwp_set: str, expected: Any) -> Row:
    try:
        return Row("gwp_100", f"{name} {gwp_set}", expected, co2e(parts, gwp_set), unit="kgCO2e/kg")
    except InputError as error:
        return Row("gwp_100", f"{name} {gwp_set}", expected, None, wrong=True, note=error.message)


def price_rows(content: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Net amount x rate x index(factor's year) / index(year of purchase) x factor."""
    for case in content:
        rate = next(value for name, value in case.items() if name.startswith("fx"))
        years = sorted(year for year in case["index"] if re.fullmatch(r"\d{4}", str(year)))
        bought = next(year for year in re.findall(r"\d{4}", case["label"]) if year in years)
        basis = next(year for year in years if year != bought)
        share = [case["index"][basis], case["index"][bought]]
        term = {"quantity": case["net_amount"], "times": [rate], "factor": case["factor"]}
        deflated = {**term, "share": share, "share_unit": "1/1"}
        yield Row("price_basis", case["label"], case["kg"], term_value(deflated, unit_of("kgCO2e")), unit="kgCO2e")


def uncertainty_rows(content: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Grouped sums, pedigrees and likely classes."""
    for case in content:
        if "lines" in case:
            names = list(case["groups"])
            factors = tuple(np.array([float(case["groups"][name][key]) for name in names]) for key in ("f", "s"))
            x, s, group = grouped(case["lines"], names)
            found = spread_of((x, s, group), (factors[0], factors[1]))
            alone = spread_of((x, s, np.arange(len(x))), (factors[0][group], factors[1][group]))
            got = {"mean": found.mean, "sd": found.sd, "sd_if_lines_were_independent": alone.sd}
            for name, value in got.items():
                yield Row("uncertainty", name, case[name], Fraction(value))
            for end, value in enumerate((found.low, found.high)):
                yield Row(
                    "uncertainty", f"interval_95 {('low', 'high')[end]}", case["interval_95"][end], Fraction(value)
                )
        elif "pedigree" in case:
            own = case["pedigree"]
            yield Row("uncertainty", "pedigree s", own["s"], Fraction(pedigree_s(own["factors"], own["basic"])))
        else:
            own = case["classes"]
            mean, s_class = class_spread(own["p"], own["f"])
            yield Row("uncertainty", "classes mean", own["mean"], Fraction(str(round(mean, 12))))
            yield Row("uncertainty", "classes s", own["s"], Fraction(s_class))


def double_count_rows(content: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """A better figure for the covered part, the spend factor for the rest."""
    for case in content:
        spend, covered, kg, factor = (
            number(case[name], name) for name in ("spend_usd", "covered_usd", "supplier_kg", "spend_factor")
        )
        got = kg + max(Fraction(0), spend - covered) * factor
        yield Row("double_count", case["label"], case["total_kg"], got, unit="kgCO2e")


def pcaf_rows(content: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    """Each investment, and the score of all of them."""
    amounts: list[Fraction] = []
    scores: list[int] = []
    for case in content:
        if "portfolio_score_weighted_by_outstanding" in case:
            got = weighted_score(amounts, scores)
            yield Row("pcaf", "portfolio score", case["portfolio_score_weighted_by_outstanding"], got)
            continue
        names = ("evic", "equity", "debt", "value_at_origination", "ppp_gdp")
        worth = {name: number(case[name], name) for name in names if name in case}
        outstanding = number(case["outstanding"], "outstanding")
        amounts.append(outstanding)
        scores.append(int(case["score"]))
        got = financed(outstanding, number(case["emissions_t"], "emissions_t"), worth)
        yield Row("pcaf", case["asset_class"], case["financed_t"], got, unit="tCO2e")


def _is_refused(text: str) -> bool:
    """`X as Y`: X is not converted to Y. `X without a kind`: X is no unit, or, of fuels, no gross one."""
    given, _, wanted = text.partition(" as ")
    try:
        if wanted:
            ratio(unit_of(given), unit_of(wanted), given)
        elif "gross" in text:
            ratio(unit_of(given.split()[0]), unit_of("kWh_gross"), given)
        else:
            unit_of(given.split(" without ")[0])
    except InputError:
        return True
    return False
