"""Rows for people as a table, for programs as JSON: one style for all commands, and never wider than the screen.

Where the columns do not fit, sentences wrap at blanks, names and ids are cut in the middle, and a table of too many
columns becomes one block of lines a row. `--json` always has everything.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

WIDTH, WIDTH_LEAST = 80, 40
ELLIPSIS = "…"
# Least widths of names and of sentences: as they read well, and, where that does not fit, as they can still be read.
LEAST = ((20, 20), (8, 10))
# Holds together what is one word for the reader: 3 min.
JOINED = "\N{NO-BREAK SPACE}"
GAP = 2

Style = Literal["dim", "bold", "red"]
_CODES: Mapping[Style, str] = {"dim": "2", "bold": "1", "red": "31"}


def emit(title: str, rows: Sequence[Mapping[str, Any]], *, as_json: bool, empty: str = "nothing there") -> None:
    """Print rows that share their keys: JSON list, or a table with the keys as its head; `empty` if there are none."""
    if as_json:
        import json

        print(json.dumps(list(rows), indent=2, default=_plain))
        return
    if not rows:
        print(empty)
        return
    said, lines = _wrapped(title, screen_width()) if title else [], table_lines(rows, screen_width())
    print("\n".join([styled(line, "bold") for line in said] + lines))


def emit_facts(title: str, facts: Mapping[str, Any]) -> None:
    """Print what is known of one thing, a line each."""
    said = _wrapped(title, screen_width()) if title else []
    print("\n".join([styled(line, "bold") for line in said] + fact_lines(facts, screen_width())))


def screen_width() -> int:
    """Columns there are: COLUMNS, else those of the terminal, else 80."""
    return max(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH_LEAST)


def styled(text: str, style: Style) -> str:
    """The text, marked on a terminal that shows it and left alone elsewhere."""
    shows = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if shows else text


def table_lines(
    rows: Sequence[Mapping[str, Any]], width: int, gap: int = GAP, figures: Collection[str] = ()
) -> list[str]:
    """A table as lines of at most `width` columns, the keys of the rows above it.

    Args:
        rows: at least one.
        figures: keys whose texts are figures: on the right of their column as numbers are, and never cut.
    """
    names = list(rows[0])
    cells = [[_cell(name, row[name]) for name in names] for row in rows]
    numeric = [name in figures or all(_is_number(row[name]) for row in rows) for name in names]
    if _total([max(map(_columns, [name, *column])) for name, column in _by_column(names, cells)], gap) > width:
        filled = [i for i in range(len(names)) if any(row[i] for row in cells)]
        names, numeric = [names[i] for i in filled], [numeric[i] for i in filled]
        cells = [[row[i] for i in filled] for row in cells]
    tries = (_fitted(names, cells, numeric, width - gap * (len(names) - 1), floors) for floors in LEAST)
    widths = next((found for found in tries if found is not None), None)
    if widths is None:
        return _blocks(names, cells, width)
    heads = [_wrapped_name(name, room) for name, room in zip(names, widths, strict=True)]
    lines = _aligned(heads, widths, numeric, gap)
    for row in cells:
        laid = [_laid(cell, room) for cell, room in zip(row, widths, strict=True)]
        lines += _aligned(laid, widths, numeric, gap)
    return lines


def fact_lines(facts: Mapping[str, Any], width: int) -> list[str]:
    """`name  what it is`, a line each and more where it is long, of at most `width` columns."""
    return _blocks(list(facts), [[words(value) for value in facts.values()]], width)


def cut(text: str, width: int) -> str:
    """The text in at most `width` columns, its middle left out: names differ at their ends."""
    if _columns(text) <= width:
        return text
    left, right = "", ""
    for a, b in zip(text, reversed(text), strict=True):
        if _columns(left + a + ELLIPSIS + right) > width:
            break
        left += a
        if _columns(left + ELLIPSIS + b + right) > width:
            break
        right = b + right
    return left + ELLIPSIS + right


def words(value: Any) -> str:
    """One cell: thousands separated, nothing for None, local time without fractions, no control characters."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.1f}"
        case datetime():
            return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
        case list() | tuple():
            return ", ".join(map(words, value))
    return "".join(letter if letter.isprintable() or letter == JOINED else " " for letter in str(value))


