"""Parts of names that stand in one column."""

from __future__ import annotations

import polars as pl
import pytest

from core.matching.specs.spec import load_spec
from core.matching.standardise.full_names import name_part, order_votes, person_part
from core.matching.standardise.normalise import normalise


@pytest.mark.parametrize(
    ("whole", "given", "middle", "surname"),
    [
        ("gerald burn", "gerald", None, "burn"),
        ("gerald maurice john burn", "gerald", "maurice john", "burn"),
        ("sir thomas clifford, 1st baron clifford of chudleigh", "thomas", "clifford clifford", "chudleigh"),
        ("clifford, thomas hugh", "thomas", "hugh", "clifford"),
        ("o'brien, mary", "mary", None, "obrien"),
        ("thomas clifford, 2nd earl", "thomas", None, "clifford"),
        ("rev. dr. john st. clair jr.", "john", "st", "clair"),
        ("john sinclair (physician)", "john", None, "sinclair"),
        ("miss butters", None, None, "butters"),
        ("payne", None, None, "payne"),
        ("lord", None, None, "lord"),
        ("иван иванов", "иван", None, "иванов"),
        ("محمد علي", "محمد", None, "علي"),
        ("(unknown)", None, None, None),
        ("   ", None, None, None),
        (None, None, None, None),
    ],
)
def test_name_part_finds_the_words(
    whole: str | None, given: str | None, middle: str | None, surname: str | None
) -> None:
    frame = pl.DataFrame({"name": pl.Series([whole], dtype=pl.String)})
    parts = frame.select(
        name_part(pl.col("name"), "given").alias("given"),
        name_part(pl.col("name"), "middle").alias("middle"),
        name_part(pl.col("name"), "surname").alias("surname"),
    )
    assert parts.row(0) == (given, middle, surname)


def test_normalise_takes_the_parts_from_the_whole_column() -> None:
    spec = load_spec("persons_freeform")
    frame = pl.DataFrame({name: pl.Series([None], dtype=pl.String) for name in spec.columns})
    assert spec.columns[0] == "full_name"
    frame = frame.with_columns(full_name=pl.lit(" Dr. ANN Maria  O'Brien-Lee "), dob=pl.lit("1856-86-18"))
    row = normalise(frame, spec).row(0, named=True)
    assert (row["given"], row["middle"], row["surname"]) == ("ann", "maria obrien", "lee")
    assert row["dob"] == 18568618


