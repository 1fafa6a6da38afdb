"""The fields of a suggested spec: those of a built-in spec by headings, others by what their columns look like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final
from unicodedata import normalize

import yaml

from core.intake.checks.column_facts import ColumnFacts, Look
from core.intake.columns import plain
from core.matching.specs.spec import SPEC_FOLDER
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE
from core.workloads.identity.suggesting.family import Family, plan_by
from core.workloads.identity.suggesting.seen_file import SeenFile

BY_LOOK: Final[Mapping[Look, Mapping[str, Any]]] = {
    "e-mail": {"kind": "email"},
    "website": {"kind": "code", "part": "domain", "levels": ["exact"]},
    "date": {"kind": "date"},
    "year": {"kind": "category"},
    "telephone": {"kind": "digits", "keep_last": 9},
    "number": {"kind": "number"},
    "digits": {"kind": "digits"},
    "identifier": {"kind": "identifier"},
    "code": {"kind": "code"},
    "category": {"kind": "category"},
    "words": {"kind": "text", "term_frequency": True},
}
FIELDS_MOST: Final = 24


@dataclass(frozen=True, slots=True)
class Suggested:
    """A field as it stands in a spec, why, and what its column in the first file looks like (None: a mark)."""

    content: Mapping[str, Any]
    reason: str
    facts: ColumnFacts | None = None

    @property
    def name(self) -> str:
        """What the spec calls it."""
        return str(self.content["name"])


@dataclass(slots=True)
class FieldsFound:
    """Fields to compare, fields to think about, columns left out with the reason, and columns to be named by hand.

    joined: file number -> field -> columns written `a+b`, where several of a file hold what one of another does.
    """

    fields: list[Suggested] = field(default_factory=list)
    possible: list[Suggested] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    joined: dict[int, dict[str, str]] = field(default_factory=dict)


@cache
def built_in(name: str) -> dict[str, Any]:
    """A built-in spec as it is written; not to be changed."""
    content: dict[str, Any] = yaml.safe_load((SPEC_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return content


def fields_of(files: Sequence[SeenFile], family: Family) -> FieldsFound:
    """Fields of the family that all files have a column for, then those of other columns by what they look like."""
    found = FieldsFound()
    spec = "persons" if family.name == "persons" else "organisations"
    plans = [plan_by(spec, seen) for seen in files]
    whole = family.name == "persons" and any(set(PERSON_PARTS) <= plan.whole for plan in plans)
    headings: dict[str, list[list[str]]] = {}
    for seen, plan in zip(files, plans, strict=True):
        for name, columns in plan.mapping.items():
            if spec == "organisations" and name == "name" and family.name == "others":
                continue
            kept = [column for column in columns if seen.facts[column].distinct > 0]
            if kept:
                headings.setdefault(name, [[] for _ in files])[files.index(seen)] = kept
    if whole:
        _join_whole(headings, found)
    served = {name: columns for name, columns in headings.items() if all(columns)}
    found.fields += _of_family(spec, served, files[0], whole)
    taken = [{column for columns in served.values() for column in columns[number]} for number in range(len(files))]
    _by_look(files, taken, found, compared=family.name == "others")
    return found


def _join_whole(headings: dict[str, list[list[str]]], found: FieldsFound) -> None:
    """Where one file holds whole names, all are taken out of whole names; two columns of another are joined."""
    for number, (given, last) in enumerate(zip(*(headings.get(part, []) for part in PERSON_PARTS), strict=False)):
        both = list(dict.fromkeys([*given, *last]))
        if len(both) > 1:
            found.joined.setdefault(number, {})[WHOLE] = "+".join(both)
        for part in PERSON_PARTS:
            headings[part][number] = both


def _of_family(spec: str, served: Mapping[str, list[list[str]]], first: SeenFile, whole: bool) -> list[Suggested]:
    """Fields of a built-in spec that have a column, and marks that are read off them."""
    fields = built_in(spec)["fields"]
    names = {field["name"] for field in fields if field.get("part_of", field["name"]) in served}
    suggested: list[Suggested] = []
    for known in fields:
        content = _alone(known, names)
        column = known.get("part_of", known["name"])
        if column not in served:
            if sources := content.get("read_from"):
                suggested.append(Suggested(content, f"read off {' and '.join(sources)}"))
            continue
        if whole and known["name"] in PERSON_PARTS:
            content |= {"part_of": WHOLE, "part": PERSON_PARTS[known["name"]]}
        content["aliases"] = list(dict.fromkeys(name for columns in served[column] for name in columns))
        facts = first.facts[served[column][0][0]]
        called = (
            f"the {_PARTS.get(content['part'], content['part'])} in it"
            if "part" in content
            else f"called as {column} is"
        )
        suggested.append(Suggested(content, f"{_quoted(content['aliases'])}: {facts.says}; {called}", facts))
    return suggested


_PARTS: Final = {"given": "given names", "legal_form": "legal form", "head": "most telling word", "rest": "other words"}


def _alone(known: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    """A field without its names for columns, and without what it says of fields that have no column."""
    content = {key: value for key, value in known.items() if key != "aliases"}
    for key in ("read_from", "made_of"):
        if left := [name for name in content.pop(key, ()) if name in names]:
            content[key] = left
    if content.get("swap_with") not in names:
        content.pop("swap_with", None)
    return content


def _by_look(files: Sequence[SeenFile], taken: Sequence[set[str]], found: FieldsFound, *, compared: bool) -> None:
    first, others = files[0], files[1:]
    names = {name for each in found.fields for name in (each.name, str(each.content.get("part_of")))}
    for column, facts in first.facts.items():
        if column in taken[0]:
            continue
        beside = [next((name for name in seen.columns if plain(name) == plain(column)), None) for seen in others]
        reason = _worthless(facts, linked=bool(others))
        if reason is None and None in beside:
            reason = f"no column of {others[beside.index(None)].path.name} is called so"
        if reason is not None:
            found.left_out[column] = reason
            continue
        aliases = list(dict.fromkeys([column, *(name for name in beside if name is not None)]))
        suggested = _field_by_look(column, aliases, facts, names)
        (found.fields if compared and len(found.fields) < FIELDS_MOST else found.possible).append(suggested)
    for number, seen in enumerate(others, 1):
        known = {plain(column) for column in first.columns}
        for column in seen.columns:
            if column not in taken[number] and plain(column) not in known:
                found.left_out[f"{seen.path.name}: {column}"] = f"no column of {first.path.name} is called so"


def _field_by_look(column: str, aliases: list[str], facts: ColumnFacts, names: set[str]) -> Suggested:
    name = _field_name(column, names)
    content = {"name": name, **BY_LOOK[facts.look], "aliases": aliases}
    if "part" in content:
        content["part_of"] = _field_name(f"{name}_address", names)
    return Suggested(
        content, f"{_quoted(aliases)}: {facts.says}; looks like {_LOOKS.get(facts.look, facts.look)}", facts
    )


_LOOKS: Final[Mapping[Look, str]] = {
    "e-mail": "mail addresses",
    "website": "addresses of websites",
    "date": "dates",
    "year": "years",
    "telephone": "telephone numbers",
    "number": "numbers",
    "digits": "numbers that name something",
    "identifier": "identifiers",
    "code": "codes",
    "category": "a few categories",
}


def _worthless(facts: ColumnFacts, *, linked: bool) -> str | None:
    match facts.look:
        case "nothing":
            return "it is empty"
        case "one value":
            return "it has one value"
        case "digits" | "identifier" | "code" | "number" if facts.names_each and not linked and not _measures(facts):
            return "every row has a value of its own"
    return None


def _measures(facts: ColumnFacts) -> bool:
    """Whether values are amounts, which are near each other where they are not equal."""
    return facts.look == "number" and facts.forms["fraction"] >= 0.1


def _field_name(column: str, names: set[str]) -> str:
    """A name that a spec allows, of a heading, and none of `names`, to which it is added."""
    letters = normalize("NFKD", column.casefold()).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")
    name = name if re.match(r"[a-z]", name) else f"field_{name}".rstrip("_")
    numbered = (f"{name}_{number}" for number in range(2, len(names) + 3))
    free = name if name not in names else next(each for each in numbered if each not in names)
    names.add(free)
    return free


def _quoted(columns: Sequence[str]) -> str:
    return " and ".join(map(repr, columns))
