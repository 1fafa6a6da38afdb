"""Lookup: the entity that one record would join among those that are published for a data set.

The answer is what an increment of this one record would say, and nothing is written. Two round trips to the database:
one for the lists of blocking keys that the record may stand in, one for the records in them; a third where chains of
accepted pairs lead further. The model is read once a process and job.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import orjson

from core.cache import CacheKey, TieredCache
from core.database import DatabaseManager
from core.database.queries import Row, load
from core.errors import ConfigError, InputError, StoreError
from core.matching.lookup import join_record
from core.matching.lookup.join_record import LINK, TEXT_SEPARATOR, Known, Rules, Scored
from core.matching.lookup.key_index import Sizes, candidates, probe
from core.matching.lookup.single_record import OneRecord, RecordPacker, coded_matrix, n_values
from core.matching.quality.explain import Explanation
from core.matching.records.layout import Layout, with_room
from core.matching.records.value_places import relaid
from core.matching.records.vocabulary import Vocabulary
from core.matching.scoring.model import Model
from core.matching.specs.spec import MatchSpec
from core.matching.standardise.full_names import PERSON_PARTS, WHOLE
from core.matching.standardise.readings import ColumnReading
from core.processes import on_fork

Q = load("lookup")
COMPONENT_MAX = 2_000
"""Records that chains of accepted pairs may lead to before a lookup stops following them."""
JOBS_HELD = 2
MOVES_MAX = 3


@dataclass(frozen=True)
class Answer:
    """What a lookup found.

    decision: `match`, it would join the entity; `review`, no pair joins it but some are worth a look; `new`, neither.
    entity_id: None unless it would join a published entity. bits, confidence: of its best pair. merged: entities that
    it would make one with `entity_id`. matched: the pairs worth a look, the best first: record_id, entity_id, bits,
    confidence, decision, joined, and evidence by field where asked for. not_compared: passes whose list is too long to
    be looked up; complete: none was, and all chains were followed.
    """

    dataset: str
    job_id: int
    decision: str
    entity_id: str | None
    bits: float | None
    confidence: float | None
    merged: list[str]
    matched: list[dict[str, Any]]
    candidates: int
    not_compared: list[str]
    complete: bool

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Version:
    """A published job, ready to be asked. `mark` tells it from jobs of the same number in other databases.

    said: its rules as they are stored. stored: the layout of its records.
    """

    job_id: int
    mark: str
    rules: Rules
    packer: RecordPacker
    sizes: Sizes
    window: int
    said: Mapping[str, Any]
    stored: Layout

    @classmethod
    def of(cls, job_id: int, mark: str, n_rows: int, text: str) -> _Version:
        said = orjson.loads(text)
        layout = Layout.of(MatchSpec.model_validate(said["spec"]))
        rules = Rules.of(Model.model_validate(said["model"]), layout)
        packer = RecordPacker(layout, said["date_orders"], said["placeholders"], _readings(said))
        return cls(job_id, mark, rules, packer, Sizes.of(n_rows), said["window"], said, layout)

    def roomy(self, texts: Mapping[str, str | None]) -> _Version:
        """The same with room for all values of a record, where that has more than any of the job's records."""
        spec = self.stored.spec
        wider = with_room(spec, {field.name: n_values(texts.get(field.name), field) for field in spec.fields})
        if wider == spec:
            return self
        layout = Layout.of(wider)
        packer = RecordPacker(layout, self.said["date_orders"], self.said["placeholders"], _readings(self.said))
        return replace(self, rules=Rules.of(self.rules.model, layout), packer=packer)

    def known(self, row: Row) -> Known:
        """A record of the database."""
        number, record_id, entity_id, began, packed, texts, links = row
        words = np.frombuffer(packed, dtype="<u4")
        layout = self.rules.layout
        if layout.stride != self.stored.stride or layout.offset != self.stored.offset:
            words = relaid(words[None, :], self.stored, layout)[0]
        record = OneRecord(words, tuple(texts.split(TEXT_SEPARATOR)))
        return Known(number, record_id, entity_id, began, record, np.frombuffer(links or b"", dtype=LINK))


def _readings(said: Mapping[str, Any]) -> dict[str, ColumnReading]:
    return {name: ColumnReading.from_dict(each) for name, each in said.get("readings", {}).items()}


class _Moved(Exception):
    """Another job was published while a record was looked up."""


