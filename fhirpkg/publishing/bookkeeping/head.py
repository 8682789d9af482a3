"""Reading and changing a package's head and inventories on a server; the head is the lock.

No clock of ours takes part: how old the head is, the server says (its Date and `lastUpdated`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fhirpkg.client.retry import http_date
from fhirpkg.errors import FhirpkgError, ServerError
from fhirpkg.publishing.bookkeeping.state import (
    HEAD_TYPES,
    INVENTORY_TYPES,
    SYSTEM,
    Head,
    Inventory,
    Phase,
    head_id,
    head_of,
    inventory_of,
)
from fhirpkg.publishing.writing.creations import Done, version_before

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.response import Response
    from fhirpkg.issues import Resource

_A_VERSION_THAT_IS_NOT = {True: "0", False: "00000000-0000-0000-0000-000000000000"}


class ConflictError(FhirpkgError):
    """A conflict with somebody else's work, which was not overwritten."""


def read_head(client: FhirClient, package: str) -> Head | None:
    """The head of a package on this server, or None when there is none."""
    places = [(f"{each}/{head_id(package)}", ()) for each in _offered(client, HEAD_TYPES)]
    client.ask_ahead(
        [*places, *((each, _by_package(package)) for each in _offered(client, HEAD_TYPES))]
    )
    for resource_type in _offered(client, HEAD_TYPES):
        response = client.request("GET", f"{resource_type}/{head_id(package)}", headers=_FRESH)
        if not response.ok:
            response = _found_by_identifier(client, resource_type, package)
        if response.ok and response.resource is not None:
            head = head_of(response.resource, _age(response))
            if head is not None and head.package == package:
                return head
    return None


def write_head(client: FhirClient, head: Head) -> Head:
    """Write the head over the version that it was read at, or create it.

    Raises ConflictError when somebody else changed or created it meanwhile.
    """
    if not head.type or not head.id:
        return _create(client, head)
    path = f"{head.type}/{head.id}"
    headers = {"If-Match": f'W/"{head.etag}"'}
    response = client.request("PUT", path, body=head.resource(), headers=headers)
    if response.status in {409, 412}:
        return _settled(client, head, response)
    _checked(response)
    return reread(client, head)


def proves_if_match(client: FhirClient, head: Head) -> bool:
    """Whether the server refuses a stale If-Match: asked by a write that would change nothing."""
    stale = _A_VERSION_THAT_IS_NOT[head.etag.isdigit()]
    headers = {"If-Match": f'W/"{stale}"'}
    body = head.resource()
    response = client.request("PUT", f"{head.type}/{head.id}", body=body, headers=headers)
    return response.status in {409, 412}


def read_inventory(client: FhirClient, reference: str) -> Inventory | None:
    """An inventory by its reference (which may name a version), or None when it is gone."""
    if not reference:
        return None
    resource_type, _, rest = reference.partition("/")
    resource = client.read(resource_type, rest)
    return inventory_of(resource) if resource else None


def write_inventory(client: FhirClient, inventory: Inventory, reference: str = "") -> str:
    """Write an inventory (over the one at `reference`); the reference it can be read by.

    Raises ServerError when the server takes none.
    """
    if reference:
        resource_type = reference.partition("/")[0]
        resource_id = reference.partition("/")[2]
        body = inventory.resource(resource_type) | {"id": resource_id}
        response = client.request("PUT", reference, body=body)
        if response.worked:
            return reference
        if client.read(resource_type, resource_id) is not None:
            raise response.error()
        # It was deleted, and its id is not ours to choose: make it anew.
    for resource_type in _offered(client, INVENTORY_TYPES):
        body = inventory.resource(resource_type)
        path = f"{resource_type}/{inventory.id}"
        response = client.request("PUT", path, body=body)
        if response.worked:
            return path
        response = _post(client, body, f"identifier={SYSTEM}/manifest|{inventory.id}")
        if response.worked:
            return f"{resource_type}/{_new_id(response)}"
        raise response.error()
    raise ServerError(client.base_url, "offers neither Library nor Binary to keep the inventory in")


