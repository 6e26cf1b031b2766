"""Open the connection to Thiio that the settings choose."""

from __future__ import annotations

from tasks.notifications.log import Notify
from tasks.settings import Settings
from tasks.settings import ThiioConnection as ConnectionName
from tasks.thiio.api import ApiThiio
from tasks.thiio.connection import ThiioConnection
from tasks.thiio.database.connection import DatabaseThiio
from tasks.thiio.mapping_file import load_mapping


def open_thiio(settings: Settings, notify: Notify) -> ThiioConnection:
    """Open the connection named by `ULTRATHIIO_THIIO__CONNECTION`; nothing is asked of Thiio yet.

    Raises `SetupError` if a setting that it needs is empty or the mapping file cannot be used.
    """
    mapping = load_mapping(settings.thiio.mapping_file)
    if settings.thiio.connection is ConnectionName.API:
        return ApiThiio.connect(settings, mapping, notify)
    return DatabaseThiio.connect(settings, mapping, notify)
