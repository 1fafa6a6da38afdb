"""Before a match: what it is going to do, and the question whether it may do without names."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from core.errors import InputError
from core.linkage.request import MatchRequest
from core.terminal.option_names import in_options, named_options

if TYPE_CHECKING:
    from pathlib import Path

    from core.linkage.description import JobDescription

T = TypeVar("T")


def asking(request: MatchRequest, work: Callable[[MatchRequest], T]) -> T:
    """Do the work; where names are missing a person at a terminal is asked, and a script is refused.

    Raises:
        InputError: as the work; names are missing and nobody is there, or the answer is no.
    """
    from core.linkage.name_check import QUESTION

    try:
        return work(request)
    except InputError as error:
        if QUESTION not in error.facts.get("fields", ()) or not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        typer.echo(in_options(error), err=True)
        if not typer.confirm("Match without?", default=False, err=True):
            raise
    return work(request.model_copy(update={QUESTION: True}))


def show_outline(request: MatchRequest, state: Path, *, as_json: bool) -> None:
    """Print what a match would do, and do nothing."""
    from core.linkage.resolve import outline
    from core.workloads.identity.outline_text import outline_lines

    found = asking(request, lambda asked: outline(asked, state / "workspaces" / "local", state / "exports"))
    if as_json:
        import orjson

        print(orjson.dumps(found.to_dict(), option=orjson.OPT_INDENT_2).decode())
        return
    print("\n".join(map(named_options, outline_lines(found))))


class Teller:
    """Says on stderr what will be done; `rest` gives the notices of a summary that were not said then."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._said: set[str] = set()

    def __call__(self, description: JobDescription) -> None:
        """Print the outline, unless quiet."""
        from core.linkage.results.outline import outline_of
        from core.workloads.identity.outline_text import outline_lines

        if self._quiet:
            return
        self._said = set(description.notices)
        lines = outline_lines(outline_of(description))
        print("\n".join(map(named_options, lines)), file=sys.stderr, flush=True)

    def rest(self, summary: dict[str, Any]) -> dict[str, Any]:
        """The summary without the notices that were said."""
        rest = [named_options(notice) for notice in summary["notices"] if notice not in self._said]
        return summary if self._quiet else summary | {"notices": rest}
