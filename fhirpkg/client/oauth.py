"""OAuth 2 client credentials, with a secret or, as SMART backend services, with a signed assertion.

See https://hl7.org/fhir/smart-app-launch/backend-services.html. Signing needs the extra
``fhirpkg[smart]``; nothing else here does.
"""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from fhirpkg.client.auth import Authorization, Grant, private_file, secret
from fhirpkg.client.response import Response
from fhirpkg.client.retry import RetryPolicy, http_date, is_transient
from fhirpkg.client.transport import TlsAdapter, reason_of, without_netrc
from fhirpkg.errors import ConfigError, ServerError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_SCOPE = {True: "system/*.cruds", False: "system/*.*"}
"""By whether the server speaks SMART 2 (https://hl7.org/fhir/smart-app-launch/conformance.html)."""
_LIFE = 240
"""Seconds; SMART allows an assertion at most five minutes."""
_SKEW = 30
_TIMEOUT = (10, 60)
_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class Registration:
    """What a client agreed on with a server; `secret` names a secret, see `auth.secret`."""

    client_id: str
    secret: str | None = None
    private_key: Path | None = None
    key_id: str | None = None
    token_url: str | None = None
    scope: str | None = None


def client_credentials(
    base_url: str,
    registration: Registration,
    *,
    retry: RetryPolicy | None = None,
    tls: ssl.SSLContext | None = None,
) -> Authorization:
    """An Authorization whose tokens come from the server's token endpoint and are renewed.

    Raises ConfigError for a registration that cannot be used; ServerError arises when a token is
    needed and none is given.
    """
    if bool(registration.secret) == bool(registration.private_key):
        raise ConfigError("--client-id needs either --client-secret or --private-key")
    return Authorization(_Tokens(base_url, registration, retry or RetryPolicy(), tls).fetch)


