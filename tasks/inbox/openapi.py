"""GET /openapi.json: what the receiver takes and answers, for people and for machines.

The document is `openapi.json` beside this file, written by hand: a route that is added here is added there.
"""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

FILE = Path(__file__).with_name("openapi.json")


async def tell_document(_request: Request) -> Response:
    """Answer GET /openapi.json; it holds no setting of this installation, so it asks for no credentials."""
    return FileResponse(FILE, media_type="application/json")


ROUTE = Route("/openapi.json", tell_document)
