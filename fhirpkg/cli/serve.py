"""`fhirpkg serve`: the embedded FHIR server, until it is stopped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import socket

    import uvicorn

    from fhirpkg.server.hooks import HookAccess
    from fhirpkg.server.web.access import Access


@click.command(name="serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=8080,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--store",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that keeps the resources; without it they are lost when the server stops.",
)
@click.option(
    "--sources",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A folder of authored procedures: pages then show where each fact of the source went.",
)
@click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Allow browser pages of this origin (https://app.example.org) to call; may be repeated.",
)
@click.option(
    "--tls-cert",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Serve TLS with this certificate (PEM).",
)
@click.option(
    "--tls-key",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The key of --tls-cert, unless it is in the same file.",
)
@click.option(
    "--token",
    metavar="SECRET",
    help="Require this bearer token, which allows everything: env:NAME, file:PATH or command:…",
)
@click.option(
    "--jwks",
    metavar="FILE|URL",
    help="Accept SMART tokens signed with these keys; their scopes limit what they allow.",
)
@click.option("--issuer", metavar="URL", help="The issuer of the tokens of --jwks (iss).")
@click.option(
    "--token-url",
    metavar="URL",
    help="Where clients get the tokens of --jwks; published in .well-known/smart-configuration.",
)
@click.option("--audience", metavar="URL", help="The audience of the tokens of --jwks (aud).")
@click.option(
    "--cds-client",
    "cds_clients",
    multiple=True,
    metavar="ISSUER=FILE|URL",
    help="Answer CDS Hooks calls of this client only; its keys: a PEM file, a JWKS file or url.",
)
@click.option(
    "--cds-audience",
    metavar="URL",
    help="The public address of /cds-services; the audience of a token is a service below it.",
)
@click.option(
    "--cds-fhir-server",
    "cds_fhir_servers",
    multiple=True,
    metavar="URL",
    help="A FHIR server to ask for data that a CDS Hooks call does not include.",
)
def command(
    host: str,
    port: int,
    store: Path | None,
    sources: Path | None,
    origins: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    token: str | None,
    jwks: str | None,
    issuer: str | None,
    token_url: str | None,
    audience: str | None,
    cds_clients: tuple[str, ...],
    cds_audience: str | None,
    cds_fhir_servers: tuple[str, ...],
) -> None:
    """Run an embedded FHIR R4 server at /fhir, for development and small sites.

    The plans it holds are offered as CDS Hooks services at /cds-services. Anybody who can
    reach it may read and write, unless --token or --jwks is given; --cds-client says who may
    call hooks. It listens on this machine only, unless --host says otherwise.
    For anything larger use a full server such as HAPI FHIR.

    Example: fhirpkg serve --store fhir.db
    """
    from fhirpkg.server.endpoint import open_endpoint
    from fhirpkg.server.web.app import create_app
    from fhirpkg.server.web.listening import http_server

    hook_access = _hook_access(cds_clients, cds_audience, cds_fhir_servers)
    access = _access(token, jwks, issuer, audience, token_url)
    _check_origins(origins)
    _check_certificate(tls_cert, tls_key)
    with _listener(host, port) as listener:
        endpoint = open_endpoint(store)
        try:
            app = create_app(
                endpoint,
                hook_access=hook_access,
                origins=origins,
                host=host,
                access=access,
                sources=sources,
            )
            server = http_server(app, certificate=tls_cert, key=tls_key)
            _end_in_good_order(server)
            if not (token or jwks):
                _warn_of_openness(host)
            _say(listener, host, store, "https" if tls_cert else "http")
            server.run(sockets=[listener])
        finally:
            endpoint.store.close()


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ConfigError when the address cannot be had."""
    from fhirpkg.errors import ConfigError
    from fhirpkg.server.web.listening import listen

    try:
        return listen(host, port)
    except OSError as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"cannot listen on {host} port {port}: {reason}; choose another with --host or --port"
        ) from None


def _warn_of_openness(host: str) -> None:
    if host not in {"127.0.0.1", "localhost", "::1"}:
        click.echo("there is no authentication: whoever reaches this port can write", err=True)


