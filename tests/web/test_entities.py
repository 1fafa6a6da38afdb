"""What is published, told: a record by its values and by its id, an entity, two records, two runs."""

from __future__ import annotations

import polars as pl
import pytest

from core.database import DatabaseManager
from core.linkage.request import MatchRequest
from core.made_records.persons.generator import generate_persons
from tests.integration.linkage.test_parity import through_the_queue
from tests.web.browsing import OWN, bearer, client, person, signed_in

DATASET = "persons:people.csv"
ADDRESS = "/identity/persons%3Apeople.csv"
API = "/api/v1/identity"
BARE = "persons:bare.csv"


@pytest.fixture(scope="module")
def jobs(db: DatabaseManager, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, int, pl.DataFrame]:
    """Two jobs of one data set, the second without a record of the first; and what the second answers."""
    folder = tmp_path_factory.mktemp("people")
    people = generate_persons(400, seed=3, duplicates=0.5)

    def published(rows: pl.DataFrame, name: str, lookup: bool) -> int:
        rows.drop("entity_id").write_csv(folder / name)
        request = MatchRequest(
            input=str(folder / name), id_column="id", out=str(folder / "out.parquet"), lookup=lookup,
            publish="all" if lookup else "links",
        )  # fmt: skip
        return int(str(through_the_queue(request, db, folder)["job_id"]))

    published(people[:100], "bare.csv", lookup=False)
    first = published(people, "people.csv", lookup=True)
    second = published(people[1:], "people.csv", lookup=True)
    return first, second, pl.read_parquet(folder / "out.parquet").join(people.drop("entity_id"), on="id")


@pytest.fixture(scope="module")
def largest(jobs: tuple[int, int, pl.DataFrame]) -> pl.DataFrame:
    """The records of an entity of several."""
    answer = jobs[2]
    (entity_id,) = answer.group_by("entity_id").len().sort("len", "entity_id")[-1:]["entity_id"]
    return answer.filter(pl.col("entity_id") == entity_id).sort("id")


def test_record_is_looked_up_by_values_that_stand_nowhere_else(
    database_url: str, db: DatabaseManager, largest: pl.DataFrame
) -> None:
    record = {name: largest[name][0] for name in ("first_name", "last_name", "dob", "phone")}
    clerk = signed_in(database_url, person(db, "rita", "reviewer"))
    assert f"{ADDRESS}/lookup" in clerk.get("/identity").text
    assert 'name="last_name"' in clerk.get(f"{ADDRESS}/lookup").text
    page = clerk.post(f"{ADDRESS}/lookup", data=record, headers=OWN)
    assert (page.status_code, f"{ADDRESS}/entities/{largest['entity_id'][0]}" in page.text) == (200, True), page.text
    headers = bearer(db, "rita-program", "reviewer")
    found = client(database_url).post(f"{API}/lookup", json={"dataset": DATASET, "record": record}, headers=headers)
    assert (found.json()["decision"], found.json()["entity_id"]) == ("match", largest["entity_id"][0])
    for wrong, status, says in (
        ({"last_name": " "}, 400, "no field has a value"),
        ({"colour": "red"}, 400, "no field &#39;colour&#39;"),
        ({"last_name": "x" * 2_001}, 400, "more than 2,000"),
    ):
        answer = clerk.post(f"{ADDRESS}/lookup", data=wrong, headers=OWN)
        assert (answer.status_code, says in answer.text.lower()) == (status, True), (wrong, answer.text)
    assert clerk.post("/identity/none/lookup", data=record, headers=OWN).status_code == 404
    bare = clerk.get("/identity/persons%3Abare.csv/lookup").text
    assert "cannot be looked up in" in bare


