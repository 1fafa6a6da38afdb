"""What is stored of an exception: its class, where it was raised and whose fault it is, never what it says."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import psycopg

from core.database.errors import is_passing, sqlstate_of, wrap
from core.errors import HeadraceError, ResultsError, SinkEndedTransaction
from core.queue.states import Fault

CLASS_CHARS_MAX = 100
# Causes of causes: what is deeper explains nothing any more.
CHAIN_MAX = 20

# The same rows give the same error again. What is not named here or below may be a bad moment.
_PERMANENT = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    NameError,
    ImportError,
    RecursionError,
    NotImplementedError,
    StopIteration,
    StopAsyncIteration,
    BufferError,
    SyntaxError,
    Warning,
    SystemExit,
    pl.exceptions.PolarsError,
)
# Each library written in Rust has one of its own, and none is an Exception.
_PANIC = "PanicException"
# What calls handlers and what they call.
_OURS = ("core.queue.", "core.database.")
_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


@dataclass(frozen=True, slots=True)
class Blame:
    """What is stored of an exception: its class, and where it was raised. Its message may hold row data.

    `divisible` False: no row is to blame, so that halving the batch would find none.
    """

    error_class: str
    reason: str
    fault: Fault
    divisible: bool = True


def blame(error: BaseException) -> Blame:
    """Class, place and fault of what a handler raised.

    An exception may say its fault itself (attribute `fault`). Memory is poison; errors of values and of programming
    are permanent; a condition of a database that passes is transient, also where another exception came of it;
    everything else, networks above all, may work later.
    """
    if isinstance(error, ResultsError) and (error_class := error.facts.get("error_class")):
        return Blame(str(error_class), error.message, "permanent")
    name = type(error).__name__[:CLASS_CHARS_MAX]
    cause = _of_database(error)
    divisible = not (_passes(cause) or isinstance(error, SinkEndedTransaction))
    return Blame(name, f"{_said(error, cause)}raised at {place_of(error)}", fault_of(error), divisible)


def fault_of(error: BaseException) -> Fault:
    """See `blame`."""
    cause = _of_database(error)
    match None if isinstance(error, SinkEndedTransaction) else _own_word(error):
        case "transient":
            return "transient"
        case "permanent":
            return "permanent"
        case "poison":
            return "poison"
    if isinstance(error, MemoryError):
        return "poison"
    if _passes(cause):
        return "transient"
    if isinstance(error, HeadraceError):
        return "transient" if error.retryable else "permanent"
    if isinstance(error, BaseExceptionGroup):
        return _of_group(error)
    if isinstance(error, _PERMANENT) or type(error).__name__ == _PANIC:
        return "permanent"
    return "transient" if cause is None or isinstance(error, OSError) else "permanent"


def place_of(error: BaseException) -> str:
    """`module:line in function` of the raise, without the message, which may quote a row.

    Of an error raised in a library it is the line that called the library.
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    place = theirs = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", "?"))
        place = f"{module}:{line} in {frame.f_code.co_name}"
        if not (module.startswith(_OURS) or is_library(frame.f_code.co_filename)):
            theirs = place
    return theirs or place or "an unknown place"


def is_library(filename: str) -> bool:
    """Whether a source file is of Python or of an installed package."""
    return filename.startswith(("<frozen", *_LIBRARIES))


def _own_word(error: BaseException) -> object:
    try:
        return getattr(error, "fault", None)
    except Exception:  # noqa: BLE001 - a property of the user's
        return None


def _of_group(error: BaseExceptionGroup[BaseException]) -> Fault:
    faults = {fault_of(one) for one in error.exceptions}
    if "poison" in faults:
        return "poison"
    return "permanent" if faults == {"permanent"} else "transient"


def _said(error: BaseException, cause: BaseException | None) -> str:
    """What may be repeated: our own words, and names of conditions and classes."""
    if isinstance(error, SinkEndedTransaction):
        return f"{error.message}; "
    if isinstance(error, BaseExceptionGroup):
        names = sorted({type(one).__name__ for one in error.exceptions})
        return f"{', '.join(names)[:CLASS_CHARS_MAX]}; "
    return f"{wrap(cause).message}; " if isinstance(cause, psycopg.Error) else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, what it was raised from or while handling, and what SQLAlchemy wraps."""
    left, seen = [error], set[int]()
    while left and len(seen) < CHAIN_MAX:
        one = left.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        behind = [getattr(one, "orig", None), one.__cause__, None if one.__suppress_context__ else one.__context__]
        left += [each for each in behind if isinstance(each, BaseException)]


def _of_database(error: BaseException) -> BaseException | None:
    """What a database said in the chain: a condition that passes before any other."""
    found = [one for one in _chain(error) if isinstance(one, psycopg.Error) or sqlstate_of(one) is not None]
    return next((one for one in found if is_passing(one)), found[0] if found else None)


def _passes(cause: BaseException | None) -> bool:
    return cause is not None and is_passing(cause)
