"""Parts of organisations' names."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.specs.spec import load_spec
from core.matching.standardise.normalise import normalise
from core.matching.standardise.organisation_names import organisation_part

PARTS = ("head", "rest", "numbers", "legal_form", "acronym")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("the northwind trading company no. 12, ltd.", ("northwind", "trading", "12", "limited", None)),
        ("trading northwind limited", ("northwind", "trading", None, "limited", None)),
        ("international business machines corp", ("business", "machines", None, "corporation", None)),
        ("air blue cargo inc.", ("cargo", "air blue", None, "incorporated", "abc")),
        ("ibm", ("ibm", None, None, None, "ibm")),
        ("i.b.m. gmbh", ("ibm", None, None, "gmbh", "ibm")),
        ("müller & söhne g.m.b.h.", ("müller", "söhne", None, "gmbh", None)),
        ("shop 007", ("shop", None, "7", None, "shop")),
        ("the group", ("group", "the", None, None, None)),
        ("sa", ("sa", None, None, None, "sa")),
        ("株式会社", ("株式会社", None, None, None, "株式会社")),
        ("12", (None, None, "12", None, None)),
        ("🙂", (None, None, None, None, None)),
        ("", (None, None, None, None, None)),
        (None, (None, None, None, None, None)),
    ],
)
def test_organisation_part_takes_names_apart(name: str | None, parts: tuple[str | None, ...]) -> None:
    column = pl.Series([name], dtype=pl.String)
    assert tuple(organisation_part(column, part)[0] for part in PARTS) == parts


def test_normalise_reads_domains_of_websites() -> None:
    spec = load_spec("organisations")
    sites = ["https://www.Acme.example/about?x=1", "acme.example", "www2.shop.acme.co.uk:80", "none", "a@b.org", None]
    frame = pl.DataFrame({name: pl.Series([None] * len(sites), dtype=pl.String) for name in spec.columns})
    found = normalise(frame.with_columns(website=pl.Series(sites)), spec)["domain"].to_list()
    assert found == ["acmeexample", "acmeexample", "shopacmecouk", None, None, None]
