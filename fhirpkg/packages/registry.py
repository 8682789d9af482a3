"""A FHIR package registry: which versions there are, and the archive of one. The only network here.

The protocol is npm's, as https://hl7.org/fhir/packages.html and the registries have it:
``GET registry/name`` lists the versions, ``GET registry/name/version`` is the archive.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter, Retry

from fhirpkg.canonical import PackageId, is_build, version_key, version_matches
from fhirpkg.errors import ConfigError, PackageError

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_REGISTRY = "https://packages.fhir.org"
FALLBACK_REGISTRY = "https://packages2.fhir.org/packages"
"""Taken when FPL_REGISTRY names no other: the first, then for what it has not the second."""

_TIMEOUT = (10, 60)
_MAX_ARCHIVE = 256 * 1024 * 1024
_CHUNK = 256 * 1024
_MOST_REDIRECTS = 5
_BUSY = (429, 502, 503, 504)
_AGAIN = Retry(
    total=2,
    connect=0,
    other=0,
    backoff_factor=0.5,
    status_forcelist=_BUSY,
    raise_on_status=False,
    respect_retry_after_header=False,  # which may name hours
)
"""A busy registry is asked twice more, after 0 s and 1 s; one that cannot be reached is not."""
_ALGORITHMS = ("sha1", "sha256", "sha384", "sha512")
"""Of npm's integrity, the strongest last."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """One published version: the url of its archive and, if stated, the hash of its bytes."""

    id: PackageId
    url: str
    sha1: str = ""
    integrity: str = ""
    """npm's Subresource Integrity: ``sha512-`` and the digest in base64, perhaps several."""
    note: str = ""
    """What the user should know of the choice of this version."""


def registry_for(name: str) -> RegistryClient:
    """The registry that a package is to come from, and no other.

    FHIRPKG_REGISTRIES holds the namespaces with a registry of their own, between blanks:
    ``acme=https://npm.acme.example`` is for ``acme.anything``; ``acme=https://…|ACME_TOKEN`` sends
    the token in that environment variable. The longest namespace wins; all else comes from
    FPL_REGISTRY. Raises ConfigError for an entry that cannot be read.
    """
    best: tuple[str, str, str] | None = None
    for entry in os.environ.get("FHIRPKG_REGISTRIES", "").split():
        namespace, found, place = entry.partition("=")
        url, _, variable = place.partition("|")
        if not found or not namespace or not url.startswith(("https://", "http://")):
            raise ConfigError(
                f"FHIRPKG_REGISTRIES: {entry!r} is not NAMESPACE=URL[|TOKEN_VARIABLE]"
            )
        namespace = namespace.rstrip(".*").lower()
        is_in = name.lower() == namespace or name.lower().startswith(f"{namespace}.")
        if is_in and (best is None or len(namespace) > len(best[0])):
            best = namespace, url, variable
    if best is None:
        return RegistryClient()
    token = os.environ.get(best[2], "") if best[2] else ""
    return RegistryClient(best[1], token, is_own_namespace=True)


def find(wanted: PackageId) -> tuple[RegistryClient, Distribution]:
    """The release that satisfies an id, and the registry that has it.

    Raises PackageError, with the words of the first registry, when there is none.
    """
    registry = registry_for(wanted.name)
    try:
        return registry, registry.resolve(wanted)
    except PackageError:
        if registry.is_own_namespace or os.environ.get("FPL_REGISTRY"):
            raise
        fallback = RegistryClient(FALLBACK_REGISTRY, token="")
        with contextlib.suppress(PackageError):  # what the first one says is what the user needs
            distribution = fallback.resolve(wanted)
            note = f"from {fallback.base}, because {registry.base} could not provide it"
            notes = "; ".join(filter(None, (note, distribution.note)))
            return fallback, dataclasses.replace(distribution, note=notes)
        raise


