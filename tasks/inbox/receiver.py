"""The receiver: takes webhooks, and answers only once their events are durable.

It does not interpret. It imports neither Prefect nor pandas, so that it starts fast and stays small.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.database.engine import is_current, open_engine
from tasks.inbox.delivery import (
    Split,
    Turned,
    check_credentials,
    check_type,
    read_body,
    read_events,
    split_thiio,
    split_ultracart,
)
from tasks.inbox.event_queue import StoreCounts
from tasks.inbox.events import NewEvent
from tasks.inbox.intake import Intake, IntakeFull
from tasks.settings import ReceiverSettings, Settings, load_settings, require

ANSWER_SECONDS = 25.0
"""UltraCart waits 30 seconds for an answer (its page on webhooks)."""
RETRY_AFTER_SECONDS = "10"


class Receiver:
    """Answers requests; the intake makes them durable."""

    def __init__(self, settings: ReceiverSettings, engine: Engine, intake: Intake) -> None:
        self._username = require(settings.username, "receiver", "username")
        self._password = require(settings.password, "receiver", "password")
        self._max_bytes = settings.max_body_bytes
        self._engine = engine
        self._intake = intake

    async def take_ultracart(self, request: Request) -> Response:
        """Answer POST /webhooks/ultracart."""
        return await self._take(request, "ultracart", split_ultracart)

    async def take_thiio(self, request: Request) -> Response:
        """Answer POST /webhooks/thiio."""
        return await self._take(request, "thiio", split_thiio)

    async def _take(self, request: Request, source: str, split: Split) -> Response:
        try:
            check_credentials(request, self._username, self._password)
            check_type(request)
            body = await read_body(request, self._max_bytes)
            if not body.strip():
                raise Turned(400, "The body is empty. Send the events as JSON.")
            events, unreadable = read_events(source, split, body, self._max_bytes)
            counts = await self._store(events)
        except Turned as turned:
            return _say(turned.status, {"error": turned.error}, turned.headers)
        except ClientDisconnect:
            return _say(400, {"error": "The sender hung up."})
        if unreadable:
            kept = "It is kept as a dead letter; correct the sender, or read it in the inbox."
            return _say(400, {"error": f"{unreadable} {kept}"})
        return _say(200, {"stored": counts.stored, "duplicates": counts.duplicates})

    async def _store(self, events: list[NewEvent]) -> StoreCounts:
        try:
            stored = self._intake.submit(events)
            # Shielded: a sender that gives up must not cancel what others wait for.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(stored)), ANSWER_SECONDS)
        except IntakeFull:
            error = "Too many deliveries wait to be stored. Send this one again later."
        except Exception:  # the intake has logged it; a sender can do no more about it than send again
            error = "The database cannot take this delivery now. Send it again later."
        raise Turned(503, error, **{"Retry-After": RETRY_AFTER_SECONDS})

    async def tell_health(self, _request: Request) -> Response:
        """Answer GET /health: the process lives."""
        return _say(200, {"status": "ok", "version": version("ultrathiio")})

    async def tell_readiness(self, _request: Request) -> Response:
        """Answer GET /ready: deliveries can be stored."""
        try:
            ready = await asyncio.to_thread(is_current, self._engine)
        except SQLAlchemyError as error:
            return _say(503, {"status": "unavailable", "reason": f"database: {type(error).__name__}"})
        if not ready:
            self._intake.prepare()
            return _say(503, {"status": "unavailable", "reason": "The tables are not up to date yet."})
        return _say(200, {"status": "ready"})


def create_app(settings: Settings | None = None) -> Starlette:
    """Make the ASGI application; raises `SetupError` if no credentials are set."""
    settings = settings or load_settings()
    engine = open_engine(settings.database_url.get_secret_value())
    intake = Intake(engine, settings.receiver.queue_size)
    receiver = Receiver(settings.receiver, engine, intake)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        intake.start()
        yield
        await asyncio.to_thread(intake.stop)
        engine.dispose()

    return Starlette(
        routes=[
            Route("/webhooks/ultracart", receiver.take_ultracart, methods=["POST"]),
            Route("/webhooks/thiio", receiver.take_thiio, methods=["POST"]),
            Route("/health", receiver.tell_health),
            Route("/ready", receiver.tell_readiness),
        ],
        lifespan=lifespan,
    )


def run_receiver(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; what was taken is written before it ends."""
    uvicorn.run(
        create_app(settings),
        host=settings.receiver.host,
        port=settings.receiver.port,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=int(ANSWER_SECONDS),
    )


def _say(status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(body, status, headers)
