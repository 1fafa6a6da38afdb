"""A header that looks like a title: which later line is meant, in the words of every kind of table."""

from __future__ import annotations

# A header that is half as long as the rows below it is taken for a title.
TITLE_SHARE = 0.5
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def proposed_header(unit: str, first: tuple[int, int], header: tuple[int, int]) -> str:
    """What is said of the first line and of a later one, both with their number and how many fields they have."""
    (line, n_filled), (at, n_usual) = first, header
    has = f"{unit} {line} has {_counted(n_filled)} field{'s' if n_filled != 1 else ''}"
    return f"{has}, {unit} {at} has {_counted(n_usual)}: is that the header? `skip_lines` {at - 1}"


def _counted(number: int) -> str:
    return _NUMBERS[number] if number < len(_NUMBERS) else str(number)