def _cell(name: str, value: Any) -> str:
    """Numbers that are names stand as commands take them."""
    is_id = isinstance(value, int) and (name in {"job", "pid"} or name.endswith("_id"))
    return str(value) if is_id else words(value)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _by_column(names: Sequence[str], cells: Sequence[Sequence[str]]) -> Iterable[tuple[str, list[str]]]:
    return ((name, [row[i] for row in cells]) for i, name in enumerate(names))


def _columns(text: str) -> int:
    """Columns of a terminal: letters of East Asia take two, marks that join a letter none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def _total(widths: Sequence[int], gap: int) -> int:
    return sum(widths) + gap * (len(widths) - 1)


def _fitted(
    names: Sequence[str], cells: Sequence[Sequence[str]], numeric: Sequence[bool], width: int, floors: tuple[int, int]
) -> list[int] | None:
    """Widths of the columns, in all `width` at most; None: they do not fit even at their least."""
    wanted, least = [], []
    for i, (name, column) in enumerate(_by_column(names, cells)):
        body = max(map(_columns, column))
        head = max(map(len, _parts(name)), default=0)
        wanted.append(max(body, _columns(name)))
        if numeric[i]:
            least.append(max(body, head))
        else:
            longest = max((_columns(word) for cell in column for word in cell.split(" ")), default=0)
            floor = min(max(longest, floors[0]), floors[1]) if any(" " in cell for cell in column) else floors[0]
            least.append(max(min(body, floor), head))
    room = width - sum(least)
    if room < 0:
        return None
    # What is left goes to names before sentences, which lose nothing, and to those that lack least: most become whole.
    sentences = [any(" " in row[i] for row in cells) for i in range(len(names))]
    for i in sorted(range(len(names)), key=lambda i: (sentences[i], wanted[i] - least[i])):
        given = min(wanted[i] - least[i], room)
        least[i] += given
        room -= given
    return least


def _parts(name: str) -> list[str]:
    """Where the head of a column may be broken: `lease_until` in two, each keeping its mark."""
    return name.replace("_", "_ ").split()


def _wrapped_name(name: str, room: int) -> list[str]:
    lines = [""]
    for part in _parts(name):
        gap = " " if lines[-1] and not lines[-1].endswith("_") else ""
        if lines[-1] and len(lines[-1] + gap + part) > room:
            lines.append(part)
        else:
            lines[-1] += gap + part
    return lines


def _laid(cell: str, room: int) -> list[str]:
    """A cell as lines: a sentence wraps, a name is cut."""
    if _columns(cell) <= room:
        return [cell]
    return _wrapped(" ".join(cut(word, room) for word in cell.split()), room) if " " in cell else [cut(cell, room)]


def _wrapped(text: str, room: int) -> list[str]:
    """Lines of at most `room` columns, broken at blanks where there are any."""
    lines: list[str] = []
    # textwrap counts letters; wide ones take two columns.
    for line in textwrap.wrap(text, room, break_on_hyphens=False) or [""]:
        rest = line
        while _columns(rest) > room:
            short = rest
            while _columns(short) > room:
                short = short[:-1]
            lines.append(short)
            rest = rest[len(short) :]
        lines.append(rest)
    return lines


def _aligned(cells: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool], gap: int) -> list[str]:
    """Lines of one row, each cell of it one or more lines."""
    lines = []
    for i in range(max(map(len, cells))):
        padded = []
        for cell, room, right in zip(cells, widths, numeric, strict=True):
            text = cell[i] if i < len(cell) else ""
            blank = " " * (room - _columns(text))
            padded.append(blank + text if right else text + blank)
        lines.append((" " * gap).join(padded).rstrip().replace(JOINED, " "))
    return lines


def _blocks(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """One line for each name and value, nothing cut, and a blank line between rows."""
    room = min(max(map(_columns, names), default=0), width // 2)
    lines: list[str] = []
    for number, row in enumerate(cells):
        lines += [""] if number else []
        for name, cell in zip(names, row, strict=True):
            head = cut(name, room)
            pad = " " * (room - _columns(head))
            first, *more = _wrapped(cell.replace(JOINED, " "), width - room - GAP)
            lines.append(f"{head}{pad}{' ' * GAP}{first}".rstrip())
            lines += [" " * (room + GAP) + line for line in more]
    return lines


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
    raise TypeError(type(value).__name__)
