from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from core.errors import ConfigError
from core.queue.store.fields import declared
from core.queue.store.items import SEPARATOR, Texts, decode

BERLIN = "Europe/Berlin"


def read(dtype: Any, *values: Any) -> list[Any]:
    """Values that fit, and the word misfit for the others."""
    texts = [json.dumps({"v": value}) for value in values]
    got = decode(Texts(pl.Series("seq", range(len(texts)), dtype=pl.Int64), SEPARATOR.join(texts)), {"v": dtype})
    assert got.frame.schema == {"seq": pl.Int64(), **declared({"v": dtype})}
    fits = dict(zip(got.frame["seq"], got.frame["v"].to_list(), strict=True))
    return [fits.get(seq, "misfit") for seq in range(len(texts))]


@pytest.mark.parametrize(
    ("dtype", "value", "expected", "bad"),
    [
        (pl.Int8, -5, -5, 128),
        (pl.Int16, 5, 5, 40_000),
        (pl.UInt8, 5, 5, -1),
        (pl.UInt16, 5, 5, 1.5),
        (pl.UInt64, 2**64 - 1, 2**64 - 1, 2**64),
        (pl.Int128, 2**100, 2**100, "x"),
        (pl.Float32, 1.5, 1.5, "x"),
        (int, 5, 5, "5"),
        (str, "a", "a", None),
        (float, 5, 5.0, "x"),
        (bool, True, True, 1),
        (pl.Date, "2020-01-02", date(2020, 1, 2), "03/04/2020"),
        (pl.Date, "2020-12-31", date(2020, 12, 31), "31.12.2020"),
        (pl.Datetime, "2020-01-02T03:04:05", datetime(2020, 1, 2, 3, 4, 5), "03/04/2020 10:00"),
        (pl.Datetime("ms"), "2020-01-02 03:04", datetime(2020, 1, 2, 3, 4), "yesterday"),
        (pl.Datetime("us"), "2020-01-02", datetime(2020, 1, 2), "2020-02-30"),
        (pl.Datetime("us", "UTC"), "2020-01-02T03:04:05.5+02:30", datetime(2020, 1, 2, 0, 34, 5, 500_000, UTC), "1:2"),
        (pl.Datetime("ns", BERLIN), "2020-01-02T03:04:05-0100", datetime(2020, 1, 2, 4, 4, 5, 0, UTC), 5),
        (pl.Time, "03:04:05.25", time(3, 4, 5, 250_000), "25:00"),
        (pl.Time, "03:04", time(3, 4), "3 pm"),
        (pl.Duration, "PT3S", timedelta(seconds=3), "PT"),
        (pl.Duration("ms"), "-P1DT2H3M4.5S", -timedelta(days=1, hours=2, minutes=3, seconds=4.5), "P1Y"),
        (pl.Decimal(20, 4), 12.34, Decimal("12.34"), "12.34567"),
        (pl.Decimal(20, 4), "12.340000", Decimal("12.34"), "twelve"),
        (pl.Categorical, "a", "a", None),
        (pl.Enum(["a"]), "a", "a", "b"),
        (pl.List(pl.Int16), [1, None], [1, None], [40_000]),
        (pl.List(pl.Date), ["2020-01-02"], [date(2020, 1, 2)], ["03/04/2020"]),
        (pl.Array(pl.UInt8, 2), [1, 2], [1, 2], [1, 2, 3]),
        (pl.Struct({"a": pl.Decimal(9, 2), "b": int}), {"a": "1.5"}, {"a": Decimal("1.50"), "b": None}, {"a": "x"}),
        (list[int], [1], [1], ["x"]),
    ],
)
def test_a_field_of_every_kind_is_read_and_only_its_misfit_is_left_out(
    dtype: Any, value: Any, expected: Any, bad: Any
) -> None:
    left_out = [] if bad is None else [bad]
    assert read(dtype, value, None, *left_out, value) == [expected, None, *["misfit" for _ in left_out], expected]


@pytest.mark.parametrize(
    "dtype", [pl.Binary, pl.Object, pl.Decimal, pl.Unknown, pl.List(pl.Binary), bytes, dict, "Int64", None, object()]
)
def test_what_cannot_be_read_is_refused_with_field_and_types_that_work(dtype: Any) -> None:
    with pytest.raises(ConfigError, match=r"the field amount as .*; what works: integers, "):
        declared({"amount": dtype})


@pytest.mark.parametrize("name", ["seq", 5])
def test_a_field_that_would_hide_the_number_of_the_row_is_refused(name: Any) -> None:
    with pytest.raises(ConfigError, match="declares a field"):
        declared({name: pl.Int64})
