"""What a user says about how a file is to be read; whatever is left open is found in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file is to be read.

    encoding: name of the encoding of a text file. delimiter: the one character between its fields. skip_lines: lines
    above its header. sheet: the sheet of a workbook. headless: a text file has no header; its columns are called
    column_1 and so on. None: as found.
    """

    encoding: str | None = None
    delimiter: str | None = None
    skip_lines: int = 0
    sheet: str | None = None
    headless: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Only what was said, for JSON."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Reading:
        """The inverse of `to_dict`."""
        return cls(**values)


NOTHING_SAID: Final = Reading()
