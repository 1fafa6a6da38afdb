"""A file without the names that a built-in spec asks for is refused in words, unless the request says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InputError
from core.intake.columns import plan_columns
from core.linkage.description import hints_of
from core.linkage.name_check import refuse_nameless
from core.linkage.request import MatchRequest
from core.matching.specs.spec import MatchSpec, load_spec


def check(columns: list[str], *, rules: MatchSpec | None = None, **asked: object) -> None:
    chosen = rules or load_spec(str(asked.get("spec", "persons")))
    request = MatchRequest(input="people.csv", id_column="id", **asked)
    plan = plan_columns(columns, Path("people.csv"), "id", request.mapping, hints_of(chosen))
    refuse_nameless(request, chosen, Path("people.csv"), columns, plan)


def test_missing_names_are_told_with_what_there_is_and_what_to_do() -> None:
    with pytest.raises(InputError) as refused:
        check(["id", "first_name", "dob"])
    assert refused.value.message == (
        "people.csv: no column is known as last_name; there are: id, first_name, dob. Without names strangers may "
        "become one: name the column with `mapping` last_name=COLUMN, or say that there is none with `mapping` "
        "last_name=, or go on with `without_names`"
    )
    assert refused.value.facts["fields"] == ("mapping", "spec", "without_names")


def test_a_whole_name_is_a_name_and_told_where_only_one_of_its_parts_has_a_column() -> None:
    check(["id", "Nom complet", "dob"])
    with pytest.raises(
        InputError, match="If column 'Nom complet' holds whole names, .* `mapping` full_name=Nom complet"
    ):
        check(["id", "Nom complet", "prenom", "dob"])
    with pytest.raises(InputError, match="no column is known as first_name and last_name"):
        check(["id", "Nom complet", "dob"], mapping={"full_name": ""})


def test_companies_need_a_name_too() -> None:
    with pytest.raises(InputError, match="no column is known as name"):
        check(["id", "vat", "city"], spec="organisations")
    check(["id", "Firma", "city"], spec="organisations")


@pytest.mark.parametrize(("spec", "lacking"), [("suppliers", "name"), ("products", "title"), ("publications", "title")])
def test_things_need_what_says_which_they_are(spec: str, lacking: str) -> None:
    with pytest.raises(InputError, match=f"no column is known as {lacking}"):
        check(["id", "city", "year", "brand"], spec=spec)
    check(["id", "Nombre" if lacking == "name" else "Titel", "city"], spec=spec)


@pytest.mark.parametrize(
    "said", [{"mapping": {"last_name": ""}}, {"mapping": {"surname": ""}}, {"without_names": True}]
)
def test_whoever_says_that_there_is_none_may_go_on(said: dict[str, object]) -> None:
    check(["id", "first_name", "dob"], **said)


def test_specs_of_ones_own_ask_for_no_names() -> None:
    check(["id", "dob"], rules=load_spec("persons").model_copy(update={"name": "own"}))