class RegistryClient:
    """A registry at `base` or FPL_REGISTRY; FPL_REGISTRY_TOKEN goes with the latter only.

    A token is sent to the scheme, host and port of its registry and nowhere else.
    """

    def __init__(
        self,
        base: str | None = None,
        token: str | None = None,
        *,
        is_own_namespace: bool = False,
    ) -> None:
        self.base = (base or os.environ.get("FPL_REGISTRY") or DEFAULT_REGISTRY).rstrip("/")
        self._token = os.environ.get("FPL_REGISTRY_TOKEN") if token is None else token
        self.is_own_namespace = is_own_namespace
        """Whether FHIRPKG_REGISTRIES reserves it for a namespace."""
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_AGAIN))

    def serves(self, url: str) -> bool:
        """Whether a url is on this registry's scheme, host and port."""
        return _origin(url) == _origin(self.base)

    def resolve(self, wanted: PackageId) -> Distribution:
        """The newest release that satisfies an id: exact, ``1.2.x``, ``latest`` or no version.

        Raises PackageError when there is none, or for builds that change under their name.
        """
        version = wanted.version or "latest"
        if is_build(version):
            problem = f"'{version}' names a build that changes, which registries do not hold"
            raise PackageError(str(wanted), problem, "name a published version")
        listing = self._listing(wanted)
        versions = listing.get("versions")
        known = versions if isinstance(versions, dict) else {}
        chosen, note = _choose(version, listing, list(known))
        if chosen is None:
            there = ", ".join(sorted(known, key=version_key)[-5:]) or "none"
            raise PackageError(str(wanted), f"{self.base} has no such version; the latest: {there}")
        dist = known[chosen].get("dist") if isinstance(known[chosen], dict) else None
        place = dist if isinstance(dist, dict) else {}
        tarball = str(place.get("tarball") or f"{wanted.name}/{chosen}")
        url = _joined(self.base + "/", tarball, str(wanted))
        return Distribution(
            PackageId(wanted.name, chosen),
            url,
            str(place.get("shasum") or ""),
            str(place.get("integrity") or ""),
            note,
        )

    def download(
        self, distribution: Distribution, progress: Callable[[int, int], None] | None = None
    ) -> bytes:
        """The archive of a distribution; `progress` gets the bytes so far and in all (0: unknown).

        Raises PackageError when it cannot be had whole.
        """
        name = str(distribution.id)
        with self._get(distribution.url, name, stream=True) as response:
            total = int(response.headers.get("Content-Length") or 0)
            archive = bytearray()
            try:
                for chunk in response.iter_content(_CHUNK):
                    archive += chunk
                    if len(archive) > _MAX_ARCHIVE:
                        raise PackageError(name, f"its archive exceeds {_MAX_ARCHIVE >> 20} MB")
                    if progress:
                        progress(len(archive), total)
            except requests.RequestException as error:
                raise PackageError(
                    name, f"the download from {distribution.url} broke off"
                ) from error
        if not _is_whole(bytes(archive), distribution):
            raise PackageError(
                name, f"the archive at {distribution.url} is not the one the registry lists"
            )
        return bytes(archive)

    def _listing(self, wanted: PackageId) -> dict[str, Any]:
        response = self._get(f"{self.base}/{wanted.name}", str(wanted))
        try:
            listing = response.json()
        except (requests.JSONDecodeError, RecursionError):
            listing = None
        if not isinstance(listing, dict):
            raise PackageError(str(wanted), f"the answer of {self.base} is not a package listing")
        told = str(listing.get("name", wanted.name))
        if told != wanted.name and told.lower() == wanted.name.lower():
            problem = f"{self.base} calls it {told}; names that differ in case only are refused"
            raise PackageError(str(wanted), problem)
        return listing

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; as a header of its own it would yield to a line in ~/.netrc."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _get(self, url: str, package: str, *, stream: bool = False) -> requests.Response:
        """The answer to a GET; redirects are followed, but never from https to http."""
        headers = {"Accept": "application/json, application/gzip, */*"}
        for _ in range(_MOST_REDIRECTS):
            self._check_scheme(url, package)
            is_ours = _origin(url) == _origin(self.base)
            auth = self._authorize if self._token and is_ours else _without_netrc
            try:
                response = self._session.get(
                    url,
                    headers=headers,
                    auth=auth,
                    timeout=_TIMEOUT,
                    stream=stream,
                    allow_redirects=False,
                )
            except (requests.RequestException, ValueError) as error:  # a redirect may be no url
                advice = (
                    "work from the cache with --offline, or set FPL_REGISTRY to another registry"
                )
                raise PackageError(package, f"{url} cannot be reached", advice) from error
            if not response.is_redirect:
                break
            url = _joined(url, response.headers["Location"], package)
        if response.status_code == 404:
            raise PackageError(package, f"{self.base} does not have it")
        if response.status_code != 200:
            raise PackageError(package, f"{url} answers with status {response.status_code}")
        return response

    def _check_scheme(self, url: str, package: str) -> None:
        """Raise PackageError where a registry over https leads to plain http."""
        if not url.startswith(("https://", "http://")):
            raise PackageError(package, f"{self.base} leads to {url}, and only http is followed")
        if self.base.startswith("https://") and not url.startswith("https://"):
            problem = f"{self.base} redirects to {url}, which is not encrypted"
            raise PackageError(package, problem, "ask its operator for an https url")


