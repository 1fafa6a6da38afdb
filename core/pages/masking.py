"""Personal values: a type whose text needs a clearance, so that no template, log or error shows one by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.pages.accounts.roles import Person

MASK = "•••"
_UNSEEN = {code: 0x2400 + code for code in range(32)} | {0x7F: 0x2421}
# They turn the order of what stands beside them around; shown by the sign for what cannot be shown.
_UNSEEN |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F), 0xFFFD)
SHOWN_MAX = 500


class Personal:
    """A value of a person. As text, and in every log, it is a mask."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__

    def __bool__(self) -> bool:
        """Whether there is a value at all."""
        return bool(self._text)

    def shown_to(self, person: Person) -> str:
        """The text for who decides, cut to what a cell can hold; the mask for viewers. Signs that cannot be seen, or
        that turn the line around, have a picture in their place."""
        if not person.may("reviewer"):
            return MASK if self._text else ""
        text = self._text.translate(_UNSEEN)
        return text if len(text) <= SHOWN_MAX else f"{text[:SHOWN_MAX]}… ({len(text):,} characters)"
