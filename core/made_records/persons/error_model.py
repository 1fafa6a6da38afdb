"""What happens to a person's record between two clerks: the error model of the duplicates.

A duplicate has 1 to 6 modifications (shares 40, 31, 17, 8, 3, 1 %: 2.1 on average), each drawn by the weights of
`MODIFICATIONS`. A modification that cannot apply (a nickname of Wanda, a slip in an absent number) becomes a slip in
the last name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from core.made_records.draws import Draws, cumulative
from core.made_records.persons import people
from core.made_records.persons.numerals import digits
from core.made_records.persons.people import Ints, Names
from core.made_records.persons.words.vocabulary import STREET_WORDS, Vocabulary
from core.made_records.typing_errors import Bytes, lengths, slip, slip_digit, to_bytes, to_texts

N_MODIFICATIONS = cumulative(np.array([40.0, 31, 17, 8, 3, 1]))
MODIFICATIONS = {
    "slip last_name": 15.0,
    "slip first_name": 13.0,
    "slip street": 12.0,
    "slip city": 6.0,
    "slip email": 4.0,
    "digit ssn": 4.0,
    "digit phone": 7.0,
    "digit zip": 5.0,
    "digit dob": 6.0,
    "swap dob": 3.0,
    "missing": 9.0,
    "nickname": 8.0,
    "initial": 2.0,
    "swap names": 2.0,
    "street word": 7.0,
    "moved": 8.0,
    "new phone": 5.0,
    "new email": 4.0,
    "new surname": 3.0,
}
WIDTHS = {
    "first_name": 24,
    "last_name": 32,
    "ssn": 12,
    "phone": 16,
    "street": 48,
    "city": 28,
    "state": 2,
    "zip": 5,
    "email": 64,
}
_SHARES = cumulative(np.array(list(MODIFICATIONS.values())))
# which field a clerk leaves out
_LEFT_OUT = ("ssn", "phone", "email", "street", "city", "zip", "state", "dob")
_LEFT_OUT_SHARES = cumulative(np.array([20.0, 20, 20, 12, 8, 8, 6, 6]))


@dataclass(slots=True)
class Copies:
    """Records of duplicates while they are being spoilt.

    text: field -> (n, width) bytes. year, month, day of birth: (n,); year 0 is absent.
    """

    keys: Ints
    names: Names
    male: NDArray[np.bool_]
    place: Ints
    text: dict[str, Bytes]
    year: Ints
    month: Ints
    day: Ints


def spoil(copies: Copies, draws: Draws, words: Vocabulary) -> None:
    """Apply each record's modifications in place. Cost: some 5 us a record."""
    count = 1 + draws.pick("modifications", copies.keys, N_MODIFICATIONS)
    for turn in range(len(N_MODIFICATIONS)):
        drawn = draws.pick(f"modification {turn}", copies.keys, _SHARES)
        drawn[count <= turn] = -1
        for index, name in enumerate(MODIFICATIONS):
            rows = np.flatnonzero(drawn == index)
            if not len(rows):
                continue
            failed = _modify(name, copies, rows, draws, f"{turn} {name}", words)
            if len(failed):
                _slip(copies, "last_name", failed, draws, f"{turn} {name} instead")


def slip_last_name(copies: Copies, rows: Ints, draws: Draws, attempt: int) -> None:
    """One slip in the last names of the given rows: for records that came out unchanged."""
    _slip(copies, "last_name", rows, draws, f"unchanged {attempt}")


def _modify(name: str, copies: Copies, rows: Ints, draws: Draws, draw: str, words: Vocabulary) -> Ints:
    """Apply one modification; returns the rows to which it could not apply."""
    match name.split(" "):
        case ["slip", field]:
            return _slip(copies, field, rows, draws, draw)
        case ["digit", "dob"]:
            return _slip_date(copies, rows, draws, draw)
        case ["digit", field]:
            matrix = copies.text[field][rows]
            copies.text[field][rows] = slip_digit(matrix, copies.keys[rows], draws, draw)
            return _where(rows, lengths(matrix) == 0)
        case ["swap", "dob"]:
            return _swap_date(copies, rows)
        case ["swap", "names"]:
            _swap_names(copies, rows)
            return rows[:0]
        case ["new", "surname"]:
            return _new_surname(copies, rows, draws, draw, words)
        case ["street", "word"]:
            return _street_word(copies, rows, draws, draw)
        case ["nickname"]:
            return _nickname(copies, rows, draws, draw, words)
        case ["initial"]:
            copies.text["first_name"][rows, 1:] = 0
            return rows[:0]
        case ["missing"]:
            return _leave_out(copies, rows, draws, draw)
        case _:
            return _change(name, copies, rows, draws, draw, words)