def _without_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Say that authentication is settled, or requests would send what ~/.netrc holds."""
    return request


def _joined(base: str, url: str, package: str) -> str:
    """A url that a registry gave, made absolute; raises PackageError for what is not one."""
    try:
        joined = urljoin(base, url)
        _origin(joined)
    except ValueError as error:
        raise PackageError(package, f"{base} leads to {url!r}, which is not a url") from error
    return joined


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _is_whole(archive: bytes, distribution: Distribution) -> bool:
    """Whether the bytes are those that the registry lists: by integrity, else by SHA-1.

    An integrity of algorithms that are not known proves nothing, so nothing fits it.
    """
    known = [
        (algorithm, value)
        for algorithm, _, value in (each.partition("-") for each in distribution.integrity.split())
        if algorithm in _ALGORITHMS
    ]
    if distribution.integrity.strip() and not known:
        return False
    if known:
        strongest = max(known, key=lambda each: _ALGORITHMS.index(each[0]))[0]
        digest = base64.b64encode(hashlib.new(strongest, archive).digest()).decode()
        return any(
            value.partition("?")[0] == digest
            for algorithm, value in known
            if algorithm == strongest
        )
    if not distribution.sha1:
        return True
    return hashlib.sha1(archive, usedforsecurity=False).hexdigest() == distribution.sha1.lower()


def _choose(version: str, listing: dict[str, Any], known: list[str]) -> tuple[str | None, str]:
    """The version of a listing that is meant, and what is to be said of the choice.

    A pre-release is never the latest; a wildcard takes one where no release fits.
    """
    if version in known:
        return version, ""
    tags = listing.get("dist-tags")
    tagged = tags.get("latest") if isinstance(tags, dict) else None
    is_open = version == "latest"
    if is_open and tagged in known and "-" not in str(tagged):
        return str(tagged), _newer_major(str(tagged), known)
    fitting = known if is_open else [found for found in known if version_matches(version, found)]
    chosen = max((f for f in fitting if "-" not in f), key=version_key, default=None)
    newest = str(tagged) if is_open and tagged in known else None
    newest = newest or max(fitting, key=version_key, default=None)
    if newest is None or newest == chosen or "-" not in newest:
        return chosen, ""
    if chosen is None and not is_open:
        return newest, "no release fits, so this is a pre-release"
    return chosen, f"the newest is {newest}, a pre-release, which is used only where it is named"


def _newer_major(chosen: str, known: list[str]) -> str:
    """Words on a release of a later major version than the one that the registry calls latest."""
    later = [v for v in known if "-" not in v and version_key(v) > version_key(chosen)]
    newest = max(later, key=version_key, default=chosen)
    if newest.partition(".")[0] == chosen.partition(".")[0]:
        return ""
    return f"{newest} is newer; the registry calls {chosen} its latest, so that is used"
