"""Public keys of CDS clients: a PEM file, or a JWKS in a file or at an address, with rotation.

A JWKS is read again when a token names a key (`kid`) that it does not hold, but not all the time:
strangers could make us read it by naming keys that do not exist.
"""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fhirpkg.applying.hooks.requests import HookError
from fhirpkg.errors import ConfigError, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

_PATIENCE = 30.0
"""Seconds between two readings for the sake of an unknown key."""
_LONGEST_KEPT = 3600.0
"""Seconds after which a JWKS is read again, so that a withdrawn key is not good forever."""
_TIMEOUT = (5, 5)
_CHALLENGE = 'Bearer realm="CDS Hooks"'
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class UnauthorizedError(HookError):
    """A call without a token that can be accepted (401)."""

    def __init__(self, reason: str, *, given: bool = True) -> None:
        super().__init__(401, reason)
        error = ', error="invalid_token"' if given else ""
        self.headers = {"WWW-Authenticate": _CHALLENGE + error}


@dataclass(slots=True)
class KeySet:
    """The keys of one client, read from `place`: a file, or an https address."""

    place: str
    clock: Callable[[], float] = time.monotonic
    _keys: dict[str, Any] = field(default_factory=dict)
    _alone: Any = None
    """The key of a PEM file, which has no name."""
    _read_at: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def key(self, header: dict[str, Any]) -> Any:
        """The key that the header of a token names. Raises UnauthorizedError."""
        with self._lock:
            self._read_when_due(header.get("kid"))
            if self._alone is not None:
                return self._alone
            kid = header.get("kid")
            if not isinstance(kid, str):
                raise UnauthorizedError("the token is not accepted: it names no key (kid)")
            if _is_address(self.place) and header.get("jku", self.place) != self.place:
                raise UnauthorizedError("the token is not accepted: its jku is not the known one")
            if kid not in self._keys:
                raise UnauthorizedError("the token is not accepted: its key (kid) is not known")
            return self._keys[kid]

    def read(self) -> None:
        """Read the keys. Raises ConfigError when there are none that can be used."""
        text = _fetched(self.place) if _is_address(self.place) else _content(self.place)
        self._read_at = self.clock()
        if text.lstrip().startswith("{"):
            self._keys, self._alone = _keys_of(text, self.place), None
        else:
            self._keys, self._alone = {}, _pem_key(text, self.place)

    def _read_when_due(self, kid: object) -> None:
        age = None if self._read_at is None else self.clock() - self._read_at
        unknown = self._alone is None and kid not in self._keys
        if age is None or age > _LONGEST_KEPT or (unknown and age > _PATIENCE):
            try:
                self.read()
            except ConfigError:
                self._read_at = self.clock()  # keep the present keys, and do not ask at every call


def check_place(place: str) -> str:
    """A file or address of keys. Raises ConfigError for an address without https."""
    if _is_address(place):
        parts = urlsplit(place)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ConfigError(f"keys from '{place}' could be changed on the way; use https")
    return place


def _is_address(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _content(place: str) -> str:
    try:
        return Path(place).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{place}: the client's keys cannot be read: {error}") from error


def _fetched(place: str) -> str:
    from fhirpkg.client.client import FhirClient  # noqa: PLC0415 - only for keys at an address
    from fhirpkg.client.retry import RetryPolicy  # noqa: PLC0415

    try:
        with FhirClient(place, retry=RetryPolicy(0), timeout=_TIMEOUT, stays=True) as client:
            answer = client.request("GET", "", headers={"Accept": "application/json"})
    except ServerError as error:
        raise ConfigError(f"{place}: the client's keys cannot be fetched") from error
    if answer.status != 200:
        raise ConfigError(f"{place}: answers {answer.status} instead of keys")
    return answer.text


def _keys_of(text: str, place: str) -> dict[str, Any]:
    """The public signing keys of a JWKS by their `kid`."""
    import jwt  # noqa: PLC0415 - only when clients are configured

    found = {}
    try:
        for item in json.loads(text)["keys"]:
            if item.get("use", "sig") == "sig" and item.get("kty") in {"RSA", "EC"}:
                public = {k: v for k, v in item.items() if k not in _PRIVATE}
                found[str(item["kid"])] = _strong(jwt.PyJWK(public).key, place)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
        jwt.PyJWTError,
    ) as error:
        raise ConfigError(f"{place}: this is not a JWKS of RSA or EC keys with a kid") from error
    if not found:
        raise ConfigError(f"{place}: the JWKS holds no RSA or EC key for signatures")
    return found


_PRIVATE = ("d", "p", "q", "dp", "dq", "qi", "oth")


def _pem_key(text: str, place: str) -> Any:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_pem_public_key,
    )

    try:
        return _strong(load_pem_public_key(text.encode()), place)
    except ValueError as error:
        raise ConfigError(f"{place}: this is neither a PEM public key nor a JWKS") from error


def _strong(key: Any, place: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa  # noqa: PLC0415

    if not isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
        raise ConfigError(f"{place}: a key is neither RSA nor EC")
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        raise ConfigError(f"{place}: an RSA key has {key.key_size} bits; 2048 are needed")
    return key
