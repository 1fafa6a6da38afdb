"""The fencing of leases as a model small enough to visit every state it can reach.

Two workers, a leader, some batches. Every step that PostgreSQL makes atomic is one transition; between two of them
anything else may happen, so a worker stopped for an hour is simply one that takes no step, and a zombie one that takes
its next step late. Steps: claim (also with its reply lost), heartbeat, expire, rescue (lock, then commit), complete
(token check, write, fence, commit), the cut of a connection (also while COMMIT is under way: the backend then ends
alone), the look at the header after such a cut, release, crash, and a failover that forgets the last commit.

A random token is the smallest number that nobody knows any more: only equality counts, so the states stay finite.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

# ready: to be claimed; running: under a lease; gone: the header is deleted.
Status = Literal["ready", "running", "gone"]
# Where a worker stands. `unsure`: its connection broke, it must look before it writes again.
Place = Literal["idle", "holds", "checked", "written", "fenced", "unsure"]

NOBODY = -1
LEADER = -2
# The backend of a worker whose connection is cut holds the lock until it commits or rolls back by itself.
ORPHAN = 100


class Violation(Exception):
    """An invariant does not hold; the steps that lead there are attached by `explore`."""


class Header(NamedTuple):
    """One batch: its row in processing_queue, who locks that row, and how many completions of it are committed."""

    status: Status = "ready"
    token: int = 0
    owner: int = NOBODY
    expired: bool = False
    lock: int = NOBODY
    n_results: int = 0
    n_claims: int = 0


class Worker(NamedTuple):
    """One process: the lease it believes in, and whether a completion under that lease is committed."""

    place: Place = "idle"
    batch: int = NOBODY
    token: int = 0
    committed: bool = False


class State(NamedTuple):
    """Everything. `history`: (batch, token) of committed completions. `replica`: the database one commit ago."""

    headers: tuple[Header, ...]
    workers: tuple[Worker, ...]
    history: frozenset[tuple[int, int]] = frozenset()
    replica: tuple[tuple[Header, ...], frozenset[tuple[int, int]]] | None = None
    failovers: int = 0


Step = tuple[str, State]
# How a state was first reached: from which one, by which step.
Ways = dict[State, tuple[State, str] | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """The protocol, and what a mutant leaves out of it."""

    n_workers: int = 2
    n_batches: int = 2
    failovers: int = 0
    token_check: bool = True
    fence: bool = True
    fence_last: bool = True
    random_token: bool = True
    rescue: bool = True
    rescue_takes_token: bool = True
    look_in_history: bool = True
    look_waits: bool = True
    # With a counter for a token the states are not finite: so many claims a batch.
    claims_max: int = 3


@dataclass(slots=True)
class Explored:
    """What a search saw; `dead_ends`: states from which the work can never be finished any more."""

    n_states: int = 0
    n_steps: int = 0
    dead_ends: list[State] = field(default_factory=list)


def explore(rules: Rules) -> Explored:
    """Visit every reachable state, breadth first; Violation with the shortest way into it if one is bad."""
    start = State((Header(),) * rules.n_batches, (Worker(),) * rules.n_workers, failovers=rules.failovers)
    came_from: Ways = {start: None}
    before: dict[State, list[State]] = {}
    todo = deque([start])
    seen = Explored()
    while todo:
        state = todo.popleft()
        try:
            check(state, rules)
            following = list(steps(state, rules))
        except Violation as found:
            raise Violation(f"{found}\n" + "\n".join(_way(came_from, state))) from None
        seen.n_steps += len(following)
        for name, after in following:
            before.setdefault(after, []).append(state)
            if after not in came_from:
                came_from[after] = (state, name)
                todo.append(after)
    seen.n_states = len(came_from)
    seen.dead_ends = _dead_ends(came_from, before)
    return seen


def _way(came_from: Ways, state: State) -> list[str]:
    names: list[str] = []
    while (link := came_from[state]) is not None:
        state, name = link
        names.append(name)
    return [f"{n}. {name}" for n, name in enumerate(reversed(names), 1)]


def _dead_ends(states: Ways, before: dict[State, list[State]]) -> list[State]:
    """States that do not lead to "all batches completed", found backwards from there."""
    good = {state for state in states if all(header.status == "gone" for header in state.headers)}
    todo = deque(good)
    while todo:
        for state in before.get(todo.popleft(), ()):
            if state not in good:
                good.add(state)
                todo.append(state)
    return [state for state in states if state not in good]


def check(state: State, rules: Rules) -> None:
    """The invariants of a state."""
    for n, header in enumerate(state.headers):
        if header.n_results > 1:
            raise Violation(f"batch {n} completed twice")
        if (header.status == "gone") != (header.n_results == 1):
            raise Violation(f"batch {n} lost: {header.status} with {header.n_results} completions")
        # Fencing and committing follow each other at once; a COPY may last for ever, if its worker is stopped in it.
        locked_by = state.workers[header.lock] if 0 <= header.lock < rules.n_workers else None
        if header.expired and locked_by is not None and not rules.fence_last and locked_by.place == "fenced":
            raise Violation(f"a worker stopped in its COPY keeps batch {n} from being rescued")


def steps(state: State, rules: Rules) -> Iterator[Step]:
    """Every step that anybody can take."""
    for n, header in enumerate(state.headers):
        yield from _time_and_leader(state, rules, n, header)
    for w, worker in enumerate(state.workers):
        yield from _worker(state, rules, w, worker)
    if state.failovers and state.replica is not None:
        yield "failover: the last commit is forgotten, all connections break", _failover(state)


def _time_and_leader(state: State, rules: Rules, n: int, header: Header) -> Iterator[Step]:
    if header.status == "running" and not header.expired:
        yield f"the lease on batch {n} runs out", _with_header(state, n, header._replace(expired=True))
    if rules.rescue and header.status == "running" and header.expired and header.lock == NOBODY:
        yield f"the leader locks batch {n} to rescue it", _with_header(state, n, header._replace(lock=LEADER))
    if header.lock == LEADER:
        yield f"the leader crashes over batch {n}", _with_header(state, n, header._replace(lock=NOBODY))
        token = 0 if rules.rescue_takes_token else header.token
        freed = header._replace(status="ready", token=token, owner=NOBODY, expired=False, lock=NOBODY)
        yield f"the leader commits the rescue of batch {n}", _commit(state, n, freed)
    if header.lock >= ORPHAN:
        w = header.lock - ORPHAN
        yield f"the orphaned backend of worker {w} rolls back", _with_header(state, n, header._replace(lock=NOBODY))
        yield f"the orphaned backend of worker {w} commits batch {n}", _completed(state, w, n, header.token)


def _worker(state: State, rules: Rules, w: int, worker: Worker) -> Iterator[Step]:
    if worker.place == "idle":
        yield from _claims(state, rules, w)
        return
    header = state.headers[worker.batch]
    if header.lock == NOBODY and header.token == worker.token and header.expired and worker.place != "unsure":
        yield f"worker {w} beats", _with_header(state, worker.batch, header._replace(expired=False))
    yield f"worker {w} crashes", _broken(state, w, worker, Worker())
    match worker.place:
        case "holds":
            yield from _checks(state, rules, w, worker)
        case "checked" | "written" | "fenced":
            yield f"the connection of worker {w} is cut", _broken(state, w, worker, worker._replace(place="unsure"))
            yield from _completes(state, rules, w, worker)
        case "unsure":
            yield from _looks(state, rules, w, worker)


def _claims(state: State, rules: Rules, w: int) -> Iterator[Step]:
    for n, header in enumerate(state.headers):
        if header.status != "ready" or header.lock != NOBODY:
            continue
        if not rules.random_token and header.n_claims >= rules.claims_max:
            continue
        token = _unknown_token(state) if rules.random_token else header.n_claims + 1
        n_claims = 0 if rules.random_token else header.n_claims + 1
        leased = _commit(
            state, n, header._replace(status="running", token=token, owner=w, expired=False, n_claims=n_claims)
        )
        yield f"worker {w} claims batch {n} with token {token}", _with_worker(leased, w, Worker("holds", n, token))
        yield f"worker {w} claims batch {n} with token {token}, the reply is lost", leased


def _checks(state: State, rules: Rules, w: int, worker: Worker) -> Iterator[Step]:
    header = state.headers[worker.batch]
    owns = header.status == "running" and header.token == worker.token
    if owns or not rules.token_check:
        yield f"worker {w} finds its token on batch {worker.batch}", _at(state, w, worker, "checked")
    else:
        yield f"worker {w} misses its token on batch {worker.batch}", _hears(state, w, worker, done=False)
    if owns and header.lock == NOBODY:
        freed = header._replace(status="ready", token=0, owner=NOBODY, expired=False)
        yield (
            f"worker {w} releases batch {worker.batch}",
            _with_worker(_commit(state, worker.batch, freed), w, Worker()),
        )


def _completes(state: State, rules: Rules, w: int, worker: Worker) -> Iterator[Step]:
    """Write, fence, commit; or fence, write, commit, where the mutant says so."""
    order: list[Place] = ["checked", "written", "fenced"] if rules.fence_last else ["checked", "fenced", "written"]
    n = worker.batch
    header = state.headers[n]
    if worker.place == order[-1]:
        if rules.fence and header.owner != w:
            raise Violation(f"batch {n} is ended by worker {w}, its lease belongs to {header.owner}")
        yield f"worker {w} commits batch {n}", _hears(_completed(state, w, n, worker.token), w, worker, done=True)
        return
    following = order[order.index(worker.place) + 1]
    if following == "written":
        yield f"worker {w} writes the results of batch {n}", _at(state, w, worker, "written")
    elif header.lock == NOBODY:
        yield from _fences(state, rules, w, worker)


def _fences(state: State, rules: Rules, w: int, worker: Worker) -> Iterator[Step]:
    n, header = worker.batch, state.headers[worker.batch]
    if header.token == worker.token and header.status != "gone":
        locked = _with_header(state, n, header._replace(lock=w))
        yield f"worker {w} fences batch {n}", _at(locked, w, worker, "fenced")
    elif not rules.fence:
        yield f"worker {w} deletes batch {n} unfenced", _at(state, w, worker, "fenced")
    else:
        yield f"the fence stops worker {w}", _hears(state, w, worker, done=False)


def _looks(state: State, rules: Rules, w: int, worker: Worker) -> Iterator[Step]:
    n, header = worker.batch, state.headers[worker.batch]
    if header.lock != NOBODY and rules.look_waits:
        return
    if header.status == "running" and header.token == worker.token:
        yield f"worker {w} looks and finds its token", _at(state, w, worker, "holds")
    elif rules.look_in_history and (n, worker.token) in state.history:
        yield f"worker {w} looks and finds its completion", _hears(state, w, worker, done=True)
    else:
        yield f"worker {w} looks and finds nothing", _hears(state, w, worker, done=False)


def _hears(state: State, w: int, worker: Worker, *, done: bool) -> State:
    """The worker learns how its batch ended, and that must be true."""
    committed = state.workers[w].committed
    if committed != done:
        told, true = ("done", "not") if done else ("lost", "committed")
        raise Violation(f"worker {w} is told that its batch {worker.batch} is {told}, but it is {true}")
    return _with_worker(state, w, Worker())


def _completed(state: State, w: int, n: int, token: int) -> State:
    """The transaction of worker `w` on batch `n` commits; the worker need not live to see it."""
    header = state.headers[n]
    gone = Header("gone", n_results=header.n_results + 1, n_claims=header.n_claims)
    after = _commit(state, n, gone)._replace(history=state.history | {(n, token)})
    worker = after.workers[w]
    if (worker.batch, worker.token) == (n, token):
        after = _with_worker(after, w, worker._replace(committed=True))
    return _forgetful(after)


def _broken(state: State, w: int, worker: Worker, then: Worker) -> State:
    """The transaction is rolled back, unless COMMIT may be under way: then the backend decides alone, later."""
    header = state.headers[worker.batch]
    if header.lock == w:
        state = _with_header(state, worker.batch, header._replace(lock=ORPHAN + w))
    return _forgetful(_with_worker(state, w, then))


def _failover(state: State) -> State:
    assert state.replica is not None
    headers, history = state.replica
    workers = []
    for worker in state.workers:
        in_transaction = worker.place in {"checked", "written", "fenced"}
        place: Place = "unsure" if in_transaction else worker.place
        committed = (worker.batch, worker.token) in history and worker.committed
        workers.append(worker._replace(place=place, committed=committed))
    return State(headers, tuple(workers), history, None, state.failovers - 1)


def _commit(state: State, n: int, header: Header) -> State:
    """A change that lasts; what was before it is what a replica may be left with. Locks do not last."""
    replica = None
    if state.failovers:
        replica = tuple(old._replace(lock=NOBODY) for old in state.headers), state.history
    return _with_header(state._replace(replica=replica), n, header)


def _unknown_token(state: State) -> int:
    known = {header.token for header in state.headers} | {worker.token for worker in state.workers}
    known |= {token for _, token in state.history}
    if state.replica is not None:
        known |= {header.token for header in state.replica[0]} | {token for _, token in state.replica[1]}
    return next(token for token in range(1, len(known) + 2) if token not in known)


def _forgetful(state: State) -> State:
    """Drop history that no worker can ask for any more; keeps the states finite."""
    held = {(worker.batch, worker.token) for worker in state.workers}
    return state._replace(history=state.history & held)


def _at(state: State, w: int, worker: Worker, place: Place) -> State:
    return _with_worker(state, w, worker._replace(place=place))


def _with_header(state: State, n: int, header: Header) -> State:
    return state._replace(headers=(*state.headers[:n], header, *state.headers[n + 1 :]))


def _with_worker(state: State, w: int, worker: Worker) -> State:
    return state._replace(workers=(*state.workers[:w], worker, *state.workers[w + 1 :]))
