"""Digests and links hang on every one of their facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from core.errors import InputError
from core.review.audit.chain import GENESIS, Event, Head, Seal, event_digest, read_head

AT = datetime(2026, 2, 3, 4, 5, 6, 7, UTC)
EVENT = Event("default", "settled", "invoice-matching", AT, date(2026, 2, 1))
SEAL = Seal("default", 1, 7, b"d" * 32, GENESIS, AT)


def _digest(
    event: Event = EVENT, details: bytes = b"{}", leaves_in: str = "own", n: int = 1, root: bytes = b"r"
) -> bytes:
    return event_digest(event, details, leaves_in, n, root)


@pytest.mark.parametrize(
    "changed",
    [
        {"tenant_id": "other"},
        {"kind": "unmatched"},
        {"actor": "ann"},
        {"recorded_at": AT + timedelta(microseconds=1)},
        {"effective_on": None},
    ],
)
def test_event_digest_hangs_on_each_fact_of_the_event(changed: dict[str, Any]) -> None:
    assert _digest(replace(EVENT, **changed)) != _digest()


def test_event_digest_hangs_on_details_and_leaves() -> None:
    others = [_digest(details=b'{"a":1}'), _digest(leaves_in="decisions"), _digest(n=2), _digest(root=b"s")]
    assert len({_digest(), *others}) == 5


@pytest.mark.parametrize(
    "changed",
    [
        {"tenant_id": "other"},
        {"seq": 2},
        {"event_id": 8},
        {"digest": b"e" * 32},
        {"previous": b"p" * 32},
        {"sealed_at": AT + timedelta(microseconds=1)},
    ],
)
def test_link_hangs_on_each_fact_of_the_seal(changed: dict[str, Any]) -> None:
    assert replace(SEAL, **changed).link() != SEAL.link()


def test_read_head_reads_what_was_printed() -> None:
    head = Head("a:b", 12, b"\x01" * 32)
    assert read_head(f" {head}\n") == head


@pytest.mark.parametrize(
    "text", ["", "default:1", "default:x:00", "default:1:00", f":1:{'0' * 64}", f"default:-1:{'0' * 64}"]
)
def test_read_head_refuses_anything_else(text: str) -> None:
    with pytest.raises(InputError, match="is no head"):
        read_head(text)