# What is written, the given names and the surname.
APART = [
    ("Ruth Oakley", "Ruth", "Oakley"),
    ("Ruth M. Oakley", "Ruth M.", "Oakley"),
    ("Ruth Mary Oakley", "Ruth Mary", "Oakley"),
    ("Oakley, Ruth M.", "Ruth M.", "Oakley"),
    ("  Oakley ,Ruth ", "Ruth", "Oakley"),
    ("Oakley R. M.", "R. M.", "Oakley"),
    ("OAKLEY Ruth", "Ruth", "OAKLEY"),
    ("Jean-Luc DE LA TOUR", "Jean-Luc", "DE LA TOUR"),
    ("RUTH OAKLEY", "RUTH", "OAKLEY"),
    ("RJ Oakley", "RJ", "Oakley"),
    ("Mr. Paul Oakley", "Mr. Paul", "Oakley"),
    ("Mr Oakley", None, "Mr Oakley"),
    ("Oakley, Mr. Paul Dean", "Mr. Paul Dean", "Oakley"),
    ("Frau Prof. Dr. Dr. h.c. Ruth von Eichen-Berg", "Frau Ruth", "von Eichen-Berg"),
    ("Dr. med. Ruth Eich", "Ruth", "Eich"),
    ("Dipl.-Ing. Paul Eich", "Paul", "Eich"),
    ("Phil Eich", "Phil", "Eich"),
    ("Don Eich", "Don", "Eich"),
    ("M Eich", "M", "Eich"),
    ("Ruth Oakley, MD", "Ruth", "Oakley"),
    ("Ruth Oakley PhD", "Ruth", "Oakley"),
    ("Paul Oakley Jr.", "Paul", "Oakley Jr."),
    ("Oakley Jr., Paul", "Paul", "Oakley Jr."),
    ("Oakley, Paul, III", "Paul", "Oakley III"),
    ("Oakley, Sr., Paul", "Paul", "Oakley Sr"),
    ("Paul Oakley Senior", "Paul", "Oakley Senior"),
    ("Paulo Silva Filho", "Paulo", "Silva Filho"),
    ("Paulo Neto", "Paulo", "Neto"),
    ("Ana del Carmen de la Vega Ruiz", "Ana del Carmen", "de la Vega Ruiz"),
    ("Ana de la Vega", "Ana", "de la Vega"),
    ("Ana Belen Romero Ruiz", "Ana Belen", "Romero Ruiz"),
    ("Paulo Jorge dos Santos Lima", "Paulo Jorge", "dos Santos Lima"),
    ("José Ortega y Gasset", "José", "Ortega y Gasset"),
    ("Eich, Paul van den", "Paul", "van den Eich"),
    ("Paul v.d. Eich", "Paul", "v.d. Eich"),
    ("Van Morrison", "Van", "Morrison"),
    ("Nguyen Van B", "Van B", "Nguyen"),
    ("Van Thi Nguyen", "Van Thi", "Nguyen"),
    ("Zhang Wei", "Wei", "Zhang"),
    ("Li Na", "Na", "Li"),
    ("Xiaoming Wang", "Xiaoming", "Wang"),
    ("Kim Min-jun", "Min-jun", "Kim"),
    ("王小明", "小明", "王"),
    ("欧阳修", "修", "欧阳"),
    ("田中 太郎", "太郎", "田中"),
    ("김민준", "민준", "김"),
    ("Петров Пётр Ильич", "Пётр Ильич", "Петров"),
    ("Петрова Анна", "Анна", "Петрова"),
    ("Пётр Петров", "Пётр", "Петров"),
    ('Robert "Bob" Oakley (Leeds)', "Robert", "Oakley"),
    ("Ruth Eich geb. Berg", "Ruth", "Eich"),
    ("Oakley", None, "Oakley"),
    ("Dr.", None, "Dr."),
    ("(unknown)", None, None),
    (" ,", None, None),
    ("", None, None),
    (None, None, None),
]
SURNAME_FIRST = [
    ("Oakley Ruth", "Ruth", "Oakley"),
    ("Oakley Ruth Mary", "Ruth Mary", "Oakley"),
    ("van den Eich Paul", "Paul", "van den Eich"),
    ("Romero Ruiz Ana Belen", "Ana Belen", "Romero Ruiz"),
    ("Oakley, Ruth", "Ruth", "Oakley"),
    ("Ruth OAKLEY", "Ruth", "OAKLEY"),
    ("Oakley", None, "Oakley"),
]


@pytest.mark.parametrize(("cases", "surname_first"), [(APART, False), (SURNAME_FIRST, True)])
def test_person_part_takes_names_apart(
    cases: list[tuple[str | None, str | None, str | None]], surname_first: bool
) -> None:
    texts = pl.Series("full_name", [whole for whole, *_ in cases], dtype=pl.String)
    given = person_part(texts, "given", surname_first=surname_first)
    surname = person_part(texts, "surname", surname_first=surname_first)
    assert pl.DataFrame([texts, given.alias("given"), surname.alias("surname")]).rows() == cases


def test_order_votes_count_names_that_tell() -> None:
    names = [
        "Robert Oakley",
        "Oakley Robert",
        "Dr. Robert Eich",
        "Robert Mary",
        "Eich, Robert",
        "Oakley Eich",
        "Robert",
    ]
    assert order_votes(pl.Series(names)) == (2, 1)
