"""Comparison levels as data: which test, at which threshold, strongest first.

A level is written `exact`, `jaro_winkler >= 0.92` or `damerau <= 1`. Level indices run from 0 (differ) up to the
number of tests (the first, strongest one); MISSING stands for "one side has no value".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

MISSING = 255
MAX_TESTS = 10

Kind = Literal[
    "given_name",
    "surname",
    "text",
    "city",
    "category",
    "code",
    "identifier",
    "date",
    "digits",
    "street",
    "email",
    "number",
    "mark",
    "words",
]
KINDS: tuple[str, ...] = get_args(Kind)
# Kinds whose single word is a code into the vocabulary of the job.
CODED_KINDS = frozenset({"given_name", "surname", "text", "city", "category", "code", "identifier", "mark"})
# Kinds of which one record may have several values, and how many it may have.
SEVERAL_KINDS = ("digits", "email")
VALUES_MAX = 4
WIDTH_WORDS: Mapping[str, int] = {
    **dict.fromkeys(CODED_KINDS, 1),
    "date": 1,
    "number": 1,
    "digits": 2,
    "email": 2,
    "street": 4,
    # See `records.words.text_records`.
    "words": 20,
}


class LevelTest(NamedTuple):
    """A test's opcode, the kinds it applies to, whether it takes a threshold, and what to expect before any data.

    `m` and `u` are the shares of pairs of one person, and of strangers, which reach this level; they start the
    learning and carry files too small to learn from.
    """

    opcode: int
    kinds: frozenset[str]
    operator: str
    m: float
    u: float


# What the kernels know a test by.
(
    EXACT, NICKNAME, SWAPPED, JARO_WINKLER, DAMERAU, DIGITS, SAME_SUFFIX, DATE_SWAPPED, DATE_DIGITS, DATE_PARTS,
    SAME_YEAR, SAME_STREET, STREET_SIMILAR, SAME_STREET_NAME, SAME_LOCAL_PART, PREFIX, WITHIN_PERCENT, INITIAL,
    SAME_NAME, WORDS, SHARED_CODES, SHARED_NUMBERS,
) = range(22)  # fmt: skip

_NAMES = frozenset({"given_name", "surname", "text", "city"})
_STRINGS = _NAMES | {"code", "category", "identifier"}

# What beside a name tells people apart, see `text.marks`; and how often those of one person and of strangers agree.
Mark = Literal["suffix", "birth_order", "middle", "sex", "unit", "codes", "numbers"]
# Marks that are read off a text of kind `words`, and what the kernels know them by.
WORD_MARKS: Mapping[str, int] = {"codes": SHARED_CODES, "numbers": SHARED_NUMBERS}
# Kind of the one field that a mark is read from; all others are read from names.
MARK_SOURCES: Mapping[str, str] = {"unit": "street", **dict.fromkeys(WORD_MARKS, "words")}
MARK_SHARES: Mapping[str, tuple[float, float]] = {
    "suffix": (0.985, 0.4),
    "birth_order": (0.985, 0.5),
    "middle": (0.995, 0.08),
    "sex": (0.995, 0.5),
    "unit": (0.985, 0.05),
    "codes": (0.85, 0.05),
    "numbers": (0.85, 0.3),
}

TESTS: Mapping[str, LevelTest] = {
    "exact": LevelTest(EXACT, frozenset(KINDS), "", 0.80, 0.004),
    "nickname": LevelTest(NICKNAME, frozenset({"given_name", "surname", "text"}), "", 0.02, 0.003),
    "swapped": LevelTest(SWAPPED, _STRINGS, "", 0.01, 0.0003),
    "same_name": LevelTest(SAME_NAME, frozenset({"given_name", "surname"}), "", 0.015, 0.0005),
    "jaro_winkler": LevelTest(JARO_WINKLER, _NAMES, ">=", 0.04, 0.02),
    "damerau": LevelTest(DAMERAU, _STRINGS, "<=", 0.05, 0.005),
    "digits": LevelTest(DIGITS, frozenset({"digits"}), "<=", 0.05, 0.0001),
    "same_suffix": LevelTest(SAME_SUFFIX, frozenset({"digits"}), ">=", 0.02, 0.0002),
    "date_swapped": LevelTest(DATE_SWAPPED, frozenset({"date"}), "", 0.02, 0.0003),
    "date_digits": LevelTest(DATE_DIGITS, frozenset({"date"}), "<=", 0.05, 0.003),
    "date_parts": LevelTest(DATE_PARTS, frozenset({"date"}), "", 0.02, 0.01),
    "same_year": LevelTest(SAME_YEAR, frozenset({"date"}), "", 0.01, 0.02),
    "same_street": LevelTest(SAME_STREET, frozenset({"street"}), "", 0.03, 0.0002),
    "street_similar": LevelTest(STREET_SIMILAR, frozenset({"street"}), ">=", 0.05, 0.001),
    "same_street_name": LevelTest(SAME_STREET_NAME, frozenset({"street"}), ">=", 0.02, 0.02),
    "same_local_part": LevelTest(SAME_LOCAL_PART, frozenset({"email"}), "", 0.03, 0.0005),
    "prefix": LevelTest(PREFIX, _STRINGS, ">=", 0.04, 0.02),
    "within_percent": LevelTest(WITHIN_PERCENT, frozenset({"number"}), "<=", 0.05, 0.02),
    "initial": LevelTest(INITIAL, frozenset({"given_name", "surname"}), "", 0.02, 0.005),
    # What to expect depends on the threshold, see `share_above`.
    "words": LevelTest(WORDS, frozenset({"words"}), ">=", 0.0, 0.0),
}

_LEVEL = re.compile(r"^\s*([a-z_]+)\s*(?:(>=|<=)\s*([0-9.]+))?\s*$")


class Level(BaseModel):
    """One comparison level: a test and, where it takes one, its threshold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    test: str
    threshold: float | None = None

    @model_validator(mode="after")
    def _check(self) -> Level:
        test = TESTS.get(self.test)
        if test is None:
            raise ValueError(f"unknown test {self.test!r}; allowed: {', '.join(TESTS)}")
        if test.operator and self.threshold is None:
            raise ValueError(f"test {self.test!r} needs a threshold, as in '{self.test} {test.operator} 1'")
        if not test.operator and self.threshold is not None:
            raise ValueError(f"test {self.test!r} takes no threshold")
        return self

    @property
    def label(self) -> str:
        """The level as it is written in a spec."""
        operator = TESTS[self.test].operator
        return f"{self.test} {operator} {self.threshold:g}" if operator else self.test

    @property
    def opcode(self) -> int:
        """The number the kernels know the test by."""
        return TESTS[self.test].opcode


