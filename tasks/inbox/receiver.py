"""The receiver: takes webhooks, and answers only once their events are durable.

It does not interpret. It imports neither Prefect nor pandas, so that it starts fast and stays small.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import msgspec
import uvicorn
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.config import LOGGING_CONFIG

from tasks.database.engine import is_current, open_engine
from tasks.inbox import openapi
from tasks.inbox.callers import Callers
from tasks.inbox.connections import bounded_protocol
from tasks.inbox.delivery import Turned, check_type, read_events_of_any_size
from tasks.inbox.event_queue import StoreCounts
from tasks.inbox.events import NewEvent
from tasks.inbox.guards import Guarded
from tasks.inbox.intake import ANSWER_SECONDS, Intake, IntakeFull
from tasks.inbox.log_lines import JSON_LINES
from tasks.inbox.metrics import CONTENT_TYPE, ReceiverMetrics
from tasks.inbox.notification_pages import NotificationPages
from tasks.inbox.request_body import RETRY_AFTER_SECONDS, Memory, Share, read_body
from tasks.inbox.tls import tls_files
from tasks.settings import ReceiverSettings, Settings, load_settings
from tasks.version import our_version

START_FAILED = 3
"""The exit code that uvicorn has for it."""


class Receiver:
    """Answers requests; the intake makes them durable."""

    def __init__(
        self,
        settings: ReceiverSettings,
        callers: Callers,
        engine: Engine,
        intake: Intake,
        metrics: ReceiverMetrics,
    ) -> None:
        self._callers = callers
        self._settings = settings
        self._memory = Memory(max(settings.max_held_bytes, settings.max_body_bytes))
        self._engine = engine
        self._intake = intake
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """Give the routes of all that it answers."""
        ending = self._callers.path_ending
        return [
            Route(f"/webhooks/ultracart{ending}", self.take_ultracart, methods=["POST"]),
            Route(f"/webhooks/thiio{ending}", self.take_thiio, methods=["POST"]),
            Route("/health", self.tell_health),
            Route("/ready", self.tell_readiness),
            Route("/metrics", self.tell_metrics),
        ]

    async def take_ultracart(self, request: Request) -> Response:
        """Answer POST /webhooks/ultracart."""
        return await self._take(request, "ultracart")

    async def take_thiio(self, request: Request) -> Response:
        """Answer POST /webhooks/thiio."""
        return await self._take(request, "thiio")

    async def _take(self, request: Request, source: str) -> Response:
        share = Share(self._memory)
        try:
            return await self._answer(request, source, share)
        except Turned as turned:
            status, error, headers = turned.status, turned.error, turned.headers
        except ClientDisconnect:
            status, error, headers = 400, "The sender hung up.", {}
        finally:
            share.close()
        self._metrics.count_rejected(status)
        return _say(status, {"error": error}, headers)

    async def _answer(self, request: Request, source: str, share: Share) -> Response:
        """Store a delivery and say so; raises `Turned` with another answer."""
        self._callers.check_path(request)
        self._callers.check_sender(request)
        check_type(request)
        body = await read_body(request, self._settings.max_body_bytes, self._settings.body_seconds, share)
        if not body.strip():
            raise Turned(400, "The body is empty. Send the events as JSON.")
        events, unreadable = await read_events_of_any_size(source, body, self._settings.max_body_bytes)
        # A packed body has become more; of any other the text is held once.
        share.take(max(0, sum(len(event.body) for event in events) - len(body)))
        counts = await self._store(events, share)
        self._metrics.count_events(source, counts.stored, counts.duplicates)
        if unreadable:
            kept = "It is kept as a dead letter; correct the sender, or read it in the inbox."
            raise Turned(400, f"{unreadable} {kept}")
        return _say(200, {"stored": counts.stored, "duplicates": counts.duplicates})

    async def _store(self, events: list[NewEvent], share: Share) -> StoreCounts:
        try:
            return await self._intake.submit(events, share.hand_over())
        except IntakeFull:
            error = "Too many deliveries wait to be stored. Send this one again later."
        except Exception:  # the intake has logged it; a sender can do no more about it than send again
            error = "The database cannot take this delivery now. Send it again later."
        raise Turned(503, error, **{"Retry-After": RETRY_AFTER_SECONDS})

    async def tell_health(self, _request: Request) -> Response:
        """Answer GET /health: the process lives."""
        return _say(200, {"status": "ok", "version": our_version()})

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

    async def tell_metrics(self, _request: Request) -> Response:
        """Answer GET /metrics, in Prometheus' text format."""
        return Response(await self._metrics.tell(self._engine), headers={"content-type": CONTENT_TYPE})


def create_app(settings: Settings | None = None) -> Starlette:
    """Make the ASGI application; raises `SetupError` if no credentials are set."""
    settings = settings or load_settings()
    engine = open_engine(settings.database_url.get_secret_value())
    metrics = ReceiverMetrics()
    intake = Intake(
        engine,
        queue_size=settings.receiver.queue_size,
        deliveries_a_commit=settings.receiver.deliveries_a_commit,
        metrics=metrics,
    )
    callers = Callers(settings.receiver)
    receiver = Receiver(settings.receiver, callers, engine, intake, metrics)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        intake.start()
        yield
        await intake.stop()
        engine.dispose()

    app = Starlette(
        routes=[*receiver.routes(), *NotificationPages(callers, engine).routes(), openapi.ROUTE],
        middleware=[Middleware(Guarded)],
        lifespan=lifespan,
    )
    app.state.metrics = metrics
    return app


def server_config(settings: Settings) -> uvicorn.Config:
    """Say how the application is served: with limits for the time, the size and the number of connections."""
    app = create_app(settings)
    return uvicorn.Config(
        app,
        host=settings.receiver.host,
        port=settings.receiver.port,
        http=bounded_protocol(settings.receiver, app.state.metrics),
        access_log=False,
        log_config=JSON_LINES if settings.receiver.log_format == "json" else LOGGING_CONFIG,
        server_header=False,
        # Only wrong credentials are counted by address; without a trusted proxy it is the connection's own.
        proxy_headers=bool(settings.receiver.trusted_proxies),
        forwarded_allow_ips=settings.receiver.trusted_proxies,
        **tls_files(settings.receiver),
        ws="none",
        timeout_graceful_shutdown=int(ANSWER_SECONDS),
    )


def run_receiver(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; what was taken is written before it ends."""
    server = uvicorn.Server(server_config(settings))
    with suppress(KeyboardInterrupt):  # obeyed already; the server raises it again once it has closed
        server.run()
    if not server.started:
        raise SystemExit(START_FAILED)


def _say(status: int, body: dict[str, object], headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, "application/json")
