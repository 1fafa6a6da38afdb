"""What typists and scanners do to values that may hold any letter: only the rows that are touched are worked on."""

from __future__ import annotations

import numpy as np
import polars as pl

from core.made_records.draws import Draws, cumulative
from core.made_records.persons.people import Ints
from core.made_records.persons.profiles.rates import Rates
from core.made_records.persons.words.vocabulary import STREET_WORDS
from core.made_records.typing_errors import Bytes, slip, slip_digit, to_bytes, to_texts

# Which field a slip is in; of the last four it is in a digit.
_FIELDS = ("last_name", "first_name", "street", "city", "email", "dob", "phone", "ssn", "zip")
_SHARES = cumulative(np.array([22.0, 20, 14, 8, 8, 10, 8, 5, 5]))
_OF_DIGITS = frozenset({"phone", "ssn", "zip"})
_WIDTH = 64
# What a scanner takes for what.
_LOOKALIKES = (
    ("rn", "m"),
    ("m", "rn"),
    ("cl", "d"),
    ("l", "1"),
    ("O", "0"),
    ("S", "5"),
    ("B", "8"),
    ("e", "c"),
    ("h", "li"),
    ("vv", "w"),
    ("1", "l"),
    ("0", "O"),
)


def replaced(texts: pl.Series, rows: Ints, values: pl.Series) -> pl.Series:
    """(n,) the texts with others in the given rows."""
    if not len(rows):
        return texts
    place = np.arange(len(texts))
    place[rows] = len(texts) + np.arange(len(rows))
    return pl.concat([texts, values.alias(texts.name)]).gather(place)


def slipped(frame: pl.DataFrame, keys: Ints, draws: Draws, rates: Rates) -> pl.DataFrame:
    """A slip in one field of a share of the records, in some of them two; names are misread besides."""
    once = draws.flag("slip", keys, rates["slip"])
    twice = once & draws.flag("second slip", keys, rates["second slip"])
    columns = {name: frame[name] for name in frame.columns}
    for turn, hit in enumerate((once, twice)):
        field = draws.pick(f"field {turn}", keys, _SHARES)
        for index, name in enumerate(_FIELDS):
            rows = np.flatnonzero(hit & (field == index))
            if len(rows):
                columns[name] = _slip(columns[name], rows, keys, draws, f"{turn} {name}")
    for name in ("first_name", "last_name"):
        columns[name] = misread(columns[name], keys, draws, rates["misread"])
    return pl.DataFrame(columns)


def _slip(texts: pl.Series, rows: Ints, keys: Ints, draws: Draws, draw: str) -> pl.Series:
    name = draw.split(" ")[1]
    found = texts.gather(rows)
    latin = (found.str.len_bytes() == found.str.len_chars()) & (found.str.len_bytes() <= _WIDTH)
    ascii_rows = rows[latin.to_numpy()]
    matrix = to_bytes(texts.gather(ascii_rows), _WIDTH)
    if name == "dob":
        matrix = _slip_date(matrix, keys[ascii_rows], draws, draw)
    elif name in _OF_DIGITS:
        matrix = slip_digit(matrix, keys[ascii_rows], draws, draw)
    else:
        matrix = slip(matrix, keys[ascii_rows], draws, draw)
    texts = replaced(texts, ascii_rows, to_texts(matrix))
    return _drop_letter(texts, rows[~latin.to_numpy()], keys, draws, draw)


def _slip_date(matrix: Bytes, keys: Ints, draws: Draws, draw: str) -> Bytes:
    """Another last digit of the year or of the day: the date stays one of the calendar but for a few days."""
    rows = np.arange(len(matrix))
    at = np.where(draws.flag(f"{draw} year", keys, 0.5), 3, 9)
    digit = matrix[rows, at] - 48
    # Days 01 to 08, 10 to 18 and 20 to 28 take any other of these digits; the thirtieth and what is beyond stay.
    step = 1 + draws.below(f"{draw} step", keys, 7)
    fresh = 1 + (digit.astype(np.int64) + step) % 8
    stays = (at == 9) & (matrix[rows, 8] == ord("3"))
    out = matrix.copy()
    out[rows, at] = np.where(stays, matrix[rows, at], fresh + 48)
    return out


def _drop_letter(texts: pl.Series, rows: Ints, keys: Ints, draws: Draws, draw: str) -> pl.Series:
    """Without one letter, where there are four or more: in names with letters beyond ASCII."""
    if not len(rows):
        return texts
    frame = pl.DataFrame({"text": texts.gather(rows)})
    length = frame["text"].str.len_chars().to_numpy().astype(np.int64)
    frame = frame.with_columns(at=draws.below(f"{draw} letter", keys[rows], np.maximum(length, 1)))
    text = pl.col("text")
    without = pl.concat_str(text.str.slice(0, pl.col("at")), text.str.slice(pl.col("at") + 1))
    return replaced(
        texts, rows, frame.select(pl.when(text.str.len_chars() > 3).then(without).otherwise(text)).to_series()
    )


def misread(texts: pl.Series, keys: Ints, draws: Draws, share: float) -> pl.Series:
    """A share of the texts with one letter or two taken for what looks like them; where none fits, unchanged."""
    name = texts.name
    rows = np.flatnonzero(draws.flag(f"misread {name}", keys, share))
    rule = draws.below(f"lookalike {name}", keys[rows], len(_LOOKALIKES))
    for index, (seen, taken) in enumerate(_LOOKALIKES):
        chosen = rows[rule == index]
        if len(chosen):
            texts = replaced(texts, chosen, texts.gather(chosen).str.replace(seen, taken, literal=True))
    return texts


def written_out(streets: pl.Series, rows: Ints) -> pl.Series:
    """ "St" as "Street", "N" as "North", "Apt 4" as "#4", in the given rows."""
    text = streets.gather(rows) + " "
    for short, long in STREET_WORDS:
        end = "" if short.endswith(" ") else " "
        text = text.str.replace(short + end, long + end, literal=True)
    return replaced(streets, rows, text.str.strip_chars_end())