def test_entity_shows_its_weakest_link_and_masks_values(
    database_url: str, db: DatabaseManager, largest: pl.DataFrame
) -> None:
    address = f"{ADDRESS}/entities/{largest['entity_id'][0]}"
    clerk = signed_in(database_url, person(db, "rosa", "reviewer"))
    page = clerk.get(address).text
    assert "The weakest link is" in page
    assert set(largest["id"]) <= {word for word in largest["id"] if word in page}
    surname = largest["last_name"].drop_nulls()[0]
    assert surname.lower() in page.lower()
    viewer = signed_in(database_url, person(db, "vito", "viewer"))
    masked = viewer.get(address).text
    assert "•••" in masked
    assert surname.lower() not in masked.lower()
    there = viewer.get(f"{ADDRESS}/lookup?record_id={largest['id'][0]}")
    assert (there.status_code, there.headers["location"]) == (303, address)
    assert viewer.get(f"{ADDRESS}/lookup?record_id=nobody").status_code == 404
    for path in (f"{ADDRESS}/entities/none", f"{ADDRESS}/entities/{'0' * 32}"):
        assert viewer.get(path).status_code == 404
    program, headers = client(database_url), bearer(db, "reader", "viewer")
    told = program.get(f"{API}/entities/{largest['entity_id'][0]}?dataset={DATASET}", headers=headers).json()
    assert (told["n_records"], len(told["records"])) == (largest.height, largest.height)
    assert {value for each in told["records"] for value in each["values"].values()} == {"•••"}
    assert told["weakest"]["bits"] == min(link["bits"] for link in told["links"] if _is_needed(link, told))
    (place,) = program.get(f"{API}/records?dataset={DATASET}&record_id={largest['id'][0]}", headers=headers).json()[
        "data"
    ]
    assert place["entity_id"] == told["entity_id"]


def _is_needed(link: dict[str, object], told: dict[str, object]) -> bool:
    """Whether its two records are joined by nothing stronger: the other links that are, do not connect them."""
    stronger = [each for each in told["links"] if each["bits"] > link["bits"]]  # type: ignore[index, attr-defined]
    reached, grew = {link["a"]["id"]}, True  # type: ignore[index]
    while grew:
        ends = [{each["a"]["id"], each["b"]["id"]} for each in stronger]
        more = reached.union(*(end for end in ends if end & reached))
        grew, reached = more != reached, more
    return link["b"]["id"] not in reached  # type: ignore[index]


def test_two_records_are_told_why_and_why_not(
    database_url: str, db: DatabaseManager, jobs: tuple[int, int, pl.DataFrame], largest: pl.DataFrame
) -> None:
    viewer = signed_in(database_url, person(db, "wim", "viewer"))
    a, b = largest["id"][:2]
    stranger = jobs[2].filter(pl.col("entity_id") != largest["entity_id"][0])["id"][0]
    page = viewer.get(f"{ADDRESS}/why?a={a}&b={b}").text
    assert "They are one entity" in page
    assert "in all" in page
    apart = viewer.get(f"{ADDRESS}/why?a={a}&b={stranger}").text
    assert "They are two entities" in apart
    assert "The job kept nothing of their pair" in apart
    for value in largest["last_name"].drop_nulls():
        assert value.lower() not in page.lower()
    assert viewer.get(f"{ADDRESS}/why?a={a}&b=nobody").status_code == 404
    assert viewer.get(f"{ADDRESS}/why?a={a}&b={a}").status_code == 400
    program, headers = client(database_url), bearer(db, "asker", "viewer")
    said = program.get(f"{API}/why?dataset={DATASET}&a={a}&b={b}", headers=headers).json()
    assert said["one"]
    evidence = said["evidence"]
    added = evidence["prior_bits"] + evidence["other_readings_bits"] + sum(each["bits"] for each in evidence["fields"])
    assert added == pytest.approx(evidence["total_bits"], abs=0.01)
    if said["kept"] is not None:
        assert said["kept"]["bits"] == pytest.approx(evidence["total_bits"], abs=0.01)
    bare = db.execute_query("two", "SELECT id_a, id_b FROM matches m JOIN published_jobs p USING (job_id) "
                            "WHERE p.dataset = 'persons:bare.csv' LIMIT 1")  # fmt: skip
    page = viewer.get(f"/identity/persons%3Abare.csv/why?a={bare[0][0]}&b={bare[0][1]}").text
    assert "Fields as they were compared" in page
    assert "headrace explain" in page


def test_two_runs_are_compared(database_url: str, db: DatabaseManager, jobs: tuple[int, int, pl.DataFrame]) -> None:
    first, second, _ = jobs
    viewer = signed_in(database_url, person(db, "yves", "viewer"))
    assert f'<option value="{first}" selected' in viewer.get(f"{ADDRESS}/runs").text
    page = viewer.get(f"{ADDRESS}/runs?a={first}&b={second}").text
    assert "records that only the first has" in page
    program, headers = client(database_url), bearer(db, "differ", "viewer")
    found = program.get(f"{API}/runs/diff?dataset={DATASET}&a={first}&b={second}", headers=headers).json()
    assert (found["records_removed"], found["records_added"]) == (1, 0)
    listed = program.get(f"{API}/runs?dataset={DATASET}", headers=headers).json()["data"]
    assert [each["job_id"] for each in listed] == [second, first]
    assert viewer.get(f"{ADDRESS}/runs?a={first}&b=99999").status_code == 404
