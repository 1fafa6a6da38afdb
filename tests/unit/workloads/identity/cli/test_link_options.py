"""`--link-id` and `--link-map`, of all linked files or of one."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from core.workloads.identity.cli.link_options import link_ids, link_mappings


def test_link_ids_are_of_all_files_unless_a_number_says_of_which() -> None:
    assert link_ids([], 3) == ()
    assert link_ids(["no"], 2) == ("no", "no")
    assert link_ids(["2:nr"], 3) == ("", "nr", "")
    assert link_ids(["nr", "3:key: old"], 3) == ("nr", "nr", "key: old")


def test_link_mappings_are_of_all_files_and_what_is_said_of_one_holds_first() -> None:
    assert link_mappings([], 2) == ()
    assert link_mappings(["dob=geb,zip=plz", "2:dob=naissance", "2: email="], 2) == (
        {"dob": "geb", "zip": "plz"},
        {"dob": "naissance", "zip": "plz", "email": ""},
    )


@pytest.mark.parametrize(
    ("ids", "maps", "n_links", "sentence"),
    [
        (["no"], [], 0, "--link-id no: it names a column of a file given with --link; there is none"),
        (["3:no"], [], 2, "--link-id 3:no: there is no --link number 3; they are 1 to 2"),
        (["0:no"], [], 2, "there is no --link number 0"),
        (["no", "nr"], [], 2, "--link-id nr: every linked file has an id column already, no"),
        (["2:no", "2:nr"], [], 2, "--link-id 2:nr: --link number 2 has an id column already, no"),
        ([], ["1:dob"], 2, "--link-map 1:dob: write field=column"),
        ([], ["=dob"], 2, "--link-map =dob: write field=column"),
        ([], ["dob=a", "dob=b"], 1, "--link-map dob=b: field dob is mapped twice"),
    ],
)
def test_what_names_no_linked_file_or_says_two_things_is_refused(
    ids: list[str], maps: list[str], n_links: int, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        link_ids(ids, n_links)
        link_mappings(maps, n_links)
    assert sentence in caught.value.message