class _Tokens:
    """Asks for tokens at the endpoint that was given, or that the server names for itself."""

    def __init__(
        self,
        base_url: str,
        registration: Registration,
        policy: RetryPolicy,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._registration = registration
        self._policy = policy
        self._sign = _signer(registration) if registration.private_key else None
        self._session = requests.Session()
        if tls is not None:
            self._session.mount("https://", TlsAdapter(tls))
        self._url = _safe(registration.token_url) if registration.token_url else ""
        self._scope = registration.scope or _SCOPE[True]
        self._skew = 0.0
        """How far the server's clock is from ours, in seconds."""

    def fetch(self) -> Grant:
        """Ask for a token, twice when the first answer shows that our clock is wrong."""
        if not self._url:
            self._discover()
        answer = self._ask()
        if answer.status in {400, 401} and self._sign and self._adjust(answer):
            answer = self._ask()
        return _grant(answer)

    def _discover(self) -> None:
        where = f"{self._base_url}/.well-known/smart-configuration"
        answer = self._exchange("GET", where)
        configuration = _json_object(answer)
        url = configuration.get("token_endpoint")
        if answer.status != 200 or not isinstance(url, str):
            problem = "does not name its token endpoint; give it with --token-url"
            raise ServerError(where, problem, status=answer.status)
        spoken = str(configuration.get("capabilities"))
        is_second = "permission-v2" in spoken or "permission-v1" not in spoken
        self._scope = self._registration.scope or _SCOPE[is_second]
        self._url = _safe(url)
        self._adjust(answer)

    def _ask(self) -> Response:
        registration = self._registration
        form = {"grant_type": "client_credentials", "scope": self._scope}
        if self._sign is None:
            assert registration.secret is not None, "a registration has a secret or a key"
            basic = (registration.client_id, secret(registration.secret))
            return self._exchange("POST", self._url, form, basic)
        now, who = int(time.time() + self._skew), registration.client_id
        claims = {"iss": who, "sub": who, "aud": self._url, "iat": now, "exp": now + _LIFE}
        form |= {"client_assertion_type": _ASSERTION}
        form |= {"client_assertion": self._sign(claims | {"jti": secrets.token_urlsafe(24)})}
        return self._exchange("POST", self._url, form)

    def _exchange(
        self,
        method: str,
        url: str,
        form: dict[str, str] | None = None,
        basic: tuple[str, str] | None = None,
    ) -> Response:
        """One answer; asking for a token may be repeated, each time it is a new one."""
        attempts = self._policy.attempts()
        while True:
            try:
                answer = self._session.request(
                    method,
                    url,
                    data=form,
                    headers={"Accept": "application/json"},
                    auth=basic or without_netrc,
                    timeout=_TIMEOUT,
                    allow_redirects=False,
                )
                given = {name.lower(): value for name, value in answer.headers.items()}
                response = Response(answer.status_code, given, text=answer.text[:_LIMIT], url=url)
            except requests.RequestException as error:
                response = Response(0, text=reason_of(error, url), url=url)
            if not is_transient(response) or not attempts.again(response):
                return response

    def _adjust(self, answer: Response) -> bool:
        """Take the server's clock when ours is far from it; whether that is new."""
        theirs = http_date(answer.headers.get("date", ""))
        skew = theirs - time.time() if theirs else 0.0
        skew = skew if abs(skew) > _SKEW else 0.0
        changed = abs(skew - self._skew) > _SKEW
        self._skew = skew
        return changed


def _grant(answer: Response) -> Grant:
    """The token in an answer; an error quotes the server, but never what we sent."""
    told = _json_object(answer)
    token = told.get("access_token")
    if answer.status != 200 or not isinstance(token, str):
        # What is transient stays so; all else is a matter of permission.
        status = answer.status if is_transient(answer) else 401
        raise ServerError(
            answer.url, f"did not issue a token ({_why(answer, told)})", status=status
        )
    life = told.get("expires_in")
    seconds = float(life) if isinstance(life, (int, str)) and str(life).isdigit() else None
    return Grant(f"Bearer {token}", time.time() + seconds if seconds else None)


def _why(answer: Response, told: dict[str, Any]) -> str:
    """Why there is no token, in the endpoint's own words, and what to do."""
    words = [str(told[key]) for key in ("error", "error_description") if told.get(key)]
    if not words:
        return f"HTTP {answer.status}" if answer.status else answer.text
    advice = _ADVICE.get(str(told.get("error")))
    return ": ".join(words) + (f"; {advice}" if advice else "")


_ADVICE = {
    "invalid_client": "does it know --client-id with this secret, or with this key (--key-id)?",
    "invalid_scope": "ask for what it grants with --scope",
    "unauthorized_client": "register the client for the grant client_credentials",
}
"""By the error codes of RFC 6749 5.2."""


def _signer(registration: Registration) -> Callable[[dict[str, Any]], str]:
    """A function that signs claims with the private key: RS384 for RSA, ES384 for P-384."""
    try:
        import jwt  # noqa: PLC0415 - an extra, needed for this way only
    except ImportError:
        raise ConfigError("--private-key needs the extra: pip install 'fhirpkg[smart]'") from None
    path = registration.private_key
    assert path is not None, "only a registration with a key signs"
    text = private_file(path)
    if "ENCRYPTED" in text:
        raise ConfigError(
            f"{path}: this key is encrypted; decrypt it into a file that only you can read"
        )
    try:
        if text.lstrip().startswith("{"):
            given = json.loads(text)
            key, kid = jwt.PyJWK(given, _ALGORITHMS[given["kty"]]).key, given.get("kid")
        else:
            key, kid = _pem(text), None
        algorithm = "ES384" if hasattr(key, "curve") else "RS384"
        headers = {"kid": registration.key_id or kid} if registration.key_id or kid else None
        jwt.encode({}, key, algorithm, headers)
    except (ValueError, TypeError, KeyError, jwt.PyJWTError) as error:
        problem = f"it cannot sign ({type(error).__name__}); SMART takes RSA and EC P-384 keys"
        raise ConfigError(f"{path}: {problem}") from None
    return lambda claims: jwt.encode(claims, key, algorithm, headers)


_ALGORITHMS = {"RSA": "RS384", "EC": "ES384"}


def _pem(text: str) -> Any:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - an extra
        load_pem_private_key,
    )

    return load_pem_private_key(text.encode(), None)


def _safe(url: str) -> str:
    """A token endpoint that secrets may be sent to: https, or this machine."""
    parts = urlsplit(url)
    local = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ConfigError(f"{url}: a token endpoint must be https, because secrets are sent to it")
    return url


def _json_object(answer: Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
