"""What canonical bytes look like, and what has none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.errors import InputError
from core.review.audit.canonical import canonical


def test_canonical_writes_each_type_one_way() -> None:
    record = {
        "text": 'Zoë "&\n',
        "minor": -(2**53),
        "flag": True,
        "none": None,
        "day": date(2026, 2, 3),
        "at": datetime(2026, 2, 3, 4, 5, 6, 7, UTC),
        "bytes": b"\x00\xff",
        "list": (1, [2]),
        "Ä": {"b": 1, "a": 2},
    }
    assert canonical(record).decode() == (
        '{"at":"2026-02-03T04:05:06.000007Z","bytes":"00ff","day":"2026-02-03","flag":true,"list":[1,[2]],'
        '"minor":-9007199254740992,"none":null,"text":"Zoë \\"&\\n","Ä":{"a":2,"b":1}}'
    )


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ({"paid": {"amount": 1.5}}, "paid.amount is a float.*smallest unit"),
        ({"paid": [1, Decimal(1)]}, r"paid\[1\] is a Decimal"),
        ({"at": datetime(2026, 1, 1)}, "no zone"),
        ({"a": {1: 2}}, "a has a key that is a int"),
        ({"a": "\ud800"}, "no Unicode"),
    ],
)
def test_canonical_refuses_what_is_not_the_same_everywhere(record: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        canonical(record)


def test_canonical_refuses_what_is_nested_without_end() -> None:
    record: dict[str, Any] = {}
    record["again"] = record
    with pytest.raises(InputError, match="deeper than 32"):
        canonical(record)
