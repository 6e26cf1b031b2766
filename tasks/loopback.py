"""Put a stand-in for a remote system, a function from request to response, on a port of this machine.

The server listens on 127.0.0.1 only. A stand-in may raise `CutConnection` to break the connection without
an answer, as a failing network does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

Respond = Callable[[httpx.Request], httpx.Response]


class CutConnection(Exception):
    """The stand-in ends the connection instead of answering."""


@contextmanager
def serve_on_loopback(respond: Respond, port: int = 0) -> Iterator[str]:
    """Serve `respond` on 127.0.0.1 for a block and yield the base URL; port 0 takes a free one."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler_for(respond))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_for(respond: Respond) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or each answer waits 40 ms for an acknowledgement

        def handle_one_request(self) -> None:
            try:
                self.raw_requestline = self.rfile.readline(65_537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                self._answer(respond(self._request()))
            except (CutConnection, ConnectionError):  # the latter: the caller was killed
                self.close_connection = True

        def _request(self) -> httpx.Request:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            host = self.headers.get("host", "127.0.0.1")
            headers = list(self.headers.items())
            return httpx.Request(self.command, f"http://{host}{self.path}", headers=headers, content=body)

        def _answer(self, response: httpx.Response) -> None:
            head = f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n"
            headers = [(name, value) for name, value in response.headers.items() if name != "content-length"]
            headers.append(("content-length", str(len(response.content))))
            head += "".join(f"{name}: {value}\r\n" for name, value in headers) + "\r\n"
            self.wfile.write(head.encode("latin-1") + response.content)
            if response.headers.get("connection", "").lower() == "close":
                self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            """Stay silent: a stand-in keeps its own ledger."""

    return Handler
