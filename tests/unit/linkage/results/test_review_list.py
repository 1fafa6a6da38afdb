import polars as pl

from core.linkage.results.review_list import reasons


def test_reasons_name_fields_by_how_they_agree() -> None:
    patterns = ["first_name=nickname,dob=exact,zip=exact,street=differ,city=damerau <= 1", "dob=missing,zip=differ"]
    assert reasons(pl.Series([*patterns, patterns[0]])).to_list() == [
        "agree: dob, zip; alike: first_name (nickname), city; differ: street",
        "differ: zip",
        "agree: dob, zip; alike: first_name (nickname), city; differ: street",
    ]
