"""Parts of an organisation's name: what it is called, what it is besides, its number, its legal form.

    "The Northwind Trading Company No. 12, Ltd."   head northwind   rest trading   numbers 12   legal_form limited

The head is the longest word that is neither a legal form nor said of everyone (group, services); agreement on it
weighs by its rarity. The rest is sorted, so the order of words does not matter. Numbers tell branches of one chain
apart, which is why they are no part of the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import polars as pl

# One line a legal form, the name it is known by first; forms of different countries that mean the same stay apart.
_LEGAL_FORMS: Final = """
limited ltd limited
public_limited plc
incorporated inc incorporated
corporation corp corporation
llc llc
llp llp
lp lp
gmbh gmbh mbh
ag ag aktiengesellschaft
kg kg
ohg ohg
ev ev
ug ug
sa sa
sarl sarl
sas sas
sl sl slu
srl srl
spa spa
bv bv
nv nv
ab ab aktiebolag
as as
aps aps
oy oy oyj
kk kk
pty pty
pte pte
sdn_bhd sdn bhd
zoo zoo sp
se se
"""
_GENERIC: Final = (
    "the", "a", "and", "of", "for", "und", "et", "y", "e", "co", "company", "compagnie", "cie", "group", "groupe",
    "gruppe", "holding", "holdings", "international", "intl", "global", "services", "service", "no", "nr", "number",
    "branch", "de", "la", "le", "der", "die", "das", "des",
)  # fmt: skip
_FORM_OF: Final[Mapping[str, str]] = {
    word: line.split()[0] for line in _LEGAL_FORMS.split("\n") if line for word in line.split()[1:]
}
LEGAL_WORDS: Final = frozenset(_FORM_OF)
COMMON_WORDS: Final = frozenset(_GENERIC) | LEGAL_WORDS
"""Legal forms and what is said of everyone."""
# "G.m.b.H." and "S. A." are spelt with full stops, "S A R L" with blanks.
_SPELT = re.compile(r"\b(?:[a-z]\s){1,4}[a-z]\b")
ACRONYM_WORDS_MIN: Final = 3
ACRONYM_LETTERS_MAX: Final = 6


def head(words: list[str]) -> str | None:
    """The longest word of the core, the first of equals."""
    core = _core(words)
    return max(core, key=len) if core else None


def rest(words: list[str]) -> str | None:
    """The other words of the core, in alphabetical order."""
    core = _core(words)
    if len(core) < 2:
        return None
    core.remove(max(core, key=len))
    return " ".join(sorted(core))


def numbers(words: list[str]) -> str | None:
    """The numbers of the name in their order, leading zeros aside."""
    found = [word.lstrip("0") or "0" for word in words if word.isdecimal()]
    return " ".join(found) or None


def legal_form(words: list[str]) -> str | None:
    """The first legal form after the first word."""
    return next((_FORM_OF[word] for word in words[1:] if word in _FORM_OF), None)


def acronym(words: list[str]) -> str | None:
    """The initials of three core words or more, or a short single word, which may be such initials."""
    core = _core(words)
    if len(core) >= ACRONYM_WORDS_MIN:
        return "".join(word[0] for word in core)
    return core[0] if len(core) == 1 and len(core[0]) <= ACRONYM_LETTERS_MAX else None


def _core(words: list[str]) -> list[str]:
    """Words that name; a name of generic words only is made of them."""
    told = [word for at, word in enumerate(words) if not word.isdecimal() and (at == 0 or word not in _FORM_OF)]
    return [word for word in told if word not in _GENERIC] or told


def words_of(name: str) -> list[str]:
    """Words of a folded (lower-case) name; single letters in a row are one word."""
    plain = re.sub(r"['’`´.]", "", name.replace("&", " and ").replace("+", " and "))
    plain = " ".join(re.sub(r"[^\w]+|_+", " ", plain).split())
    return _SPELT.sub(lambda match: match.group().replace(" ", ""), plain).split()


_PARTS: Final[Mapping[str, Callable[[list[str]], str | None]]] = {
    "head": head,
    "rest": rest,
    "numbers": numbers,
    "legal_form": legal_form,
    "acronym": acronym,
}
ORGANISATION_PARTS: Final = frozenset(_PARTS)


def organisation_part(column: pl.Series, part: str) -> pl.Series:
    """One part of folded names; null where the name has none. Cost: 5 us a distinct name."""
    distinct = column.drop_nulls().unique()
    names = distinct.to_list()
    found = [_PARTS[part](words_of(name)) for name in names]
    table = pl.DataFrame({"name": distinct, "part": pl.Series(found, dtype=pl.String)})
    return column.rename("name").to_frame().join(table, on="name", how="left", maintain_order="left")["part"]


def domain(column: pl.Expr) -> pl.Expr:
    """Registered domain of a folded website address: without protocol, www and path."""
    host = column.str.replace(r"^\s*(?:https?://)?(?:www\d?\.)?", "").str.replace(r"[/:?#].*$", "").str.strip_chars()
    return pl.when(host.str.contains(r"^[^\s@]+\.[^\s@.]+$")).then(host)
