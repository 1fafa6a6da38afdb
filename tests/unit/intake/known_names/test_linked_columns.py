"""Columns of a linked file: by what is said of it, else as in the first file, else by known names."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SchemaError
from core.intake.columns import ColumnPlan, FieldHint
from core.intake.known_names.linked_columns import LinkedColumns, plan_linked

FIELDS = [
    FieldHint("last_name", "surname", ("surname", "family name")),
    FieldHint("dob", "date", ("date of birth",)),
    FieldHint("ssn", "digits", ("national id", "person id")),
]
FIRST = LinkedColumns("id", {"surname": "NAME1", "dob": "GEB"})
NOTHING = LinkedColumns()


def planned(columns: str, own: LinkedColumns = NOTHING, first: LinkedColumns = FIRST) -> ColumnPlan:
    return plan_linked(columns.split(), Path("b.csv"), first, own, FIELDS)


def refused(columns: str, own: LinkedColumns = NOTHING) -> SchemaError:
    with pytest.raises(SchemaError) as caught:
        planned(columns, own)
    return caught.value


def test_a_file_with_the_columns_of_the_first_is_read_as_that() -> None:
    plan = planned("id NAME1 GEB dob")
    assert (plan.id_column, plan.mapping) == ("id", {"last_name": ("NAME1",), "dob": ("GEB",)})
    assert (plan.notices, plan.id_guessed) == ((), False)


def test_columns_that_are_not_here_leave_their_fields_to_known_names_with_a_notice() -> None:
    plan = planned("member_no Family-Name dob")
    assert (plan.id_column, plan.id_guessed) == ("member_no", True)
    assert plan.mapping == {"last_name": ("Family-Name",), "dob": ("dob",)}
    assert plan.notices == (
        "b.csv: no column 'id'; records are named by 'member_no'",
        "b.csv: no column 'NAME1'; last_name is read from 'Family-Name'",
        "b.csv: no column 'GEB'; dob is read from 'dob'",
    )


def test_what_is_said_of_the_file_holds_before_the_first_one_and_known_names() -> None:
    own = LinkedColumns("key", {"family name": "alt", "dob": ""})
    plan = planned("id key NAME1 alt surname GEB", own)
    assert (plan.id_column, plan.mapping) == ("key", {"last_name": ("alt",)})
    assert (plan.notices, plan.unmapped) == ((), ("dob", "ssn"))


IDS, MAPS = ("id_column", "link_id"), ("link_mapping",)


@pytest.mark.parametrize(
    ("columns", "own", "sentence", "fields"),
    [
        ("id NAME1", NOTHING, "no column 'GEB' (`mapping` dob), nor one by a name known", ("mapping", *MAPS)),
        ("id NAME1 GEB", LinkedColumns("key"), "no column 'key' (`link_id`)", ("link_id",)),
        ("id GEB", LinkedColumns(None, {"last_name": "nom"}), "no column 'nom' (`link_mapping` last_name)", MAPS),
        ("id GEB", LinkedColumns(None, {"city": "ort"}), "`link_mapping` city: the spec has no such field", MAPS),
        ("nr key NAME1 GEB", NOTHING, "no column 'id' (`id_column`); nr and key could be it", IDS),
        ("NAME1 GEB", NOTHING, "no column 'id' (`id_column`), nor one that is called as ids are", IDS),
        # A number of persons is a field of this spec, so it names no record unasked.
        ("person_id NAME1 GEB", NOTHING, "nor one that is called as ids are", IDS),
    ],
)
def test_what_is_said_and_not_here_is_refused_by_the_option_that_says_it(
    columns: str, own: LinkedColumns, sentence: str, fields: tuple[str, ...]
) -> None:
    error = refused(columns, own)
    assert sentence in error.message
    assert error.facts["fields"] == fields
