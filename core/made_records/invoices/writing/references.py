"""How payers write the numbers of invoices: clean, as they abbreviate them, or wrong."""

from __future__ import annotations

import numpy as np
import polars as pl

from core.made_records.draws import Draws
from core.made_records.invoices.customers import Flags, Ints

_LOOKS = str.maketrans("0152846OISBZ", "OISZB4G01582")
_JOINS = pl.Series([", ", " ", "/", " + ", " und ", "; ", " & ", ","])


def written(numbers: pl.Series, clean: Flags, style: Ints) -> pl.Series:
    """(n,) numbers as a payer writes them.

    Args:
        clean: letter for letter. style: (n,) of the payer, any number: digits alone, without leading zeros, torn by a
            blank, without signs, with dots; plain digits torn or with a point for the thousands.
    """
    number = pl.col("number")
    n_left = number.str.len_bytes() // 2
    torn = number.str.slice(0, n_left) + " " + number.str.slice(n_left)
    thousands = number.str.replace(r"^(\d+)(\d{3})$", "${1}.${2}")
    forms = (
        number.str.replace_all(r"\D", ""),
        number.str.extract(r"(\d+)$").str.strip_chars_start("0"),
        torn,
        number.str.replace_all(r"[-/ ]", "").str.to_lowercase(),
        number.str.replace_all(r"[-/ ]", "."),
    )
    of_style = torn
    for place, form in enumerate(forms):
        of_style = pl.when(pl.col("style") % 5 == place).then(form).otherwise(of_style)
    plain = pl.when(pl.col("style") % 2 == 0).then(torn).otherwise(thousands)
    of_style = pl.when(number.str.contains(r"^\d+$")).then(plain).otherwise(of_style)
    frame = pl.DataFrame({"number": numbers, "clean": clean, "style": style})
    return frame.select(pl.when("clean").then(number).otherwise(of_style).alias("written")).to_series()


def mistyped(numbers: list[str], keys: Ints, draws: Draws) -> list[str]:
    """Each number with one slip in its digits: two exchanged, one left out, doubled or another, or look-alike letters.

    Cost: some 2 us each.
    """
    kind, where, digit = draws.unit("slip", keys), draws.unit("slip where", keys), draws.below("slip digit", keys, 9)
    return [_mistyped(*row) for row in zip(numbers, kind.tolist(), where.tolist(), digit.tolist(), strict=True)]


def _mistyped(number: str, kind: float, where: float, digit: int) -> str:
    places = [n for n, letter in enumerate(number) if letter.isdecimal()]
    # Slips fall on the running number, not on the year before it.
    places = places[-min(len(places), 5) :]
    n = places[int(where * len(places))]
    before, at, behind = number[:n], number[n], number[n + 1 :]
    if kind < 0.25 and behind and behind[0].isdecimal() and behind[0] != at:
        return before + behind[0] + at + behind[1:]
    if kind < 0.45 and len(places) > 3:
        return before + behind
    if kind < 0.6:
        return before + at + at + behind
    if kind < 0.8 and (like := at.translate(_LOOKS)) != at:
        return before + like + behind
    return before + str((int(at) + 1 + digit) % 10) + behind


def listed(line: Ints, texts: pl.Series, style: Ints) -> pl.DataFrame:
    """Texts of one line joined in their order, as the payer separates them: columns line, list, first, last.

    Args:
        line: (n,) ascending. style: (n,) of the payer.
    """
    frame = pl.DataFrame({"line": line, "text": texts, "join": _JOINS.gather(style // 7 % len(_JOINS))})
    grouped = frame.group_by("line", maintain_order=True).agg(
        pl.col("text"), pl.col("join").first(), first=pl.col("text").first(), last=pl.col("text").last()
    )
    return grouped.with_columns(list=pl.col("text").list.join(pl.col("join"))).select("line", "list", "first", "last")


def ranges(of_lines: pl.DataFrame, keys: Ints, draws: Draws) -> pl.Series:
    """(n,) "1001-1004", "1001 bis 1004", "1001 - 04", from the first and last numbers of each line."""
    form = draws.below("form of range", keys, 3)
    last, first = pl.col("last"), pl.col("first")
    short = pl.when(pl.col("form") == 2).then(last.str.slice(-2)).otherwise(last)
    join = pl.when(pl.col("form") == 0).then(pl.lit("-")).when(pl.col("form") == 1).then(pl.lit(" bis "))
    same = first.str.slice(0, first.str.len_bytes() - 2) == last.str.slice(0, last.str.len_bytes() - 2)
    short = pl.when(same).then(short).otherwise(last)
    return (
        of_lines.with_columns(form=pl.Series(form, dtype=pl.Int64))
        .select(first + join.otherwise(pl.lit(" - ")) + short)
        .to_series()
        .alias("list")
    )


def picked(texts: list[tuple[str, ...]], language: Ints, name: str, keys: Ints, draws: Draws) -> pl.Series:
    """(n,) one text of each line's language, by chance."""
    sizes = np.array([len(some) for some in texts])
    flat = pl.Series([text for some in texts for text in some], dtype=pl.String)
    begins = np.cumsum(sizes) - sizes
    return flat.gather(begins[language] + draws.below(name, keys, sizes[language])).alias(name)
