"""Words that stand for a value that is not known."""

from __future__ import annotations

UNKNOWN_WORDS = (
    "unknown", "unkown", "n a", "na", "none", "null", "nil", "nan", "test", "tester", "testing", "not known",
    "not given",
    "not available", "not applicable", "missing", "unspecified", "undefined", "anonymous", "anon", "xxx", "xxxx", "xx",
    "tbd", "tba", "dummy", "no name", "noname", "fnu", "lnu", "no data", "blank", "refused", "withheld", "deceased",
)  # fmt: skip
# "na" is a Korean surname and "nan" a given name: words of up to three letters are no placeholder in a name.
NAME_UNKNOWN_WORDS = tuple(word for word in UNKNOWN_WORDS if word not in {"na", "nan", "nil", "test"})
# A child that has no name yet.
NEWBORN_WORDS = (
    "baby", "babyboy", "babygirl", "newborn", "infant", "neonate", "twin", "triplet", "neugeborenes", "saugling",
    "zwilling", "jumeau", "jumelle", "gemelo", "gemela", "gemello", "gemella", "gemeo", "gemea", "neonato",
    "neonata", "tweeling",
)  # fmt: skip
GIVEN_UNKNOWN_WORDS = (*NAME_UNKNOWN_WORDS, *NEWBORN_WORDS)
