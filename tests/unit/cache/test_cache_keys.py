"""Names of cached values."""

from __future__ import annotations

import pytest

from core.cache import CacheKey
from core.errors import ConfigError


def test_key_tells_what_was_asked_apart_but_not_the_order_of_its_keys() -> None:
    one = CacheKey.of("lookup", "7", {"first_name": "ann", "dob": None})
    assert one == CacheKey.of("lookup", "7", {"dob": None, "first_name": "ann"})
    others = [
        CacheKey.of("lookup", "8", {"first_name": "ann", "dob": None}),
        CacheKey.of("report", "7", {"first_name": "ann", "dob": None}),
        CacheKey.of("lookup", "7", {"first_name": "ann", "dob": ""}),
    ]
    assert len({str(key) for key in (one, *others)}) == 4


def test_key_holds_nothing_of_what_was_asked() -> None:
    assert "ann" not in str(CacheKey.of("lookup", "7", {"first_name": "ann"}))


def test_key_refuses_words_that_would_run_together() -> None:
    with pytest.raises(ConfigError, match="cannot be part of a cache key"):
        CacheKey.of("look:up", "7", {})
