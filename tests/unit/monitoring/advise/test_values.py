from __future__ import annotations

import pytest

from core.monitoring.advise.values import same_value


@pytest.mark.parametrize(
    ("wanted", "seen", "same"),
    [
        ("16GB", "16384MB", True),
        ("1.1", "1.10", True),
        ("15min", "900s", True),
        ("on", "ON", True),
        ("16GB", "16GB", True),
        ("16GB", "8GB", False),
        ("on", "off", False),
        ("pg_stat_statements", "auto_explain, pg_stat_statements", True),
        ("pg_stat_statements", "", False),
    ],
)
def test_values_are_the_same_in_whatever_unit(wanted: str, seen: str, same: bool) -> None:
    assert same_value(wanted, seen) == same
