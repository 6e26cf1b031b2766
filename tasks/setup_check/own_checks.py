"""Checks of what is our own: the database, and the credentials that the receiver asks for."""

from __future__ import annotations

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from tasks.database.engine import is_current
from tasks.settings import ReceiverSettings
from tasks.setup_check.checks import Check, failed, ok


def check_database(engine: Engine) -> Check:
    """Check that our database answers and that its tables are those of this version."""
    name = "Our database"
    try:
        is_up_to_date = is_current(engine)
    except SQLAlchemyError as error:
        # The driver's words may quote the URL; its kind of error is enough.
        kind = type(error.orig if isinstance(error, DBAPIError) else error).__name__
        return failed(
            name,
            f"The {engine.dialect.name} database cannot be used ({kind}).",
            "Correct ULTRATHIIO_DATABASE_URL, or let this machine reach the database server.",
        )
    if not is_up_to_date:
        return failed(name, "Its tables are missing or of another version.", "Run: ultrathiio migrate")
    return ok(name, f"The {engine.dialect.name} database is up to date.")


def check_receiver(receiver: ReceiverSettings) -> Check:
    """Check that the receiver has credentials to ask for: without them it takes nothing."""
    name = "Receiver's credentials"
    missing = [
        variable
        for variable, value in (
            ("ULTRATHIIO_RECEIVER__USERNAME", receiver.username),
            ("ULTRATHIIO_RECEIVER__PASSWORD", receiver.password.get_secret_value()),
        )
        if not value
    ]
    if missing:
        remedy = f"Set {' and '.join(missing)}, the same as on the webhook in UltraCart."
        return failed(name, f"Empty: {', '.join(missing)}.", remedy)
    return ok(name, "User name and password are set.")
