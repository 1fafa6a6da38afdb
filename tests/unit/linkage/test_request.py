"""Requests of this version, and those that jobs of older versions stored."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import ConfigError
from core.linkage.request import LINKS_MAX, MatchRequest, job_key
from core.matching.specs.spec import load_spec

PERSONS = load_spec("persons")


def request_of(**fields: Any) -> MatchRequest:
    return MatchRequest.model_validate({"input": "a.csv", "id_column": "id"} | fields)


@pytest.mark.parametrize(
    ("stored", "link"), [(None, ()), ("b.csv", ("b.csv",)), (["b.csv", "c.csv"], ("b.csv", "c.csv"))]
)
def test_a_stored_link_is_null_a_path_or_a_list(stored: Any, link: tuple[str, ...]) -> None:
    found = request_of(link=stored)
    assert found.link == link
    assert [str(path) for path in found.inputs] == ["a.csv", *link]
    assert MatchRequest.model_validate_json(found.model_dump_json()) == found


def test_more_files_than_sources_can_be_told_apart_are_refused() -> None:
    with pytest.raises(ValidationError, match="at most 15"):
        request_of(link=["b.csv"] * (LINKS_MAX + 1))


def test_what_is_said_of_linked_files_is_said_of_all_of_them_or_of_each() -> None:
    one = request_of(link=["b.csv", "c.csv"], link_id="no", link_mapping={"dob": "geb"})
    assert [one.said_of_link(number) for number in (1, 2)] == [("no", {"dob": "geb"})] * 2
    each = request_of(link=["b.csv", "c.csv"], link_id=["", "nr"], link_mapping=[{}, {"dob": "geb"}])
    assert [each.said_of_link(number) for number in (1, 2)] == [(None, {}), ("nr", {"dob": "geb"})]
    assert request_of(link=["b.csv"]).said_of_link(1) == (None, {})


def test_the_key_of_a_job_knows_the_columns_of_linked_files() -> None:
    plain = request_of(link="b.csv")
    others = [plain, *(request_of(link="b.csv", **{name: said}) for name, said in SAID)]
    keys = [job_key(each, ["x", "y"], PERSONS) for each in others]
    assert len(set(keys)) == len(keys)


def test_linked_files_are_exclusive_unless_a_request_or_a_stored_one_says_otherwise() -> None:
    assert request_of(link="b.csv").exclusive
    assert not request_of().exclusive
    # As earlier versions stored them: all fields, and what was not asked for as false.
    assert not request_of(link="b.csv", one_to_one=False).exclusive
    assert request_of(link="b.csv", one_to_one=True).exclusive
    assert not request_of(link="b.csv", reference="b.csv").exclusive


def test_a_file_is_named_by_number_path_name_or_stem() -> None:
    asked = request_of(input="/in/a.csv", link=["/in/b.csv", "/other/b.csv", "/in/2.csv"])
    named = {"0": 0, "/in/b.csv": 1, "/other/b.csv": 2, "a.csv": 0, "a": 0, "2": 2, "2.csv": 3}
    assert {name: asked.source_number(name, "shared") for name in named} == named
    for name, said in (
        ("b.csv", "several files of this match; give the number of one"),
        ("4", "no file of this match"),
    ):
        with pytest.raises(ConfigError) as refused:
            asked.source_number(name, "reference")
        assert refused.value.message == f"`reference` {name}: {said}; they are 0 a.csv, 1 b.csv, 2 b.csv, 3 2.csv"


def test_the_key_of_a_job_knows_who_may_have_how_many_partners() -> None:
    ways: list[dict[str, Any]] = [
        {}, {"one_to_one": False}, {"shared": ["0"]}, {"shared": ["1"]}, {"reference": "0"}, {"reference": "1"}
    ]  # fmt: skip
    keys = [job_key(request_of(link="b.csv", **way), ["x", "y"], PERSONS) for way in ways]
    assert len(set(keys)) == len(keys)
    assert job_key(request_of(link="b.csv", one_to_one=True), ["x", "y"], PERSONS) == keys[0]
    assert job_key(request_of(link="b.csv", shared="b.csv"), ["x", "y"], PERSONS) == keys[3]
    assert job_key(request_of(one_to_one=False), ["x"], PERSONS) == job_key(request_of(), ["x"], PERSONS)


SAID = [("link_id", "no"), ("link_mapping", {"dob": "geb"}), ("link_mapping", {"dob": "naissance"})]
