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

    Raises ConfigError, with the file and what to do, when one cannot be used.
    """
    if not (authority or certificate):
        return None
    try:
        context = ssl.create_default_context(cafile=str(authority) if authority else None)
    except OSError as error:
        raise ConfigError(
            f"{authority}: {_unreadable(error, 'a PEM file of certificates')}"
        ) from error
    if certificate:
        _show(context, certificate, key, password)
    return context


def _show(
    context: ssl.SSLContext, certificate: Path, key: Path | None, password: str | None
) -> None:
    """Let the context show our certificate."""
    try:
        # An empty password, not None: OpenSSL would ask for one on the terminal.
        context.load_cert_chain(certificate, key, password=password or "")
    except OSError as error:
        raise ConfigError(_problem(error, certificate, key, password)) from error


def _problem(error: OSError, certificate: Path, key: Path | None, password: str | None) -> str:
    """What is wrong with our certificate or key."""
    secret = key or certificate
    if "KEY_VALUES_MISMATCH" in str(error):
        return f"{secret}: is not the private key of {certificate}"
    if _is_encrypted(secret):
        how = (
            ", and not with this --password" if password else "; give its password with --password"
        )
        return f"{secret}: is encrypted{how}"
    if key:
        return f"{certificate} or {key}: {_unreadable(error, 'a certificate and its key (PEM)')}"
    return f"{certificate}: {_unreadable(error, 'a PEM file with certificate and private key')}"


def _unreadable(error: OSError, wanted: str) -> str:
    """Why a file cannot be used: the system's reason, or that it holds something else."""
    if isinstance(error, ssl.SSLError):
        return f"is not {wanted}"
    return f"cannot be read ({error.strerror})"


def _is_encrypted(file: Path) -> bool:
    try:
        return b"ENCRYPTED" in file.read_bytes()
    except OSError:
        return False


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


def reason_of(error: Exception, url: str) -> str:
    """Why there was no answer from a url, without the chain of wrapped exceptions."""
    words = f"{type(error).__name__} {error}"
    scheme = url.partition(":")[0]
    for sign, reason in _REASONS:
        if sign.removeprefix(f"{scheme}: ") in words:
            return reason
    return f"no answer ({type(error).__name__})"


UNKNOWN_TO_PROXY = (
    "the proxy asks for a password; write it into HTTPS_PROXY or HTTP_PROXY, as "
    "http://user:password@host:port"
)
_PROXY = (
    "the proxy that HTTPS_PROXY or HTTP_PROXY names did not let the request through; hosts in "
    "NO_PROXY are reached without it"
)
_BUNDLE = "the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names is not there"
_ANOTHER = "name another one with --cert and --key"
_PERHAPS = "if it asks for a client certificate, name one that it knows with --cert and --key"
"""Servers that want a client certificate, or another one, may say so only by hanging up."""
_REASONS = (
    ("Proxy Authentication Required", UNKNOWN_TO_PROXY),
    ("ProxyError", _PROXY),
    ("CA certificate bundle", _BUNDLE),
    ("refused", "the connection is refused; is the server running there?"),
    ("NameResolution", "the host is unknown"),
    ("Name or service", "the host is unknown"),
    ("certificate has expired", "its certificate has expired; its operator must renew it"),
    ("not yet valid", "its certificate is not yet valid; is this machine's clock right?"),
    ("mismatch, certificate", "its certificate is for another host; is the url right?"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted; name its authority with --ca"),
    ("ALERT_CERTIFICATE_EXPIRED", f"it says that our certificate has expired; {_ANOTHER}"),
    ("ALERT_CERTIFICATE_REVOKED", f"it says that our certificate is revoked; {_ANOTHER}"),
    ("ALERT_UNKNOWN_CA", f"it does not know the authority of our certificate; {_ANOTHER}"),
    ("certificate required", "it asks for a client certificate; name one with --cert and --key"),
    ("WRONG_VERSION_NUMBER", "it does not speak TLS there; is it http:// instead of https://?"),
    ("SSLError", f"the TLS connection failed; {_PERHAPS}"),
    ("https: reset", f"the connection was reset; {_PERHAPS}"),
    ("https: aborted", f"the connection was closed without an answer; {_PERHAPS}"),
    ("ConnectTimeout", "no connection in time"),
    ("ReadTimeout", "no answer in time"),
    ("timed out", "no answer in time"),
    ("IncompleteRead", "the answer broke off"),
    ("ProtocolError", "the answer broke off"),
    ("DecodeError", "the answer cannot be decoded"),
    ("reset", "the connection was reset"),
    ("aborted", "the connection was closed without an answer"),
)
"""What an exception says or is (after a scheme: only there), and what that means; the first."""
