"""What is said of input files: their form, for all; and of linked ones their columns, for all of them or for one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from core.errors import ConfigError

# The number of a `--link` before what is said of it.
_NUMBERED = re.compile(r"(?:(\d+):)?(.*)", re.DOTALL)

LinkFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--link", help="further file (or table:NAME), again for each: compare only records of different files"
    ),
]
LinkIds = Annotated[
    list[str] | None,
    typer.Option("--link-id", help="column that names the records of linked files; N:COLUMN of the Nth --link only"),
]
LinkMaps = Annotated[
    list[str] | None,
    typer.Option("--link-map", help="field=column as --map, of linked files; N:field=column of the Nth --link only"),
]
OneToOne = Annotated[
    bool, typer.Option("--one-to-one", help="with --link: at most one record of each file in an entity (default)")
]
Shared = Annotated[
    list[str] | None,
    typer.Option(help="with --link: file (or its number, 0 is INPUT) whose records may have several partners; repeat"),
]
Reference = Annotated[
    str | None,
    typer.Option(
        help="with --link: file (or its number) that answers: each record of the others gets one of it, or none"
    ),
]
Changed = Annotated[
    Literal["refuse", "replace"],
    typer.Option(help="with --against: records whose id is known already; replace: they take the old ones' place"),
]
Removed = Annotated[
    Path | None,
    typer.Option(help="with --against: file of ids whose records are taken out, and their values out of all files"),
]


Encoding = Annotated[
    str | None, typer.Option(help="encoding of text files, such as cp1252 (default: as found)", show_default=False)
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        help="character between fields of text files; tab for the tabulator (default: as found)", show_default=False
    ),
]
SkipLines = Annotated[int, typer.Option(min=0, max=1_000, help="lines above the header of text files")]
Sheet = Annotated[
    str | None,
    typer.Option(help="sheet of a workbook, by name or number (default: the only one with cells)", show_default=False),
]

_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def link_ids(texts: Sequence[str], n_links: int) -> tuple[str, ...]:
    """The id's column of each linked file, "" where nothing is said; empty where nothing is said of any.

    Raises:
        ConfigError: there is no such link, or two columns for one.
    """
    said: dict[int, str] = {}
    for text in texts:
        number, column = _numbered(text, "--link-id", n_links)
        if number in said:
            raise ConfigError(f"--link-id {text}: {_whose(number)} has an id column already, {said[number]}")
        said[number] = column.strip()
    return tuple(said.get(number, said.get(0, "")) for number in range(1, n_links + 1)) if said else ()


def link_mappings(texts: Sequence[str], n_links: int) -> tuple[dict[str, str], ...]:
    """The mapping of each linked file; empty where nothing is said of any.

    Raises:
        ConfigError: there is no such link, no field or column, or a field is mapped twice.
    """
    said: dict[int, dict[str, str]] = {}
    for text in ",".join(texts).split(",") if texts else ():
        number, pair = _numbered(text.strip(), "--link-map", n_links)
        field, equals, column = (part.strip() for part in pair.partition("="))
        if not equals or not field:
            raise ConfigError(f"--link-map {text}: write field=column, for example --link-map last_name=surname")
        mapping = said.setdefault(number, {})
        if field in mapping:
            raise ConfigError(f"--link-map {text}: field {field} is mapped twice")
        mapping[field] = column
    return tuple(said.get(0, {}) | said.get(number, {}) for number in range(1, n_links + 1)) if said else ()


def _numbered(text: str, option: str, n_links: int) -> tuple[int, str]:
    """The number of the link that is meant, 0 for all, and what is said of it."""
    found = _NUMBERED.fullmatch(text)
    number = int(found[1] or 0) if found else 0
    if n_links == 0:
        raise ConfigError(f"{option} {text}: it names a column of a file given with --link; there is none")
    if number > n_links or (found and found[1] and number == 0):
        raise ConfigError(f"{option} {text}: there is no --link number {number}; they are 1 to {n_links}")
    return number, found[2] if found else text


def _whose(number: int) -> str:
    return f"--link number {number}" if number else "every linked file"


def delimiter_of(said: str | None) -> str | None:
    """The character that is meant: a tabulator is hard to type."""
    return None if said is None else _NAMED.get(said.lower(), said)
