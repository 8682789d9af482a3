"""The options by which every verb that talks to a server reaches it, and the client they make.

Secrets are named (``env:NAME``, ``file:PATH``, ``command:COMMAND``), never written out: arguments
are seen by everybody on the machine and kept in the shell's history.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.client.auth import Authorization
    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.retry import RetryPolicy

_FILE = click.Path(path_type=Path, dir_okay=False)
_OPTIONS = (
    click.option("--server", required=True, metavar="URL", help="Base url of the FHIR server."),
    click.option("--token", metavar="SECRET", help="Bearer token: env:NAME, file:PATH, command:…"),
    click.option("--user", metavar="NAME", help="User for basic authentication."),
    click.option("--password", metavar="SECRET", help="Password of --user or of --key."),
    click.option("--client-id", metavar="ID", help="OAuth 2 client: with --client-secret or"
                 " --private-key (SMART backend services)."),
    click.option("--client-secret", metavar="SECRET", help="Secret of --client-id."),
    click.option("--private-key", type=_FILE, help="PEM or JWK that signs for --client-id."),
    click.option("--key-id", metavar="KID", help="Id of the private key in the client's JWKS."),
    click.option("--token-url", metavar="URL", help="Token endpoint; by default the server's own."),
    click.option("--scope", metavar="SCOPES", help="OAuth 2 scopes; by default system/*.cruds."),
    click.option("--ca", type=_FILE, help="PEM file of the authority that issued the server's"
                 " certificate."),
    click.option("--cert", type=_FILE, help="Client certificate (PEM), for mutual TLS."),
    click.option("--key", type=_FILE, help="The private key of --cert, if it is in another file."),
    click.option("--retry-for", type=click.FloatRange(min=0), default=60.0, metavar="SECONDS",
                 show_default=True, help="Give up after this long without progress."),
)  # fmt: skip

_SETTINGS = ("token", "user", "password", "client_id", "client_secret", "private_key", "key_id",
             "token_url", "scope", "ca", "cert", "key")  # fmt: skip


def server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a server; they arrive as keyword arguments for `connect`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def optional_server_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a verb that can do without a server."""
    server = click.option("--server", metavar="URL", help="Base url of a FHIR server.")
    for option in reversed((server, *_OPTIONS[1:])):
        command = option(command)
    return command


def connection_settings(options: Mapping[str, Any]) -> dict[str, Any]:
    """Of all options of a verb those that `connect` takes."""
    return {name: options[name] for name in ("server", "retry_for", *_SETTINGS)}


def connect(server: str, *, retry_for: float, **options: Any) -> FhirClient:
    """The client that the options describe; its server has answered and speaks R4.

    Raises ConfigError for options that do not fit together, ServerError for a useless server.
    """
    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.retry import RetryPolicy
    from fhirpkg.client.transport import tls_context
    from fhirpkg.errors import ConfigError

    if options["key"] and not options["cert"]:
        raise ConfigError("--key needs --cert")
    password = None
    if options["password"] and not options["user"]:
        from fhirpkg.client.auth import secret

        password = secret(options["password"])
    tls = tls_context(options["ca"], options["cert"], options["key"], password)
    retry = RetryPolicy(retry_for)
    auth = _authorization(server, retry, tls, options)
    client = FhirClient(server, auth=auth, retry=retry, tls=tls, stays=True)
    client.capabilities()
    return client


def reading_client(url: str, token: str | None = None) -> FhirClient:
    """A client that only reads from another server; `token` names a secret, as in `--token`.

    Raises ServerError for a server that cannot be used.
    """
    from fhirpkg.client.auth import bearer
    from fhirpkg.client.client import FhirClient

    client = FhirClient(url, auth=bearer(token) if token else None, stays=True)
    client.capabilities()
    return client


def _authorization(
    server: str, retry: RetryPolicy, tls: Any, options: dict[str, Any]
) -> Authorization | None:
    from fhirpkg.client.auth import basic, bearer
    from fhirpkg.errors import ConfigError

    ways = [name for name in ("token", "user", "client_id") if options[name]]
    if len(ways) > 1:
        named = " and ".join(f"--{name.replace('_', '-')}" for name in ways)
        raise ConfigError(f"{named} cannot be used together; give one")
    if options["token"]:
        return bearer(options["token"])
    if options["user"]:
        if not options["password"]:
            raise ConfigError("--user needs --password")
        return basic(options["user"], options["password"])
    if options["client_id"]:
        from fhirpkg.client.oauth import Registration, client_credentials

        registration = Registration(
            client_id=options["client_id"],
            secret=options["client_secret"],
            private_key=options["private_key"],
            key_id=options["key_id"],
            token_url=options["token_url"],
            scope=options["scope"],
        )
        return client_credentials(server, registration, retry=retry, tls=tls)
    return None
