"""Take out of a name what tells people apart: suffixes, honorifics, the order of births, middle initials.

`Walter Lindqvist Jr`, `Mrs Haddad`, `Baby Boy A`, `James R`: father and son, man and wife, twins and namesakes of one
home often differ in nothing else. Works on one value of words in lower case without punctuation, once a distinct value.

Source: the usage of civil registers and address lists in the languages that columns are known in; newborns: The Joint
Commission, NPSG.01.01.01 (2019), on distinct naming of infants.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from core.matching.standardise.unknown_words import NAME_UNKNOWN_WORDS, NEWBORN_WORDS
from core.matching.text.marks import with_marks

MALE, FEMALE = "1", "2"
_MALE_TITLES = "mr mister master sir lord herr herrn hr monsieur sr senor senhor sig signor dhr shri"
_FEMALE_TITLES = (
    "mrs ms miss dame lady frau fraulein mme mlle madame mademoiselle sra srta senora senorita senhora sigra signora "
    "signorina mevr mevrouw mej smt pani"
)
_OTHER_TITLES = "mx dr prof rev"
TITLE_SEX: Mapping[str, str] = {
    **dict.fromkeys(_MALE_TITLES.split(), MALE),
    **dict.fromkeys(_FEMALE_TITLES.split(), FEMALE),
    **dict.fromkeys(_OTHER_TITLES.split(), ""),
}
DEGREES = frozenset({"esq", "phd", "md"})
# Junior is the second of his name as a rule; a grandson or a nephew of that name is neither.
GENERATIONS: Mapping[str, str] = {
    "sr": "1", "snr": "1", "senior": "1", "1st": "1", "jr": "2", "jnr": "2", "junior": "2", "ii": "2", "2nd": "2",
    "iii": "3", "3rd": "3", "iv": "4", "4th": "4", "filho": "2", "neto": "10", "sobrinho": "11", "bisneto": "12",
}  # fmt: skip
# These are given names, too, so they count behind surnames only.
SURNAME_GENERATIONS: Mapping[str, str] = {
    **GENERATIONS, "i": "1", "v": "5", "vi": "6", "sen": "1", "jun": "2", "fils": "2", "pere": "1", "hijo": "2",
    "padre": "1", "figlio": "2", "da": "1", "dj": "2", "d a": "1", "d j": "2", "der altere": "1", "der jungere": "2",
    "der aeltere": "1", "der juengere": "2", "the elder": "1", "the younger": "2", "the second": "2", "the third": "3",
    "starszy": "1", "mlodszy": "2",
}  # fmt: skip
_HEADS = frozenset({*NEWBORN_WORDS, "bebe"})
_CHILD_SEX: Mapping[str, str] = {
    **dict.fromkeys(("boy", "male", "son", "babyboy", "jumeau", "gemelo", "gemello", "gemeo", "neonato"), MALE),
    **dict.fromkeys(("girl", "female", "daughter", "babygirl", "jumelle", "gemela", "gemella", "gemea"), FEMALE),
    "neonata": FEMALE,
}
_FILLERS = frozenset({*_CHILD_SEX, "child", "of", "the", "new", "born"})
_ORDERS: Mapping[str, str] = {
    **{letter: str(at) for at, letter in enumerate("abcdef", 1)},
    **{numeral: str(at) for at, numeral in enumerate(("i", "ii", "iii", "iv", "v", "vi"), 1)},
    **{word: str(at) for at, word in enumerate(("one", "two", "three", "four", "five", "six"), 1)},
    **{word: str(at) for at, word in enumerate(("first", "second", "third", "fourth", "fifth", "sixth"), 1)},
    **{word: str(at) for at, word in enumerate(("1st", "2nd", "3rd", "4th", "5th", "6th"), 1)},
    **{str(at): str(at) for at in range(1, 13)},
}
# Written as one word: "Twin1", "BabyBoyA".
BORN_WORDS: Mapping[str, tuple[str, str]] = {
    head + order: (head, order)
    for head in sorted(_HEADS)
    for order in [*"abcdef", *"123456"]
    if head + order not in _HEADS
}
_UNKNOWN = frozenset(NAME_UNKNOWN_WORDS)
_PARTICLES = frozenset(
    "de del la las los da do dos das di du van von der den al el bin ibn ben abu y e und and et".split()
)
# Before a name only these: "Sr. Luis" is a Mister, and people are called Junior.
_LEADING: Mapping[str, str] = {"jr": "2", "jnr": "2", "snr": "1"}
# Most names of several words have none of these.
_TELLING = frozenset({*TITLE_SEX, *DEGREES, *_HEADS, *_CHILD_SEX, *" ".join(SURNAME_GENERATIONS).split()})
# Behind a given name of its own they are no further name.
GIVEN_GENERATIONS: Mapping[str, str] = {
    **GENERATIONS, "hijo": "2", "padre": "1", "fils": "2", "figlio": "2",
}  # fmt: skip
_WORDS_OF_SURNAMES = "|".join(sorted({*SURNAME_GENERATIONS, *DEGREES}))
_SEXES: Mapping[str, str] = {
    **TITLE_SEX,
    **_CHILD_SEX,
    **dict.fromkeys(
        "m h 1 man mann mannlich maennlich homme masculin hombre masculino maschio maschile uomo homem mannelijk"
        " mezczyzna masc".split(), MALE),
    **dict.fromkeys(
        "f w v k 2 woman weiblich femme feminin mujer femenino feminino femmina femminile donna mulher vrouw vrouwelijk"
        " kobieta fem".split(), FEMALE),
}  # fmt: skip
_NO_MIDDLE_NAME = ("nmn", "nmi", "none", "no middle name", "unknown", "na", "n a", "null")
# What a value must have to be worth a look.
MAY_HOLD: Mapping[str, str] = {
    "given_name": rf" |^(?:{'|'.join(sorted(BORN_WORDS))})$",
    "surname": rf"^(?:{'|'.join(TITLE_SEX)}) | (?:{_WORDS_OF_SURNAMES})$| (?:{'|'.join(sorted(_HEADS))})(?: |$)",
}


def split_name(words: str, kind: str) -> tuple[str, str]:
    """One value of a name field: the bare name, and its marks with the separator before them, "" for none.

    Args:
        words: lower case, single blanks between. kind: `given_name` or `surname`.
    Returns:
        The bare name is empty where the words are no name, such as "baby boy".
    """
    tokens = [part for token in words.split(" ") for part in BORN_WORDS.get(token, (token,))]
    if len(tokens) == 1 or words in _UNKNOWN:
        return words, ""
    marks: dict[str, str] = {}
    if not _TELLING.isdisjoint(tokens):
        tokens = _without_titles(tokens, marks)
        # "Twin II" is the second twin, and nobody's grandson.
        tokens = _without_birth(tokens, marks, alone=kind == "given_name")
        tokens = _without_suffix(tokens, marks, GIVEN_GENERATIONS if kind == "given_name" else SURNAME_GENERATIONS)
    if kind == "given_name":
        tokens = _without_initials(tokens, marks)
    return " ".join(tokens), with_marks("", marks)


def mark_value(words: str, mark: str) -> str:
    """One value of a column that holds a mark by itself, with the separator before it; "" where it says nothing."""
    tokens = words.split(" ")
    if mark == "suffix":
        said, tag = SURNAME_GENERATIONS.get(words, ""), "s"
    elif mark == "birth_order":
        orders = {_ORDERS[token] for token in tokens if token in _ORDERS}
        said, tag = (orders.pop() if len(orders) == 1 else ""), "o"
    elif mark == "sex":
        sexes = {_SEXES[token] for token in tokens if token in _SEXES} - {""}
        said, tag = (sexes.pop() if len(sexes) == 1 else ""), "x"
    else:
        known = () if words in _NO_MIDDLE_NAME else tokens
        initials = {token[0] for token in known if token and token not in _PARTICLES and token[0].isalpha()}
        said, tag = "".join(sorted(initials)), "m"
    return with_marks("", {tag: said}) if said else ""


def mark_values(words: pl.Series, mark: str) -> pl.Series:
    """`mark_value` of a column, null where nothing is said. Cost: 2 us a distinct value."""
    distinct = words.drop_nulls().unique()
    found = pl.Series([mark_value(text, mark) or None for text in distinct], dtype=pl.String)
    return words.replace_strict(distinct, found, default=None, return_dtype=pl.String)


def split_names(words: pl.Series, kind: str) -> tuple[pl.Series, pl.Series | None]:
    """`split_name` of a column; None for the marks where no value has any. Null stays null.

    Cost: about 4 us a value of several words.
    """
    places = words.str.contains(MAY_HOLD[kind]).fill_null(value=False).arg_true()
    found = [split_name(text, kind) for text in words.gather(places)]
    if not found:
        return words, None
    bare, marks = (pl.Series(list(side), dtype=pl.String) for side in zip(*found, strict=True))
    nothing = pl.select(pl.repeat("", len(words))).to_series()
    return words.clone().scatter(places, bare), nothing.scatter(places, marks)


def _without_titles(tokens: list[str], marks: dict[str, str]) -> list[str]:
    at = 0
    while at + 1 < len(tokens) and (tokens[at] in TITLE_SEX or tokens[at] in _LEADING):
        if tokens[at] in _LEADING:
            marks["s"] = _LEADING[tokens[at]]
        elif TITLE_SEX[tokens[at]]:
            marks["x"] = TITLE_SEX[tokens[at]]
        at += 1
    return tokens[at:]


def _without_suffix(tokens: list[str], marks: dict[str, str], known: Mapping[str, str]) -> list[str]:
    end = len(tokens)
    while end > 1:
        two = " ".join(tokens[end - 2 : end]) if end > 2 else ""
        if two in known:
            marks["s"], end = known[two], end - 2
        elif tokens[end - 1] in known:
            marks["s"], end = known[tokens[end - 1]], end - 1
        elif tokens[end - 1] in DEGREES:
            end -= 1
        else:
            break
    return tokens[:end]


def _without_birth(tokens: list[str], marks: dict[str, str], *, alone: bool) -> list[str]:
    """What a hospital writes until a child is named, wherever it stands; `alone`: also where it is all there is."""
    start = next((at for at, token in enumerate(tokens) if token in _HEADS or _is_child(tokens, at)), len(tokens))
    if start == 0 and not alone:
        # People are called Baby and Twin.
        return tokens
    end = start
    found: dict[str, str] = {}
    while end < len(tokens) and (tokens[end] in _HEADS or tokens[end] in _FILLERS or tokens[end] in _ORDERS):
        if tokens[end] in _CHILD_SEX:
            found["x"] = _CHILD_SEX[tokens[end]]
        elif tokens[end] in _ORDERS:
            found["o"] = _ORDERS[tokens[end]]
        end += 1
    # "Baby Boy of Anna" names the mother.
    rest = [] if end > start and tokens[end - 1] == "of" else tokens[end:]
    others = tokens[:start] + rest
    if end == start or (others and not found):
        return tokens
    marks.update(found)
    return others


def _is_child(tokens: list[str], at: int) -> bool:
    """Whether `male child`, `girl 2` and the like begin here: each word alone may be a name."""
    if tokens[at] not in ("boy", "girl", "male", "female") or at > 0 or len(tokens) < 2:
        return False
    return tokens[at + 1] == "child" or (tokens[at + 1] in _ORDERS and (len(tokens) == 2 or tokens[2] == "of"))


def _without_initials(tokens: list[str], marks: dict[str, str]) -> list[str]:
    """Single letters behind the first word are initials of further names; words imply theirs and stay."""
    end = len(tokens)
    while end > 1 and len(tokens[end - 1]) == 1 and tokens[end - 1].isalpha():
        end -= 1
    said = tokens[end:]
    implied = [token[0] for token in tokens[1:end] if token not in _PARTICLES and token[0].isalpha()]
    if said:
        marks["m"] = "".join(sorted({*said, *implied}))
    elif implied:
        marks["n"] = "".join(sorted(set(implied)))
    return tokens[:end]
