"""What a match is going to do, in lines of at most 80 columns: for a terminal and for the log of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from core.linkage.results.outline import Outline, SourceOutline

WIDTH = 80
_MARKS = {",": "comma", ";": "semicolon", "tab": "tab", "|": "stroke", ":": "colon", "'": "apostrophe"}


def outline_lines(outline: Outline) -> list[str]:
    """Each input with its columns, then what is not compared, which passes run, and what else should be known."""
    lines = [line for source in outline.sources for line in _source_lines(source)]
    if absent := outline.sources[0].unmapped:
        lines += _wrapped("not compared, no column: ", ", ".join(absent))
    every = len(outline.passes) + len(outline.dropped)
    lines += _wrapped("passes: ", f"{len(outline.passes)} of {every}" + _without(outline.dropped))
    if outline.wide:
        lines += _wrapped("wide passes: ", f"{len(outline.wide)}, as far as there is room for their pairs")
    if outline.linking is not None:
        lines += _wrapped("linked: ", _linking(outline.linking, [source.path for source in outline.sources]))
    for notice in outline.notices:
        lines += _wrapped("note: ", notice)
    return lines


def _linking(linking: Mapping[str, Any], names: Sequence[str]) -> str:
    """Who may have how many partners."""
    if linking["mode"] == "reference":
        return f"each record gets one answer of {names[linking['reference']]}, or none"
    if linking["mode"] == "every":
        return "a record may have any number of partners"
    shared = ", ".join(names[number] for number in linking["shared"])
    several = f"; those of {shared} may have several" if shared else ""
    return f"a record has one partner in another file at most{several}"


def _without(dropped: tuple[str, ...]) -> str:
    return f"; their fields lack a column: {', '.join(dropped)}" if dropped else ""


def _source_lines(source: SourceOutline) -> Iterator[str]:
    form = [f"{source.rows:,} rows", *(_form(name, value) for name, value in source.detected.items())]
    yield from _wrapped(f"{source.path}: ", "; ".join(form))
    width = max(map(len, source.fields), default=0)
    yield from _wrapped(f"  {'id':<{width}}  ", source.id_column)
    for name, columns in source.fields.items():
        yield from _wrapped(f"  {name:<{width}}  ", " + ".join(columns))


def _form(name: str, value: str) -> str:
    """What was detected, in words."""
    if name == "format":
        return value.upper() if value in {"csv", "json"} else value
    if name in {"delimiter", "quote"}:
        return f"{name} {_MARKS.get(value, repr(value))}"
    return f"{name.replace('_', ' ')} {value}"


def _wrapped(head: str, text: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), drop_whitespace=True)
