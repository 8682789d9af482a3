"""Below FHIR: TLS contexts, connections that use them, and why a connection failed."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from fhirpkg.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    import requests


def tls_context(
    authority: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    password: str | None = None,
) -> ssl.SSLContext | None:
    """A TLS context that trusts `authority` and shows `certificate`; None when neither is given.

    Raises ConfigError when a file cannot be used.
    """
    if not (authority or certificate):
        return None
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
        if certificate:
            # An empty password, not None: OpenSSL would ask for one on the terminal.
            context.load_cert_chain(certificate, key, password=password or "")
    except (OSError, ssl.SSLError) as error:
        named = " or ".join(str(f) for f in (authority, certificate, key) if f)
        raise ConfigError(f"{named}: cannot be used for TLS ({error})") from error
    return context


class TlsAdapter(HTTPAdapter):
    """An adapter whose connections, also those through a proxy, use one TLS context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **settings: Any) -> None:
        """Make the pool with our context."""
        super().init_poolmanager(*args, **settings, ssl_context=self._context)

    def proxy_manager_for(self, proxy: Any, **settings: Any) -> Any:
        """Make the pool through a proxy with our context."""
        return super().proxy_manager_for(proxy, **settings, ssl_context=self._context)


def without_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Say that authentication is settled, or requests would send what ~/.netrc holds."""
    return request


def reason_of(error: Exception) -> str:
    """Why there was no answer, without the chain of wrapped exceptions."""
    words = str(error)
    for sign, reason in _REASONS:
        if sign in words or sign in type(error).__name__:
            return reason
    return f"no answer ({type(error).__name__})"


_REASONS = (
    ("refused", "the connection is refused; is the server running there?"),
    ("NameResolution", "the host is unknown"),
    ("Name or service", "the host is unknown"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted; name its authority with --ca"),
    ("certificate required", "it asks for a client certificate; name one with --cert and --key"),
    ("ProxyError", "the proxy did not let the request through"),
    ("SSLError", "the TLS connection failed"),
    ("ConnectTimeout", "no connection in time"),
    ("ReadTimeout", "no answer in time"),
    ("IncompleteRead", "the answer broke off"),
    ("ChunkedEncoding", "the answer broke off"),
    ("ContentDecoding", "the answer cannot be decoded"),
    ("reset", "the connection was reset"),
    ("aborted", "the connection was closed without an answer"),
)
