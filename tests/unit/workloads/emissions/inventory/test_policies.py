"""Policies and the files that they name: read whole, or refused with one sentence."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from core.errors import ConfigError, HeadraceError, InputError
from core.workloads.emissions.inventory.policies.crosswalk import read_crosswalk
from core.workloads.emissions.inventory.policies.own_entities import read_own
from core.workloads.emissions.inventory.policies.policy import read_policy
from core.workloads.emissions.inventory.policies.rates import read_prices, read_rates

FX = "period,base,quote,rate\n"
DAYS = FX + "2024-03-01,EUR,USD,1.08\n2024-03-02,EUR,USD,1.10\n2024-03-01,EUR,GBP,0.86\n2024,EUR,SEK,11\n"


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rates_as_stated_inverted_crossed_and_as_means(tmp_path: Path) -> None:
    day = read_rates(written(tmp_path, "fx.csv", DAYS), "day")
    assert day.rate("EUR", "USD", "2024-03-01") == Fraction("1.08")
    assert day.rate("USD", "EUR", "2024-03-01") == 1 / Fraction("1.08")
    assert day.rate("GBP", "USD", "2024-03-01") == Fraction("1.08") / Fraction("0.86")
    assert day.rate("EUR", "USD", "2024-03-03") is None
    assert day.period_of("2024-03") is None
    month = read_rates(tmp_path / "fx.csv", "month")
    assert month.rate("EUR", "USD", "2024-03") == Fraction("1.09")
    assert month.rate("EUR", "SEK", "2024-03") is None


def test_the_longest_prefix_that_has_both_years(tmp_path: Path) -> None:
    text = "currency,code_scheme,code_prefix,year,index\nUSD,,,2022,100\nUSD,,,2024,110\n"
    text += "USD,naics-2017,5415,2022,100\nUSD,naics-2017,5415,2023,102\n"
    found = read_prices(written(tmp_path, "prices.csv", text))
    code = ("naics-2017", "541511")
    assert found.ratio("USD", code, 2023, 2022) == Fraction(100, 102)
    assert found.ratio("USD", code, 2024, 2022) == Fraction(100, 110)
    assert found.ratio("EUR", code, 2024, 2022) is None
    assert found.ratio("EUR", code, 2022, 2022) == 1


@pytest.mark.parametrize(
    ("reader", "text", "why"),
    [
        ("fx", FX + "2024,EUR,USD,0\n", "row 2, rate must be above 0"),
        ("fx", FX + "2024,EUR,XXQ,1\n", "'XXQ' is no currency"),
        ("fx", FX + "01/02/2024,EUR,USD,1\n", "row 2, period: is no YYYY"),
        ("fx", FX + "2024,EUR,USD,1\n2024,EUR,USD,2\n", "EUR to USD of 2024 has two rates"),
        ("fx", "period,base,quote\n2024,EUR,USD\n", "has no column 'rate'"),
        ("prices", "currency,code_scheme,code_prefix,year,index\nUSD,,,24,1\n", "no year of four digits"),
        ("crosswalk", "buyer_code,code_scheme,code,share\nA,naics,541511,60\nA,naics,541512,30\n", "come to 90"),
        ("crosswalk", "buyer_code,code_scheme,code,category\nA,naics,541511,16\n", "no whole number of 1 to 15"),
        ("crosswalk", "buyer_code,code_scheme,code\nA,isic,62\n", "there is no code_scheme 'isic'"),
        ("own", "name,vat\n,\n", "a row has neither|needs a name or a vat|no rows"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, reader: str, text: str, why: str) -> None:
    path = written(tmp_path, "file.csv", text)
    readers = {"prices": read_prices, "crosswalk": read_crosswalk, "own": read_own}
    with pytest.raises(HeadraceError, match=why):
        read_rates(path, "year") if reader == "fx" else readers[reader](path)


def test_shares_may_be_percent(tmp_path: Path) -> None:
    text = "buyer_code,code_scheme,code,share\nA,naics,541511,60\nA,naics,541512,40\n"
    parts = read_crosswalk(written(tmp_path, "x.csv", text)).parts["A"]
    assert [part.share for part in parts] == [Fraction(3, 5), Fraction(2, 5)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gwp_set: AR3", "gwp_set is AR4 or AR5 or AR6, not 'AR3'"),
        ("margin: with", "there is no 'margin' in a policy"),
        ("max_line_amount: -1", "a number above 0"),
        ("fx: {basis: day}", "fx needs a file"),
        ("fx: {file: none.csv}", "is not there"),
        ("fx: {file: policy.yaml, basis: week}", "the basis of fx is day, month, year"),
        ("- 1", "holds no names"),
        ("a: [", "cannot be read as YAML"),
    ],
)
def test_a_bad_policy_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        read_policy(written(tmp_path, "policy.yaml", text), is_starter=False)


def test_a_policy_without_rates_has_none_but_on_the_starter(tmp_path: Path) -> None:
    path = written(tmp_path, "policy.yaml", "valuation: purchaser\n")
    assert read_policy(path, is_starter=False).rates.rate("EUR", "USD", "2024") is None
    assert read_policy(path, is_starter=True).rates.rate("EUR", "USD", "2024") is not None


def test_an_own_entity_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="row 2: an own entity needs a name or a vat"):
        read_own(written(tmp_path, "own.csv", "name,country\n,DE\n"))