def _where(rows: Ints, mask: NDArray[np.bool_]) -> Ints:
    chosen: Ints = rows[mask]
    return chosen


def _change(name: str, copies: Copies, rows: Ints, draws: Draws, draw: str, words: Vocabulary) -> Ints:
    if name == "moved":
        _move(copies, rows, draws, draw, words)
    elif name == "new phone":
        _new_phone(copies, rows, draws, draw, words)
    else:
        keys = draws.bits(draw, copies.keys[rows]).view(np.int64)
        names = Names(copies.names.given[rows], copies.names.surname[rows])
        fresh = people.emails_of(keys, names, 1950 + draws.below(f"{draw} year", keys, 50), draws, words)
        copies.text["email"][rows] = to_bytes(fresh, WIDTHS["email"])
    return rows[:0]


def _slip(copies: Copies, field: str, rows: Ints, draws: Draws, draw: str) -> Ints:
    matrix = copies.text[field][rows]
    long_enough = lengths(matrix) > 1
    able = rows[long_enough]
    copies.text[field][able] = slip(matrix[long_enough], copies.keys[able], draws, draw)
    return _where(rows, ~long_enough)


def _slip_date(copies: Copies, rows: Ints, draws: Draws, draw: str) -> Ints:
    """A wrong digit in the year, another month, or a wrong day; the date stays one of the calendar."""
    able = rows[copies.year[rows] > 0]
    keys = copies.keys[able]
    kind = draws.pick(draw, keys, cumulative(np.array([40.0, 20, 40])))
    year, month, day = copies.year[able], copies.month[able], copies.day[able]
    unit = np.array([1, 10])[draws.below(f"{draw} place", keys, 2)]
    digit = year // unit % 10
    wrong = (digit + 1 + draws.below(f"{draw} digit", keys, 9)) % 10
    slipped = year + (wrong - digit) * unit
    slipped = np.where(slipped >= people.REFERENCE_YEAR, slipped - 100, slipped)
    year = np.where(kind == 0, slipped, year)
    month = np.where(kind == 1, 1 + (month + draws.below(f"{draw} month", keys, 11)) % 12, month)
    limit = people.days_in_month(year, month)
    day = np.where(kind == 2, 1 + (day + draws.below(f"{draw} day", keys, 27)) % limit, np.minimum(day, limit))
    copies.year[able], copies.month[able], copies.day[able] = year, month, day
    return _where(rows, copies.year[rows] == 0)


def _swap_date(copies: Copies, rows: Ints) -> Ints:
    possible = (copies.year[rows] > 0) & (copies.day[rows] <= 12) & (copies.day[rows] != copies.month[rows])
    able = rows[possible]
    copies.month[able], copies.day[able] = copies.day[able].copy(), copies.month[able].copy()
    return _where(rows, ~possible)


def _swap_names(copies: Copies, rows: Ints) -> None:
    first, last = copies.text["first_name"], copies.text["last_name"]
    width = first.shape[1]
    given = first[rows].copy()
    first[rows] = last[rows, :width]
    last[rows] = 0
    last[rows, :width] = given


def _nickname(copies: Copies, rows: Ints, draws: Draws, draw: str, words: Vocabulary) -> Ints:
    given = copies.names.given[rows]
    has = words.nick_count[given] > 0
    able, given = rows[has], given[has]
    code = words.nick_first[given] + draws.below(draw, copies.keys[able], words.nick_count[given])
    copies.text["first_name"][able] = to_bytes(words.nicknames.gather(code), WIDTHS["first_name"])
    return _where(rows, ~has)


