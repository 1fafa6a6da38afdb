"""What pages and API do with cases of identities; both call these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from core.database import DatabaseManager
from core.database.queries import load, run
from core.errors import InputError
from core.pages.accounts.roles import Person
from core.pages.problems import NotFound
from core.review import verdicts
from core.review.calibration import Agreement, Band, agreement, calibration
from core.review.items import Counts, Item, claim, counts, find, held_by
from core.review.verdicts import UNSURE, Outcome, Said
from core.workloads.identity.pages.case_view import Case, case_of
from core.workloads.identity.reviewing.cases import POLICY, SAME, topic
from core.workloads.identity.reviewing.shown_records import shown_records

Q = load("identity")
TAKEN_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class DataSet:
    """A published data set; `cases`: None where nothing was ever asked."""

    name: str
    job_id: int
    published_at: datetime
    cases: Counts | None

    @property
    def n_waiting(self) -> int:
        """Cases that somebody could take, first and second looks."""
        return 0 if self.cases is None else self.cases.open + self.cases.second

    @property
    def n_free(self) -> int:
        """Those of them that are with nobody."""
        return 0 if self.cases is None else max(self.n_waiting - self.cases.taken, 0)


def now() -> datetime:
    """The moment of a request."""
    return datetime.now(UTC)


def datasets(db: DatabaseManager) -> list[DataSet]:
    """What is published, by name. Cost: one reading of the cases."""
    asked = {each.topic: each for each in counts(db, now())}
    with db.transaction() as conn:
        rows = run(conn, Q["published_datasets"])
    return [DataSet(name, job_id, at, asked.get(topic(name))) for name, job_id, at in rows]


def dataset(db: DatabaseManager, name: str) -> DataSet:
    """One of them. Raises NotFound."""
    found = next((each for each in datasets(db) if each.name == name), None)
    if found is None:
        raise NotFound("no data set of that name is published; /identity lists those there are")
    return found


def take(
    db: DatabaseManager, name: str, person: Person, held: Sequence[int], n_most: int = TAKEN_AT_ONCE
) -> list[Item]:
    """Cases for this person, for five minutes, beside those already held."""
    return claim(db, topic(name), person.name, now(), n_most=n_most, held=held)


def held(db: DatabaseManager, name: str, person: Person) -> list[Item]:
    """The cases this person holds."""
    return held_by(db, topic(name), person.name, now())


def item_of(db: DatabaseManager, item_id: int, name: str | None = None) -> Item:
    """A case of identities, of that data set if one is given. Raises NotFound."""
    try:
        found = find(db, item_id)
    except InputError as error:
        raise NotFound(error.message, item_id=item_id) from None
    if not found.topic.startswith(topic("")) or (name is not None and found.topic != topic(name)):
        raise NotFound(f"there is no case {item_id} here", item_id=item_id)
    return found


def shown(db: DatabaseManager, items: Sequence[Item], person: Person) -> list[Case]:
    """Cases with the values of their records."""
    names = {item.topic: item.topic.removeprefix(topic("")) for item in items}
    records = {
        of: shown_records(db, name, [one for item in items if item.topic == of for one in item.subject])
        for of, name in names.items()
    }
    return [case_of(item, records[item.topic], person) for item in items]


def judge(db: DatabaseManager, person: Person, said: Said) -> Outcome:
    """Record a verdict. Raises as `core.review.verdicts.give`, NotFound."""
    item_of(db, said.item_id)
    return verdicts.give(db, person.name, said, now(), POLICY)


def undo(db: DatabaseManager, person: Person, event_id: int, key: str) -> Outcome:
    """Take a verdict of one's own back; an admin may those of others. Raises as `core.review.verdicts.take_back`."""
    return verdicts.take_back(db, person.name, event_id, key, now(), of_others=person.may("admin"))


def recent(db: DatabaseManager, name: str, person: Person) -> list[verdicts.Spoken]:
    """The ten newest verdicts of this person that stand."""
    return verdicts.recent(db, topic(name), person.name)


def bands(db: DatabaseManager, name: str) -> tuple[list[Band], int, Agreement | None]:
    """What verdicts say about stated probabilities, of how many verdicts, and whether second looks agree."""
    said = [(stated, word == SAME) for stated, word in verdicts.stated_and_said(db, topic(name)) if word != UNSURE]
    return calibration(said), len(said), agreement(verdicts.second_looks(db, topic(name)))


def as_json(case: Case) -> dict[str, Any]:
    """A case for programs; as much as a page shows."""
    found: dict[str, Any] = {
        "item_id": case.item.item_id,
        "version": case.item.version,
        "records": list(case.item.subject),
        "blind": case.steps is None,
        "returned": case.item.returned,
        "fields": [
            {
                "field": line.field,
                "a": "".join(piece.text for piece in line.a),
                "b": "".join(piece.text for piece in line.b),
                "level": line.said,
            }
            for line in case.lines
        ],
    }
    if case.steps is not None:
        found |= {"probability": case.item.probability, "bits": case.bits, "value": case.item.value}
        found["evidence"] = [
            {"field": step.name, "level": step.said, "bits": round(step.bits, 3)} for step in case.steps
        ]
    return found