class IdentityLookup:
    """Looks records up in one data set; thread-safe, one for each process.

    Args:
        dataset: as `published_jobs` has it; None where only one is published.
        version_ttl_s: so long the published job is taken as known for answers out of the cache.
        clock: seconds, never backwards.
    """

    def __init__(
        self,
        db: DatabaseManager,
        cache: TieredCache,
        dataset: str | None = None,
        *,
        version_ttl_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._cache = cache
        self._version_ttl_s = version_ttl_s
        self._clock = clock
        self._lock = threading.Lock()
        on_fork(self, IdentityLookup._unlock)
        self._held: dict[int, _Version] = {}
        self._asked_at = float("-inf")
        self._job_id = 0
        self.dataset = self._settled(dataset)

    def _unlock(self) -> None:
        """In a child made by fork: whoever held the lock did not come along."""
        self._lock = threading.Lock()

    def find(
        self, values: Mapping[str, Any], *, record_id: str | None = None, with_evidence: bool = False
    ) -> dict[str, Any]:
        """The entity that a record would join; see `Answer`.

        Args:
            values: by field of the spec; what is absent or null is missing. `full_name` is taken apart into first and
                last name where these are.
            record_id: of the record, as an increment would have it; it decides ties between names only.
            with_evidence: say of each matched pair what each field weighed.
        Raises:
            InputError: a field the data set does not know, or a value that a match would refuse.
            StoreUnavailable, PoolTimeout: the database does not answer.
        """
        for _ in range(MOVES_MAX):
            version = self._current()
            texts = _texts(values, _asked_by(version.stored.spec))
            version = version.roomy(texts)
            record = version.packer.pack(texts)
            asked = [self.dataset, record.words.tolist(), record.texts, record_id, with_evidence]
            key = CacheKey.of("lookup", version.mark, asked)
            try:
                make = partial(self._answer, version, record, record_id, with_evidence)
                found: dict[str, Any] = self._cache.get_or_make(key, make)
            except _Moved:
                self._asked_at = float("-inf")
                continue
            return found
        raise StoreError(f"data set {self.dataset} is published anew faster than a record can be looked up")

    def explain(self, job_id: int, row_a: int, row_b: int) -> Explanation:
        """Why two records of a published job are one, or not, as the job compares them; without their values.

        Args:
            row_a, row_b: `row_no` of them, two rows.
        Raises:
            ConfigError: the job cannot be looked up in. InputError: it has no such rows.
        """
        version = self._opened(job_id)
        known = {each.row: each for each in self._records(version, (row_a, row_b))}
        if row_a not in known or row_b not in known:
            raise InputError(f"job {job_id} keeps no such records; match its input again with `--via prefect --lookup`")
        return join_record.explain_known(known[row_a].record, known[row_b].record, version.rules)

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields that a record may have."""
        return _asked_by(self._current().rules.layout.spec)

    def _settled(self, dataset: str | None) -> str:
        """The data set that is meant, if it can be looked up in."""
        known = {name: (job_id, ready) for name, job_id, ready in self._db.execute_once(Q["lookup_datasets"], {})}
        if not known:
            raise ConfigError(
                "nothing is published in this database, so there is nothing to look in; `headrace match INPUT --via "
                "prefect --lookup` publishes, and HEADRACE_STATE_DIR or HEADRACE_DATABASE__URL names another database",
                dataset=dataset,
            )
        prepared = [name for name, (_, ready) in known.items() if ready] or list(known)
        if dataset is None and len(prepared) == 1:
            (dataset,) = prepared
        if dataset is None or dataset not in known:
            listed = ", ".join(map(repr, prepared))
            asked = "name a data set" if dataset is None else f"nothing is published for data set {dataset!r}"
            raise ConfigError(f"{asked}; published: {listed}", dataset=dataset)
        job_id, ready = known[dataset]
        if not ready:
            raise _unready(dataset, job_id)
        return dataset

    def _current(self) -> _Version:
        """The published job; asked for again when what is known of it is too old."""
        now = self._clock()
        if now - self._asked_at > self._version_ttl_s:
            rows = self._db.execute_once(Q["lookup_version"], {"dataset": self.dataset})
            if not rows:
                raise ConfigError(f"nothing is published for data set {self.dataset!r} any more", dataset=self.dataset)
            self._job_id, self._asked_at = int(rows[0][0]), now
        return self._held.get(self._job_id) or self._opened(self._job_id)

    def _opened(self, job_id: int) -> _Version:
        with self._lock:
            if job_id not in self._held:
                rows = self._db.execute_once(Q["lookup_rules"], {"job_id": job_id})
                if not rows:
                    raise _unready(self.dataset, job_id)
                while len(self._held) >= JOBS_HELD:
                    del self._held[next(iter(self._held))]
                self._held[job_id] = _Version.of(job_id, *rows[0])
            return self._held[job_id]

    def _answer(
        self, version: _Version, record: OneRecord, record_id: str | None, with_evidence: bool
    ) -> dict[str, Any]:
        rules = version.rules
        rows, overfull = self._candidates(version, record)
        known = self._records(version, rows)
        scored = join_record.score(record, known, rules)
        accepted = {
            known[place].row: float(bits)
            for place, bits in zip(scored.places.tolist(), scored.bits, strict=True)
            if bits >= rules.match_bits
        }
        near = {each.row: each for each in known}
        component = {row: near[row] for row in accepted}
        whole = self._follow(version, component, near)
        joined = join_record.join(record, accepted, component, rules, record_id)
        matched = _matched(known, scored, joined, rules, with_evidence)
        return Answer(
            dataset=self.dataset,
            job_id=version.job_id,
            decision="match" if joined.rows else "review" if matched else "new",
            entity_id=joined.entity_id,
            bits=matched[0]["bits"] if matched else None,
            confidence=matched[0]["confidence"] if matched else None,
            merged=list(joined.merged),
            matched=matched,
            candidates=len(known),
            not_compared=[rules.layout.spec.passes[number].name for number in overfull],
            complete=whole and not overfull,
        ).to_dict()

    def _candidates(self, version: _Version, record: OneRecord) -> tuple[Sequence[int], list[int]]:
        """Rows that share a blocking key, and the passes that are left out."""
        layout = version.rules.layout
        words, strings = coded_matrix([record], layout)
        asked = probe(words, Vocabulary.of_strings(strings), layout, version.sizes)
        said = {
            "dataset": self.dataset,
            "job_id": version.job_id,
            "slots": _array([slot for slot, _ in asked.lists]),
            "buckets": _array([bucket for _, bucket in asked.lists]),
        }
        rows = self._db.execute_once(Q["lookup_probe"], said)
        if not rows or rows[0][0] != version.job_id:
            raise _Moved
        found: dict[int, bytes] = {}
        for _, slot, entries in rows:
            if slot is not None:
                found[slot] = found.get(slot, b"") + bytes(entries)
        held, overfull = candidates(found, asked, version.sizes, version.window)
        return held.tolist(), overfull

    def _records(self, version: _Version, rows: Sequence[int]) -> list[Known]:
        if not rows:
            return []
        found = self._db.execute_once(Q["lookup_records"], {"job_id": version.job_id, "rows": _array(rows)})
        return sorted(map(version.known, found), key=lambda each: each.row)

    def _follow(self, version: _Version, component: dict[int, Known], near: Mapping[int, Known]) -> bool:
        """Bring into `component` all that chains of accepted pairs lead to; False where they lead too far."""
        while wanted := join_record.missing_rows(component, version.rules):
            if len(component) + len(wanted) > COMPONENT_MAX:
                return False
            far = [row for row in wanted if row not in near]
            component.update({row: near[row] for row in wanted if row in near})
            component.update({each.row: each for each in self._records(version, far)})
        return True


def _unready(dataset: str, job_id: int) -> ConfigError:
    return ConfigError(
        f"job {job_id}, which is published for data set {dataset!r}, cannot be looked up in; match its input again "
        "with `--via prefect --lookup`",
        dataset=dataset,
        job_id=job_id,
    )


def _asked_by(spec: MatchSpec) -> tuple[str, ...]:
    """What a record may be asked for by: the columns of the spec, and the whole name where these are its parts."""
    return (*spec.columns, WHOLE) if set(PERSON_PARTS) <= set(spec.columns) else spec.columns


def _array(numbers: Sequence[int]) -> str:
    """An array as PostgreSQL writes it. The driver would look at each number for the smallest type that holds all."""
    return f"{{{','.join(map(str, numbers))}}}"


def _texts(values: Mapping[str, Any], columns: Sequence[str]) -> dict[str, str | None]:
    """Values as text, as the columns of a file would have them.

    Raises:
        InputError: a field that the spec lacks, or a value that is neither text nor number.
    """
    strange = [name for name in values if name not in columns]
    if strange:
        raise InputError(f"no field {strange[0]!r}; fields: {', '.join(columns)}", field=strange[0])
    return {name: _text(name, value) for name, value in values.items()}


def _text(name: str, value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"field {name} holds a {type(value).__name__}; a text or a number can be read", field=name)
    # Whole numbers that came as floats are the codes they were: 2119.0 is 2119.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _matched(
    known: Sequence[Known], scored: Scored, joined: join_record.Joined, rules: Rules, with_evidence: bool
) -> list[dict[str, Any]]:
    """The pairs worth a look, the best first, ties by row."""
    found = []
    for at in np.lexsort((scored.places, -scored.bits)).tolist():
        place, bits = int(scored.places[at]), scored.bits[at]
        row = known[place].row
        settled = np.array(joined.settled.get(row, bits), dtype=np.float64)
        one: dict[str, Any] = {
            "record_id": known[place].record_id,
            "entity_id": known[place].entity_id,
            "bits": float(bits),
            "confidence": float(rules.calibration.probability(settled, scored.passes[at])),
            "decision": "match" if bits >= rules.match_bits and row not in joined.settled else "review",
            "joined": row in joined.rows,
        }
        if with_evidence:
            one["evidence"] = join_record.evidence(scored, place, rules)
        found.append(one)
    return found