def _new_surname(copies: Copies, rows: Ints, draws: Draws, draw: str, words: Vocabulary) -> Ints:
    """Women marry: the husband's name, in one of four behind their own with a hyphen."""
    able = rows[~copies.male[rows]]
    keys = copies.keys[able]
    taken = words.surnames.gather(words.surname_ranks.pick(draw, keys, draws))
    own = words.surnames.gather(copies.names.surname[able])
    both = pl.DataFrame({"own": own, "taken": taken, "hyphen": draws.flag(f"{draw} hyphen", keys, 0.25)})
    name = pl.when("hyphen").then(pl.concat_str("own", pl.lit("-"), "taken")).otherwise("taken")
    copies.text["last_name"][able] = to_bytes(both.select(name).to_series(), WIDTHS["last_name"])
    return _where(rows, copies.male[rows])


def _street_word(copies: Copies, rows: Ints, draws: Draws, draw: str) -> Ints:
    """ "St" becomes "Street", "N" "North", "Apt 4" "#4"; or the flat is left out."""
    before = to_texts(copies.text["street"][rows]).fill_null("").alias("street")
    frame = before.to_frame().with_columns(way=draws.below(draw, copies.keys[rows], 3))
    written = pl.col("street") + pl.lit(" ")
    for short, long in STREET_WORDS:
        if short.endswith(" "):
            written = written.str.replace(short, long, literal=True)
        else:
            written = written.str.replace(f"{short} ", f"{long} ", literal=True)
    without_flat = pl.col("street").str.replace(r"( Apt | Unit | #).*$", "")
    after = frame.select(
        pl.when((pl.col("way") == 0) & (without_flat != pl.col("street")))
        .then(without_flat)
        .otherwise(written.str.strip_chars_end())
    ).to_series()
    copies.text["street"][rows] = to_bytes(after, WIDTHS["street"])
    return _where(rows, (after == before).to_numpy())


def _leave_out(copies: Copies, rows: Ints, draws: Draws, draw: str) -> Ints:
    which = draws.pick(draw, copies.keys[rows], _LEFT_OUT_SHARES)
    for index, field in enumerate(_LEFT_OUT):
        chosen = rows[which == index]
        if field == "dob":
            copies.year[chosen] = 0
        else:
            copies.text[field][chosen] = 0
    return rows[:0]


def _move(copies: Copies, rows: Ints, draws: Draws, draw: str, words: Vocabulary) -> None:
    """A new home: in the same town (40 %), the same state (35 %) or anywhere; six in ten with a new telephone."""
    places = words.places
    homes = draws.bits(draw, copies.keys[rows]).view(np.int64)
    old = copies.place[rows]
    how = draws.pick(f"{draw} how far", homes, cumulative(np.array([40.0, 35, 25])))
    state = places.state_of[old]
    below = np.where(places.first[state] > 0, places.share[places.first[state] - 1], 0.0)
    above = places.share[places.last[state] - 1]
    within = below + draws.unit(f"{draw} town", homes) * (above - below)
    near = np.clip(np.searchsorted(places.share, within, side="right"), places.first[state], places.last[state] - 1)
    place = np.select([how == 0, how == 1], [old, near], people.places_of(homes, draws, words))
    address = people.addresses_of(homes, place, draws, words)
    copies.place[rows] = place
    texts = {
        "street": address.street,
        "city": places.city.gather(place),
        "state": places.state.gather(place),
        "zip": digits(address.zip_code, 5),
    }
    for field, values in texts.items():
        copies.text[field][rows] = to_bytes(values, WIDTHS[field])
    _new_phone(copies, rows[draws.flag(f"{draw} phone", homes, 0.6)], draws, f"{draw} number", words)


def _new_phone(copies: Copies, rows: Ints, draws: Draws, draw: str, words: Vocabulary) -> None:
    keys = draws.bits(draw, copies.keys[rows]).view(np.int64)
    phones = people.phones_of(keys, copies.place[rows], draws, words)
    copies.text["phone"][rows] = to_bytes(phones, WIDTHS["phone"])
