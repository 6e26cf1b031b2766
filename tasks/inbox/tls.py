"""The receiver's own TLS, for an installation without a proxy that ends it."""

from __future__ import annotations

import ssl
from typing import TypedDict

from tasks.errors import SetupError
from tasks.settings import ReceiverSettings


class TlsFiles(TypedDict, total=False):
    """What uvicorn is given; nothing for plain HTTP."""

    ssl_certfile: str
    ssl_keyfile: str


def tls_files(settings: ReceiverSettings) -> TlsFiles:
    """Give the files that the settings name, once they were seen to belong together; else `SetupError`."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return {}
    if certificate is None or key is None:
        missing = "TLS_KEY" if key is None else "TLS_CERTIFICATE"
        raise SetupError(f"ULTRATHIIO_RECEIVER__{missing} is empty. Name both files, or neither.")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise SetupError(
            f"{certificate} and {key} cannot be used for TLS ({type(error).__name__}). Name a certificate "
            "with its chain and its key without passphrase, both in PEM, in "
            "ULTRATHIIO_RECEIVER__TLS_CERTIFICATE and __TLS_KEY, readable for this user."
        ) from error
    return {"ssl_certfile": str(certificate), "ssl_keyfile": str(key)}
