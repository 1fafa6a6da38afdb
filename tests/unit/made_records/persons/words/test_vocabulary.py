"""Words and their shares: as a census counts them, and more of them for more persons."""

from __future__ import annotations

import numpy as np
import pytest

from core.made_records.draws import Draws
from core.made_records.persons.people import Names, emails_of
from core.made_records.persons.words.ranks import rank_shares
from core.made_records.persons.words.vocabulary import Vocabulary, build_vocabulary, made_words

# the persons of a file of 70 million rows, 30 % of them duplicates
MANY = 49_000_000


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return build_vocabulary(MANY)


@pytest.mark.parametrize("falls", [1, 2, 5])
def test_ranks_draw_each_word_as_often_as_they_say(falls: int) -> None:
    ranks = rank_shares(20, 300, shift=2.0, power=1.1, listed=0.6, falls=falls)
    shares = ranks.shares(np.arange(300))
    assert abs(shares.sum() - 1.0) < 0.001
    assert (np.diff(shares[:20]) < 0).all()
    assert (np.diff(shares[20:]) < 0).all()
    drawn = np.bincount(ranks.pick("word", np.arange(400_000), Draws(1)), minlength=300)
    expected = 400_000 * shares
    assert ((drawn - expected) ** 2 / expected).sum() < 400  # chi squared, 299 degrees of freedom
    assert ranks.at(np.array([0.0, 0.6 - 1e-12, 0.6, 1 - 2.0**-53])).tolist() == [0, 19, 20, 299]


def test_made_words_are_different_and_the_same_for_more() -> None:
    few, many = made_words(10_000), made_words(900_000)
    assert many.is_unique().all()
    assert many[: len(few)].equals(few)
    assert len(many) > 0.99 * 900_000
    assert many.str.len_chars().max() <= 16  # type: ignore[operator]


def test_vocabulary_has_the_shares_of_the_census(words: Vocabulary) -> None:
    # Census Bureau, surnames of 2010 (of 295 million persons) and given names of 1990.
    surnames = words.surname_ranks.shares(np.arange(len(words.surnames)))
    assert surnames[[0, 2241, 8483, 162_252]] == pytest.approx([0.00827, 5.51e-5, 1.317e-5, 3.39e-7], rel=0.1)
    assert np.cumsum(surnames)[[24, 238]] == pytest.approx([0.087, 0.25], rel=0.05)
    men, women = (np.cumsum(ranks.shares(np.arange(5000))) for ranks in (words.male_ranks, words.female_ranks))
    assert men[[9, 24, 99, 1218]] == pytest.approx([0.232, 0.355, 0.595, 0.90], rel=0.07)
    assert women[[9, 24, 99, 4274]] == pytest.approx([0.107, 0.195, 0.431, 0.90], rel=0.12)


def test_vocabulary_grows_with_the_persons(words: Vocabulary) -> None:
    small = build_vocabulary(700_000)
    assert 12 < len(words.surnames) / len(small.surnames) < 22
    assert len(words.surnames) == words.surnames.n_unique() > 1_700_000
    assert len(words.given) > 100_000
    assert len(words.streets) > 1_700_000
    assert len(words.places.city) > 5 * len(small.places.city)
    assert 33_000 < words.places.zip_count.sum() < 47_000


def test_emails_have_one_owner_also_for_common_names(words: Vocabulary) -> None:
    # 10,000 James Smiths, of the 8,000 and more that 49 million persons would have.
    persons = np.arange(10_000)
    names = Names(np.zeros(10_000, dtype=np.int64), np.zeros(10_000, dtype=np.int64))
    year = 1940 + persons % 60
    emails = emails_of(persons, names, year, Draws(1), words)
    assert emails.n_unique() > 9000
    assert emails.value_counts()["count"].max() < 15  # type: ignore[operator]
    # In a village most have their plain name.
    village = emails_of(persons[:1000], Names(names.given[:1000], persons[:1000] % 900), year[:1000], Draws(1),
                        build_vocabulary(1000))  # fmt: skip
    assert village.str.contains(r"^james\.[a-z]+@").mean() > 0.25  # type: ignore[operator]
