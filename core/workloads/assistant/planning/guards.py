"""What is refused by its words, before anything is planned."""

from __future__ import annotations

import re
from typing import Final

from core.workloads.assistant.planning.answers import Why, refuse

MAX_CHARACTERS: Final = 4_000
"""Of a request."""

_ADDRESS = r"\b(?:https?|ftp|s3|gs|file|jdbc)://"
_SIGNS: Final[tuple[tuple[Why, str, str], ...]] = (
    ("secret", r"\w+://[^\s/:@]*:[^\s@]+@|\b(?:passwords?(?!/)|secret key|api key|access token|credentials)\b",
     "passwords and keys are neither read nor written here; name a connection that holds them"),
    ("code", r"\{\{|\{%|\$\{|\$\(|\b(?:python|javascript|bash|shell|lambda|eval|exec|script|subprocess)\b",
     "no code or template is run; say with words of the pipeline language what is done"),
    ("place", _ADDRESS + r"|(?:^|[\s'\"])(?:\.\.|/(?:etc|proc|root|home|var))/|\blocalhost\b|\b\d+(?:\.\d+){3}\b",
     "only what stands behind a named connection is reached; ask for a connection to it"),
    ("destructive", r"\b(?:delete|truncate|drop(?! duplicat)|alter|grant|revoke|wipe|purge|erase|destroy|empty)\b"
     r"(?:\s+\w+){0,4}?\s+(?:from|tables?|schemas?|database|everything|\w+\.\w+|rows? (?:of|in)|roles?|to)\b"
     r"|\b(?:truncate|wipe|purge|erase)\b",
     "nothing is deleted, emptied or altered by the assistant"),
    ("outside", r"\b(?:ignore|forget|disregard)\b.*\b(?:instructions?|rules|prompt)\b|\b(?:system prompt|poem|joke)\b",
     "this is no request for a pipeline or a question about data"),
    ("limits", r"\b(?:every|each) (?:\d+ )?(?:milli)?seconds?\b|\bevery (?:[1-5]?\d) ?(?:s|sec)\b",
     "the least between two runs is 60 s"),
)  # fmt: skip


def require_safe(text: str) -> None:
    """Settle a request that asks for what is never done. Values in quotes are no words: give it the masked text."""
    for why, pattern, says in _SIGNS:
        if re.search(pattern, text, re.IGNORECASE):
            raise refuse(why, says)


def require_readable(text: str) -> None:
    """Settle a text that is too long, has control characters, or is in no language that the lexicon knows."""
    if len(text) > MAX_CHARACTERS:
        raise refuse("limits", f"a request has at most {MAX_CHARACTERS:,} characters; this one has {len(text):,}")
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in text):
        raise refuse("outside", "the request has control characters; write it as plain text")
    letters = [letter for letter in text if letter.isalpha()]
    if not letters or sum(letter.isascii() for letter in letters) < 0.8 * len(letters):
        raise refuse("outside", "the planner without a model understands English alone")
