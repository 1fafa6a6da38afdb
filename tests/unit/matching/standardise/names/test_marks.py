"""What is taken out of a name, and what stays of it."""

import polars as pl
import pytest

from core.matching.standardise.names.marks import mark_value, mark_values, split_name, split_names

JUNIOR, SENIOR = "\x1ds2", "\x1ds1"


@pytest.mark.parametrize("kind", ["given_name", "surname"])
@pytest.mark.parametrize(
    ("suffix", "mark"),
    [
        ("sr", SENIOR), ("senior", SENIOR), ("jr", JUNIOR), ("junior", JUNIOR), ("ii", JUNIOR), ("filho", JUNIOR),
        ("iii", "\x1ds3"), ("iv", "\x1ds4"), ("neto", "\x1ds10"), ("sobrinho", "\x1ds11"), ("jr phd", JUNIOR),
        ("phd", ""),
    ],
)  # fmt: skip
def test_a_suffix_is_a_mark_of_either_name(kind, suffix, mark):
    assert split_name(f"okafor {suffix}", kind) == ("okafor", mark)
    assert split_name(suffix.split()[0], kind) == (suffix.split()[0], "")


@pytest.mark.parametrize(
    ("words", "bare", "marks"),
    [
        ("weber d a", "weber", SENIOR),
        ("weber der jungere", "weber", JUNIOR),
        ("dupont fils", "dupont", JUNIOR),
        ("windsor v", "windsor", "\x1ds5"),
        ("mrs okafor", "okafor", "\x1dx2"),
        ("herr dr weber", "weber", "\x1dx1"),
        ("okafor twin b", "okafor", "\x1do2"),
        ("okafor baby girl 2", "okafor", "\x1do2 x2"),
        ("baby", "baby", ""),
        ("twin a", "twin a", ""),
        ("de la cruz", "de la cruz", ""),
    ],
)
def test_marks_of_surnames(words, bare, marks):
    assert split_name(words, "surname") == (bare, marks)


@pytest.mark.parametrize(
    ("words", "bare", "marks"),
    [
        ("james r", "james", "\x1dmr"),
        ("james robert", "james robert", "\x1dnr"),
        ("mary ann r", "mary ann", "\x1dmar"),
        ("maria de los angeles", "maria de los angeles", "\x1dna"),
        ("j r", "j", "\x1dmr"),
        ("mr james", "james", "\x1dx1"),
        ("dr mrs anna", "anna", "\x1dx2"),
        ("baby boy a", "", "\x1do1 x1"),
        ("baby girl", "", "\x1dx2"),
        ("male child", "", "\x1dx1"),
        ("twin ii", "", "\x1do2"),
        ("newborn 1", "", "\x1do1"),
        ("girl b", "", "\x1do2 x2"),
        ("baby boy of anna", "", "\x1dx1"),
        ("anna twin 1", "anna", "\x1do1"),
        ("baby jane", "baby jane", "\x1dnj"),
        ("boy george", "boy george", "\x1dng"),
        ("n a", "n a", ""),
        ("twin1", "", "\x1do1"),
        ("babyboyb", "", "\x1do2 x1"),
        ("boy a of susan", "", "\x1do1 x1"),
        ("jose hijo", "jose", JUNIOR),
        ("jr luis", "luis", JUNIOR),
        ("sr luis", "luis", "\x1dx1"),
        ("junior", "junior", ""),
        ("joan pere", "joan pere", "\x1dnp"),
    ],
)
def test_marks_of_given_names(words, bare, marks):
    assert split_name(words, "given_name") == (bare, marks)


@pytest.mark.parametrize("kind", ["given_name", "surname"])
def test_a_column_is_split_as_its_values_are_and_nulls_stay(kind):
    texts = ["james r", None, "okafor jr", "mrs okafor", "anna", "okafor twin 1", "baby boy b", ""]
    bare, marks = split_names(pl.Series(texts), kind)
    assert marks is not None
    found = list(zip(bare, marks, strict=True))
    assert found == [(None, "") if text is None else split_name(text, kind) for text in texts]
    assert texts == ["james r", None, "okafor jr", "mrs okafor", "anna", "okafor twin 1", "baby boy b", ""]


def test_a_column_without_marks_is_given_back():
    names = pl.Series(["anna", None, "okafor"])
    assert split_names(names, "surname") == (names, None)


@pytest.mark.parametrize(
    ("mark", "words", "found"),
    [
        ("sex", "f", "\x1dx2"), ("sex", "weiblich", "\x1dx2"), ("sex", "mr", "\x1dx1"), ("sex", "dr herr", "\x1dx1"),
        ("sex", "dr", ""), ("sex", "mr mrs", ""), ("sex", "u", ""), ("suffix", "jr", JUNIOR), ("suffix", "x", ""),
        ("middle", "robert t", "\x1dmrt"), ("middle", "nmn", ""), ("birth_order", "2", "\x1do2"),
        ("birth_order", "twin a", "\x1do1"), ("birth_order", "yes", ""),
    ],
)  # fmt: skip
def test_a_column_of_marks_is_read_by_itself(mark, words, found):
    assert mark_value(words, mark) == found
    assert mark_values(pl.Series([words, None]), mark).to_list() == [found or None, None]
