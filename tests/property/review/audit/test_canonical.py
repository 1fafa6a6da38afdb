"""Canonical bytes are one for one value, and differ for two."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.review.audit.canonical import canonical, utc_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.dictionaries(TEXT, VALUES, max_size=4)


@given(RECORDS, st.randoms())
def test_canonical_does_not_know_the_order_of_keys(record: dict[str, Any], random: Any) -> None:
    keys = list(record)
    random.shuffle(keys)
    assert canonical({key: record[key] for key in keys}) == canonical(record)


@given(RECORDS)
def test_canonical_can_be_read_back(record: dict[str, Any]) -> None:
    assert json.loads(canonical(record)) == record


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.integers(-14 * 60, 14 * 60))
def test_utc_text_is_one_for_an_instant(at: datetime, minutes: int) -> None:
    instant = at.replace(tzinfo=UTC)
    elsewhere = instant.astimezone(timezone(timedelta(minutes=minutes)))
    assert utc_text(elsewhere) == utc_text(instant)
    assert datetime.fromisoformat(utc_text(elsewhere)) == instant
