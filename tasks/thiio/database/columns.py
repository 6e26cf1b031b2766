"""Column types of Thiio's tables: amounts that never pass a float."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Dialect, Numeric, String
from sqlalchemy.types import TypeDecorator, TypeEngine

from tasks.errors import SetupError

WHOLE_DIGITS = 14


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal number of up to `places` decimal places: `NUMERIC`, and decimal text on SQLite.

    SQLite has no exact decimal type: its NUMERIC keeps 18.63 as a binary fraction. There the column is TEXT
    and holds "18.63". A column that hands out a float is refused with `SetupError`.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__(WHOLE_DIGITS + places, places)
        self.places = places

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use text on SQLite, NUMERIC elsewhere."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(WHOLE_DIGITS + self.places + 2))
        return dialect.type_descriptor(Numeric(WHOLE_DIGITS + self.places, self.places))

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> Any:
        """Hand a Decimal to the driver, as text on SQLite."""
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("an amount must not pass through a float")
        return f"{Decimal(value):f}" if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Read a Decimal, exactly as it was written."""
        if isinstance(value, float):
            raise SetupError(
                "A column of amounts in Thiio's database holds floating-point numbers. "
                "Give it the type NUMERIC (on SQLite TEXT), or a view that casts it."
            )
        try:
            return None if value is None else Decimal(value)
        except InvalidOperation as error:
            raise SetupError(
                "A column of amounts in Thiio's database holds text that is no number. "
                "Correct the row, or the column that the mapping file names."
            ) from error


def money() -> ExactDecimal:
    """Give the type of an amount in major units: 18.63."""
    return ExactDecimal(4)


def quantity() -> ExactDecimal:
    """Give the type of a quantity: UltraCart allows fractions."""
    return ExactDecimal(6)
