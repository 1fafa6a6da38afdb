"""Columns of numbers, digits and mail addresses: how they are read, and columns of something else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from core.errors import InputError
from core.intake.columns import FieldHint
from core.intake.opening import Opening
from core.intake.source import Source, open_source
from core.matching.specs.spec import FieldSpec
from core.matching.standardise.normalise import normalise_field

FIELDS = (FieldHint("amount", "number"), FieldHint("phone", "digits", keep_last=10), FieldHint("email", "email"))


def opening_of(folder: Path, values: list[str | None], name: str = "amount", suffix: str = "csv") -> Opening:
    frame = pl.DataFrame({"id": [str(row) for row in range(len(values))], name: values})
    path = folder / f"in.{suffix}"
    frame.write_parquet(path) if suffix == "parquet" else frame.write_csv(path)
    return Opening(path, "id", FIELDS, folder / "staging", years_until=2026_1231, may_be_empty=True)


def amounts(source: Source) -> list[float | None]:
    texts = source.read(0, source.rows)["amount"]
    return normalise_field(texts, FieldSpec(name="amount", kind="number")).to_list()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_column_with_decimal_commas_is_read_so(suffix: str, tmp_path: Path) -> None:
    source = open_source(opening_of(tmp_path, ["1.234", "12,5", "1.234,56 €", None, "7"], suffix=suffix))

    assert amounts(source) == pytest.approx([1234, 12.5, 1234.56, None, 7])
    assert f"in.{suffix}: amount: 2 numbers have a decimal comma; read so" in source.notices


def test_a_column_that_does_not_tell_is_read_by_the_point_and_says_so(tmp_path: Path) -> None:
    source = open_source(opening_of(tmp_path, ["1.234", "1,234", "7"]))

    assert amounts(source) == pytest.approx([1.234, 1234, 7])
    assert "no number tells whether comma or point divides" in source.notices[0]


def test_a_column_of_both_forms_is_read_by_the_more_frequent_one(tmp_path: Path) -> None:
    source = open_source(opening_of(tmp_path, ["1.234", "12,5", "13,5", "7.50"]))

    assert amounts(source) == pytest.approx([1234, 12.5, 13.5, 7.5])
    assert "the comma divides some numbers, the point others; unclear ones are read by the comma" in source.notices[0]


def test_a_few_new_records_are_read_as_the_records_before_them(tmp_path: Path) -> None:
    before = open_source(opening_of(tmp_path, ["12,5", "1.234"]))

    again = open_source(replace(opening_of(tmp_path, ["1.234"]), readings=before.readings))

    assert amounts(again) == pytest.approx([1234])


def test_a_value_that_is_no_number_is_missing_and_counted(tmp_path: Path) -> None:
    source = open_source(opening_of(tmp_path, [*map(str, range(30)), "about 5", "n/a"]))

    assert amounts(source)[30:] == [None, None]
    assert source.notices == ("in.csv: amount: 1 values are no numbers; taken as missing (e.g. line 32)",)


STRANGE = [
    ("amount", "no numbers", ["1985-05-04", "1986-01-02", "1987-11-12"], "dates"),
    ("amount", "no numbers", ["red", "green", "blue"], "text"),
    ("phone", "no numbers with digits", ["a@example.com", "b@example.com", "c@example.org"], "e-mail addresses"),
    ("phone", "no numbers with digits", ["Springfield", "Shelbyville", "Ogdenville"], "text"),
    ("email", "no mail addresses", ["217-555-0142", "+1 302 555 0188", "(217) 555-0143"], "telephone numbers"),
    ("email", "no mail addresses", ["www.example.com", "https://example.org", "www.example.net"], "web addresses"),
]


@pytest.mark.parametrize(("name", "words", "values", "look"), STRANGE)
def test_a_column_of_something_else_is_refused(
    name: str, words: str, values: list[str], look: str, tmp_path: Path
) -> None:
    good = {"amount": "5", "phone": "217-555-0142", "email": "d@example.com"}[name]
    with pytest.raises(
        InputError, match=f"column '{name}': 3 of 8 values are {words}, .*line 7; they look like {look}"
    ):
        open_source(opening_of(tmp_path, [good] * 5 + values + ["unknown", "n/a", "--", "xxx-xxxx", None], name))


def test_words_for_missing_and_a_fifth_of_strange_values_are_no_reason(tmp_path: Path) -> None:
    silent = ["none", "N/A", "unknown", "-", "?", "XXX-XX-XXXX"] * 3
    source = open_source(opening_of(tmp_path, ["217-555-0142"] * 8 + ["ask her", "ask him"] + silent, "phone"))

    assert source.rows == 28


def test_records_that_were_taken_before_are_not_refused(tmp_path: Path) -> None:
    opening = opening_of(tmp_path, ["red", "green", "blue"])

    assert open_source(replace(opening, readings={}, years_until=None)).rows == 3
