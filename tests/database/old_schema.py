"""Our schema as an older release left it."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

import tasks.database


def migrate_to(engine: Engine, revision: str) -> None:
    """Bring an empty database to a revision, as the release of that time did."""
    config = Config()
    folder = Path(next(iter(tasks.database.__path__))) / "migrations"
    config.set_main_option("script_location", str(folder))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
