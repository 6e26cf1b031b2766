"""The receiver speaks HTTPS by itself, where no proxy does it."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from flows.commands.serve import _trust
from tasks.errors import SetupError
from tasks.inbox.receiver import server_config
from tasks.settings import ReceiverSettings
from tests.inbox.inbox_rows import read_events
from tests.inbox.running_receiver import (
    PASSWORD,
    ULTRACART,
    USERNAME,
    orders,
    receiver_settings,
    run_server,
    url_of,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A certificate for 127.0.0.1 that nobody signed, its key, and a key of another."""
    folder = tmp_path_factory.mktemp("tls")
    names = {name: folder / f"{name}.pem" for name in ("tls_certificate", "tls_key", "other")}
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1"
    name = ["-addext", "subjectAltName=IP:127.0.0.1"]
    for key, certificate in (("other", folder / "unused.pem"), ("tls_key", names["tls_certificate"])):
        files = ["-keyout", str(names[key]), "-out", str(certificate)]
        subprocess.run(["openssl", *words.split(), *name, *files], check=True, capture_output=True)
    return names


@pytest.fixture
def secure_url(engine: Engine, files: dict[str, Path]) -> Iterator[str]:
    """A receiver that speaks HTTPS, and its address."""
    named = {name: files[name] for name in ("tls_certificate", "tls_key")}
    with run_server(receiver_settings(url_of(engine), **named)) as (_, url):
        yield url.replace("http://", "https://")


def test_a_delivery_comes_in_by_https(secure_url: str, files: dict[str, Path], engine: Engine) -> None:
    """Its certificate is checked as a sender does; every limit of the connection holds as before."""
    trust = ssl.create_default_context(cafile=files["tls_certificate"])
    with httpx.Client(base_url=secure_url, auth=(USERNAME, PASSWORD), verify=trust) as client:
        stored = client.post(ULTRACART, json=orders(1, note="x" * 200_000))
        page = client.get("/notifications")
        wrong = client.post(ULTRACART, json=orders(2), auth=(USERNAME, "wrong"))

    assert [answer.status_code for answer in (stored, page, wrong)] == [200, 200, 401]
    assert read_events(engine, "entity_id") == ["DEMO-1"]


def test_serve_waits_for_a_receiver_that_speaks_https(secure_url: str, files: dict[str, Path]) -> None:
    """It trusts the receiver's own certificate, whoever signed it, and for whatever name; and no other."""
    trust = _trust(ReceiverSettings(tls_certificate=files["tls_certificate"]))
    by_name = secure_url.replace("127.0.0.1", "localhost")

    assert httpx.get(f"{by_name}/health", verify=trust).json()["status"] == "ok"
    stranger = _trust(ReceiverSettings(tls_certificate=files["other"].with_name("unused.pem")))
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{by_name}/health", verify=stranger)


def test_nothing_is_taken_in_the_clear(secure_url: str, engine: Engine) -> None:
    """Plain HTTP at the same port gets no answer."""
    with pytest.raises(httpx.TransportError):
        httpx.post(secure_url.replace("https", "http") + ULTRACART, json=orders(1), auth=(USERNAME, PASSWORD))

    assert read_events(engine, "id") == []


def test_old_versions_of_tls_are_refused(secure_url: str) -> None:
    """1.2 is the least."""
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{secure_url}/health", verify=old)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"tls_key": None}, "ULTRATHIIO_RECEIVER__TLS_KEY is empty"),
        ({"tls_certificate": None}, "ULTRATHIIO_RECEIVER__TLS_CERTIFICATE is empty"),
        ({"tls_key": "other"}, "cannot be used for TLS"),
        ({"tls_certificate": Path("nowhere.pem")}, "cannot be used for TLS"),
    ],
    ids=["no key", "no certificate", "another's key", "no file"],
)
def test_files_that_cannot_serve_are_a_setup_error(
    engine: Engine, files: dict[str, Path], changes: dict[str, str | Path | None], told: str
) -> None:
    """Before the receiver listens, with the settings to change."""
    named = {name: files[name] for name in ("tls_certificate", "tls_key")}
    named |= {name: files.get(str(value), value) for name, value in changes.items()}

    with pytest.raises(SetupError, match=told):
        server_config(receiver_settings(url_of(engine), **named))
