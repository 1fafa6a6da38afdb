"""Songs as several sources list them: title, artist, album, number, length and year."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from core.made_records.clerks import Haste, arranged, between, coined, falling, forms, hurried, joined, where
from core.made_records.draws import Draws
from core.made_records.persons.words.vocabulary import STREET_NAMES, build_vocabulary
from core.made_records.shapes import Ints, Records, several_files

N_SOURCES = 4
SONGS_AN_ALBUM = 10

NOUNS = forms("""
night, love, river, road, heart, rain, summer, winter, train, city, moon, fire, stranger, garden, ocean, mirror
letter, window, storm, shadow, angel, radio
morning, dance, highway, island, ghost, bell, horse, mountain, silence, dream, promise, lady, sailor, wolf
flower, desert, midnight, harbor, star, soldier
sugar, thunder, valley, picture, circus, diamond, paper moon, blue sky, railway, telephone, cathedral, orchard
lantern, sparrow, anchor, carousel
""")
LEADS = forms("""
-, -, the, my, your, one more, lost in the, waiting for the, dancing with the, goodbye, hello, last, first
little, black, blue, golden, lonely, crazy
back to the, song of the, if I were a, under the, no more, another, sweet, broken, stay, never, take me to the
somebody's, distant, electric, hidden
""")
TAILS = forms(
    "-, -, -, -, tonight, again, blues, in my mind, for you, on fire, of gold, in the dark, part two,"
    "is calling, song, and me, forever, away"
)
VERSIONS = forms(
    "live/live version/recorded live, acoustic/acoustic version, remix/club mix/rmx, instrumental, demo,radio edit/edit"
)
GROUPS = forms("-, -, the, band, and the, orchestra, trio, quartet, brothers")
LANGUAGES = forms("English/Eng./en, Spanish/Spa./es, German/Ger./de, French/Fre./fr, Italian/Ita./it")


def songs(rows: int, rates: Mapping[str, float], draws: Draws) -> tuple[Records, pl.DataFrame]:
    """Songs of albums: those of one album share artist, album and year and differ in title, number and length."""
    records = several_files(rows, N_SOURCES, rates["in each source"], draws)
    keys, song = records.keys, records.entity
    album = song // SONGS_AN_ALBUM
    artist = falling("artist", album, max(20, records.n_entities // 25), draws)
    # A live or acoustic version of the song before it is another recording: it says so in every source.
    again = draws.flag("another version", song, rates["versions"]) & (song % SONGS_AN_ALBUM > 0)
    version = VERSIONS.pick(draws.below("version", song, len(VERSIONS)), draws.unit("version word", keys), 0.4)
    name = _artists(artist, draws)
    title = _name("song", np.where(again, song - 1, song), draws)
    texts = {"title": title, "artist": name, "album": _albums(album, name, draws)}
    texts = {column: hurried(text, keys, column, Haste.of(rates), draws) for column, text in texts.items()}
    texts["title"] = joined(texts["title"], between(" (", where(again, version), ")"))
    return records, _listed(records, album, texts, rates, draws)


def _name(what: str, of: Ints, draws: Draws) -> pl.Series:
    """(n,) names such as Waiting for the Rain Again, the same for the same number."""
    tables = {"lead": LEADS, "noun": NOUNS, "tail": TAILS}
    parts = {part: table.drawn(f"{what} {part}", of, draws) for part, table in tables.items()}
    return arranged(parts, ("lead noun tail",), np.zeros(len(of), dtype=np.int64)).str.to_titlecase()


def _artists(artist: Ints, draws: Draws) -> pl.Series:
    """(n,) persons, and bands of an invented word with what bands are called."""
    table = build_vocabulary(20_000)
    given = table.given.gather(table.male_ranks.pick("artist given", artist, draws))
    surname = table.surnames.gather(table.surname_ranks.pick("artist surname", artist, draws))
    parts = {
        "group": GROUPS.drawn("group", artist, draws),
        "word": coined(artist),
        "place": pl.Series(STREET_NAMES).gather(draws.below("band word", artist, 80)),
    }
    orders = ("group word", "word place", "group word place")
    band = arranged(parts, orders, draws.below("band order", artist, 3)).str.to_titlecase()
    return where(draws.flag("band", artist, 0.5), band, joined(given, " ", surname))


def _albums(album: Ints, artist: pl.Series, draws: Draws) -> pl.Series:
    """(n,) a title like a song's, the artist's own name, or a collection's."""
    name, best = _name("album", album, draws), joined("The Best of ", artist)
    return where(draws.flag("best of", album, 0.15), best, where(draws.flag("own name", album, 0.1), artist, name))


def _listed(
    records: Records, album: Ints, texts: Mapping[str, pl.Series], rates: Mapping[str, float], draws: Draws
) -> pl.DataFrame:
    """Each source has ways of its own: what it puts into the title, how it writes numbers, lengths and years."""
    keys, song, source = records.keys, records.entity, records.source
    style = draws.below("style", source, 4) + source
    number = 1 + song % SONGS_AN_ALBUM
    seconds = 120 + draws.below("seconds", song, 240) + draws.below("longer", keys, 3)
    minutes, rest = np.divmod(seconds, 60)
    clock = joined(pl.Series(minutes).cast(pl.String), ":", pl.Series(rest).cast(pl.String).str.zfill(2))
    length = where(
        style % 2 == 0,
        clock,
        where(style % 3 == 0, pl.Series(seconds).cast(pl.String), pl.Series(seconds * 1000).cast(pl.String)),
    )
    year = 1960 + draws.below("year", album, 60)
    short = between("'", pl.Series(year % 100).cast(pl.String).str.zfill(2))
    title = texts["title"]
    led = draws.flag("artist in title", keys, rates["artist in title"] * (style % 2 == 0))
    numbered = draws.flag("number in title", keys, rates["number in title"] * (style % 2 == 1))
    title = where(
        led,
        joined(texts["artist"], " - ", title),
        where(numbered, joined(pl.Series(number).cast(pl.String).str.zfill(3), "-", title), title),
    )
    behind = draws.flag("album in title", keys, rates["album in title"] * (style % 3 == 0))
    title = where(behind, joined(title, between(" - ", texts["album"])), title)
    language = LANGUAGES.pick(
        falling("language", album, len(LANGUAGES), draws), draws.unit("language word", source), 0.5
    )
    missing = {
        name: ~draws.flag(f"no {name}", keys, rates[f"no {name}"])
        for name in ("artist", "album", "year", "number", "length")
    }
    return pl.DataFrame(
        {
            "title": title,
            "artist": where(missing["artist"] & ~(led & draws.flag("only there", keys, 0.6)), texts["artist"]),
            "album": where(missing["album"], texts["album"]),
            "number": where(missing["number"], pl.Series(number).cast(pl.String)),
            "length": where(missing["length"], length),
            "year": where(missing["year"], where(style % 4 == 1, short, pl.Series(year).cast(pl.String))),
            "language": language,
        }
    )
