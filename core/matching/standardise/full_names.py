"""Parts of a name that a column holds whole: the first word, the last, and those between.

Titles, ranks, degrees and remarks in brackets are no names: "Thomas Clifford, 1st Baron Clifford of Chudleigh" has the
words Thomas, Clifford, Clifford, Chudleigh. A name written "Clifford, Thomas" is turned round. Which word is the
surname cannot be known for sure, so a spec compares parts in each other's places too (`swap_with`).
"""

from __future__ import annotations

import polars as pl

from core.matching.specs.spec import NamePart

_TITLES = (
    "mr|mrs|ms|miss|mx|dr|prof|professor|rev|reverend|revd|hon|honourable|right|sir|dame|lord|lady|baron|baroness|baronet"
    "|bart|bt|earl|duke|duchess|viscount|viscountess|marquess|marquis|marchioness|count|countess|prince|princess|saint"
    "|captain|capt|major|colonel|col|general|gen|lieutenant|lt|sergeant|sgt|admiral|commander|bishop|archbishop|father"
    "|brother|sister|jr|sr|junior|senior|esq|esquire|ii|iii|iv|phd|md|ma|ba|qc|kc|mp|obe|mbe|cbe|kbe"
)
_NO_NAME = rf"\b(?:{_TITLES}|\d+(?:st|nd|rd|th)?|the|of|and|de|la|von|van|der|den|du)\b"
# One word, a comma, then up to three words and no comma: the surname was put first.
_SURNAME_FIRST = r"^([\p{L}'’-]+), ([\p{L}'’. -]+)$"


def name_part(column: pl.Expr, part: NamePart) -> pl.Expr:
    """One part of folded (lower-case) whole names; null where the name has none.

    A single word is the surname: that is how registers call those of whom they know no more.
    """
    words = _words_of(column)
    n_words = words.list.len()
    if part == "given":
        return pl.when(n_words > 1).then(words.list.first())
    if part == "surname":
        return words.list.last()
    return pl.when(n_words > 2).then(words.list.slice(1, n_words - 2).list.join(" "))


def _words_of(column: pl.Expr) -> pl.Expr:
    """Words of the name in order, without titles; null when none is left. A name of titles only keeps them."""
    plain = _plain(column)
    bare = _spaced(plain.str.replace_all(_NO_NAME, " "))
    kept = pl.when(bare != "").then(bare).otherwise(plain)
    return pl.when(kept != "").then(kept).str.split(" ")


def _plain(column: pl.Expr) -> pl.Expr:
    told = column.str.replace_all(r"\([^)]*\)?", " ")
    dense = told.str.replace_all(r"['’`´.]", "").str.strip_chars()
    # "Clifford, 1st Baron" has no given name behind its comma.
    listed = dense.str.contains(_SURNAME_FIRST) & ~dense.str.contains(rf", .*\b(?:{_TITLES})\b")
    turned = pl.when(listed).then(dense.str.replace(_SURNAME_FIRST, "$2 $1")).otherwise(dense)
    return _spaced(turned.str.replace_all(r"[^\p{L}\p{N}]+", " "))


def _spaced(text: pl.Expr) -> pl.Expr:
    return text.str.replace_all(r"\s+", " ").str.strip_chars()