def _create(client: FhirClient, head: Head) -> Head:
    for resource_type in _offered(client, HEAD_TYPES):
        new = replace(head, type=resource_type, id=head_id(head.package))
        headers = {"If-None-Match": "*"}
        path = f"{resource_type}/{new.id}"
        response = client.request("PUT", path, body=new.resource(), headers=headers)
        if response.status in {409, 412} or (response.ok and not response.worked):
            return _settled(client, new, response)  # a success that reports an error is unclear
        if not response.worked:
            criteria = f"identifier={SYSTEM}/package|{head.package}"
            response = _post(client, new.resource(), criteria)
            if not response.worked:
                raise response.error()
            new = replace(new, id=_new_id(response))
        return _undisputed(client, reread(client, new))
    problem = "offers neither List nor Basic, and a push needs one of them as its lock"
    raise ServerError(client.base_url, problem)


def _undisputed(client: FhirClient, head: Head) -> Head:
    """A new head, unless it was written over the one of a push that began at the same moment.

    HAPI creates in spite of `If-None-Match: *`; the other push would not know before its end.
    """
    done = Done(f"{head.type}/{head.id}", head.etag, created=True)
    for before in version_before(client, done) or ():
        other = head_of(before, 0)
        if other is not None and other.phase is Phase.PUSHING and other.owner != head.owner:
            raise ConflictError(
                f"{other.package} {other.version} is being pushed by {other.owner}, which began at "
                "the same moment; run push again"
            )
    return head


def reread(client: FhirClient, head: Head) -> Head:
    """Read the head back: it is ours only if it says so, else ConflictError is raised."""
    response = client.request("GET", f"{head.type}/{head.id}", headers=_FRESH)
    found = head_of(response.expect(head.type), _age(response))
    if found is None:
        raise ConflictError(
            f"{head.type}/{head.id} keeps the state of {head.package} on this server and was "
            "changed into something else; delete it there, then push again"
        )
    if (found.owner, found.beat) != (head.owner, head.beat):
        whose = f"{found.package} {found.version} ({found.phase}, by {found.owner})"
        raise ConflictError(f"another push took over: {whose}; when it has ended, push again")
    return found


def _settled(client: FhirClient, head: Head, refusal: Response) -> Head:
    """After a refusal: our own write may be the one that was there first (a lost answer)."""
    try:
        return reread(client, head)
    except ServerError:
        raise refusal.error() from None


def _found_by_identifier(client: FhirClient, resource_type: str, package: str) -> Response:
    """A search answer whose resource is the head, where ids are the server's to choose."""
    query = _by_package(package)
    response = client.request("GET", resource_type, params=query, headers=_FRESH)
    for entry in (response.resource or {}).get("entry", []) if response.ok else []:
        resource = entry.get("resource", {})
        head = head_of(resource, 0) if resource.get("resourceType") == resource_type else None
        if head is not None and head.package == package:
            return replace(response, resource=resource)
    return replace(response, status=404, resource=None)


def _by_package(package: str) -> list[tuple[str, str]]:
    return [("identifier", f"{SYSTEM}/package|{package}")]


def _post(client: FhirClient, body: Resource, criteria: str) -> Response:
    """Conditional create, which may be repeated: it finds what an earlier try made."""
    bare = {key: value for key, value in body.items() if key != "id"}
    headers = {"If-None-Exist": criteria}
    path = str(body["resourceType"])
    return client.request("POST", path, body=bare, headers=headers, repeatable=True)


def _new_id(response: Response) -> str:
    """The id that the server gave, by Location or by the resource it answered."""
    parts = response.headers.get("location", "").split("/")
    if "_history" in parts:
        parts = parts[: parts.index("_history")]
    if len(parts) > 1:
        return parts[-1]
    if response.resource and response.resource.get("id"):
        return str(response.resource["id"])
    raise ServerError(response.url, "created a resource but does not say where", status=201)


def _checked(response: Response) -> None:
    if not response.worked:
        raise response.error()


def _offered(client: FhirClient, types: tuple[str, ...]) -> list[str]:
    capabilities = client.capabilities()
    return [t for t in types if capabilities.offers(t, "read", "update")]


def _age(response: Response) -> float:
    """Seconds since the resource was written, by the server's clock."""
    now = http_date(response.headers.get("date", "")) or datetime.now(UTC).timestamp()
    written = (response.resource or {}).get("meta", {}).get("lastUpdated")
    try:
        return max(0.0, now - datetime.fromisoformat(str(written)).timestamp())
    except ValueError:
        return 0.0


_FRESH = {"Cache-Control": "no-cache"}
