"""Bring every value of a kind into one form: case, accents, punctuation, titles, particles, placeholders.

All work is polars expressions over whole columns. Values that stand for "unknown" become null here when anyone could
tell (`N/A`, `000-00-0000`); those only their frequency betrays are found later, in `placeholders`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from core.errors import SchemaError
from core.matching.specs.spec import FieldSpec, MatchSpec, NamePart
from core.matching.standardise.dates import parse_dates
from core.matching.standardise.full_names import name_part
from core.matching.standardise.names.marks import mark_values, split_names
from core.matching.standardise.names.scripts import latinised
from core.matching.standardise.numbers import number_of
from core.matching.standardise.organisation_names import ORGANISATION_PARTS, domain, organisation_part
from core.matching.standardise.several_values import split_values
from core.matching.standardise.unknown_words import GIVEN_UNKNOWN_WORDS, NAME_UNKNOWN_WORDS, UNKNOWN_WORDS
from core.matching.text.tokens import read_entities, spaced_words

PLACEHOLDER_DIGITS = ("123456789", "987654321", "078051120", "219099999", "1234567890", "12345678", "1234567")
PLACEHOLDER_DATES = (19000101, 18000101, 19010101, 11111111, 99991231, 99990101, 10101)
PLACEHOLDER_MAILS = ("noemail", "none", "no", "na", "test", "unknown", "noreply", "nomail", "example", "null")

TITLES = r"^(?:(?:mr|mrs|ms|miss|mx|dr|prof|rev|sir|dame) )+(?:\b)"
SUFFIXES = r"(?: (?:jr|sr|ii|iii|iv|junior|senior|esq|phd|md))+$"
# What is written together with the word behind it, in both fields: surnames stand in the wrong one at times.
_JOINED = (
    "van der|van den|van de|van|von der|von|de la|de los|de las|del|de|da|dos|di|du|la|le|st|saint|san|santa|ter|ten"
    "|bin|ibn|bint|abu|abd|abdul|abdel|el"
)
GIVEN_PARTICLES = rf"\b({_JOINED}) "
# In front of another given name these are given names, or initials.
PARTICLES = rf"\b({_JOINED}|mc|mac|ben|al|o|d) "
PARTICLES_OF_TWO = r"\b(van|von|de) (der|den|de|la|los|las) ?"
CITY_WORDS = (("saint", "st"), ("mount", "mt"), ("fort", "ft"), ("north", "n"), ("south", "s"))
REPEATED_ID = r"^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|x+)$"
DIGITS_KEPT = 16
# Kinds whose values are compared in Latin letters, whatever script they are written in.
LATIN_KINDS = ("given_name", "surname", "city", "words")
# What leads from a telephone number on: its digits are none of the number's, of which at least six stand before it.
EXTENSION = (
    r"^((?:\D*\d){6}[^#a-z]*)(?:#|\b(?:x|ext|extn|extension|poste|durchwahl|dw|app|interno|int|ramal|anexo|toestel|wew)\b"
    r"|(?:x|ext))[\s.:#-]*\d{1,6}\D*$"
)
REPEATED_CODE = r"^(?:0{3,}|9{5,}|x{3,})$"
_COMBINING = r"\p{Mn}+"
LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h"}


def normalise(frame: pl.DataFrame, spec: MatchSpec, date_orders: Mapping[str, bool] | None = None) -> pl.DataFrame:
    """Normalise the columns of a spec's fields.

    Args:
        frame: one String column per `spec.columns`; other columns are ignored.
        date_orders: by date field, True when ambiguous dates put the day first (default False).
    Returns:
        One column per field that has words in a record, in the spec's order: Int32 yyyymmdd for dates (00 for absent
        parts), Float32 for numbers, String otherwise; null when missing. List(String), none of them null, where a
        record may have several. Behind a name stand its marks, see `text.marks`.
    Raises:
        SchemaError: a field has no column.
    Cost: about 4 s per million persons on one core; accents are only touched in values that have any.
    """
    require_columns(frame, spec)
    orders = date_orders or {}
    return pl.DataFrame(
        [
            normalise_field(frame[field.column], field, orders.get(field.name, False)).alias(field.name)
            for field in spec.fields
            if field.values > 0
        ]
    )


def require_columns(frame: pl.DataFrame, spec: MatchSpec) -> None:
    """Refuse a frame that lacks a column of the spec.

    Raises:
        SchemaError: names the column and those there are.
    """
    for column in spec.columns:
        if column not in frame.columns:
            raise SchemaError(
                f"no column for field {column!r}; columns: {', '.join(frame.columns)}",
                column=column, expected="String", got=None,
            )  # fmt: skip


def normalise_field(column: pl.Series, field: FieldSpec, day_first: bool = False) -> pl.Series:
    """One column of `normalise`, from the text of `field.column`."""
    if field.values > 1:
        return _several(column, field)
    if field.kind == "date":
        return _dates(column, day_first)
    if field.kind == "words":
        column = read_entities(column.cast(pl.String))
    folded = fold(latinised(column) if field.kind in LATIN_KINDS else column).alias(field.name).to_frame()
    if field.part is not None:
        folded = _part(folded[field.name], field.part).to_frame()
    if field.kind == "words":
        return _texts(folded[field.name])
    if field.kind in _NAMES:
        return _name(folded[field.name], field.kind)
    if field.mark is not None:
        return mark_values(folded.select(_words(pl.col(field.name))).to_series(), field.mark)
    return folded.lazy().select(_EXPRESSIONS[field.kind](field)).collect().to_series()


def _several(column: pl.Series, field: FieldSpec) -> pl.Series:
    """The first values of each cell, as many as the field has room for, each normalised by itself."""
    cells = split_values(column, field.kind, telephone=field.gathers).list.head(field.values)
    rows = pl.DataFrame({"row": pl.int_range(len(cells), eager=True), field.name: cells}).explode(field.name)
    alone = normalise_field(rows[field.name], field.model_copy(update={"values": 1}))
    found = rows.with_columns(alone.alias(field.name)).group_by("row", maintain_order=True).agg(field.name)
    return found[field.name].list.drop_nulls()


def _part(folded: pl.Series, part: NamePart) -> pl.Series:
    """What a field takes out of a column that holds more."""
    if part in ORGANISATION_PARTS:
        return organisation_part(folded, part).alias(folded.name)
    name = pl.col(folded.name)
    taken = domain(name) if part == "domain" else name_part(name, part)
    return folded.to_frame().select(taken.alias(folded.name)).to_series()


def _texts(folded: pl.Series) -> pl.Series:
    """The words of each text; null where it has none, or says that it is not known."""
    texts = pl.DataFrame([folded.rename("value"), spaced_words(folded).rename("words")])
    unknown = (pl.col("words") == "") | _words(pl.col("value")).is_in(list(UNKNOWN_WORDS))
    return texts.select(pl.when(~unknown).then("words").alias(folded.name)).to_series()


def _dates(column: pl.Series, day_first: bool) -> pl.Series:
    dates, _ = parse_dates(column.cast(pl.String), day_first)
    bad = dates.is_in(list(PLACEHOLDER_DATES)) | (dates <= 0)
    return pl.select(pl.when(~bad).then(dates)).to_series().cast(pl.Int32)


def fold(column: pl.Series) -> pl.Series:
    """Trimmed and lower case; compatibility forms and accents resolved, in the values that have any."""
    text = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    # Bytes equal characters exactly in ASCII: the costly part runs over the other values only.
    foreign = (text.str.len_bytes() != text.str.len_chars()).fill_null(False)
    if not foreign.any():
        return text
    plain = text.filter(foreign).str.normalize("NFKD").str.replace_all(_COMBINING, "")
    plain = plain.str.replace_many(list(LETTERS), list(LETTERS.values())).str.normalize("NFKC").str.strip_chars()
    return text.scatter(foreign.arg_true(), plain)


def _words(expression: pl.Expr) -> pl.Expr:
    """Punctuation to single spaces, apostrophes and full stops to nothing."""
    dense = expression.str.replace_all(r"['’`´.]", "").str.replace_all(r"[^\p{L}\p{N}]+", " ")
    return dense.str.strip_chars()


def _known(expression: pl.Expr, words: tuple[str, ...] = UNKNOWN_WORDS) -> pl.Expr:
    """Null instead of an empty value or a word for "unknown"."""
    unknown = (expression == "") | expression.is_in(list(words))
    return pl.when(~unknown).then(expression)


def _name(folded: pl.Series, kind: str) -> pl.Series:
    """The bare name, and behind it its marks (see `names.marks`); both are cleaned once a distinct value."""
    words, marks = split_names(folded.to_frame().select(_words(pl.col(folded.name))).to_series(), kind)
    plain = words.to_frame().lazy().select(_NAMES[kind](pl.col(words.name))).collect().to_series()
    if marks is None:
        return plain
    return pl.select(
        pl.when(marks == "").then(plain).otherwise(plain.fill_null("") + marks).alias(folded.name)
    ).to_series()


def _given_name(words: pl.Expr) -> pl.Expr:
    return _known(_joined(words, GIVEN_PARTICLES), GIVEN_UNKNOWN_WORDS)


def _surname(words: pl.Expr) -> pl.Expr:
    return _known(_joined(words, PARTICLES), NAME_UNKNOWN_WORDS)


def _joined(words: pl.Expr, particles: str) -> pl.Expr:
    bare = words.str.replace(TITLES, "").str.replace(SUFFIXES, "")
    return bare.str.replace_all(particles, "$1").str.replace_all(PARTICLES_OF_TWO, "$1$2")


_NAMES: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {"given_name": _given_name, "surname": _surname}


def _text(field: FieldSpec) -> pl.Expr:
    return _known(_words(pl.col(field.name))).alias(field.name)


def _city(field: FieldSpec) -> pl.Expr:
    words = _words(pl.col(field.name))
    for long, short in CITY_WORDS:
        words = words.str.replace(rf"^{long} ", f"{short} ")
    return _known(words).alias(field.name)


def _code(field: FieldSpec) -> pl.Expr:
    dense = pl.col(field.name).str.replace_all(r"[^\p{L}\p{N}]+", "")
    # A US ZIP+4 counts by its first five digits.
    short = pl.when(dense.str.contains(r"^\d{9}$")).then(dense.str.slice(0, 5)).otherwise(dense)
    repeated = short.str.contains(REPEATED_CODE)
    return _known(pl.when(~repeated).then(short)).alias(field.name)


def _identifier(field: FieldSpec) -> pl.Expr:
    dense = pl.col(field.name).str.replace_all(r"[^\p{L}\p{N}]+", "")
    useless = dense.is_in(list(PLACEHOLDER_DIGITS)) | dense.str.contains(REPEATED_ID) | (dense.str.len_chars() < 3)
    return _known(pl.when(~useless).then(dense)).alias(field.name)


def _digits(field: FieldSpec) -> pl.Expr:
    text = pl.col(field.name)
    if field.keep_last is not None and field.keep_last < DIGITS_KEPT:
        text = text.str.replace(EXTENSION, "$1")
    digits = text.str.replace_all(r"\D+", "")
    if field.keep_last == 10:
        international = digits.str.len_bytes() == 11
        digits = pl.when(international & digits.str.starts_with("1")).then(digits.str.slice(1)).otherwise(digits)
    digits = digits.str.tail(field.keep_last or DIGITS_KEPT)
    repeated = digits.str.contains(r"^(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)$") & (digits.str.len_bytes() >= 4)
    useless = digits.is_in(list(PLACEHOLDER_DIGITS)) | repeated | (digits.str.len_bytes() < 3)
    return pl.when(~useless).then(digits).alias(field.name)


def _street(field: FieldSpec) -> pl.Expr:
    marked = pl.col(field.name).str.replace_all("#", " unit ", literal=True)
    return _known(_words(marked)).alias(field.name)


def _email(field: FieldSpec) -> pl.Expr:
    mail = pl.col(field.name).str.replace_all(r"\s+", "").str.replace(r"\+[^@]*@", "@")
    local = mail.str.replace(r"@.*$", "")
    whole = mail.str.contains(r"^[^@]+@[^@]+\.[^@]+$") & ~local.is_in(list(PLACEHOLDER_MAILS))
    return pl.when(whole).then(mail).alias(field.name)


def _number(field: FieldSpec) -> pl.Expr:
    return number_of(pl.col(field.name)).alias(field.name)


_EXPRESSIONS: Mapping[str, Callable[[FieldSpec], pl.Expr]] = {
    "text": _text,
    "city": _city,
    "category": _text,
    "code": _code,
    "identifier": _identifier,
    "digits": _digits,
    "street": _street,
    "email": _email,
    "number": _number,
}
