"""A FHIR package registry: which versions there are, and the archive of one. The only network here.

The protocol is npm's, as https://hl7.org/fhir/packages.html and the registries have it:
``GET registry/name`` lists the versions, ``GET registry/name/version`` is the archive.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import requests

from fhirpkg.canonical import PackageId, version_key, version_matches
from fhirpkg.errors import PackageError

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_REGISTRY = "https://packages.fhir.org"
"""Taken when FPL_REGISTRY names no other."""

_TIMEOUT = (10, 60)
_MAX_ARCHIVE = 256 * 1024 * 1024
_CHUNK = 256 * 1024
_MOVING = ("current", "dev")


@dataclass(frozen=True, slots=True)
class Distribution:
    """One published version: where its archive is and, if the registry tells, its SHA-1."""

    id: PackageId
    url: str
    sha1: str = ""


class RegistryClient:
    """A registry at `base` or FPL_REGISTRY; FPL_REGISTRY_TOKEN is sent to that host only."""

    def __init__(self, base: str | None = None, token: str | None = None) -> None:
        self.base = (base or os.environ.get("FPL_REGISTRY") or DEFAULT_REGISTRY).rstrip("/")
        self._token = token or os.environ.get("FPL_REGISTRY_TOKEN")
        self._session = requests.Session()

    def resolve(self, wanted: PackageId) -> Distribution:
        """The newest release that satisfies an id: exact, ``1.2.x``, ``latest`` or no version.

        Raises PackageError when there is none, or for builds that change under their name.
        """
        version = wanted.version or "latest"
        if version.split("$")[0] in _MOVING:
            problem = f"'{version}' is a build that changes and has no place in a registry"
            raise PackageError(str(wanted), problem, "name a published version")
        listing = self._listing(wanted)
        versions = listing.get("versions")
        known = versions if isinstance(versions, dict) else {}
        chosen = _choose(version, listing, list(known))
        if chosen is None:
            there = ", ".join(sorted(known, key=version_key)[-5:]) or "none"
            raise PackageError(str(wanted), f"{self.base} has no such version; there are: {there}")
        dist = known[chosen].get("dist") if isinstance(known[chosen], dict) else None
        place = dist if isinstance(dist, dict) else {}
        url = urljoin(self.base + "/", str(place.get("tarball") or f"{wanted.name}/{chosen}"))
        return Distribution(PackageId(wanted.name, chosen), url, str(place.get("shasum") or ""))

    def download(
        self, distribution: Distribution, progress: Callable[[int, int], None] | None = None
    ) -> bytes:
        """The archive of a distribution; `progress` is told bytes so far and in all (0: unknown).

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
                        raise PackageError(name, f"its archive is over {_MAX_ARCHIVE >> 20} MB")
                    if progress:
                        progress(len(archive), total)
            except requests.RequestException as error:
                raise PackageError(
                    name, f"the download from {distribution.url} broke off"
                ) from error
        if (
            distribution.sha1
            and hashlib.sha1(archive, usedforsecurity=False).hexdigest() != distribution.sha1
        ):
            raise PackageError(
                name, f"the archive at {distribution.url} is not the one the registry lists"
            )
        return bytes(archive)

    def _listing(self, wanted: PackageId) -> dict[str, Any]:
        response = self._get(f"{self.base}/{wanted.name}", str(wanted))
        try:
            listing = response.json()
        except requests.JSONDecodeError:
            listing = None
        if not isinstance(listing, dict):
            raise PackageError(str(wanted), f"{self.base} answers no package listing")
        return listing

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token; as a header of its own it would yield to a line in ~/.netrc."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request

    def _get(self, url: str, package: str, *, stream: bool = False) -> requests.Response:
        headers = {"Accept": "application/json, application/gzip, */*"}
        is_ours = urlsplit(url).netloc == urlsplit(self.base).netloc
        auth = self._authorize if self._token and is_ours else None
        try:
            response = self._session.get(
                url, headers=headers, auth=auth, timeout=_TIMEOUT, stream=stream
            )
        except requests.RequestException as error:
            advice = (
                "work from the cache with --offline, or set FPL_REGISTRY to a registry in reach"
            )
            raise PackageError(package, f"{url} cannot be reached", advice) from error
        if response.status_code == 404:
            raise PackageError(package, f"{self.base} does not have it")
        if response.status_code != 200:
            raise PackageError(package, f"{url} answers with status {response.status_code}")
        return response


def _choose(version: str, listing: dict[str, Any], known: list[str]) -> str | None:
    """The version of a listing that is meant; a release before pre-releases where it is open."""
    if version in known:
        return version
    if version == "latest":
        tags = listing.get("dist-tags")
        tagged = tags.get("latest") if isinstance(tags, dict) else None
        if tagged in known:
            return str(tagged)
        fitting = known
    else:
        fitting = [found for found in known if version_matches(version, found)]
    releases = [found for found in fitting if "-" not in found] or fitting
    return max(releases, key=version_key, default=None)
