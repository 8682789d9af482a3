"""Documents of our content: size, hash and master identifier are those of what is inside."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from fhirpkg.untrusted import data_of, objects
from fhirpkg.validation.content.rules import (
    CONTENT_ATTACHMENT_HASH,
    CONTENT_ATTACHMENT_SIZE,
    CONTENT_DOCUMENT_VERSION,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run


def check_document(document: Resource, path: Path, run: Run) -> None:
    """Size, hash and master identifier are those of the content."""
    for at, content in enumerate(objects(document, "content")):
        _check_attachment(content, (*path, "content", at, "attachment"), run)
    data = attachment_of(document)[1]
    if data is None:
        return  # the profile demands it, and base64 is checked by its type
    master = document.get("masterIdentifier")
    for identifier in objects(document, "identifier")[:1]:
        expected = version_id(identifier, data)
        found = master.get("value") if isinstance(master, dict) else None
        if found is not None and found != expected:
            run.report(
                CONTENT_DOCUMENT_VERSION,
                (*path, "masterIdentifier", "value"),
                found=found,
                expected=expected,
            )


def _check_attachment(content: Resource, place: Path, run: Run) -> None:
    """Size and hash are those of the data."""
    attachment, data = _data(content)
    if data is None:
        return
    import hashlib  # noqa: PLC0415 - slow to load, and few resources are documents of ours

    digest = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode()
    if attachment.get("size", len(data)) != len(data):
        run.report(
            CONTENT_ATTACHMENT_SIZE,
            (*place, "size"),
            found=attachment["size"],
            size=len(data),
        )
    if attachment.get("hash", digest) != digest:
        run.report(
            CONTENT_ATTACHMENT_HASH,
            (*place, "hash"),
            found=attachment["hash"],
            hash=digest,
        )


def version_id(identifier: Resource, content: bytes) -> str:
    """The master identifier of a document: one for each content of one identifier."""
    import hashlib  # noqa: PLC0415
    import uuid  # noqa: PLC0415

    digest = hashlib.sha256(content).hexdigest()
    name = f"{identifier.get('system')}|{identifier.get('value')}|{digest}"
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, name)}"


def attachment_of(document: Resource) -> tuple[Resource, bytes | None]:
    """The first attachment of a document, and its data when they can be read."""
    return next(map(_data, objects(document, "content")), ({}, None))


def _data(content: Resource) -> tuple[Resource, bytes | None]:
    attachment = content.get("attachment")
    if isinstance(attachment, dict) and isinstance(attachment.get("data"), str):
        return attachment, data_of(attachment)
    return {}, None
