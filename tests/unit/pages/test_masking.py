"""A personal value is a mask wherever nobody asked for it with a clearance."""

from __future__ import annotations

import pytest
from jinja2 import Environment

from core.pages.accounts.roles import Person, Role
from core.pages.masking import SHOWN_MAX, Personal


def someone(role: Role) -> Person:
    return Person(1, "ann", role)


def test_value_is_a_mask_as_text_in_templates_and_in_logs() -> None:
    value = Personal("Ada")
    assert f"{value} {value!r} {[value]}" == "••• ••• [•••]"
    assert Environment(autoescape=True).from_string("{{ value }}").render(value=value) == "•••"


@pytest.mark.parametrize(("role", "shown"), [("viewer", "•••"), ("reviewer", "Ada"), ("admin", "Ada")])
def test_value_is_shown_to_who_decides(role: Role, shown: str) -> None:
    assert Personal("Ada").shown_to(someone(role)) == shown
    assert Personal("").shown_to(someone(role)) == ""


def test_value_shows_what_cannot_be_seen_and_is_cut() -> None:
    ann = someone("reviewer")
    assert Personal("a\0b\tc\x7f\u202ed").shown_to(ann) == "a␀b␉c␡�d"
    assert Personal("x" * 10_000).shown_to(ann) == "x" * SHOWN_MAX + "… (10,000 characters)"
