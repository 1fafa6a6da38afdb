"""XML read piece by piece, without document types and entities, within limits, each piece with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from core.errors import InputError

DEPTH_MAX: Final = 40
_TAG: Final = re.compile(r"\{([^}]*)\}(.*)", re.DOTALL)


class _Lines:
    """A file that gives one line at a time, so that whoever parses it knows where it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.line = 1
        self._ended = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, never beyond the end of a line."""
        self.line += self._ended
        block = self._file.readline(size)
        self._ended = block.endswith(b"\n")
        return block


def events(path: Path, where: Path) -> Iterator[tuple[str, str, Element, int]]:
    """Start and end of each element: event, name without namespace, element, line. At its end an element is whole.

    Args:
        path: what errors call the file. where: its bytes.
    Raises:
        InputError: no whole XML, a document type or an entity in it, or deeper than `DEPTH_MAX`.
    """
    with where.open("rb") as file:
        lines = _Lines(file)
        try:
            yield from _within_limits(path, lines)
        except DefusedXmlException as error:
            raise InputError(
                f"{path}, line {lines.line}: a document type or entity ({type(error).__name__}); bank files have none, "
                "and it is not read",
                path=str(path),
                line=lines.line,
            ) from None
        except ParseError as error:
            row = error.position[0]
            raise InputError(
                f"{path}, line {row}: the XML is damaged or cut short; nothing of the file is taken",
                path=str(path),
                line=row,
            ) from None


def _within_limits(path: Path, lines: _Lines) -> Iterator[tuple[str, str, Element, int]]:
    depth = 0
    for event, element in iterparse(lines, events=("start", "end"), forbid_dtd=True):
        depth += 1 if event == "start" else -1
        if depth > DEPTH_MAX:
            raise InputError(
                f"{path}, line {lines.line}: elements within elements more than {DEPTH_MAX} deep are not read",
                path=str(path),
                line=lines.line,
            )
        yield event, local(element), element, lines.line


def local(element: Element) -> str:
    """Name of an element without its namespace."""
    found = _TAG.match(element.tag)
    return found[2] if found else element.tag


def namespace(element: Element) -> str:
    """Namespace of an element, "" if it has none."""
    found = _TAG.match(element.tag)
    return found[1] if found else ""


def child(element: Element | None, *names: str) -> Element | None:
    """The first element along a path of names, whatever the namespace."""
    for name in names:
        element = None if element is None else next((each for each in element if local(each) == name), None)
    return element


def children(element: Element | None, name: str) -> list[Element]:
    """All children of a name."""
    return [] if element is None else [each for each in element if local(each) == name]


def text_at(element: Element | None, *names: str) -> str | None:
    """The text at the end of a path, trimmed; None where there is none."""
    found = child(element, *names)
    return (found.text or "").strip() or None if found is not None else None