def parse_level(text: object) -> object:
    """Read `test`, `test >= x` or `test <= x`; anything that is no string goes on to pydantic unchanged.

    Raises:
        ValueError: not of this form, or the operator is the wrong way round.
    """
    if not isinstance(text, str):
        return text
    match = _LEVEL.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no level; write 'exact', 'jaro_winkler >= 0.9' or 'damerau <= 1'")
    name, operator, value = match.groups()
    known = TESTS.get(name)
    if known is not None and operator is not None and operator != known.operator:
        raise ValueError(f"test {name!r} is written with {known.operator or 'no threshold'!r}, not {operator!r}")
    return {"test": name, "threshold": None if value is None else float(value)}


def word_shares(levels: Sequence[Level], side: Literal["m", "u"]) -> list[float]:
    """Shares of the levels of texts, `differ` first, before any data; see `share_above`."""
    above = [share_above(1.0 if level.threshold is None else level.threshold, side) for level in levels]
    steps = [high - low for low, high in zip([0.0, *above], [*above, 1.0], strict=True)]
    return [max(step, 1e-6) for step in reversed(steps)]


def share_above(threshold: float, side: Literal["m", "u"]) -> float:
    """Share of pairs whose texts cover each other by at least `threshold`, before any data.

    Of strangers one in twenty reaches 0.3, and with every 0.2 more a tenth of those.
    """
    return 1.0 - 0.7 * threshold**2 if side == "m" else min(1.0, 0.05 * 10.0 ** (-5.0 * (threshold - 0.3)))


LevelText = Annotated[Level, BeforeValidator(parse_level)]


def _levels(*texts: str) -> tuple[Level, ...]:
    return tuple(Level.model_validate(parse_level(text)) for text in texts)


DEFAULT_LEVELS: Mapping[str, tuple[Level, ...]] = {
    "given_name": _levels(
        "exact", "swapped", "nickname", "same_name", "damerau <= 1", "initial", "jaro_winkler >= 0.85"
    ),
    "surname": _levels("exact", "swapped", "same_name", "damerau <= 1", "jaro_winkler >= 0.9", "jaro_winkler >= 0.8"),
    "text": _levels("exact", "damerau <= 1", "jaro_winkler >= 0.92", "jaro_winkler >= 0.8"),
    "city": _levels("exact", "damerau <= 1", "jaro_winkler >= 0.88"),
    "category": _levels("exact"),
    "code": _levels("exact", "damerau <= 1", "prefix >= 3"),
    "identifier": _levels("exact", "damerau <= 1"),
    "date": _levels("exact", "date_swapped", "date_digits <= 1", "date_parts", "same_year"),
    "digits": _levels("exact", "digits <= 1", "digits <= 2"),
    "street": _levels("exact", "same_street", "street_similar >= 0.6", "same_street_name >= 0.6"),
    "email": _levels("exact", "same_local_part"),
    "mark": _levels("exact"),
    "words": _levels("exact", *(f"words >= {at:g}" for at in (0.97, 0.9, 0.82, 0.74, 0.66, 0.58, 0.5, 0.4, 0.3))),
    "number": _levels("exact", "within_percent <= 1", "within_percent <= 10"),
}
