"""Requests of this version, and those that jobs of older versions stored."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

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


SAID = [("link_id", "no"), ("link_mapping", {"dob": "geb"}), ("link_mapping", {"dob": "naissance"})]
