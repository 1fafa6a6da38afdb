"""Texts: characters are Unicode's, case and order do not depend on a language."""

from __future__ import annotations

from typing import Final

import polars as pl

from core.pipelines.compiling.values import Value, faults_of
from core.pipelines.types import BOOL, INT, TEXT

MAX_PADDED: Final = 10_000
"""Characters that lpad and rpad make at most, so that a number in a row cannot ask for all memory."""


def text_of(expr: pl.Expr, *values: Value) -> Value:
    """A text computed from values."""
    return Value(expr, TEXT, faults_of(values))


def count_of(expr: pl.Expr, *values: Value) -> Value:
    """A whole number computed from values."""
    return Value(expr.cast(pl.Int64), INT, faults_of(values))


def truth_of(expr: pl.Expr, *values: Value) -> Value:
    """A condition computed from values."""
    return Value(expr, BOOL, faults_of(values))


def ends(value: Value, count: Value, *, left: bool) -> Value:
    """The first or last characters; below 0 all but so many at the other end."""
    length = value.expr.str.len_chars().cast(pl.Int64)
    taken = pl.when(count.expr >= 0).then(count.expr).otherwise((length + count.expr).clip(0))
    taken = pl.min_horizontal(taken, length)
    return text_of(value.expr.str.slice(0 if left else length - taken, taken), value, count)


def middle(value: Value, start: Value, length: Value | None) -> Value:
    """From a position, which counts from 1 and may lie before the text; a length below 0 is a fault."""
    begin = start.expr - 1
    from_first = pl.max_horizontal(begin, pl.lit(0, dtype=pl.Int64))
    if length is None:
        return text_of(value.expr.str.slice(from_first), value, start)
    end = begin + length.expr
    found = text_of(value.expr.str.slice(from_first, (end - from_first).clip(0)), value, start, length)
    # A null among the others makes a null of it, as of every function that is strict.
    found = Value(pl.when(length.expr.is_not_null()).then(found.expr), TEXT, found.faults)
    return found.failing("argument", (length.expr < 0) & value.expr.is_not_null() & start.expr.is_not_null())


def padded(value: Value, length: Value, fill: str, *, left: bool) -> Value:
    """Filled up to a length, or cut to it."""
    wanted = length.expr.clip(0, MAX_PADDED)
    lacking = (wanted - value.expr.str.len_chars().cast(pl.Int64)).clip(0)
    if fill:
        filler = pl.lit(fill * (MAX_PADDED // len(fill) + 1)).str.slice(0, lacking)
        cut = value.expr.str.slice(0, wanted)
        made = filler + cut if left else cut + filler
    else:
        made = value.expr.str.slice(0, wanted)
    return text_of(made, value, length).failing("argument", (length.expr > MAX_PADDED) & value.expr.is_not_null())


def field(value: Value, separator: str, which: Value) -> Value:
    """A part between separators, from 1; below 0 from the end; 0 is a fault."""
    parts = value.expr.str.split(separator, literal=True) if separator else value.expr.reshape((-1, 1)).arr.to_list()
    place = pl.when(which.expr > 0).then(which.expr - 1).otherwise(which.expr)
    found = parts.list.get(place, null_on_oob=True).fill_null("")
    both = value.expr.is_not_null() & which.expr.is_not_null()
    return text_of(pl.when(both).then(found), value, which).failing("argument", (which.expr == 0) & both)


def translated(value: Value, characters: str, instead: str) -> Value:
    """Each character of one text by that at the same place of another; those without a partner go."""
    pairs = dict(
        zip(reversed(characters), reversed(instead.ljust(len(characters), "\0")[: len(characters)]), strict=True)
    )
    mapping = {one: other.replace("\0", "") for one, other in pairs.items()}
    if not mapping:
        return value
    return text_of(value.expr.str.replace_many(list(mapping), list(mapping.values())), value)


def replaced(value: Value, part: str, instead: str) -> Value:
    """Every place where a text holds another."""
    return text_of(value.expr.str.replace_all(part, instead, literal=True) if part else value.expr, value)


def json_path(path: str) -> str:
    """The path of a field as it is written, `a.b.0`, in the words of JSONPath."""
    parts = [part for part in path.removeprefix("$").split(".") if part]
    return "$" + "".join(f"[{part}]" if part.isdigit() else f"['{part}']" for part in parts)


def place_of(value: Value, part: str) -> Value:
    """The position of the first place where a text holds another, from 1; 0: nowhere."""
    if not part:
        return count_of(pl.when(value.expr.is_not_null()).then(1), value)
    before = value.expr.str.split(part, literal=True).list.first().str.len_chars()
    return count_of(
        pl.when(value.expr.str.contains(part, literal=True))
        .then(before + 1)
        .otherwise(pl.when(value.expr.is_not_null()).then(0)),
        value,
    )


def like(value: Value, pattern: str, *, any_case: bool) -> Value:
    """`like`: % stands for any text, _ for a character, a backslash before one for itself."""
    return truth_of(value.expr.str.contains(like_regex(pattern, any_case=any_case)), value)


def like_regex(pattern: str, *, any_case: bool) -> str:
    """The regular expression of a pattern of `like`."""
    parts, quoted = [], False
    for sign in pattern:
        if quoted or sign not in "%_\\":
            parts.append(_literal(sign))
            quoted = False
        elif sign == "\\":
            quoted = True
        else:
            parts.append(".*" if sign == "%" else ".")
    return f"(?s{'i' if any_case else ''})^{''.join(parts)}\\z"


def _literal(one: str) -> str:
    return f"\\{one}" if one in r"\.+*?()|[]{}^$#&-~" else one


def regex(pattern: str) -> str:
    """A pattern as rows are searched with it: a point is any character, as in PostgreSQL."""
    return f"(?s){pattern}"


def replacement(written: str) -> str:
    """What stands for a match: `\\1` is a group and `\\&` all of it, a dollar itself."""
    made, quoted = "", False
    for sign in written:
        if quoted:
            made += (
                f"${{{sign}}}" if sign.isdigit() and sign != "0" else "${0}" if sign == "&" else sign.replace("$", "$$")
            )
            quoted = False
        elif sign == "\\":
            quoted = True
        else:
            made += "$$" if sign == "$" else sign
    return made + ("\\" if quoted else "")
