"""What stands between fields, around them, above the header and behind the last field is found in the first rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import InputError
from core.intake.delimited.dialect import find_dialect
from core.intake.reading import Reading

PATH = Path("people.csv")
ROWS = 'id,name,born\n1,"Lee, Ann",1990\n2,Fox,1991\n3,Oak,1992\n'


@pytest.mark.parametrize(
    ("text", "delimiter", "quote"),
    [
        (ROWS, ",", '"'),
        ("id;name;share\n1;Lee;0,5\n2;Fox;1,25\n", ";", '"'),
        ("id\tname\n1\tLee, A; B\n2\tFox\n", "\t", '"'),
        ("id|name\n1|Lee\n", "|", '"'),
        ("id:name:born\n1:Lee:1990\n2:Fox:1991\n", ":", '"'),
        ("id^name\n1^Lee\n2^Fox\n", "^", '"'),
        ("id,name;first\n1;Lee\n2;Fox\n3;Oak\n", ";", '"'),
        ("id,name\n1,'Lee, A'\n2,'Fox'\n3,'Oak'\n", ",", "'"),
        ("'id';'name'\n'1';'Lee'\n'2';'O''Hara'\n", ";", "'"),
        ("id,name\n1,'s Gravenhage\n2,'t Hart\n3,d'Arc\n", ",", '"'),
        ("id,opens\n1,9:00\n2,10:00\n", ",", '"'),
        ("id\n1\n2\n", ",", '"'),
        ("sep=;\nid;name\n1;Lee\n", ";", '"'),
    ],
)
def test_find_dialect_finds_delimiter_and_quote(text: str, delimiter: str, quote: str) -> None:
    found = find_dialect(text.encode(), PATH)
    assert (found.delimiter, found.quote) == (delimiter, quote)
    assert found.proposal is None


def test_find_dialect_takes_the_delimiter_that_is_said() -> None:
    assert find_dialect(ROWS.encode(), PATH, Reading(delimiter=";")).n_fields == 1


@pytest.mark.parametrize(
    ("above", "line", "proposal"),
    [
        ("Customer export\nMade 2026-11-01, 12:00\n\n", 1, "line 1 has one field, line 4 has three.*`skip_lines` 3$"),
        ("\nCustomer export\n", 2, "line 2 has one field, line 3 has three.*`skip_lines` 2$"),
        ("Customer export,,\n,,\n", 1, "line 1 has one field, line 3 has three.*`skip_lines` 2$"),
        ('"Customers\nof the shop"\n', 1, "line 1 has one field, line 3 has three.*`skip_lines` 2$"),
    ],
)
def test_find_dialect_proposes_the_header_below_titles(above: str, line: int, proposal: str) -> None:
    text = (above + ROWS).encode()
    found = find_dialect(text, PATH)
    assert (found.delimiter, found.line) == (",", line)
    assert found.proposal is not None
    assert re.search(proposal, found.proposal)
    skipped = int(found.proposal.rsplit(" ", 1)[1])
    below = find_dialect(text, PATH, Reading(skip_lines=skipped))
    assert (below.line, below.n_fields, below.proposal) == (skipped + 1, 3, None)
    assert text[below.start :].startswith(b"id,name")


def test_find_dialect_skips_no_more_lines_than_there_are() -> None:
    with pytest.raises(InputError, match="`skip_lines` 9 leaves nothing to read"):
        find_dialect(ROWS.encode(), PATH, Reading(skip_lines=9))


@pytest.mark.parametrize(
    ("text", "widths"),
    [
        ("id,a\n1,x,\n2,y,\n", (2, 1, 0)),
        ("id,a\n1,x,,,\n2,y,,,\n", (2, 3, 0)),
        ('id,a\n1,x,""\n2,y,\n', (2, 1, 0)),
        ("id,a\n1,x,z\n2,y,z\n", (2, 0, 0)),
        ("id,a\n1,x\n2,y,\n3,z\n", (2, 0, 0)),
        ("id,a,\n1,x\n2,y\n", (2, 0, 1)),
        ("id,a,\n1,x,\n2,y,\n", (3, 0, 0)),
        ("id,a,b\n1,x\n2,y\n", (3, 0, 0)),
    ],
)
def test_find_dialect_sees_empty_fields_at_the_end(text: str, widths: tuple[int, int, int]) -> None:
    found = find_dialect(text.encode(), PATH)
    assert (found.n_fields, found.n_behind, found.n_nameless) == widths
