"""Records with several telephones and mail addresses, for tests of what packs, compares and finds them."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from hypothesis import strategies as st

from core.matching.records.layout import Layout
from core.matching.specs.spec import MatchSpec

SPEC = MatchSpec.model_validate(
    {
        "name": "several",
        "fields": [
            {"name": "surname", "kind": "surname"},
            {"name": "phone", "kind": "digits", "keep_last": 10, "values": 3},
            {"name": "mail", "kind": "email", "values": 2},
            {"name": "number", "kind": "digits", "values": 2},
        ],
        "passes": [
            {"name": "phone", "keys": ["phone", "initial(surname)"]},
            # Both keys read one field: each chooses a value for itself.
            {"name": "ends", "keys": ["first(phone, 3)", "last(phone, 4)"]},
            {"name": "mail", "keys": ["local(mail)"]},
            {"name": "number", "keys": ["number", "surname"]},
            {"name": "surname", "keys": ["surname"], "refine": ["first(phone, 3)", "mail"]},
        ],
    }
)
LAYOUT = Layout.of(SPEC)
SURNAMES = ("oak", "ash", "elm", "", "oakes")
PHONES = ("2175550142", "217-555-0143", "(302) 555-0142", "3025550143", "555-0142", "none", "12")
MAILS = ("ann@example.com", "ann@example.org", "Bob@Example.com", "nobody", "bob+x@example.com")
NUMBERS = ("1234586", "7654321", "1234576", "0000000")

Record = tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _some(values: Sequence[str], at_most: int) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=at_most, unique=True).map(tuple)


RECORDS: st.SearchStrategy[list[Record]] = st.lists(
    st.tuples(st.sampled_from(SURNAMES), _some(PHONES[:4], 3), _some(MAILS[:3], 2), _some(NUMBERS, 2)),
    min_size=2,
    max_size=7,
)


def frame(records: Sequence[Record], between: str = "; ") -> pl.DataFrame:
    """Text of records, as the reader of files hands it on."""
    rows = [(surname or None, *(between.join(cell) or None for cell in cells)) for surname, *cells in records]
    return pl.DataFrame(rows, schema=dict.fromkeys(SPEC.columns, pl.String), orient="row")
