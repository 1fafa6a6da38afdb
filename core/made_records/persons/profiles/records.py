"""Records of a profile's persons: which of several names, homes and numbers each tells, and how a clerk writes it."""

from __future__ import annotations

import numpy as np
import polars as pl

from core.made_records.persons import people
from core.made_records.persons.numerals import dates_text, digits
from core.made_records.persons.people import Flags, Ints
from core.made_records.persons.profiles import customs as of
from core.made_records.persons.profiles.clerks import misread, replaced, slipped, written_out
from core.made_records.persons.profiles.persons import Persons, World, persons_of
from core.made_records.persons.profiles.relations import EARLIER_HOME, SECOND_NUMBER

_ABSENT = ("ssn", "dob", "phone", "email", "street", "city", "state", "zip")
_SUFFIXES = pl.Series(["", " Sr", " Jr", " III", " Senior", " Junior", " II", ", Sr.", ", Jr.", " 3rd"])
_KNOWS_SUFFIXES = np.isin(np.arange(8), (of.ENGLISH, of.SPANISH, of.PORTUGUESE))
_SUFFIXES_PORTUGUESE = pl.Series([" Filho", " Neto"])


def records_of(numbers: Ints, keys: Ints, world: World) -> pl.DataFrame:
    """(n,) records with the fields of `generator.FIELDS`, all strings.

    Args:
        numbers: (n,) the persons. keys: (n,) the records, each its own number.
    Cost: some 8 us a record.
    """
    draws = world.draws
    persons = persons_of(numbers, world)
    # Before or after: the name, the home and the numbers of those who moved or took another name.
    before = draws.flag("record of before", keys, 0.5)
    moved = before & draws.flag("moved", numbers, world.rates["moved"])
    frame = _names(persons, before, keys, world).hstack(_home(persons, moved, keys, world))
    frame = frame.with_columns(_birth(persons, keys, world), _email(persons, moved, keys, world), _ssn(persons, world))
    return _absent(slipped(frame, keys, draws, world.rates), keys, world)


def _flag(name: str, keys: Ints, world: World) -> Flags:
    return world.draws.flag(name, keys, world.rates[name])


def _names(persons: Persons, before: Flags, keys: Ints, world: World) -> pl.DataFrame:
    draws, rates = world.draws, world.rates
    own_script = draws.flag("own script", keys, rates["own script"]) & (world.names.native[persons.given] >= 0)
    last, n_middle = _last(persons, before, keys, world), _middle(persons, keys, world)
    first = world.names.spellings.gather(_spelling(persons.given, "given", keys, own_script, world))
    first = _nicknamed(first, persons, keys, world)
    parts = pl.DataFrame([_titles(persons, keys, world), first.alias("first"), n_middle])
    first = _unnamed(parts.select(pl.concat_str(pl.all())).to_series(), persons, keys, world)
    rows = np.flatnonzero(own_script)
    first = replaced(first, rows, world.names.spellings.gather(world.names.native[persons.given[rows]]))
    last = replaced(last, rows, world.names.spellings.gather(world.names.native[persons.surname[rows]]))
    swapped = _flag("names swapped", keys, world)
    # The surname comes first where it is Chinese: clerks abroad take the one for the other.
    swapped |= (persons.custom == of.CHINESE) & draws.flag("order of names", keys, 5 * rates["names swapped"])
    names = pl.DataFrame({"first": first, "last": last, "swapped": swapped, "big": _flag("capitals", keys, world)})
    one, other = pl.col("first"), pl.col("last")
    names = names.select(
        "big",
        first_name=pl.when("swapped").then(other).otherwise(one),
        last_name=pl.when("swapped").then(one).otherwise(other),
    )
    rows = np.flatnonzero(names["big"].to_numpy())
    return pl.DataFrame(
        [replaced(names[name], rows, names[name].gather(rows).str.to_uppercase()) for name in names.columns[1:]]
    )


def _spelling(codes: Ints, name: str, keys: Ints, own_script: Flags, world: World) -> Ints:
    """(n,) places of spellings; codes of -1 are taken for 0, the caller leaves them out."""
    unit = world.draws.unit(f"spelling of {name}", keys)
    return world.names.spelt(np.where(own_script, 0, np.maximum(codes, 0)), unit, world.rates["other spelling"])


