"""Parts of a name that a column holds whole.

`name_part` is for registers and old books: the first word, the last, and those between. Titles, ranks, degrees and
remarks in brackets are no names: "Thomas Clifford, 1st Baron Clifford of Chudleigh" has the words Thomas, Clifford,
Clifford, Chudleigh. A name written "Clifford, Thomas" is turned round. Which word is the surname cannot be known for
sure, so a spec compares parts in each other's places too (`swap_with`).

`person_part` is for lists of people beside whom more is known: the given names and the surnames, as they would be
written in two columns, in the letters they have. It knows "Surname, Given", "SURNAME Given", particles ("de la Cruz"),
surnames of two words ("Garcia Lopez"), and where the surname comes first; titles and degrees fall, marks that tell
people apart (Mr, Jr, an initial) stay.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Literal

import polars as pl

from core.matching.specs.spec import NamePart
from core.matching.standardise.names.nicknames import given_names
from core.matching.text.distinct import numbered

WHOLE: Final = "full_name"
"""What a column of whole names is called where it is no field of the spec itself."""
PersonPart = Literal["given", "surname"]
PERSON_PARTS: Final[dict[str, PersonPart]] = {"first_name": "given", "last_name": "surname"}
"""The fields that a whole name gives, and which part of it each is."""

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


# Particles stand between given names and surname; as the first word of all, they are given names.
_PARTICLES = (
    r"(?:van|von|vom|zu[mr]?|de[rnl]?|del[aeo]?|della|di|d[aou]s?|las?|los|le|ten|ter|te|af|av|v\.? ?d\.?|bin|bint|ibn"
    r"|al|el|abu|st\.?|saint|santa|mac|mc)"
)
# "Maria del Carmen": behind these a particle goes on with the given name, if a surname follows.
_DEVOTED = (
    "carmen|pilar|rosario|mar|socorro|roc[ií]o|sol|luz|dolores|[aá]ngel(?:es)?|remedios|mercedes|jes[uú]s|lourdes"
    "|concepci[oó]n|consuelo|f[aá]tima|guadalupe|milagros|nieves|paz|cielo|refugio|valle|amparo|soledad|trinidad|gracia"
    "|gra[cç]as|esperanza|cristo|conceição|socorros?|c[eé]u|ros[aá]rio|deus"
)
# Common Spanish and Portuguese surnames that are no given names: a second one may stand behind them. By the lists of
# the national statistical offices.
_DOUBLED = (
    r"(?:\p{L}{2,}[eé]z|garc[ií]a|moreno|mu[nñ]oz|romero|navarro|torres|ramos|serrano|blanco|molina|morales|ortega|delgado"
    r"|castro|ortiz|rubio|medina|castillo|cortes|guerrero|cano|prieto|cruz|calvo|gallego|vidal|le[oó]n|herrera|pe[nñ]a"
    r"|flores|cabrera|campos|vega|fuentes|carrasco|reyes|aguilar|rivera|vargas|mendoza|guzm[aá]n|rojas|silva|salazar"
    r"|contreras|ru[ií]z|d[ií]az|sanz|espinoza|estrada|ju[aá]rez|mora|valencia|silva|santos|oliveira|sou[sz]a|rodrigues"
    r"|ferreira|alves|pereira|lima|gomes|costa|ribeiro|martins|carvalho|almeida|lopes|soares|fernandes|vieira|barbosa|rocha|dias"
    r"|nascimento|andrade|moreira|nunes|marques|machado|mendes|freitas|cardoso|ara[uú]jo|teixeira|pinto|correia|moura)"
)
_VIETNAMESE = (
    "(?:nguy[eễ]n|tr[aầ]n|ph[aạ]m|hu[yỳ]nh|ho[aà]ng|phan|v[oõ]|v[uũ]|[dđ][aặ]ng|b[uù]i|[dđ][oỗ]|ng[oô]"
    "|d[uư][oơ]ng|l[eê]|l[yý])"
)
_CHINESE = (
    "(?:zh(?:ang|ao|ou|u|eng|ong)|wang|liu?|liang|chen|yang|huang|wu|xu|xie|xiao|sun|ma|hu|guo|he|lin|luo|gao|song|tang"
    "|feng|deng|cao|peng|zeng|pan|cai|jiang|yuan|dong|lu|ding|cheng|wong|chan|cheung|lau|leung)"
)
_SYLLABLE = (
    "(?:(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:[iu]?a(?:ng?|i|o)?|[iu]?e(?:ng?|i)?|i(?:ng?|u)?|on?g?|[uv](?:[ino]|an)?|ou))"
)
_SLAVIC = "\\p{L}{2,}(?:ов|ова|ев|ева|ёв|ёва|ский|ская|цкий|цкая|енко|чук)"
_PATRONYMIC = "\\S+(?:ович|евич|ьич|овна|евна|ична|ovich|evich|ovna|evna)"
_KOREAN = "(?:kim|lee|yi|park|choi|jung|jeong|kang|cho|yoon|jang|lim|han|oh|seo|shin|kwon|hwang|ahn|song|ryu|hong)"
_FAR_EASTERN = r"[\p{Han}\p{Hangul}\p{Hiragana}\p{Katakana}ー]"
_TWO_SIGNS = "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|东方|東方|皇甫|尉迟|慕容|令狐|夏侯|남궁|황보|제갈|선우|독고"
_CAPITALS = r"(?:\p{Lu}[\p{Lu}'’-]+ )*\p{Lu}[\p{Lu}'’-]{2,}(?: \p{Lu}[\p{Lu}'’-]+)*"

_HONORIFICS = (
    r"(?:mrs?|ms|miss|mx|messrs|sir|dame|lady|lord|herrn?|frau|fr[aä]ulein|mme|mlle|monsieur|madame|sra?|srta|señora?|señorita"
    r"|doña|senhora?|sig(?:na|ra)?|signora?|signorina|dhr|mevr|mw)"
)
_LEARNED = (
    r"(?:dr(?:\.?[ -]?(?:ing|med|dent|vet|phil|rer|nat|pol|jur|iur|oec|h ?c|habil)\.?)*|prof(?:essor|essora|a)?|drs|dra"
    r"|dott(?:\.?ssa)?|ir|mgr|ing|dipl(?:\.?-? ?(?:ing|kfm|kffr|inform|psych|phys|chem|math))?|lic|rev(?:d|erend)?|fr\."
    r"|pfarrer|capt(?:ain)?|maj(?:or)?|col(?:onel)?|sgt|lt|gen(?:eral)?|hon(?:ou?rable)?|the)"
)
_GENERATION = r"(?:jr|sr|jnr|snr|ii|iii|iv|2nd|3rd|4th|d\. ?[äÄj]\.?)"
# In some countries these are surnames: only behind two other words they are none.
_GENERATION_WORDS = (
    r"(?:junior|senior|filho|neto|netto|sobrinho|p[eè]re|fils|the elder|the younger|der [äa]ltere|der j[uü]ngere)"
)
_DEGREES = (
    r"(?:[Pp][Hh]\.? ?[Dd]|M\.? ?D|D\.? ?D\.? ?S|D\.? ?V\.? ?M|R\.? ?N|C\.? ?P\.? ?A|M\.? ?B\.? ?A"
    r"|L\.? ?L\.? ?[BMD]|[BM]\.? ?Sc|M\.A|B\.A|J\.D|[Ee][Ss][Qq](?:uire|UIRE)?|[OMC]BE|KBE|QC|KC|F\.?R\.?C\.?S|MAG)"
)
# What needs no more than its last blank: two words and perhaps an initial between them, none of which means anything.
_SIMPLE = r"^[A-Za-z]+ (?:[A-Za-z]\.? )?[A-Za-z]+$"
_SPECIAL = (
    rf"(?i)(?:^(?:{_HONORIFICS}|{_LEARNED}|{_VIETNAMESE}|{_CHINESE}) "
    rf"| (?:{_VIETNAMESE}|[A-Z]|{_GENERATION}|{_GENERATION_WORDS}|{_CHINESE}|esq|phd|md)$)"
)


def person_part(texts: pl.Series, part: PersonPart, *, surname_first: bool = False) -> pl.Series:
    """The given names or the surnames of whole names; null where there are none.

    A single word is a surname.

    Args:
        texts: (n,) String. surname_first: where nothing else tells, the first word is the surname, not the last.
    Returns:
        (n,) String, in the letters of the text; titles and degrees are gone.
    Cost: 1 us a plain name, 6 us one that wants more than a glance, each once for every distinct text.
    """
    numbers, firsts = numbered(texts)
    distinct = texts.gather(firsts).alias("text")
    simple = distinct.str.contains(_SIMPLE) & ~distinct.str.contains(_SPECIAL) & ~distinct.str.contains(r"\p{Lu}{2}")
    simple &= not surname_first
    pattern = r"^(.*) \S+$" if part == "given" else r" (\S+)$"
    found = distinct.str.extract(pattern)
    if not simple.all():
        odd = _part_of_any(distinct.filter(~simple), part, surname_first=surname_first)
        found = found.scatter((~simple).arg_true(), odd)
    return pl.concat([pl.Series([None], dtype=pl.String), found]).gather(numbers).alias(texts.name)


def order_votes(texts: pl.Series) -> tuple[int, int]:
    """How many names have a known given name only in front, and how many only at their end.

    Names with a comma, or of one word, do not vote.
    """
    words = texts.filter(~texts.str.contains(",", literal=True)).str.to_lowercase().str.strip_chars()
    words = words.str.replace(rf"^(?:(?:{_HONORIFICS}|{_LEARNED})\.? )+", "").str.split(" ")
    words = words.filter(words.list.len() > 1)
    names = list(given_names())
    front, behind = words.list.first().is_in(names), words.list.last().is_in(names)
    return int((front & ~behind).sum()), int((behind & ~front).sum())


def _part_of_any(texts: pl.Series, part: PersonPart, *, surname_first: bool) -> pl.Series:
    """`person_part` of names of any form."""
    frame = texts.to_frame("text").lazy().with_columns(text=_tidy(pl.col("text")))
    honorific, generation = rf"(?i)^((?:{_HONORIFICS}\.? )+)", _behind(pl.col("text"))
    frame = frame.with_columns(generation=generation).with_columns(
        text=pl.col("text").str.strip_suffix(pl.col("generation").fill_null("")).str.strip_chars(" ,")
    )
    bare = pl.col("text").str.replace(honorific, "")
    frame = frame.with_columns(
        front=pl.when(bare != "").then(pl.col("text").str.extract(honorific).str.strip_chars()),
        text=pl.when(bare != "").then(bare).otherwise("text"),
    )
    frame = frame.with_columns(
        given=pl.coalesce(pl.col("text").str.extract(pattern, given) for pattern, _, given in _forms(surname_first)),
        surname=pl.coalesce(pl.col("text").str.extract(pattern, last) for pattern, last, _ in _forms(surname_first)),
    )
    # "Berg, Jan van den"
    torn = rf"(?i)^(.+?)((?: {_PARTICLES})+)$"
    comma = pl.col("text").str.contains(",", literal=True)
    front = pl.when(comma).then(pl.col("given").str.extract(torn, 2).str.strip_chars())
    frame = frame.with_columns(
        given=pl.when(front.is_null()).then("given").otherwise(pl.col("given").str.extract(torn, 1)),
        surname=_spaced_out(front, pl.col("surname")),
    )
    there = pl.col("given").fill_null("") != ""
    kept = {
        "given": pl.when(there).then(_spaced_out(pl.col("front"), pl.col("given"))),
        "surname": _spaced_out(
            pl.when(~there).then("front"), pl.col("surname"), pl.col("generation").str.strip_chars(" ,")
        ),
    }
    tidied = kept[part].str.replace_all(r"[,\s]+", " ").str.strip_chars(" ,")
    return frame.select(pl.when(tidied != "").then(tidied).alias("text")).collect().to_series()


def _spaced_out(*texts: pl.Expr) -> pl.Expr:
    return pl.concat_str(*texts, separator=" ", ignore_nulls=True)


def _tidy(text: pl.Expr) -> pl.Expr:
    """Without remarks, learned titles and degrees; blanks single, one behind each comma and none before it."""
    text = text.str.replace_all(r"\([^)]*\)?|\[[^\]]*\]?|[\"“”„«»][^\"“”„«»]*[\"“”„«»]", " ")
    text = text.str.replace(r"(?i)\s(?:n[ée]e?|geb\.?|geborene?|born|ur\.|z domu|alias|aka)\s.*$", "")
    text = text.str.replace_all(r"(?i)\bh\. ?c\.", "")
    text = text.str.replace_all(r"(\p{L}{2,})\.(\p{L})", "$1. $2").str.replace_all(r"\s*,\s*", ", ")
    text = text.str.replace_all(r"\s+", " ").str.strip_chars(" ,;")
    text = text.str.replace(rf"(?:,? {_DEGREES}\.?)+$", "").str.strip_chars(" ,")
    text = text.str.replace(rf"(?i)^([^,]+), ({_GENERATION}|{_GENERATION_WORDS})\.?, ", "$1 $2, ")
    for _ in range(2):
        # "Frau Prof. Dr. med. Anna", and "Smith, Dr. John".
        text = text.str.replace(rf"(?i)^((?:{_HONORIFICS}\.? )*|[^,]+, )(?:{_LEARNED}\.?,? )+(\S)", "$1$2")
    return text.str.strip_chars()


def _behind(text: pl.Expr) -> pl.Expr:
    """The generation at the end of a name, with what divides it from the name."""
    surely = text.str.extract(rf"(?i)((?:,? {_GENERATION}\.?)+)$")
    perhaps = text.str.extract(rf"(?i)^(?:{_HONORIFICS}\.? )*[^ ,]+,? \S.*?(,? {_GENERATION_WORDS})$")
    return pl.coalesce(surely, perhaps)


@cache
def _forms(surname_first: bool) -> tuple[tuple[str, int, int], ...]:
    """Forms of a name, the first that fits: pattern, group of the surname, group of the given names."""
    pinyin, hyphened = rf"{_SYLLABLE}{{1,2}}(?:[ -]{_SYLLABLE})?", r"\p{L}+-\p{L}+"
    pair = rf"(?:{_DOUBLED} )+\S+"
    told = (
        (r"^([^,]+), ?(.*)$", 1, 2),
        (rf"^({_FAR_EASTERN}+) ({_FAR_EASTERN}.*)$", 1, 2),
        (rf"^({_TWO_SIGNS})({_FAR_EASTERN}+)$", 1, 2),
        (rf"^({_FAR_EASTERN}{{2}})({_FAR_EASTERN}{{2}})$", 1, 2),
        (rf"^({_FAR_EASTERN})({_FAR_EASTERN}{{1,2}})$", 1, 2),
        (rf"^({_CAPITALS}) (\p{{Lu}}\p{{L}}?\p{{Ll}}.*)$", 1, 2),
        (rf"^([\p{{Lu}}'’ -]+) ((?:{_PARTICLES} )+{_CAPITALS})$", 2, 1),
        (rf"^(.*?\p{{Ll}}\S*(?: \p{{Lu}}\.?)*?) ((?:{_PARTICLES} )*{_CAPITALS})$", 2, 1),
        (r"^(\p{L}[\p{L}'’-]+) ((?:\p{L}\. ?|\p{L} )*\p{L}\.?)$", 1, 2),
        (rf"(?i)^(.+) ({_VIETNAMESE})$", 2, 1),
        (rf"(?i)^({_VIETNAMESE}) (\S+ \S.*)$", 1, 2),
        (r"(?i)^(nguy[eễ]n|tr[aầ]n|ph[aạ]m|hu[yỳ]nh) (\S+)$", 1, 2),
        (rf"(?i)^({pinyin}) ({_CHINESE})$", 2, 1),
        (rf"(?i)^({_CHINESE}) ({pinyin})$", 1, 2),
        (rf"(?i)^({_KOREAN}) ({hyphened})$", 1, 2),
        (rf"(?i)^(\S+) (\S+ {_PATRONYMIC})$", 1, 2),
        (rf"(?i)^({_SLAVIC}) ([\p{{Cyrillic}}]{{2,}})$", 1, 2),
    )
    first = (
        (rf"(?i)^({_DOUBLED} {_DOUBLED}) (.+)$", 1, 2),
        (rf"(?i)^((?:{_PARTICLES} )*\S+) (.+)$", 1, 2),
    )
    last = (
        (rf"(?i)^(\S+(?: \S+)? {_PARTICLES}(?: l[ao]s?)? (?:{_DEVOTED})) (.+)$", 2, 1),
        (rf"(?i)^(.+?) ({_PARTICLES} .+)$", 2, 1),
        (r"^(.+) (\S+ [ye] \S+)$", 2, 1),
        (rf"(?i)^(.+?) ({pair})$", 2, 1),
        (r"^(.+) (\S+)$", 2, 1),
    )
    return (*told, *(first if surname_first else last), (r"^(\S+)()$", 1, 2))
