"""Whether records are of persons, of organisations or of something else: by headings, and by words in their names."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import polars as pl

from core.intake.columns import ColumnPlan, plain, plan_columns
from core.intake.known_names import ALONE, known_names
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE
from core.matching.standardise.names.nicknames import given_names
from core.matching.standardise.normalise import fold
from core.matching.standardise.organisation_names import organisation_part
from core.workloads.identity.suggesting.seen_file import SeenFile, built_in_hints

FamilyName = Literal["persons", "organisations", "others"]
NAMES_SEEN: Final = 2_000
# Of made lists of people three names in four have a listed given name, of firms and products one in twenty at most;
# one firm in three has a legal form, no person.
GIVEN_SHARE_MIN: Final = 0.3
LEGAL_SHARE_MIN: Final = 0.1
_OF_FIRMS: Final = ("street", "city", "zip", "phone", "website", "tax_id")
_OF_PEOPLE: Final = ("dob", "ssn")


class Family(NamedTuple):
    """What records are of, and why it seems so."""

    name: FamilyName
    reason: str


def plan_by(spec: str, seen: SeenFile) -> ColumnPlan:
    """The columns of a file that serve the fields of a built-in spec."""
    columns = [seen.id_column, *seen.columns]
    return plan_columns(columns, seen.path, seen.id_column, None, built_in_hints(spec))


def family_of(seen: SeenFile) -> Family:
    """What the records of a file seem to be of."""
    people, firms = plan_by("persons", seen).mapping, plan_by("organisations", seen).mapping
    names = [people[part][0] for part in PERSON_PARTS if part in people]
    if len(set(names)) == 2:
        return Family("persons", f"the columns {names[0]!r} and {names[1]!r} are called as names of persons are")
    column = next(iter([*firms.get("name", ()), *names]), None)
    if column is None:
        return Family("others", "no column is called as names of persons or organisations are")
    return _by_values(seen, column) or _by_heading(seen, column, people, firms)


def _by_values(seen: SeenFile, column: str) -> Family | None:
    names = seen.frame[column].drop_nulls().unique(maintain_order=True).head(NAMES_SEEN)
    legal = float(organisation_part(fold(names), "legal_form").is_not_null().mean() or 0.0)  # type: ignore[arg-type]
    if legal >= LEGAL_SHARE_MIN:
        return Family("organisations", f"{legal:.0%} of the names in {column!r} have a legal form")
    words = fold(names).str.split(" ").list.eval(pl.element().is_in(given_names())).list.any()
    given = float(words.mean() or 0.0)  # type: ignore[arg-type]
    if given >= GIVEN_SHARE_MIN:
        return Family("persons", f"{given:.0%} of the names in {column!r} have a known given name")
    return None


def _by_heading(
    seen: SeenFile, column: str, people: dict[str, tuple[str, ...]], firms: dict[str, tuple[str, ...]]
) -> Family:
    heading, called = plain(column), f"the column {column!r} is called as names of"
    either = {"name", *map(plain, ALONE), *map(plain, known_names(WHOLE))}
    if column in firms.get("name", ()) and heading not in either:
        return Family("organisations", f"{called} organisations are")
    if column not in firms.get("name", ()) or any(field in people for field in _OF_PEOPLE):
        return Family("persons", f"{called} persons are")
    beside = [field for field in _OF_FIRMS if field in firms]
    if beside or seen.columns == [column]:
        why = f"{', '.join(beside)} stand beside it" if beside else "it stands alone"
        return Family("organisations", f"{column!r} holds names, hardly any with a known given name, and {why}")
    return Family("others", f"{column!r} holds names that are neither those of persons nor of organisations")