def _last(persons: Persons, before: Flags, keys: Ints, world: World) -> pl.Series:
    draws, names = world.draws, world.names
    latin = np.zeros(len(keys), dtype=np.bool_)
    renamed = persons.maiden != persons.surname
    both = renamed & draws.flag("both surnames", keys, 0.12)
    code = np.where(before & ~both, persons.maiden, persons.surname)
    # Behind it: the new one with a hyphen, or the second of two, which half of the records leave out.
    second = np.where(both, persons.maiden, persons.second)
    second = np.where(both | draws.flag("second surname", keys, 0.5), second, -1)
    hyphen = both | draws.flag("hyphen", keys, 0.15)
    surname = names.spellings.gather(_spelling(code, "surname", keys, latin, world))
    rows = np.flatnonzero(second >= 0)
    further = names.spellings.gather(_spelling(second[rows], "second surname", keys[rows], latin[rows], world))
    pair = pl.DataFrame({"a": surname.gather(rows), "b": further, "hyphen": hyphen[rows]})
    joined = pair.select(pl.concat_str("a", pl.when("hyphen").then(pl.lit("-")).otherwise(pl.lit(" ")), "b"))
    surname = replaced(surname, rows, joined.to_series())
    rank = np.where(
        persons.senior & (persons.generation == 0), 1, np.where(persons.generation > 0, persons.generation + 1, 0)
    )
    written = (rank > 0) & _KNOWS_SUFFIXES[persons.custom] & _flag("suffix written", keys, world)
    rows = np.flatnonzero(written)
    form = draws.below("form of suffix", keys[rows], 3)
    suffix = _SUFFIXES.gather(rank[rows] + 3 * form)
    lusitan = np.flatnonzero((persons.custom[rows] == of.PORTUGUESE) & (rank[rows] > 1))
    suffix = replaced(suffix, lusitan, _SUFFIXES_PORTUGUESE.gather(rank[rows][lusitan] - 2))
    return replaced(surname, rows, surname.gather(rows) + suffix)


def _middle(persons: Persons, keys: Ints, world: World) -> pl.Series:
    """(n,) "", " R", " R." or " Robert"."""
    full, initial = world.rates["middle full"], world.rates["middle initial"]
    unit = world.draws.unit("middle", keys)
    rows = np.flatnonzero((persons.middle >= 0) & (unit < full + initial))
    name = world.names.spellings.gather(world.names.first[persons.middle[rows]])
    parts = pl.DataFrame({"name": name, "full": unit[rows] < full, "dot": world.draws.flag("dot", keys[rows], 0.4)})
    letter = pl.concat_str(
        pl.lit(" "), pl.col("name").str.slice(0, 1), pl.when("dot").then(pl.lit(".")).otherwise(pl.lit(""))
    )
    text = parts.select(pl.when("full").then(pl.concat_str(pl.lit(" "), "name")).otherwise(letter)).to_series()
    return replaced(pl.Series("middle", [""]).new_from_index(0, len(keys)), rows, text)


def _nicknamed(first: pl.Series, persons: Persons, keys: Ints, world: World) -> pl.Series:
    """English given names as friends say them, in a share of the records of those that have such a form."""
    words, names = world.words, world.names
    called = np.flatnonzero(_flag("nickname", keys, world) & (persons.custom == of.ENGLISH))
    given = persons.given[called] - names.start[0, of.ENGLISH]
    has = words.nick_count[given] > 0
    called, given = called[has], given[has]
    code = words.nick_first[given] + world.draws.below("called", keys[called], words.nick_count[given])
    return replaced(first, called, words.nicknames.gather(code))


def _unnamed(first: pl.Series, persons: Persons, keys: Ints, world: World) -> pl.Series:
    """Newborns as hospitals write them until they are named: "Baby Boy", of twins "Baby Girl B" or "Twin 2"."""
    rows = np.flatnonzero(persons.newborn & _flag("newborn unnamed", keys, world))
    twin = persons.twin[rows]
    numbered = world.draws.below("twin", keys[rows], 2)
    kind = np.where(twin > 0, twin + 2 * numbered, 0) * 2 + persons.male[rows]
    forms = pl.Series(f"Baby {sex}{letter}" for letter in ("", " A", " B") for sex in ("Girl", "Boy"))
    forms = forms.append(pl.Series(["Twin 1", "Twin 1", "Twin 2", "Twin 2"]))
    return replaced(first, rows, forms.gather(kind))


def _titles(persons: Persons, keys: Ints, world: World) -> pl.Series:
    titled = _flag("title", keys, world)
    doctor = world.draws.flag("doctor", persons.numbers, 0.06)
    kind = np.where(doctor, 4, np.where(persons.male, 1, 2 + world.draws.below("wife", persons.numbers, 2)))
    return pl.Series("title", ["", "Mr ", "Mrs ", "Ms ", "Dr "]).gather(np.where(titled, kind, 0))


