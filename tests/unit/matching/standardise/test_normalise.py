import polars as pl
import pytest

from core.errors import SchemaError
from core.matching.specs.spec import MatchSpec, load_spec
from core.matching.standardise.normalise import normalise
from core.matching.text.marks import SEPARATOR

SPEC = load_spec("persons")


def normal(field: str, *values: str | None) -> list:
    columns = {each.name: pl.Series([None] * len(values), dtype=pl.String) for each in SPEC.fields}
    columns[field] = pl.Series(values, dtype=pl.String)
    return normalise(pl.DataFrame(columns), SPEC)[field].to_list()


@pytest.mark.parametrize(
    ("field", "raw", "expected"),
    [
        ("first_name", "  ANN-Marie ", "ann marie\x1dnm"),
        ("first_name", "Mr. José", "jose\x1dx1"),
        ("first_name", "Zoë", "zoe"),
        ("first_name", "ＡＮＮ", "ann"),
        ("first_name", "Unknown", None),
        ("first_name", "N/A", None),
        ("first_name", "   ", None),
        ("last_name", "O'Brien", "obrien"),
        ("last_name", "O Brien", "obrien"),
        ("last_name", "Mac Donald Jr.", "macdonald\x1ds2"),
        ("first_name", "Baby", None),
        ("last_name", "Baby", "baby"),
        ("last_name", "van der Berg", "vanderberg"),
        ("last_name", "de la Cruz", "delacruz"),
        ("last_name", "Na", "na"),
        ("last_name", "Müller", "muller"),
        ("last_name", "Иванов", "ivanov"),
        ("dob", "1980-05-12", 19800512),
        ("dob", "1900-01-01", None),
        ("ssn", "123-45-6788", "123456788"),
        ("ssn", "000-00-0000", None),
        ("ssn", "123-45-6789", None),
        ("ssn", "999 99 9999", None),
        ("ssn", "012-34-5678", "012345678"),
        ("phone", "+1 (415) 555-0134", "4155550134"),
        ("phone", "415.555.0134", "4155550134"),
        ("street", "12 Main St. #4", "12 main st unit 4"),
        ("street", "none", None),
        ("city", "Saint  Paul", "st paul"),
        ("city", "ST. PAUL", "st paul"),
        ("zip", "94107-1234", "94107"),
        ("zip", "TQ13 8DF", "tq138df"),
        ("zip", "00000", None),
        ("email", " Ann.Lee+news@Example.ORG ", "ann.lee@example.org"),
        ("email", "noemail@x.com", None),
        ("email", "ann.lee", None),
    ],
)
def test_normalise_brings_values_into_one_form(field, raw, expected):
    assert normal(field, raw) == [expected]


def test_normalise_treats_accented_values_alone():
    assert normal("last_name", "Smith", "Ståhl", None, "Lee", "Weiß") == ["smith", "stahl", None, "lee", "weiss"]


def test_normalise_reads_dates_in_the_order_given():
    columns = {each.name: pl.Series([None], dtype=pl.String) for each in SPEC.fields}
    columns["dob"] = pl.Series(["03/04/1980"])
    assert normalise(pl.DataFrame(columns), SPEC)["dob"].to_list() == [19800304]
    assert normalise(pl.DataFrame(columns), SPEC, {"dob": True})["dob"].to_list() == [19800403]


def test_normalise_keeps_the_order_of_the_spec_and_ignores_other_columns():
    columns = {each.name: pl.Series(["x"]) for each in reversed(SPEC.fields)} | {"note": pl.Series(["x"])}
    assert normalise(pl.DataFrame(columns), SPEC).columns == [each.name for each in SPEC.fields if each.values]


def test_normalise_names_a_column_that_is_missing():
    with pytest.raises(SchemaError, match="no column for field 'first_name'; columns: last_name") as caught:
        normalise(pl.DataFrame({"last_name": ["x"]}), SPEC)
    assert caught.value.column == "first_name"


@pytest.mark.parametrize(
    ("written", "given", "surname"),
    [
        ("de la Cruz", "delacruz", "delacruz"),
        ("Pérez de la Cruz", "perez delacruz", "perez delacruz"),
        ("van der Berg", "vanderberg", "vanderberg"),
        ("Abdul Rahman", "abdulrahman", "abdulrahman"),
        ("Ben David", "ben david", "bendavid"),
        ("Al-Rashid", "al rashid", "alrashid"),
        ("Юлия", "yuliya", "yuliya"),
        ("ЩЕРБАКОВ", "shcherbakov", "shcherbakov"),
        ("Παπαδάκης", "papadakis", "papadakis"),
        ("محمد", "mhmd", "mhmd"),
        ("सुनील", "sunil", "sunil"),
        ("陳", "陈", "陈"),
    ],
)
def test_both_name_fields_write_a_name_alike(written, given, surname):
    """But for words that are given names where they stand in front of another one."""
    fields = [{"name": "a", "kind": "given_name"}, {"name": "b", "kind": "surname"}]
    spec = MatchSpec.model_validate({"name": "s", "fields": fields, "passes": [{"name": "p", "keys": ["a"]}]})
    found = normalise(pl.DataFrame({"a": [written], "b": [written]}), spec)
    assert tuple(name.partition(SEPARATOR)[0] for name in found.row(0)) == (given, surname)
