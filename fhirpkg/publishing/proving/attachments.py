"""Attachments that promise a size or a hash, and whether their bytes keep it.

See http://hl7.org/fhir/R4/datatypes.html#Attachment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from fhirpkg.errors import ServerError
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource


class Elsewhere(Exception):  # noqa: N818 - a remark, not a fault
    """The bytes are on another server, which is not asked; its url."""


def promising(value: object) -> Iterator[Resource]:
    """The attachments in a resource that have a size or hash, and bytes to hold against it."""
    if isinstance(value, dict):
        if ("hash" in value or "size" in value) and ("data" in value or "url" in value):
            yield value
        for item in value.values():
            yield from promising(item)
    elif isinstance(value, list):
        for item in value:
            yield from promising(item)


def damage(client: FhirClient, attachment: Resource, resource: Resource) -> str:
    """In what the bytes differ from the promise; empty where they keep it. Raises Elsewhere.

    `resource` is the one with the attachment: a relative url in a Bundle leads to its entries.
    """
    try:
        data = _bytes_of(client, attachment, resource)
    except (ServerError, binascii.Error, ValueError, TypeError) as error:
        return str(error)
    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if attachment.get("size", len(data)) != len(data):
        return f"{len(data)} bytes, not {attachment['size']}"
    if attachment.get("hash", digest) != digest:
        return f"its SHA-1 is {digest}, not {attachment['hash']}"
    return ""


def _bytes_of(client: FhirClient, attachment: Resource, resource: Resource) -> bytes:
    if "data" in attachment:
        return base64.b64decode(attachment["data"])
    url = str(attachment["url"]).removeprefix(f"{client.base_url}/")
    if ":" in url.partition("/")[0]:
        raise Elsewhere(attachment["url"])
    if resource.get("resourceType") == "Bundle":
        return base64.b64decode(text_of(_entry(resource, url), "data"))
    binary = client.request("GET", url).expect("Binary")
    return base64.b64decode(binary.get("data", ""))


def _entry(bundle: Resource, url: str) -> Resource:
    """The resource in a Bundle that has a relative url; raises Elsewhere when none has."""
    for entry in objects(bundle, "entry"):
        resource = entry.get("resource")
        if isinstance(resource, dict) and f"Binary/{resource.get('id')}" == url:
            return resource
    raise Elsewhere(url)
