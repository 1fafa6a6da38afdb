"""The error tree. Every public failure of Headrace is one of these.

    HeadraceError                retryable = False, exit_code = 1
    |- ConfigError               exit 2, before any work
    |- InputError                exit 2
    |   |- SchemaError           a column is missing, doubled, or of the wrong type
    |   `- RowError              one row cannot be read
    |- StoreError                the database
    |   |- StoreUnavailable*     down, restarting, refused
    |   |   `- StoreReadOnly*    exit 2: a standby, or a failover under way; it takes no writes
    |   |- StoreBusy*            a condition that passes: a deadlock, a lock or statement time-out
    |   |- PoolTimeout*          no free connection in time
    |   `- MigrationError
    |- QueueError
    |   |- LeaseLost             another worker owns the batch now
    |   |- DuplicateJob          the job key is taken
    |   |- UnknownFlow           the flow was never registered
    |   `- QueueFull*            depth limit reached
    |- HandlerError              what a handler may raise about its rows: fault = permanent
    |   |- TransientFailure      fault = transient: may work later
    |   |- PoisonFailure         fault = poison: took or would take its worker down
    |   |- ResultsError          what a handler returned cannot be used
    |   `- SinkEndedTransaction  a sink ended the transaction that it was lent
    |- Conflict                  what was looked at is not so any more: another came first
    |- ServiceUnavailable*       another service, such as Prefect's API or an object store, does not answer
    |- ScratchFull*              the disk for local copies of a job's files has no room
    `- MatchError
        |- SpecError             exit 2: a match spec that cannot work
        |- CandidateBudgetExceeded
        |- UntrainableField
        `- JobBlocked            dead letters forbid publication
                                                        (* retryable, exit 75)

Errors carry their facts as attributes and survive pickling, because tasks cross processes.
They never carry row data: ids, columns, line numbers and limits only.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal


class HeadraceError(Exception):
    """Root of the tree. `facts` hold what the message says, for programs."""

    retryable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts

    def __getattr__(self, name: str) -> Any:
        facts = self.__dict__.get("facts", {})
        if name in facts:
            return facts[name]
        raise AttributeError(name)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.facts)


def _rebuild(kind: type[HeadraceError], message: str, facts: dict[str, Any]) -> HeadraceError:
    return kind(message, **facts)


class ConfigError(HeadraceError):
    """A setting or option is wrong; nothing was started."""

    exit_code = 2


class InputError(HeadraceError):
    """The user's data cannot be read as it stands."""

    exit_code = 2


class SchemaError(InputError):
    """Columns do not fit: facts `column`, `expected`, `got`."""


class RowError(InputError):
    """One row does not fit: facts `line`, `column`, `reason`."""


class StoreError(HeadraceError):
    """The database refused or failed: facts `sqlstate`, `table`, `column`, `line` where known."""


class StoreUnavailable(StoreError):
    """The database is down or restarting."""

    retryable = True
    exit_code = 75


class StoreReadOnly(StoreUnavailable):
    """The server takes no writes. Consumers wait for a failover to end; whoever runs a command has to see to it."""

    exit_code = 2


class StoreBusy(StoreError):
    """The database refused for now: a deadlock, a lock or statement time-out; no row's fault."""

    retryable = True
    exit_code = 75


class PoolTimeout(StoreError):
    """No pooled connection came free within the limit."""

    retryable = True
    exit_code = 75


class MigrationError(StoreError):
    """The schema is not at the revision this version needs."""


class QueueError(HeadraceError):
    """The queue refused."""


class LeaseLost(QueueError):
    """The batch is owned by someone else now: fact `batch_id`. Nothing was written."""


class DuplicateJob(QueueError):
    """The job key is taken: fact `key`."""


class UnknownFlow(QueueError):
    """The flow is not registered: fact `flow_name`."""


class QueueFull(QueueError):
    """The depth limit is reached: facts `queue`, `depth`, `limit`."""

    retryable = True
    exit_code = 75


class HandlerError(HeadraceError):
    """For handlers to raise: these rows will never work. Only class and place are stored, never the message."""

    fault: ClassVar[Literal["transient", "permanent", "poison"]] = "permanent"


class TransientFailure(HandlerError):
    """For handlers to raise: these rows may work later."""

    fault = "transient"


class PoisonFailure(HandlerError):
    """For handlers to raise: these rows would take the worker down."""

    fault = "poison"


class ResultsError(HandlerError):
    """What a handler returned cannot be used: fact `error_class` (ResultMalformed or ResultUnknown)."""


class SinkEndedTransaction(HandlerError):
    """A sink committed, rolled back or broke the transaction of results and acknowledgement: nothing was written."""


class Conflict(HeadraceError):
    """What somebody looked at before he acted is not so any more; nothing was done. Facts say who came first, when."""


class ServiceUnavailable(HeadraceError):
    """A service beside the database does not answer: fact `url`."""

    retryable = True
    exit_code = 75


class ScratchFull(HeadraceError):
    """A job's files do not fit on this machine; another may have room: facts `path`, `needed_bytes`, `limit_gb`."""

    retryable = True
    exit_code = 75


class MatchError(HeadraceError):
    """The matching engine cannot go on."""


class SpecError(MatchError):
    """A match spec that cannot work on this input."""

    exit_code = 2


class CandidateBudgetExceeded(MatchError):
    """A blocking pass would make too many pairs: facts `rule`, `pairs`, `limit`."""


class UntrainableField(MatchError):
    """Too little data to learn a field's weights: fact `field`."""


class JobBlocked(MatchError):
    """Dead letters forbid publication: facts `job_id`, `stage`, `dead`."""
