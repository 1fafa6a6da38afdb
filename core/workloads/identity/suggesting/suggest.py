"""Look at one file or several that are to be linked, and write the spec that a match would begin with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from core.errors import InputError
from core.intake.columns import plan_columns
from core.linkage.description import hints_of
from core.matching.specs.spec import USABLE_PASSES_MIN, MatchSpec, built_in_specs
from core.workloads.identity.suggesting.document import match_command, spec_text
from core.workloads.identity.suggesting.family import Family, family_of
from core.workloads.identity.suggesting.fields import FieldsFound, fields_of
from core.workloads.identity.suggesting.passes import passes_of, says
from core.workloads.identity.suggesting.seen_file import SeenFile, see_file


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A spec as YAML, the match that runs it, and what stands in it."""

    text: str
    command: str
    family: Family
    files: Sequence[SeenFile]
    found: FieldsFound
    passes: Sequence[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """As a program reads it."""
        return {
            "records": self.family.name,
            "reason": self.family.reason,
            "inputs": [{"file": str(seen.path), "id": seen.id_column} for seen in self.files],
            "fields": [dict(each.content) | {"reason": each.reason} for each in self.found.fields],
            "possible": [dict(each.content) | {"reason": each.reason} for each in self.found.possible],
            "passes": [each | {"reason": says(each["keys"])} for each in self.passes],
            "left_out": self.found.left_out,
            "command": self.command,
        }


def suggest(path: Path, out: Path, id_column: str | None, links: Sequence[tuple[Path, str | None]]) -> Suggestion:
    """A first spec for a file, or for files that are to be linked; nothing is written.

    Args:
        out: what the spec is going to be called. id_column: None: found by its name, or the first that names each row.
        links: further files, and the column that names their records, None as before.
    Raises:
        InputError: a file cannot be read, has no column of ids, or there is too little to match on.
    Cost: 1 us a value of the first 100,000 rows.
    """
    files = [see_file(path, id_column, "--id")]
    files += [see_file(link, named, "--link-id") for link, named in links]
    family = family_of(files[0])
    found = fields_of(files, family)
    _refuse_numbers(files, found)
    passes = passes_of(family.name, found.fields)
    if sum(not each.get("wide") for each in passes) < USABLE_PASSES_MIN:
        raise InputError(
            f"{_named(files)}: too little to match on: {_have(found)}; at least {USABLE_PASSES_MIN} passes must be "
            "possible, over names, texts, dates, identifiers or addresses",
            path=str(path),
        )
    command = match_command(files, found, str(out))
    text = spec_text(_spec_name(out), files, family, found, passes, command)
    _check(text, files[0], found)
    return Suggestion(text, command, family, files, found, passes)


def _refuse_numbers(files: Sequence[SeenFile], found: FieldsFound) -> None:
    telling = [each for each in found.fields if each.content["kind"] not in {"number", "category", "date", "mark"}]
    if found.fields and not telling:
        raise InputError(
            f"{_named(files)}: columns of numbers, dates and categories only ({_have(found)}); no record is known by "
            "those: a match wants names, texts, codes or identifiers",
            path=str(files[0].path),
        )
    if not found.fields:
        left = "; ".join(f"{column!r}: {reason}" for column, reason in found.left_out.items())
        raise InputError(f"{_named(files)}: nothing to match on{f' ({left})' if left else ''}", path=str(files[0].path))


def _have(found: FieldsFound) -> str:
    return ", ".join(f"{each.name} ({each.content['kind']})" for each in found.fields)


def _named(files: Sequence[SeenFile]) -> str:
    return " and ".join(str(seen.path) for seen in files)


def _spec_name(out: Path) -> str:
    """The name of the file; those of built-in specs bring their names of columns with them."""
    name = re.sub(r"[^a-z0-9]+", "_", out.stem.lower()).strip("_") or "suggested"
    return f"my_{name}" if name in built_in_specs() else name


def _check(text: str, first: SeenFile, found: FieldsFound) -> None:
    """Hold the text against what a match does with it, so that it runs as it comes."""
    spec = MatchSpec.model_validate(yaml.safe_load(text))
    columns = [first.id_column, *first.columns]
    plan = plan_columns(columns, first.path, first.id_column, found.joined.get(0), hints_of(spec))
    spec.restrict({field.name for field in spec.fields if field.column in plan.mapping})
