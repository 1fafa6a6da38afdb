"""Options that say how text files are to be read, alike in every command that reads some."""

from __future__ import annotations

from typing import Annotated

import typer

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

_NAMED = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


def delimiter_of(said: str | None) -> str | None:
    """The character that is meant: a tabulator is hard to type."""
    return None if said is None else _NAMED.get(said.lower(), said)
