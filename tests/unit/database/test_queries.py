from __future__ import annotations

import pytest

from core.database.queries import parse
from core.errors import ConfigError


def test_parse_gives_name_kind_comment_and_sql() -> None:
    text = (
        "-- preface\n\n-- name: a_b :many\n-- why\n-- so\nSELECT 1\n  FROM t;\n-- name: c :exec\n-- x\nDELETE FROM t\n"
    )
    found = parse(text, "sql/x.sql")
    assert list(found) == ["a_b", "c"]
    assert (found["a_b"].kind, found["a_b"].comment, found["a_b"].sql) == ("many", "why so", "SELECT 1\n  FROM t")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT 1", "text before"),
        ("-- name: a :many\n-- why\nSELECT 1\n-- name: a :many\n-- why\nSELECT 2", "defined twice"),
        ("-- name: a :many\nSELECT 1", "needs a comment"),
        ("-- name: a :many\n-- why\n", "one statement"),
        ("-- name: a :all\n-- why\nSELECT 1", "text before"),
    ],
)
def test_parse_refuses_what_is_not_in_form(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        parse(text, "sql/x.sql")
