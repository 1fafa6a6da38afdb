"""Every kind of made records: its shape, its truth, and that a seed makes what it always made."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import polars as pl
import pytest

from core.errors import ConfigError
from core.made_records.kinds import KINDS, ROWS_MOST, kind_of, make_records
from core.made_records.rates import RANGES, drawn_rates

PAGE = Path(__file__).parents[3] / "docs/reference/made-records.md"
ROWS = 400

# Changed generators make other files for the same seed: older figures do not hold for them any more, so the changelog
# and the tables of docs/explain/accuracy.md must say so.
DIGESTS = {
    "suppliers": "3c0f5dc5072d8459",
    "sites": "7ec8e0e51afc5506",
    "catalogues-electronics": "9fafa1e817f4c7ee",
    "catalogues-software": "6f38b8c91aa71e00",
    "catalogues-shop": "b5bdf01de21b2b0f",
    "papers-clean": "10855fb885449225",
    "papers-scraped": "ba82bce92a24138e",
    "songs": "19cbf9e3ad724114",
    "master": "bd73a21b980f6c5d",
    "names-people": "7bfa25154c769aa2",
    "companies": "0483c356ce92df8d",
    "spellings": "b5f6547380ad2d5d",
    "ledgers": "46cbf55bc333a37d",
}


@cache
def files_of(kind: str, seed: int = 3) -> tuple[pl.DataFrame, ...]:
    return make_records(kind, ROWS, seed)


def of(kind: str, seed: int = 3) -> pl.DataFrame:
    """All files of a kind, one below the other."""
    return pl.concat([one.with_columns(file=pl.lit(number)) for number, one in enumerate(files_of(kind, seed))])


@pytest.mark.parametrize("kind", KINDS)
def test_kind_has_its_files_columns_and_rows(kind: str) -> None:
    files = files_of(kind)
    assert len(files) == len(KINDS[kind].files)
    assert sum(map(len, files)) == ROWS
    for frame in files:
        assert frame.columns == ["id", *KINDS[kind].columns, "entity_id"]
        assert set(frame.dtypes) == {pl.String}
        assert frame["entity_id"].null_count() == 0
    assert of(kind)["id"].n_unique() == ROWS
    assert set(KINDS[kind].text) <= set(KINDS[kind].columns)


@pytest.mark.parametrize("kind", KINDS)
def test_kind_has_one_entity_in_several_records_that_differ(kind: str) -> None:
    records = of(kind)
    again = records.group_by("entity_id").agg(pl.len(), *(pl.col(name).n_unique() for name in KINDS[kind].columns))
    several = again.filter(pl.col("len") > 1)
    assert len(several) > 4
    differing = several.filter(pl.any_horizontal(pl.col(name) > 1 for name in KINDS[kind].columns))
    assert len(differing) > len(several) / 2
    if len(KINDS[kind].files) > 1:
        for number in set(range(len(KINDS[kind].files))) - set(KINDS[kind].shared):
            assert records.filter(pl.col("file") == number)["entity_id"].is_unique().all(), number
        for number in KINDS[kind].shared:
            assert not records.filter(pl.col("file") == number)["entity_id"].is_unique().all(), number


@pytest.mark.parametrize("kind", KINDS)
def test_kind_is_the_same_for_a_seed(kind: str) -> None:
    records = of(kind)
    assert all(one.equals(again) for one, again in zip(files_of(kind), make_records(kind, ROWS, 3), strict=True))
    text = records.write_csv().encode()
    assert hashlib.sha256(text).hexdigest()[:16] == DIGESTS[kind]
    assert not records.drop("id", "entity_id").equals(of(kind, 4).drop("id", "entity_id"))


@pytest.mark.parametrize("kind", KINDS)
def test_rates_lie_between_their_bounds_and_the_page_says_so(kind: str) -> None:
    seeds = [drawn_rates(kind, seed) for seed in range(30)]
    page = PAGE.read_text(encoding="utf-8")
    for name, (low, high) in RANGES[kind].items():
        found = [rates[name] for rates in seeds]
        assert low <= min(found) <= max(found) <= high, name
        assert max(found) - min(found) >= (high - low) * 0.6, name
    assert rates_line(kind) in page, f"docs/reference/made-records.md lacks: {rates_line(kind)}"


def rates_line(kind: str) -> str:
    """The line of the page with the kind's rates."""
    rates = ", ".join(f"{name} {low * 100:g}-{high * 100:g}" for name, (low, high) in RANGES[kind].items())
    return f"- **{kind}**: {rates}"


def test_page_lists_every_kind() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert RANGES.keys() == KINDS.keys()
    for kind in KINDS.values():
        assert f"| `{kind.name}` | {kind.says} | {len(kind.files)} |" in page


@pytest.mark.parametrize("rows", [19, ROWS_MOST + 1])
def test_kind_refuses_too_few_and_too_many_rows(rows: int) -> None:
    with pytest.raises(ConfigError, match="--rows must be 20 to 20,000,000"):
        make_records("songs", rows, 1)


def test_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no kind 'persons'.*suppliers, sites"):
        kind_of("persons")


def test_smallest_kinds_can_be_made() -> None:
    for kind in KINDS:
        assert sum(map(len, make_records(kind, 20, 1))) == 20, kind
