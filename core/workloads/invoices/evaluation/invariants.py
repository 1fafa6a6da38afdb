"""What no answer may break, whatever the truth is: money that balances, items not paid twice, one state a payment."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from core.workloads.invoices.evaluation.explanations import KEY

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Invariant:
    """name: what must hold. n_checked: payments, items or rows looked at. broken: ids where it does not hold."""

    name: str
    n_checked: int
    broken: tuple[str, ...]

    def facts(self) -> dict[str, object]:
        """For JSON; at most five ids."""
        return {
            "invariant": self.name,
            "checked": self.n_checked,
            "broken": len(self.broken),
            "ids": list(self.broken[:_SHOWN]),
        }


def invariants(
    allocations: pl.DataFrame,
    listed: pl.DataFrame,
    payments: pl.DataFrame | None = None,
    items: pl.DataFrame | None = None,
) -> list[Invariant]:
    """All that can be checked with what is there.

    Args:
        allocations: see the package. listed: payment_id and list ("exceptions", "unapplied") of the other payments.
        payments: id and minor, what came in minor units of its currency. Without it explanations of one payment are
            held against each other.
        items: id and minor, what was open in minor units. Without it over-payment of items is not checked.
    """
    checks = [_balance(allocations, payments), _one_answer(allocations), _rows_once(allocations), _no_zero(allocations)]
    if payments is not None:
        checks.append(_one_state(allocations, listed, payments))
        checks.append(_known("payments are known", allocations["payment_id"], payments["id"]))
    if items is not None:
        checks.append(_not_over_applied(allocations, items))
        checks.append(_known("items are known", allocations["invoice_id"].drop_nulls(), items["id"]))
    return checks


def _ids(frame: pl.DataFrame, column: str) -> tuple[str, ...]:
    return tuple(frame[column].unique().sort().to_list())


def _balance(allocations: pl.DataFrame, payments: pl.DataFrame | None) -> Invariant:
    """Applied and residuals of each explanation are what came."""
    sums = allocations.group_by(KEY).agg(total=pl.col("applied_minor").sum() + pl.col("residual_minor").sum())
    if payments is None:
        wrong = sums.group_by("payment_id").agg(pl.col("total").n_unique()).filter(pl.col("total") > 1)
        return Invariant(
            "explanations of a payment have one sum", sums["payment_id"].n_unique(), _ids(wrong, "payment_id")
        )
    held = sums.join(payments.rename({"id": "payment_id"}), on="payment_id").drop_nulls("minor")
    wrong = held.filter(pl.col("total") != pl.col("minor"))
    return Invariant("applied + residuals = payment", held["payment_id"].n_unique(), _ids(wrong, "payment_id"))


def _one_answer(allocations: pl.DataFrame) -> Invariant:
    """A payment is applied by one explanation of rank 1, or suggested by ranks 1 to 3."""
    automatic = pl.col("status") == "auto"
    answers = allocations.group_by("payment_id").agg(
        n_states=pl.col("status").n_unique(),
        strange=(~pl.col("status").is_in(["auto", "suggested"])).any(),
        ranks=pl.col("rank").unique().sort(),
        automatic=automatic.any(),
    )
    expected = pl.int_ranges(1, pl.col("ranks").list.len() + 1)
    wrong = answers.filter(
        (pl.col("n_states") > 1)
        | pl.col("strange")
        | (pl.col("ranks").cast(pl.List(pl.Int64)) != expected)
        | (pl.col("ranks").list.len() > pl.when("automatic").then(1).otherwise(3))
    )
    return Invariant("applied once or suggested in ranks, never both", len(answers), _ids(wrong, "payment_id"))


def _rows_once(allocations: pl.DataFrame) -> Invariant:
    """One row a payment, rank and item; one residual of a kind a row."""
    rows = allocations.drop_nulls("invoice_id")
    twice = rows.filter(rows.select(*KEY, "invoice_id").is_duplicated())
    return Invariant("one row a payment, rank and item", len(rows), _ids(twice, "payment_id"))


def _no_zero(allocations: pl.DataFrame) -> Invariant:
    rows = allocations.drop_nulls("invoice_id")
    empty = rows.filter((pl.col("amount_minor") == 0).fill_null(True))
    return Invariant("no row of amount 0", len(rows), _ids(empty, "payment_id"))


def _one_state(allocations: pl.DataFrame, listed: pl.DataFrame, payments: pl.DataFrame) -> Invariant:
    """Each payment is explained, or in exactly one of the other lists; an explained one may stand there besides."""
    explained = pl.DataFrame({"payment_id": allocations["payment_id"].unique()}).with_columns(explained=True)
    lists = listed.group_by("payment_id").agg(n_lists=pl.col("list").n_unique())
    states = payments.select(payment_id="id").join(explained, on="payment_id", how="left")
    states = states.join(lists, on="payment_id", how="left").with_columns(pl.col("n_lists").fill_null(0))
    alone = pl.col("explained").is_null()
    wrong = states.filter(alone & (pl.col("n_lists") != 1))
    return Invariant("each payment is in exactly one state", len(payments), _ids(wrong, "payment_id"))


def _not_over_applied(allocations: pl.DataFrame, items: pl.DataFrame) -> Invariant:
    """What is applied of an item lies between nothing and what is open."""
    applied = allocations.filter(pl.col("status") == "auto").drop_nulls("invoice_id")
    sums = applied.group_by("invoice_id").agg(pl.col("amount_minor").sum())
    held = sums.join(items.rename({"id": "invoice_id"}), on="invoice_id").drop_nulls("minor")
    amount, minor = pl.col("amount_minor"), pl.col("minor")
    wrong = held.filter((amount.abs() > minor.abs()) | (amount.sign() * minor.sign() < 0))
    return Invariant("no item over-applied", len(held), _ids(wrong, "invoice_id"))


def _known(name: str, said: pl.Series, there: pl.Series) -> Invariant:
    ids = said.unique().sort()
    return Invariant(name, len(ids), tuple(ids.filter(~ids.is_in(there.implode())).to_list()))
