"""Which names are forms of one name, and which only share a short form."""

import pytest

from core.matching.standardise.names.continental import CONTINENTAL
from core.matching.standardise.names.english import ALONE, ENGLISH
from core.matching.standardise.names.families import FAMILIES
from core.matching.standardise.names.nicknames import listed_names
from core.matching.standardise.names.traits import FORM_SHIFT, FORMS_MAX


def one_name(a: str, b: str) -> bool:
    one, two = listed_names()[a], listed_names()[b]
    forms = {each.traits >> int(FORM_SHIFT) for each in (one, two)}
    return one.full == two.full and (len(forms) == 1 or 0 in forms)


@pytest.mark.parametrize(
    ("a", "b"),
    [("bob", "robert"), ("alex", "alexandra"), ("sam", "samantha"), ("katharina", "ekaterina"), ("muhammad", "mohamed"),
     ("pepe", "jose"), ("volodymyr", "vladimir"), ("mhmd", "mohammed"), ("cheung", "zhang"), ("agrawal", "agarwal")],
)  # fmt: skip
def test_forms_of_a_name_are_one_name(a, b):
    assert one_name(a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [("alexander", "alexandra"), ("samuel", "samantha"), ("andrea", "andreas"), ("maria", "mario"),
     ("nathan", "jonathan"),
     ("daniel", "daniela"), ("christian", "christina"), ("edward", "edwin"), ("francis", "frances"), ("wang", "zhang")],
)  # fmt: skip
def test_two_names_with_one_short_form_are_two_names(a, b):
    assert not one_name(a, b)


def test_no_name_is_listed_twice():
    """The second place would count for nothing."""
    for table in (ENGLISH + CONTINENTAL + ALONE, FAMILIES):
        names = [name for name in table.split() if name not in {"|", ":"}]
        assert sorted(names) == sorted(set(names))


def test_forms_of_a_class_can_be_numbered():
    lines = ENGLISH.replace("\n  ", " ").split("\n")
    assert max(line.count("|") + 1 for line in lines) <= FORMS_MAX
