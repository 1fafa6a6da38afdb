"""Labelled pairs against an answer: shares by label, and files that cannot be compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import InputError, SchemaError
from core.linkage.results.labelled_shares import Share, label_column, labelled_shares
from tests.command import headrace

ANSWER = "id,entity_id\n1,a\n2,a\n3,b\n4,b\n5,c\n"


def files(folder: Path, labels: str, answer: str = ANSWER) -> tuple[Path, Path]:
    out, told = folder / "out.csv", folder / "labels.csv"
    out.write_text(answer)
    told.write_text(labels)
    return out, told


def test_shares_count_each_pair_once_and_leave_out_what_the_answer_lacks(tmp_path: Path) -> None:
    labels = "id_a,id_b,same\n1,2,1\n2,1,yes\n3,5,TRUE\n1,3,0\n4,3,differ\n1,9,1\n1,4,\n"
    found = labelled_shares(*files(tmp_path, labels), "same")
    assert (found.match, found.differ) == (Share(2, 1), Share(2, 1))
    assert (found.n_open, found.n_unknown) == (1, 1)
    assert found.match.share == 0.5
    assert Share(0, 0).share is None


def test_shares_of_two_sources_take_the_record_that_is_meant(tmp_path: Path) -> None:
    answer = "id,source,entity_id\n1,0,a\n2,0,b\n1,1,b\n2,1,a\n"
    found = labelled_shares(
        *files(tmp_path, "id_a,id_b,decision\n1,2,match\n2,1,match\n2,2,differ\n", answer), "decision"
    )
    assert (found.match, found.differ) == (Share(2, 2), Share(1, 1))
    labels = "source_a,id_a,source_b,id_b,decision\n0,1,0,2,differ\n1,2,0,1,match\n"
    found = labelled_shares(*files(tmp_path, labels, answer), "decision")
    assert (found.match, found.differ) == (Share(1, 1), Share(1, 1))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("id_a,id_b,decision\n1,2,match\n2,1,differ\n", "row 1: the pair has another label in a further row"),
        ("id_a,id_b,decision\n7,8,match\n", "share no pair"),
        ("id_a,id_b,decision\n1,2,perhaps\n", "row 1: .*holds one of match, differ, 1, true"),
    ],
)
def test_labels_that_cannot_be_compared_are_refused(labels: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=said):
        labelled_shares(*files(tmp_path, labels), "decision")


def test_label_column_is_the_named_one_or_the_only_one(tmp_path: Path) -> None:
    _, labels = files(tmp_path, "id_a,id_b,same,by\n")
    assert label_column(labels, "by") == "by"
    with pytest.raises(SchemaError, match="say with `decision` which one holds the labels: same, by"):
        label_column(labels, None)
    _, labels = files(tmp_path, "id_a,same,id_b\n")
    assert label_column(labels, None) == "same"


def test_evaluate_takes_labelled_pairs_and_refuses_them_as_truth(tmp_path: Path) -> None:
    out, labels = files(tmp_path, "id_a,id_b,same\n1,2,1\n1,3,0\n1,5,1\n")
    found = headrace("evaluate", out, "--pairs", labels, "--json")
    assert json.loads(found.stdout) == {
        "match": {"pairs": 2, "right": 1, "share": 0.5},
        "differ": {"pairs": 1, "right": 1, "share": 1.0},
        "open": 0,
        "unknown": 0,
    }
    assert "0.5000" in headrace("evaluate", out, "--pairs", labels).stdout
    refused = headrace("evaluate", out, "--truth", labels, "--id", "id_a", "--entity", "same")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "names pairs (id_a, id_b), not the entity of each record; give it with --pairs" in refused.stderr
    assert "say what OUT is compared with" in headrace("evaluate", out).stderr
    assert "--pairs goes without --truth" in headrace("evaluate", out, "--pairs", labels, "--id", "id").stderr
