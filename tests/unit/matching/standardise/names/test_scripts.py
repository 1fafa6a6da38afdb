"""Names in other scripts, in Latin letters or simplified ideographs."""

import polars as pl
import pytest

from core.matching.standardise.names.scripts import latin, latinised, reading


@pytest.mark.parametrize(
    ("written", "expected"),
    [("Юлия Щербакова", "Yuliya Shcherbakova"), ("Παπαδάκης", "Papadakis"), ("محمد علي", "mhmd ali"), ("حسين", "hsin"),
     ("يوسف", "yusf"), ("خديجة", "khdija"), ("חיים", "hiim"), ("陳偉", "陈伟"), ("김철수", "GimCheolSu"),
     ("タナカ", "tanaka"), ("李Anna", "李Anna"), ("и\u0306", "y")],
)  # fmt: skip
def test_a_name_is_written_in_latin_letters(written, expected):
    assert latin(written) == expected


def test_only_values_of_other_scripts_are_touched():
    column = pl.Series(["Zoë", None, "", "Юлия", "o’Neil", "Юлия", "李"])
    assert latinised(column).to_list() == ["Zoë", None, "", "Yuliya", "o’Neil", "Yuliya", "李"]


def test_ideographs_are_read_as_in_mandarin():
    assert [reading(each) for each in ("欧阳", "陈", "陳")] == ["ouyang", "chen", "chen"]
