"""Binary resources as what they hold: bytes of any type (http://hl7.org/fhir/R4/binary.html)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from fhirpkg.server.exchange import refused
from fhirpkg.server.rules import (
    SERVER_VALUE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.issues import Resource

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""Bytes that somebody stored are shown, but nothing in them runs."""


def wrapped(data: bytes, headers: Mapping[str, str], identity: str | None) -> Resource:
    """A Binary that holds the bytes of a request."""
    resource: Resource = {"resourceType": "Binary"}
    if identity:
        resource["id"] = identity
    resource["contentType"] = headers.get("content-type", "application/octet-stream")
    if context := headers.get("x-security-context"):
        resource["securityContext"] = {"reference": context}
    return resource | {"data": base64.b64encode(data).decode()}


_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(\s*;[\x20-\x7e]*)?", re.ASCII)


def media_type_of(resource: Resource) -> str:
    """The media type of a Binary, or that of any bytes if it states none that a header can hold."""
    stated = str(resource.get("contentType", ""))
    return stated if _MEDIA_TYPE.fullmatch(stated) else "application/octet-stream"


def content(resource: Resource) -> bytes:
    """The bytes that a Binary holds. Raises Refused (422) when its data is not base64."""
    try:
        return base64.b64decode("".join(str(resource.get("data", "")).split()), validate=True)
    except binascii.Error as error:
        raise refused(422, SERVER_VALUE, parameter="data", problem=str(error)) from None
