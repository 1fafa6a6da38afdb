"""What users write: functions from a frame of rows to a frame of results; how they are found, checked and blamed.

    @handles(schema={"amount": pl.Float64})
    def double(rows: pl.DataFrame) -> pl.DataFrame:
        return rows.select("seq", output=pl.struct(pl.col("amount") * 2))

Everything here is pure or imports the user's module; the loop that calls handlers is core.queue.consumers.consumer.
"""

from __future__ import annotations

import difflib
import importlib
import operator
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, TypeVar, get_args

import polars as pl
import psycopg

from core.errors import ConfigError, ResultsError, ServiceUnavailable, StoreError
from core.queue import payloads
from core.queue.batches import RowFailure
from core.queue.leases.blame import CLASS_CHARS_MAX, Blame, blame, fault_of, place_of
from core.queue.leases.sinks import Sink
from core.queue.states import Fault
from core.queue.store.fields import declared

FAULTS: frozenset[str] = frozenset(get_args(Fault))
MARK = "__headrace_handles__"
# A module that asks a service when it is imported may find it there the next time.
_MAY_PASS = (ConnectionError, TimeoutError, StoreError, psycopg.Error)


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """More than a frame of results.

    `results`: columns seq and output (JSON text, or a struct, which becomes JSON); None: every row without a failure
    is done and has no result. `failures`: rows that failed, the others count. `sink`: runs in the transaction that
    acknowledges. `n_bytes`: what the work read or wrote, for the batch's cost.
    """

    results: pl.DataFrame | None = None
    failures: Sequence[RowFailure] = ()
    sink: Sink | None = None
    n_bytes: int = 0


Handler = Callable[[pl.DataFrame], pl.DataFrame | HandlerResult]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Work:
    """A handler ready to be called: `schema` None means that it gets seq and payload (JSON text)."""

    name: str
    call: Handler
    schema: Mapping[str, Any] | None = None
    flow_name: str | None = None


@dataclass(frozen=True, slots=True)
class Fates:
    """One fate for each row of a frame."""

    results: pl.DataFrame | None
    failures: list[RowFailure]
    sinks: list[Sink]
    n_bytes: int = 0


def handles(flow: str | None = None, schema: Mapping[str, Any] | None = None) -> Callable[[H], H]:
    """Declare the payload of a handler: field -> polars type. Rows that do not fit never reach it.

    `flow` names the flow to consume when the command line names none.
    """

    def marked(function: H) -> H:
        setattr(function, MARK, (flow, None if schema is None else MappingProxyType(dict(schema))))
        return function

    return marked


def as_work(function: Handler, name: str | None = None) -> Work:
    """A plain or decorated function as work. ConfigError for a declared field of a type that cannot be read."""
    flow_name, schema = getattr(function, MARK, (None, None))
    name = name or f"{function.__module__}:{getattr(function, '__name__', 'handler')}"
    return Work(name, function, None if schema is None else declared(schema), flow_name)


def load_handler(spec: str) -> Work:
    """Import `module:function`. ConfigError says which half is wrong, and what the module has instead.

    Raises ServiceUnavailable if the module asks for a service that is away.
    """
    module_name, colon, function_name = spec.partition(":")
    if not (colon and module_name and function_name):
        raise ConfigError(f"the handler {spec!r} is not of the form module:function", handler=spec)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        whole = error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}."))
        what = "there is no such module" if whole else f"it imports {error.name}, which is not installed"
        raise ConfigError(f"the handler {spec!r} cannot be loaded: {what}", handler=spec) from None
    except BaseException as error:  # noqa: BLE001 - what a module does when it is imported is the user's
        let_ctrl_c_through(error)
        said = f"importing {module_name} raises {type(error).__name__} at {place_of(error)}"
        if fault_of(error) == "transient" and isinstance(error, _MAY_PASS):
            raise ServiceUnavailable(f"the handler {spec!r} cannot be loaded now: {said}", handler=spec) from None
        raise ConfigError(f"the handler {spec!r} cannot be loaded: {said}", handler=spec) from None
    function = getattr(module, function_name, None)
    if function is None:
        names = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        near = difflib.get_close_matches(function_name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(sorted(names)[:5]) or 'no functions'}"
        raise ConfigError(f"the module {module_name} has no {function_name}; {hint}", handler=spec)
    if not callable(function):
        raise ConfigError(f"the handler {spec!r} is a {type(function).__name__}, not a function", handler=spec)
    return as_work(function, spec)


