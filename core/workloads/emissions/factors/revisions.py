"""Which codes of NAICS 2017 a code of another revision stands for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from core.errors import SchemaError
from core.intake.whole_columns import read_table

REVISIONS: Final = ("2012", "2017", "2022")
_CODE_DIGITS: Final = 6
SHIPPED: Final = Path(__file__).parent / "starter" / "naics_changes.csv"


class Revisions:
    """Codes of six digits. known: revision -> its codes, where the whole file was read; else only changes are known."""

    def __init__(self, pairs: Mapping[str, Mapping[str, frozenset[str]]], known: Mapping[str, frozenset[str]]) -> None:
        self._pairs = pairs
        self.known = known

    def to_2017(self, revision: str, code: str) -> frozenset[str]:
        """Codes of 2017 that the code covers, or a part of; the code itself where nothing changed."""
        return self._pairs.get(revision, {}).get(code, frozenset((code,)))

    def of_any(self, code: str) -> frozenset[str]:
        """Codes of 2017 that the code stands for in any revision that has it."""
        found = [self._pairs[revision][code] for revision in REVISIONS if code in self._pairs.get(revision, {})]
        return frozenset().union(*found) if found else frozenset((code,))


def read_revisions(path: Path) -> Revisions:
    """The file of revisions of EPA's flowsa, or the cut that is shipped. Raises SchemaError: a column is missing."""
    table = read_table(path)
    if set(REVISIONS) <= set(table.columns):
        return revisions_of(table.select(REVISIONS).rows(), are_changes=True)
    names = [f"NAICS_{revision}_Code" for revision in REVISIONS]
    if missing := [name for name in names if name not in table.columns]:
        raise SchemaError(f"{path} has no column {missing[0]!r}", column=missing[0], got=table.columns)
    return revisions_of(table.select(names).rows())


def shipped_revisions() -> Revisions:
    """The codes that changed, as shipped: cut from the same file."""
    return read_revisions(SHIPPED)


def revisions_of(rows: list[tuple[str | None, ...]], *, are_changes: bool = False) -> Revisions:
    """Of rows of the codes of 2012, 2017 and 2022; `are_changes`: they are not all codes there are."""
    pairs: dict[str, dict[str, set[str]]] = {revision: {} for revision in REVISIONS}
    known: dict[str, set[str]] = {revision: set() for revision in REVISIONS}
    for row in rows:
        codes = dict(zip(REVISIONS, row, strict=True))
        for revision, code in codes.items():
            if not _is_code(code):
                continue
            known[revision].add(str(code))
            if _is_code(codes["2017"]):
                pairs[revision].setdefault(str(code), set()).add(str(codes["2017"]))
    frozen = {
        revision: {code: frozenset(found) for code, found in by_code.items()} for revision, by_code in pairs.items()
    }
    return Revisions(frozen, {} if are_changes else {revision: frozenset(codes) for revision, codes in known.items()})


def _is_code(code: str | None) -> bool:
    return code is not None and len(code) == _CODE_DIGITS and code.isdigit()
