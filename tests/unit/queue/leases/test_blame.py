from __future__ import annotations

import polars as pl
import psycopg
import pytest
from psycopg import errors
from sqlalchemy.exc import IntegrityError, OperationalError

from core.errors import (
    ConfigError,
    PoisonFailure,
    ResultsError,
    SinkEndedTransaction,
    StoreUnavailable,
    TransientFailure,
)
from core.queue.leases.blame import blame


def raised(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.value


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ValueError("078-05-1120"), "permanent"),
        (RecursionError("078-05-1120"), "permanent"),
        (pl.exceptions.ComputeError("078-05-1120"), "permanent"),
        (MemoryError("078-05-1120"), "poison"),
        (ConnectionResetError("078-05-1120"), "transient"),
        (TimeoutError("078-05-1120"), "transient"),
        (RuntimeError("078-05-1120"), "transient"),
        (StoreUnavailable("078-05-1120"), "transient"),
        (ConfigError("078-05-1120"), "permanent"),
        (TransientFailure("078-05-1120"), "transient"),
        (PoisonFailure("078-05-1120"), "poison"),
        (pl.exceptions.PanicException("078-05-1120"), "permanent"),
        (GeneratorExit("078-05-1120"), "transient"),
        (StopIteration("078-05-1120"), "permanent"),
        (RuntimeWarning("078-05-1120"), "permanent"),
        (ResultsError("078-05-1120"), "permanent"),
        (ExceptionGroup("078-05-1120", [ValueError("078-05-1120")]), "permanent"),
        (ExceptionGroup("078-05-1120", [ValueError(), TimeoutError()]), "transient"),
        (ExceptionGroup("078-05-1120", [ValueError(), MemoryError()]), "poison"),
        (errors.UniqueViolation("078-05-1120"), "permanent"),
        (errors.UndefinedTable("078-05-1120"), "permanent"),
        (errors.DeadlockDetected("078-05-1120"), "transient"),
        (psycopg.OperationalError("078-05-1120"), "transient"),
        (OperationalError("078-05-1120", None, errors.LockNotAvailable()), "transient"),
        (IntegrityError("078-05-1120", None, errors.ForeignKeyViolation()), "permanent"),
    ],
)
def test_an_exception_is_blamed_by_class_and_place_and_never_quoted(error: BaseException, fault: str) -> None:
    told = blame(raised(error))
    assert (told.error_class, told.fault) == (type(error).__name__, fault)
    assert "078" not in told.reason
    assert f"{__name__}:" in told.reason


class Awkward(Exception):
    @property
    def fault(self) -> str:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_that_cannot_be_asked_is_blamed_all_the_same() -> None:
    assert blame(raised(Awkward())).error_class == "Awkward"


@pytest.mark.parametrize(
    ("behind", "fault", "divisible"),
    [
        (errors.SerializationFailure(), "transient", False),
        (errors.QueryCanceled(), "transient", False),
        (errors.DiskFull(), "transient", False),
        (errors.AdminShutdown(), "transient", False),
        (errors.NotNullViolation(), "permanent", True),
        (KeyError(), "transient", True),
    ],
)
@pytest.mark.parametrize("chained", [True, False])
def test_what_a_database_said_counts_behind_other_exceptions_too(
    behind: Exception, fault: str, divisible: bool, chained: bool
) -> None:
    def act() -> None:
        try:
            raise behind
        except Exception as error:
            if chained:
                raise RuntimeError("078-05-1120") from error
            raise RuntimeError("078-05-1120")  # noqa: B904 - as many do

    with pytest.raises(RuntimeError) as caught:
        act()
    why = blame(caught.value)
    assert (why.error_class, why.fault, why.divisible) == ("RuntimeError", fault, divisible)
    assert "078" not in why.reason


def test_the_sink_that_ended_its_transaction_after_a_deadlock_is_tried_again() -> None:
    def act(behind: Exception) -> None:
        raise SinkEndedTransaction("the sink called conn.rollback()") from behind

    for behind, fault in ((errors.DeadlockDetected(), "transient"), (errors.UniqueViolation(), "permanent")):
        with pytest.raises(SinkEndedTransaction) as caught:
            act(behind)
        why = blame(caught.value)
        assert (why.fault, why.divisible) == (fault, False)
        assert why.reason.startswith("the sink called conn.rollback(); raised at ")


def test_the_place_is_the_line_that_called_a_library() -> None:
    with pytest.raises(pl.exceptions.PolarsError) as caught:
        pl.DataFrame({"n": [1]}).select("m")
    assert f"{__name__}:" in blame(caught.value).reason
    assert "in test_the_place" in blame(caught.value).reason
