"""What the answer to one entry of a transaction or batch says: how it ended, and where."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.client.response import Response, outcome_texts, version_of_etag
from fhirpkg.publishing.writing.strategy import Key

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.publishing.survey import Item


def entry_response(told: Resource) -> Response:
    """An entry's answer as a Response; a success that reports errors is unclear."""
    status = str(told.get("status", ""))[:3]
    given = told.get("outcome")
    outcome = given if isinstance(given, dict) and "resourceType" in given else None
    words = "; ".join(outcome_texts(outcome))
    response = Response(
        int(status) if status.isdigit() else 0,
        {"etag": f'W/"{version_of_etag(str(told.get("etag") or ""))}"'},
        outcome,
        str(told.get("problem") or words or "no reason given"),
    )
    return replace(response, status=0) if response.ok and not response.worked else response


def place_of(item: Item, told: Resource, resource: Resource | None, key: Key) -> str:
    """Where a new resource is; the host in a Location is ignored."""
    if key is Key.ID:
        return item.local
    resource_type = item.local.partition("/")[0]
    parts = str(told.get("location", "")).split("/")
    if resource_type in parts and parts.index(resource_type) + 1 < len(parts):
        return f"{resource_type}/{parts[parts.index(resource_type) + 1]}"
    if resource and resource.get("id"):
        return f"{resource_type}/{resource['id']}"
    return ""


def version_in(location: str) -> str:
    """The version that a location names, or nothing."""
    _, found, version = location.partition("/_history/")
    return version if found else ""


def unclear(response: Response) -> str:
    """What to say of a success that does not answer each entry."""
    words = "; ".join(outcome_texts(response.outcome))
    return words or "the answer does not cover every entry"