def _home(persons: Persons, moved: Flags, keys: Ints, world: World) -> pl.DataFrame:
    draws, words = world.draws, world.words
    inside = persons.institution >= 0
    home = np.where(moved, persons.numbers + EARLIER_HOME, np.where(inside, persons.institution, persons.home))
    town = np.where(moved & draws.flag("moved far", persons.numbers, 0.5), home, np.where(inside, home, persons.town))
    place = people.places_of(town, draws, words)
    address = people.addresses_of(home, place, draws, words)
    street = written_out(address.street.alias("street"), np.flatnonzero(_flag("street written out", keys, world)))
    return pl.DataFrame(
        {
            "phone": _phone(persons, place, keys, world),
            "street": misread(street, keys, draws, world.rates["misread"]),
            "city": words.places.city.gather(place),
            "state": words.places.state.gather(place),
            "zip": digits(address.zip_code, 5),
        }
    )


def _phone(persons: Persons, place: Ints, keys: Ints, world: World) -> pl.Series:
    """The home's number, the person's, his second one, or the switchboard; now and then two in one cell."""
    draws, words, rates = world.draws, world.words, world.rates
    numbers = persons.numbers
    shared = draws.flag("shared telephone", persons.parent_home, rates["shared telephone"])
    own = np.where(
        draws.flag("second number", numbers, rates["second number"]) & draws.flag("which number", keys, 0.4),
        numbers + SECOND_NUMBER,
        numbers,
    )
    caller = np.where(shared & draws.flag("home's number", keys, 0.75), persons.parent_home + 2 * SECOND_NUMBER, own)
    caller = np.where((persons.institution >= 0) & draws.flag("switchboard", keys, 0.7), persons.institution, caller)
    phone = people.phones_of(caller, place, draws, words)
    rows = np.flatnonzero(_flag("numbers in one cell", keys, world))
    further = people.phones_of(numbers[rows] + 3 * SECOND_NUMBER, place[rows], draws, words)
    phone = replaced(phone, rows, phone.gather(rows) + "; " + further)
    rows = np.flatnonzero(draws.flag("phone format", keys, 0.12))
    plain = phone.gather(rows)
    return replaced(phone, rows, "(" + plain.str.slice(0, 3) + ") " + plain.str.slice(4))


def _email(persons: Persons, moved: Flags, keys: Ints, world: World) -> pl.Series:
    """The person's mailbox, made of the name, or the home's, which is the head's or the family's."""
    draws, words, letters = world.draws, world.words, world.names.letters
    shared = draws.flag("shared mailbox", persons.home, world.rates["shared mailbox"]) & draws.flag(
        "home's mailbox", keys, 0.8
    )
    other = moved & draws.flag("other mailbox", persons.numbers, 0.5)
    owner = np.where(shared, persons.home, persons.numbers + np.where(other, EARLIER_HOME, 0))
    style = draws.below("style of mailbox", owner, 4)
    number = draws.below("number of mailbox", owner, min(99_999, max(100, words.n_persons // 20)))
    # In a village some have their plain name.
    plain = draws.flag("plain mailbox", owner, min(0.4, 1000 / words.n_persons))
    parts = pl.DataFrame(
        {
            "first": letters.gather(np.where(shared, persons.head_given, persons.given)),
            "last": letters.gather(np.where(other & ~shared, persons.maiden, persons.surname)),
            "dot": pl.Series([".", "_", "", ""]).gather(style),
            "number": pl.Series(np.where(plain, 0, number))
            .cast(pl.String)
            .zip_with(pl.Series(~plain), pl.Series([""])),
            "domain": words.domains.gather(draws.pick("domain", owner, words.domain_shares)),
            "short": style == 3,
        }
    )
    first = pl.when("short").then(pl.col("first").str.slice(0, 1)).otherwise("first")
    return parts.select(email=pl.concat_str(first, "dot", "last", "number", pl.lit("@"), "domain")).to_series()


def _ssn(persons: Persons, world: World) -> pl.Series:
    return people.ssn_text(people.ssn_numbers(persons.numbers, world.draws)).alias("ssn")


def _birth(persons: Persons, keys: Ints, world: World) -> pl.Series:
    """The birthday; its first of January where only the year was known, 1900-01-01, or day and month exchanged."""
    unknown = _flag("day unknown", keys, world)
    month, day = np.where(unknown, 1, persons.month), np.where(unknown, 1, persons.day)
    exchanged = (day <= 12) & _flag("day and month", keys, world)
    month, day = np.where(exchanged, day, month), np.where(exchanged, month, day)
    nobody = _flag("date placeholder", keys, world)
    year, month, day = np.where(nobody, 1900, persons.year), np.where(nobody, 1, month), np.where(nobody, 1, day)
    return dates_text(year, month, day).alias("dob")


def _absent(frame: pl.DataFrame, keys: Ints, world: World) -> pl.DataFrame:
    return frame.with_columns(
        pl.when(pl.Series(~_flag(f"absent {field}", keys, world))).then(pl.col(field)).alias(field) for field in _ABSENT
    )