def _say(listener: socket.socket, host: str, store: Path | None, scheme: str) -> None:
    shown = f"[{host}]" if ":" in host else host
    kept = f"kept in {store}" if store else "not kept: gone when the server ends (see --store)"
    click.echo(f"resources are {kept}", err=True)
    click.echo(f"{scheme}://{shown}:{listener.getsockname()[1]}/fhir")


def _hook_access(
    pairs: tuple[str, ...], audience: str | None, fhir_servers: tuple[str, ...]
) -> HookAccess:
    """Who may call hooks, and where data are fetched. Raises ConfigError for what does not fit."""
    from fhirpkg.client.client import checked_base_url
    from fhirpkg.errors import ConfigError
    from fhirpkg.server.cds.keys import KeySet, check_place
    from fhirpkg.server.cds.tokens import HookClients
    from fhirpkg.server.hooks import PATH, HookAccess

    if bool(pairs) != bool(audience):
        raise ConfigError("--cds-client and --cds-audience must be given together")
    servers = tuple(checked_base_url(server) for server in fhir_servers)
    if not audience:
        return HookAccess(None, servers)
    root = checked_base_url(audience).partition(PATH)[0]
    keys = {}
    for pair in pairs:
        issuer, place = _issuer_and_place(pair)
        keys[issuer] = KeySet(check_place(place))
        keys[issuer].read()
    return HookAccess(HookClients(keys, root + PATH), servers)


def _issuer_and_place(pair: str) -> tuple[str, str]:
    """Issuer and keys of `ISSUER=FILE` or `ISSUER=https://…`, which may hold `=` themselves."""
    from fhirpkg.errors import ConfigError

    match = re.fullmatch(r"(.+?)=(https?://.+)|(.+)=([^=]+)", pair)
    if match is None:
        raise ConfigError(f"--cds-client '{pair}' is not ISSUER=FILE or ISSUER=URL")
    issuer, place = match[1] or match[3], match[2] or match[4]
    if not match[2] and not Path(place).is_file():
        raise ConfigError(f"--cds-client '{pair}': there is no file {place}")
    return issuer, place


def _access(
    token: str | None,
    jwks: str | None,
    issuer: str | None,
    audience: str | None,
    token_url: str | None,
) -> Access:
    """What requests need. Raises ConfigError for what does not fit."""
    from fhirpkg.client.auth import secret
    from fhirpkg.client.client import checked_base_url
    from fhirpkg.errors import ConfigError
    from fhirpkg.server.cds.keys import KeySet, check_place
    from fhirpkg.server.web.access import Access, Issuer

    if len({bool(jwks), bool(issuer), bool(audience)}) > 1:
        raise ConfigError("--jwks, --issuer and --audience must be given together")
    if token_url and not jwks:
        raise ConfigError("--token-url needs --jwks")
    known = None
    if jwks and issuer and audience:
        keys = KeySet(check_place(jwks))
        keys.read()
        known = Issuer(keys, issuer, audience, checked_base_url(token_url) if token_url else "")
    return Access(secret(token) if token else "", known)


def _check_origins(origins: tuple[str, ...]) -> None:
    from urllib.parse import urlsplit

    from fhirpkg.errors import ConfigError

    for origin in origins:
        parts = urlsplit(origin)
        if origin != f"{parts.scheme}://{parts.netloc}" or parts.scheme not in {"http", "https"}:
            raise ConfigError(f"--origin '{origin}' is not scheme://host or scheme://host:port")


def _check_certificate(certificate: Path | None, key: Path | None) -> None:
    import ssl

    from fhirpkg.errors import ConfigError

    if key and not certificate:
        raise ConfigError("--tls-key needs --tls-cert")
    try:
        if certificate:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError) as error:
        raise ConfigError(
            f"--tls-cert {certificate}: certificate and key cannot be loaded: {error}"
        ) from None


def _end_in_good_order(server: uvicorn.Server) -> None:
    """Let SIGTERM and Ctrl-C end a server in good order, from now on: before it runs as well."""
    import signal

    def end(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn has its own handlers while it runs; then it sends the signal again to these.
        signal.signal(number, end)
