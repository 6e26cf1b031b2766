"""Files of reports that may tell of a person: they are found, and left to people."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.erasure.person import Person
from tasks.records.models import Entity


def find_files(folder: Path, person: Person) -> list[Path]:
    """Give the files in a folder that hold the address, or the id of a record of the person."""
    if not folder.is_dir():
        return []
    ids = set[str]().union(*(ids for entity in Entity for ids in person.ids(entity).values()))
    words = "|".join(map(re.escape, sorted({person.email_key, *ids})))
    named = re.compile(rf"(?<![\w-])({words})(?![\w-])", re.IGNORECASE)
    files = sorted(path for path in folder.iterdir() if path.suffix in (".html", ".csv"))
    return [path for path in files if named.search(path.read_text(encoding="utf-8", errors="replace"))]
