"""Numbers: exact ones in whole units of 128 bits, floating ones that are finite."""

from __future__ import annotations

import polars as pl

from core.pipelines.compiling.values import Fault, Value, approximate, faults_of, once, physical, whole, within
from core.pipelines.expressions.results import operator_type
from core.pipelines.types import FLOAT, INT, MAX_PRECISION, QUOTIENT, QUOTIENT_SCALE, ColumnType, decimal, digits_of


def units(value: Value, scale: int) -> tuple[pl.Expr, pl.Expr]:
    """An exact number in units of a scale at least its own: (in 128 bits, about)."""
    places = digits_of(value.type)[1]
    wide = value.expr.cast(pl.Int128)
    factor = 10 ** (scale - places)
    return (wide * whole(factor), approximate(wide) * factor) if factor > 1 else (wide, approximate(wide))


def as_float(value: Value) -> Value:
    """A number as a floating one."""
    if value.type.kind == "float":
        return value
    places = digits_of(value.type)[1]
    return Value(value.expr.cast(pl.Float64) / 10**places, FLOAT, value.faults)


def as_exact(value: Value, to: ColumnType) -> Value:
    """A whole number or decimal as one of a type with as many places or more."""
    exact, about = units(value, digits_of(to)[1])
    if digits_of(value.type)[0] <= digits_of(to)[0]:
        return Value(exact.cast(physical(to)), to, value.faults)
    return within(exact, about, to, value.faults)


def rescaled(value: Value, to: ColumnType) -> Value:
    """An exact number as one of another type, rounded half away from zero where places are lost."""
    lost = digits_of(value.type)[1] - digits_of(to)[1]
    if lost <= 0:
        return as_exact(value, to)
    exact = rounded_quotient(value.expr.cast(pl.Int128), whole(10**lost))
    return within(exact, approximate(exact), to, value.faults)