def fates(frame: pl.DataFrame, returned: Any) -> Fates:
    """Hold what a handler returned against the rows it was given.

    A row without a result fails as ResultMissing, one with two as ResultTwice; the others keep theirs.
    Raises:
        ResultsError: ResultMalformed (no frame, other columns, a fault that does not exist) or ResultUnknown (seqs
            that were not in the frame: then no number in it can be trusted).
    Cost: one comparison of the seqs where a handler answers every row in order.
    """
    given = returned if isinstance(returned, HandlerResult) else HandlerResult(_frame(returned))
    _check_rest(given.sink, given.n_bytes)
    sinks = [] if given.sink is None else [given.sink]
    failures = [_checked(failure) for failure in given.failures]
    if given.results is None:
        return _matched(frame, Fates(None, failures, sinks, given.n_bytes))
    results, bad = _results(given.results)
    told = _matched(frame, Fates(results, failures, sinks, given.n_bytes))
    return _without(told, bad) if bad else told


def _without(told: Fates, bad: Mapping[int, str]) -> Fates:
    """The rows whose output cannot be kept fail; one that already failed has its fate."""
    assert told.results is not None
    lost = told.results["seq"].filter(told.results["seq"].is_in(list(bad)))
    failures = [RowFailure(seq, "ResultNotJson", f"its output: {bad[seq]}") for seq in lost]
    return replace(
        told, results=told.results.filter(~pl.col("seq").is_in(list(bad))), failures=told.failures + failures
    )


def _matched(frame: pl.DataFrame, said: Fates) -> Fates:
    results, failures, sinks, n_bytes = said.results, said.failures, said.sinks, said.n_bytes
    if results is not None and not failures and results["seq"].equals(frame["seq"]):
        return Fates(results, [], sinks, n_bytes)
    failed = pl.Series("seq", [failure.seq for failure in failures], dtype=pl.Int64)
    told = failed if results is None else pl.concat([results["seq"], failed])
    known = frame["seq"]
    if n_unknown := told.len() - int(told.is_in(known.implode()).sum()):
        raise _unusable("ResultUnknown", f"{n_unknown} seqs were not among the {known.len()} rows")
    twice = told.filter(told.is_duplicated()).unique()
    failures = [failure for failure in failures if failure.seq not in twice]
    failures += [RowFailure(seq, "ResultTwice", "the handler gave this row more than one fate") for seq in twice]
    if results is not None:
        results = results.filter(~pl.col("seq").is_in(twice.implode()))
        missing = known.filter(~known.is_in(told.implode()))
        failures += [RowFailure(seq, "ResultMissing", "the handler returned nothing for this row") for seq in missing]
    return Fates(results, failures, sinks, n_bytes)


def judged(frame: pl.DataFrame, returned: Any) -> Fates | Blame:
    """`fates`, or why there are none. Raises nothing, whatever it was that the handler returned."""
    try:
        return fates(frame, returned)
    except ResultsError as error:
        return blame(error)
    except BaseException as error:  # noqa: BLE001 - what was returned may hold anything
        let_ctrl_c_through(error)
        return Blame("ResultMalformed", f"what it returned raises {type(error).__name__} when it is read", "permanent")


def let_ctrl_c_through(error: BaseException) -> None:
    """Raise a KeyboardInterrupt again, but where Ctrl-C is ignored: there only the handler can have raised it."""
    if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        raise error


def merged(parts: Sequence[Fates]) -> Fates:
    """Fates of several frames as those of one."""
    frames = [part.results for part in parts if part.results is not None and part.results.height]
    return Fates(
        pl.concat(frames) if frames else None,
        [failure for part in parts for failure in part.failures],
        [sink for part in parts for sink in part.sinks],
        sum(part.n_bytes for part in parts),
    )


