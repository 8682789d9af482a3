"""How a client proves who it is: basic, bearer, OAuth 2 client credentials, SMART backend services.

A secret is never an argument: it is named as ``env:NAME``, ``file:PATH`` or ``command:COMMAND``
and read when it is needed. SMART's flow is
https://hl7.org/fhir/smart-app-launch/backend-services.html.
"""

from __future__ import annotations

import base64
import os
import shlex
import stat
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

_EARLY = 30.0
"""A token is renewed this many seconds before it ends."""
_COMMAND_LIMIT = 60


@dataclass(frozen=True, slots=True)
class Grant:
    """One Authorization header and the moment it ends, in seconds since 1970."""

    header: str
    expires: float | None = None

    def __repr__(self) -> str:
        return f"Grant(header='***', expires={self.expires})"


class Authorization:
    """An Authorization header that is fetched when first needed and renewed before it ends."""

    def __init__(
        self, fetch: Callable[[], Grant], *, clock: Callable[[], float] = time.time
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._grant: Grant | None = None

    def header(self) -> str:
        """The header as it is good now."""
        grant = self._grant
        if grant is None or (grant.expires is not None and self._clock() > grant.expires - _EARLY):
            self._grant = grant = self._fetch()
        return grant.header

    def renew(self) -> bool:
        """Fetch anew after a refusal; False when that gives the same again."""
        refused, self._grant = self._grant, self._fetch()
        return refused is None or refused.header != self._grant.header


def basic(user: str, password: str) -> Authorization:
    """HTTP basic authentication; `password` names a secret."""

    def fetch() -> Grant:
        pair = f"{user}:{secret(password)}".encode()
        return Grant(f"Basic {base64.b64encode(pair).decode()}")

    return Authorization(fetch)


def bearer(token: str) -> Authorization:
    """A bearer token that something else obtains; `token` names a secret, read again on 401."""
    return Authorization(lambda: Grant(f"Bearer {secret(token)}"))


def secret(name: str) -> str:
    """The secret that is named as ``env:NAME``, ``file:PATH`` or ``command:COMMAND``.

    Raises ConfigError when it is not there, open to everybody, or written out itself.
    """
    kind, _, rest = name.partition(":")
    if kind not in _SOURCES or not rest:
        # What was given is not repeated: it may be the secret itself.
        raise ConfigError(
            "give the place of the secret, not the secret: env:NAME, file:PATH or command:COMMAND"
        )
    found = _SOURCES[kind](rest).strip()
    if not found:
        raise ConfigError(f"{name}: the secret is empty")
    return found


def private_file(path: Path) -> str:
    """The text of a file that holds a secret; ConfigError when everybody may read it."""
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the secret cannot be read ({error})") from error
    if os.name == "posix" and mode & stat.S_IROTH:
        raise ConfigError(f"{path}: everybody may read this secret; run chmod 600 on it")
    return text


def _from_environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise ConfigError(f"env:{name}: this environment variable is not set") from None


def _from_command(command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the user names the command that prints the token
            shlex.split(command), capture_output=True, text=True, timeout=_COMMAND_LIMIT, check=True
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = (
            f"status {error.returncode}" if hasattr(error, "returncode") else type(error).__name__
        )
        raise ConfigError(f"command:{shlex.split(command)[0]} failed ({reason})") from None
    return done.stdout


_SOURCES: dict[str, Callable[[str], str]] = {
    "env": _from_environment,
    "file": lambda path: private_file(Path(path)),
    "command": _from_command,
}
