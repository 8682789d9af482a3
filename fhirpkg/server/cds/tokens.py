"""JWTs of CDS clients: who calls, with which key, for which service, once.

https://cds-hooks.hl7.org/2.0/#trusting-cds-clients. A token is refused for any doubt, with 401 and
a reason that repeats nothing of it. Keys come from what the server was started with, never from an
address in a token (`jku`).
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from fhirpkg.applying.hooks.requests import HookError
from fhirpkg.server.cds.keys import UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.server.cds.keys import KeySet

ALGORITHMS = ("ES384", "RS384", "ES256", "RS256")
LONGEST_LIFE = 3600
"""Seconds from now to `exp`, and from `iat` to `exp`, at most."""
_SKEW = 30
"""Seconds that the clocks of client and server may differ."""
_LARGEST_TOKEN = 16 * 1024
_MOST_REMEMBERED = 100_000
_CLAIMS = ("iss", "aud", "exp", "iat", "jti")


@dataclass(slots=True)
class HookClients:
    """Who may call: the keys of each issuer, and the address clients know this server by."""

    keys: Mapping[str, KeySet]
    address: str
    """Of the services, such as ``https://cds.example.org/cds-services``."""
    clock: Callable[[], float] = time.time
    _started: int = 0
    """Tokens issued before are refused: which of them were used already is forgotten."""
    _seen: dict[tuple[str, str], float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._started = int(self.clock())

    def check(self, authorization: str, paths: list[str]) -> None:
        """Accept the token of a known client for one of the paths below the address.

        Raises UnauthorizedError.
        """
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise UnauthorizedError("a call needs the client's JWT as a bearer token", given=False)
        if len(token) > _LARGEST_TOKEN:
            _refuse("it is too long")
        issuer, header = _unproven(token)
        keys = self.keys.get(issuer)
        if keys is None:
            _refuse("its issuer is not known here")
        claims = _proven(token, keys.key(header), issuer, [f"{self.address}/{p}" for p in paths])
        self._check_life(claims)
        self._remember(issuer, claims)

    def _check_life(self, claims: dict[str, Any]) -> None:
        now = self.clock()
        if claims["exp"] - min(now, claims["iat"]) > LONGEST_LIFE + _SKEW:
            _refuse(f"it is valid for longer than {LONGEST_LIFE // 60} minutes")
        if claims["iat"] < self._started:
            _refuse("it was issued before this service started")

    def _remember(self, issuer: str, claims: dict[str, Any]) -> None:
        """Take a `jti` once; those that have expired are forgotten."""
        jti = claims["jti"]
        if not isinstance(jti, str) or not 0 < len(jti) <= 256:
            _refuse("its jti is not text of 1 to 256 characters")
        now = self.clock()
        with self._lock:
            if len(self._seen) >= _MOST_REMEMBERED:
                self._seen = {k: end for k, end in self._seen.items() if end > now}
            if len(self._seen) >= _MOST_REMEMBERED:
                raise HookError(503, "too many tokens are in use; try again in some minutes")
            if self._seen.get((issuer, jti), 0) > now:
                _refuse("its jti was used before")
            self._seen[issuer, jti] = claims["exp"] + _SKEW


def _unproven(token: str) -> tuple[str, dict[str, Any]]:
    """Issuer and header of a token that nobody has vouched for yet."""
    import jwt  # noqa: PLC0415 - only when clients are configured

    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except Exception as error:
        raise UnauthorizedError("the token is not accepted: it cannot be read") from error
    if header.get("alg") not in ALGORITHMS:
        _refuse(f"its algorithm is not one of {', '.join(ALGORITHMS)}")
    if "crit" in header:
        _refuse("its header requires an extension that is not supported (crit)")
    if not isinstance(issuer, str):
        _refuse("its iss is not text")
    return issuer, header


def _proven(token: str, key: Any, issuer: str, audience: list[str]) -> dict[str, Any]:
    import jwt  # noqa: PLC0415 - only when clients are configured

    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            audience=audience,
            issuer=issuer,
            leeway=_SKEW,
            options={"require": list(_CLAIMS)},
        )
        claims |= {name: int(claims[name]) for name in ("exp", "iat")}
    except Exception as error:
        reason = _REASONS.get(type(error).__name__, "it cannot be verified")
        raise UnauthorizedError(f"the token is not accepted: {reason}") from error
    return claims


_REASONS = {
    "ExpiredSignatureError": "it has expired",
    "ImmatureSignatureError": "it is not yet valid (iat or nbf)",
    "InvalidAudienceError": "its aud is not the address of this service",
    "InvalidSignatureError": "its signature is not of the client's key",
    "MissingRequiredClaimError": f"it lacks one of {', '.join(_CLAIMS)}",
}


def _refuse(reason: str) -> NoReturn:
    raise UnauthorizedError(f"the token is not accepted: {reason}")