def corner(
    answer: Callable[[pl.DataFrame], Fates | Blame], frame: pl.DataFrame, first: Blame, most_bad: int
) -> Fates | Blame:
    """Halve a frame whose handler raised `first` until the rows that make it raise stand alone.

    Args:
        most_bad: with more bad rows than this it is the handler that is broken, not the rows: the rest is not tried
            and fails likewise.
    Returns:
        A Blame if the handler raises something else than a permanent error on the way: then nothing is known.
    Cost: two calls of the handler per bad row and level, log2(rows) levels.
    """
    parts: list[Fates] = []
    left, n_bad = _halves(frame), 0
    while left:
        part = left.pop()
        answered = first if n_bad > most_bad else answer(part)
        if isinstance(answered, Fates):
            parts.append(with_rows(answered, part))
        elif answered.fault != "permanent":
            return answered
        elif part.height == 1 or n_bad > most_bad:
            n_bad += part.height
            rows = [RowFailure(seq, answered.error_class, answered.reason) for seq in part["seq"]]
            parts.append(Fates(None, rows, []))
        else:
            left += _halves(part)
    return merged(parts)


def _halves(frame: pl.DataFrame) -> list[pl.DataFrame]:
    """The latter half first: a stack gives back the last."""
    half = frame.height // 2
    return [part for part in (frame[half:], frame[:half]) if part.height]


def with_rows(part: Fates, frame: pl.DataFrame) -> Fates:
    """Rows that are done without a result get an empty one, so that parts with and without results can be merged."""
    if part.results is not None:
        return part
    failed = pl.Series([failure.seq for failure in part.failures], dtype=pl.Int64)
    left = frame["seq"].filter(~frame["seq"].is_in(failed.implode()))
    results = pl.DataFrame({"seq": left, "output": [None] * left.len()}, schema={"seq": pl.Int64, "output": pl.String})
    return Fates(results, part.failures, part.sinks, part.n_bytes)


def _check_rest(sink: Any, n_bytes: Any) -> None:
    if not (sink is None or callable(sink)) or not isinstance(n_bytes, int):
        kinds = f"{type(sink).__name__} and {type(n_bytes).__name__}"
        raise _unusable("ResultMalformed", f"sink and n_bytes are {kinds}, needed are a function and an integer")


def _frame(returned: Any) -> pl.DataFrame:
    if not isinstance(returned, pl.DataFrame):
        raise _unusable("ResultMalformed", f"the handler returned {type(returned).__name__}, not a frame")
    return returned


def _results(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, str]]:
    """As seq and JSON text, and why the outputs of some seqs cannot be kept."""
    frame = _frame(frame)
    if set(frame.columns) != {"seq", "output"} or not frame["seq"].dtype.is_integer() or frame["seq"].null_count():
        shown = ", ".join(f"{name} {dtype}" for name, dtype in list(frame.schema.items())[:10])
        raise _unusable("ResultMalformed", f"needed are seq (integer, no nulls) and output, the frame has {shown}")
    output, refused = frame["output"], list[payloads.Refused]()
    if isinstance(output.dtype, pl.Struct):
        if (odd := payloads.formless(output.dtype)) is not None:
            what = f"output has the field {odd[0]} of type {odd[1]}, which has no JSON form"
            raise _unusable("ResultMalformed", f"{what}; turn it into text first")
        refused = payloads.not_finite(output.to_frame())
        output = output.struct.json_encode()
    elif output.dtype not in (pl.String, pl.Null):
        raise _unusable("ResultMalformed", f"output is {output.dtype}, needed is JSON text or a struct")
    seqs, output = frame["seq"].cast(pl.Int64), output.cast(pl.String)
    refused += payloads.unstorable(output)
    return pl.DataFrame({"seq": seqs, "output": output}), {seqs[one.line]: one.reason for one in refused}


def _checked(failure: Any) -> RowFailure:
    if not isinstance(failure, RowFailure) or failure.fault not in FAULTS or not hasattr(failure.seq, "__index__"):
        raise _unusable("ResultMalformed", f"failures must be RowFailure with a fault of {', '.join(sorted(FAULTS))}")
    return RowFailure(
        operator.index(failure.seq),
        _clean(failure.error_class)[:CLASS_CHARS_MAX],
        _clean(failure.reason),
        failure.fault,
    )


def _clean(text: str) -> str:
    return str(text).replace("\0", "")


def _unusable(error_class: str, message: str) -> ResultsError:
    return ResultsError(message, error_class=error_class)
