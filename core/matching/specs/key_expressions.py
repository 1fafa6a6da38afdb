"""Key expressions of blocking passes: `sound(last_name)`, `prefix(zip, 3)`, `parts(dob)`, or a bare field name.

Each expression is compiled to one row of integers for the kernels in `block_keys` and `shared_passes`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from core.matching.specs.levels import CODED_KINDS


class KeyFunction(NamedTuple):
    """Opcode, the kinds it applies to, and what the second argument is (`none`, `count` or `field`)."""

    opcode: int
    kinds: frozenset[str]
    argument: str


# What the kernels know a key function by. A whole date is a key only when no part is absent, so it has an opcode of its
# own.
(
    WHOLE, SOUND, NICK, INITIAL, PREFIX, YEAR, MONTH_DAY, PARTS, HOUSE, NUMBER, FIRST, LAST, UNORDERED, LOCAL, STREET,
    WHOLE_DATE, SUFFIX, RARE,
) = range(18)  # fmt: skip

_NAMES = frozenset({"given_name", "surname", "text", "city"})
# A mark may have no word of its own.
_CODED = CODED_KINDS - {"mark"}

KEY_FUNCTIONS: Mapping[str, KeyFunction] = {
    "whole": KeyFunction(WHOLE, _CODED | {"date", "digits", "street", "email", "number", "words"}, "none"),
    "sound": KeyFunction(SOUND, _NAMES, "none"),
    "nick": KeyFunction(NICK, _NAMES, "none"),
    "initial": KeyFunction(INITIAL, _CODED, "none"),
    "prefix": KeyFunction(PREFIX, _CODED, "count"),
    "year": KeyFunction(YEAR, frozenset({"date"}), "none"),
    "month_day": KeyFunction(MONTH_DAY, frozenset({"date"}), "none"),
    "parts": KeyFunction(PARTS, frozenset({"date"}), "none"),
    "house": KeyFunction(HOUSE, frozenset({"street"}), "none"),
    "number": KeyFunction(NUMBER, frozenset({"street"}), "none"),
    "first": KeyFunction(FIRST, frozenset({"digits", "identifier"}), "count"),
    "last": KeyFunction(LAST, frozenset({"digits", "identifier"}), "count"),
    "unordered": KeyFunction(UNORDERED, _NAMES, "field"),
    "local": KeyFunction(LOCAL, frozenset({"email"}), "none"),
    "street": KeyFunction(STREET, frozenset({"street"}), "none"),
    "rare": KeyFunction(RARE, frozenset({"words"}), "count"),
}
CHOICES_MAX = 16
"""Most keys that one record has in one pass, whatever its key parts could choose between."""

_EXPRESSION = re.compile(r"^\s*(?:([a-z_]+)\s*\(\s*([A-Za-z_][\w]*)\s*(?:,\s*(\w+)\s*)?\)|([A-Za-z_]\w*))\s*$")


class KeyPart(NamedTuple):
    """One parsed expression: function, field, and its second argument (a count, or another field)."""

    function: str
    field: str
    length: int
    other: str | None

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field the expression reads."""
        return (self.field,) if self.other is None else (self.field, self.other)

    @property
    def n_keys(self) -> int:
        """Keys that it makes of one value at most."""
        return self.length if self.function == "rare" else 1


def parse_key(expression: str) -> KeyPart:
    """Parse one key expression.

    Raises:
        ValueError: no such function, or its arguments do not fit; says what would.
    """
    match = _EXPRESSION.match(expression)
    if match is None and expression.count("(") != expression.count(")"):
        raise ValueError(f"{expression!r} is cut in two: YAML wants quotes around a key with a comma in a [list]")
    if match is None:
        raise ValueError(f"{expression!r} is no key; write a field, or function(field) or function(field, argument)")
    name, field, argument, bare = match.groups()
    if bare is not None:
        return KeyPart("whole", bare, 0, None)
    function = KEY_FUNCTIONS.get(name)
    if function is None:
        raise ValueError(f"unknown key function {name!r} in {expression!r}; allowed: {', '.join(KEY_FUNCTIONS)}")
    if (argument is None) != (function.argument == "none"):
        wants = {"none": "one argument", "count": "a field and a number", "field": "two fields"}[function.argument]
        raise ValueError(f"key function {name!r} takes {wants}, not {expression!r}")
    if function.argument == "field":
        return KeyPart(name, field, 0, argument)
    if function.argument == "count":
        if not argument.isdigit() or not 1 <= int(argument) <= 16:
            raise ValueError(f"the number in {expression!r} must be between 1 and 16")
        return KeyPart(name, field, int(argument), None)
    return KeyPart(name, field, 0, None)


def check_key(part: KeyPart, kinds: Mapping[str, str]) -> None:
    """Check an expression against the fields of its spec.

    Raises:
        ValueError: an unknown field, or a kind the function cannot read.
    """
    allowed = KEY_FUNCTIONS[part.function].kinds
    for field in part.fields:
        if field not in kinds:
            raise ValueError(f"key reads field {field!r}, which the spec lacks; fields: {', '.join(kinds)}")
        if kinds[field] not in allowed:
            raise ValueError(
                f"{part.function}({field}) cannot read kind {kinds[field]!r}; it reads {', '.join(sorted(allowed))}"
            )
