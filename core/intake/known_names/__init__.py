"""What columns are called in eight languages, as data: the names that a file's columns are known by without a word."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

# Beside given names `Name` is the surname, as in German, Dutch and Polish lists; alone it is the whole name.
BESIDE = {"last_name": ("first_name", ("name", "naam", "nazwa"))}
# Alone these are whole names in one language, and given names or surnames in another.
ALONE = ("nome", "nombre", "nom")
_TABLE = Path(__file__).with_name("column_names.toml")


def known_names(column: str) -> tuple[str, ...]:
    """Names that a column may have which the built-in specs call `column`, each once; none for another column."""
    return _table().get(column, ())


@cache
def _table() -> dict[str, tuple[str, ...]]:
    content: dict[str, dict[str, list[str]]] = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {
        column: tuple(dict.fromkeys(name for names in languages.values() for name in names))
        for column, languages in content.items()
    }