def rounded_quotient(number: pl.Expr, by: pl.Expr) -> pl.Expr:
    """number / by in whole units, half away from zero; null where by is 0."""
    number, by = once(number), once(by)
    top, bottom = once(number.abs()), once(pl.when(by != whole(0)).then(by.abs()))
    floor = once(top // bottom)
    left = top - floor * bottom
    up = pl.when(left >= bottom - left).then(whole(1)).otherwise(whole(0))
    size = once(floor + up)
    return pl.when((number < whole(0)) != (by < whole(0))).then(whole(0) - size).otherwise(size)


def negated(value: Value) -> Value:
    """The number with the other sign."""
    if value.type.kind == "float":
        return Value(-value.expr, FLOAT, value.faults)
    exact = whole(0) - value.expr.cast(pl.Int128)
    return within(exact, approximate(exact), value.type, value.faults)


def computed(operator: str, left: Value, right: Value) -> Value:
    """`left operator right` of two numbers; at fault where it has no value or too many digits."""
    gives = operator_type(operator, left.type, right.type)
    assert gives is not None, (operator, left.type, right.type)
    if gives.kind == "float":
        return _floating(operator, as_float(left), as_float(right))
    if operator == "/":
        return _quotient(left, right)
    faults = faults_of((left, right))
    if operator == "*":
        (one, about), (other, about_other) = (units(side, digits_of(side.type)[1]) for side in (left, right))
        return within(one * other, about * about_other, gives, faults)
    scale = digits_of(gives)[1]
    (one, about), (other, about_other) = units(left, scale), units(right, scale)
    if operator == "%":
        return _remainder(one, other, gives, Value(one, gives, faults))
    exact, size = (one + other, about + about_other) if operator == "+" else (one - other, about - about_other)
    return within(exact, size, gives, faults)


def _remainder(one: pl.Expr, other: pl.Expr, gives: ColumnType, both: Value) -> Value:
    """What is left of a division, with the sign of what is divided."""
    bottom = pl.when(other != whole(0)).then(other.abs())
    size = once(one.abs() % bottom)
    signed = pl.when(one < whole(0)).then(whole(0) - size).otherwise(size)
    left = within(signed, approximate(signed), gives, both.faults)
    return left.failing("zero_division", (other == whole(0)) & one.is_not_null())


def _quotient(left: Value, right: Value) -> Value:
    """To nine places, half away from zero; what is divided has at most 38 digits in units of the result."""
    more = digits_of(right.type)[1] + QUOTIENT_SCALE - digits_of(left.type)[1]
    top, bottom = once(left.expr.cast(pl.Int128)), once(right.expr.cast(pl.Int128))
    top, about = top * whole(10 ** max(0, more)), approximate(top) * 10.0 ** max(0, more)
    by = bottom * whole(10 ** max(0, -more))
    exact = rounded_quotient(top, by)
    about_by = pl.when(bottom != whole(0)).then(approximate(bottom) * 10.0 ** max(0, -more))
    # Numerator and denominator must fit, else the quotient is of numbers that wrapped.
    size = pl.max_horizontal(about.abs(), about_by.abs(), (about / about_by).abs())
    divided = within(exact, size, QUOTIENT, faults_of((left, right)))
    return divided.failing("zero_division", (bottom == whole(0)) & top.is_not_null())


def _floating(operator: str, left: Value, right: Value) -> Value:
    one, other, faults = left.expr, right.expr, faults_of((left, right))
    if operator == "/":
        result = one / pl.when(other != 0).then(other)
        return finite(result, faults, vanishes=(result == 0) & (one != 0)).failing(
            "zero_division", (other == 0) & one.is_not_null()
        )
    if operator == "*":
        result = one * other
        return finite(result, faults, vanishes=(result == 0) & (one != 0) & (other != 0))
    return finite(one + other if operator == "+" else one - other, faults)


def finite(result: pl.Expr, faults: tuple[Fault, ...], vanishes: pl.Expr | None = None) -> Value:
    """A floating number, at fault where it is none or so small that nothing is left of it."""
    is_lost = ~result.is_finite() if vanishes is None else ~result.is_finite() | vanishes
    return Value(result, FLOAT, faults).failing("overflow", is_lost)


def rounded(value: Value, places: int, *, away: bool) -> Value:
    """To so many places (below 0: tens and more): half away from zero, or cut off where not `away`."""
    one = value.type
    if one.kind == "float":
        scaled = value.expr * 10.0**places
        near = scaled.round(0, mode="half_to_even") if away else scaled.truncate()
        return finite(near / 10.0**places, value.faults)
    whole_digits, scale = digits_of(one)
    gives = (
        one if one.kind == "int" else decimal(whole_digits + 1 + min(scale, max(0, places)), min(scale, max(0, places)))
    )
    lost = scale - places
    if lost <= 0:
        return as_exact(value, gives)
    if lost > MAX_PRECISION - 1:
        return Value(value.expr * 0, gives, value.faults)
    wide, unit = value.expr.cast(pl.Int128), whole(10**lost)
    size = rounded_quotient(wide, unit) if away else _cut(wide, unit)
    # Tens that were rounded to are put back.
    exact = size * whole(10 ** max(0, -places))
    return within(exact, approximate(size) * 10 ** max(0, -places), gives, value.faults)


def _cut(number: pl.Expr, by: pl.Expr) -> pl.Expr:
    size = number.abs() // by
    return pl.when(number < whole(0)).then(whole(0) - size).otherwise(size)


def stepped(value: Value, *, up: bool) -> Value:
    """The next whole number above or below."""
    one = value.type
    if one.kind == "float":
        return Value(value.expr.ceil() if up else value.expr.floor(), FLOAT, value.faults)
    if one.kind == "int":
        return value
    digits, scale = digits_of(one)
    unit, gives = whole(10**scale), decimal(min(MAX_PRECISION, digits + 1), 0)
    # Whole numbers of 128 bits divide towards minus infinity.
    exact = whole(0) - ((whole(0) - value.expr) // unit) if up else value.expr // unit
    return Value(exact, gives, value.faults)


def whole_number(value: Value) -> Value:
    """A number as a whole one of 64 bits: exact ones half away from zero, floating ones half to even."""
    if value.type.kind == "float":
        near = value.expr.round(0, mode="half_to_even")
        is_large = (near >= 2.0**63) | (near < -(2.0**63))
        inside = pl.when(~is_large).then(near).cast(pl.Int64)
        return Value(inside, INT, value.faults).failing("overflow", is_large)
    return rescaled(value, INT)
