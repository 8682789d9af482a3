"""The formats of bodies: which one a client wants, and bytes to and from resources.

See http://hl7.org/fhir/R4/http.html#mime-type.
"""

from __future__ import annotations

import asyncio
import functools
import re
import zlib
from email.message import Message
from typing import TYPE_CHECKING

from fhirpkg import fhirjson, rules
from fhirpkg.errors import SourceError
from fhirpkg.parsing_rules import (
    PARSE_NO_RESOURCE,
)
from fhirpkg.server.bounds import check_bounds
from fhirpkg.server.exchange import Refused, refused
from fhirpkg.server.rules import SERVER_UNREADABLE
from fhirpkg.server.web.rules import (
    SERVER_MEDIA_TYPE,
    SERVER_NOT_ACCEPTABLE,
    SERVER_PATCH_TYPE,
    SERVER_TOO_LARGE,
)
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request as HttpRequest

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Issue, Resource

JSON, XML = "application/fhir+json", "application/fhir+xml"
_FORMATS = {
    "json": JSON,
    "xml": XML,
    JSON: JSON,
    XML: XML,
    "application/json": JSON,
    "application/json+fhir": JSON,  # of DSTU2, which many clients still ask for
    "text/json": JSON,
    "application/xml": XML,
    "application/xml+fhir": XML,
    "text/xml": XML,
}
JSON_PATCH = "application/json-patch+json"
_ANYTHING = {"*/*", "application/*", "", "application/fhir+ndjson", "application/ndjson"}
"""What Accept may name for JSON; lines are only given where they were asked for by `$export`."""
_VERSIONS = {None, "4.0", "4.0.1"}


SLOWEST_BODY = 20
"""Seconds in which some part of a body is to come."""
_SLOWEST_WHOLE = 300
_LARGEST_UNPACKED = 32 * 1024 * 1024
_PART = 64 * 1024


async def body_within(limit: int, http: HttpRequest) -> bytes | None:
    """The body of a request; None, the rest left unread, when it is larger than the limit.

    Raises TimeoutError when it comes too slowly.
    """
    announced = http.headers.get("content-length", "")
    if not announced and "transfer-encoding" not in http.headers:
        return b""
    if announced.isdecimal() and int(announced) > limit:
        return None
    data = bytearray()
    parts = http.stream()
    async with asyncio.timeout(_SLOWEST_WHOLE):
        while True:
            async with asyncio.timeout(SLOWEST_BODY):
                part = await anext(parts, None)
            if part is None:
                return bytes(data)
            data += part
            if len(data) > limit:
                return None


def unpacked(data: bytes, encoding: str, limit: int) -> bytes:
    """A body as it was before it was compressed, which must be within the limit as well.

    Raises Refused: 415 for an encoding that is not offered, 400 for a damaged body, 413.
    """
    encoding = encoding.strip().lower()
    if encoding in {"identity", ""}:
        return data
    if encoding not in {"gzip", "x-gzip"}:
        raise refused(415, SERVER_MEDIA_TYPE, found=f"encoded as {encoding}")
    limit = min(limit, _LARGEST_UNPACKED)
    try:
        size = _unpacked_size(data, limit)
        if size > limit:
            raise refused(413, SERVER_TOO_LARGE, limit=limit)
        unpacker = zlib.decompressobj(wbits=31)
        whole = unpacker.decompress(data, size + 1)
    except zlib.error as error:
        raise refused(400, PARSE_NO_RESOURCE, problem=f"it is not gzip ({error})") from None
    if not unpacker.eof:
        raise refused(400, PARSE_NO_RESOURCE, problem="it is truncated gzip")
    return whole


def _unpacked_size(data: bytes, limit: int) -> int:
    """How large a body will be, counted in parts, so that a bomb is never in memory."""
    unpacker = zlib.decompressobj(wbits=31)
    size = 0
    while data and not unpacker.eof and size <= limit:
        size += len(unpacker.decompress(data, _PART))
        data = unpacker.unconsumed_tail
    return size


@functools.lru_cache(maxsize=100)
def wanted_format(accept: str, asked: str = "") -> str:
    """The format of the answer: `_format` if given, else the best that Accept names, else JSON.

    Raises Refused (406) when none is offered.
    """
    if asked:
        # A plus sign that nobody escaped in a query arrives as a blank.
        ranges = [(1.0, asked.replace(" ", "+"))]
    else:
        ranges = [(_quality(part), part) for part in accept.split(",")]
    for quality, text in sorted(ranges, key=lambda pair: -pair[0]):
        found = media_type(text, offered=_FORMATS)
        if quality and found in _FORMATS:
            return _FORMATS[found]
        if quality and found in _ANYTHING:
            return JSON
    raise refused(406, SERVER_NOT_ACCEPTABLE, found=asked or accept)


def _quality(text: str) -> float:
    quality = _message(text).get_param("q", "1")
    try:
        return float(str(quality))
    except ValueError:
        return 0.0


def media_type(text: str, offered: Iterable[str] = ()) -> str:
    """The media type of a header's value, without parameters; `?` for another FHIR version."""
    name, version, _ = _content_type(text)
    return "?" if name in offered and version not in _VERSIONS else name


@functools.lru_cache(maxsize=100)
def _content_type(text: str) -> tuple[str, object, str]:
    """The media type of a header's value, the FHIR version and the charset that it names."""
    message = _message(text)
    name = text.partition(";")[0].strip().lower()
    return name, message.get_param("fhirversion"), message.get_content_charset("utf-8")


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an answer may be compressed (RFC 9110, 12.5.3).

    >>> takes_gzip("br, gzip;q=0.5"), takes_gzip("gzip;q=0"), takes_gzip("")
    (True, False, False)
    """
    offers = {part.partition(";")[0].strip(): part for part in accept_encoding.lower().split(",")}
    found = offers.get("gzip") or offers.get("x-gzip")
    return found is not None and _quality(found) > 0


def _message(text: str) -> Message:
    message = Message()
    message["content-type"] = text.strip()
    return message


def is_fhir(content_type: str) -> bool:
    """Whether a body of this type is a resource, as against the content of a Binary."""
    return media_type(content_type, offered=_FORMATS) in {JSON, XML}


def read_resource(data: bytes, content_type: str, definitions: Definitions) -> Resource:
    """The resource in a body. Raises Refused: 415 for a format not offered, 400 for no resource."""
    charset = _content_type(content_type)[2]
    found = _FORMATS.get(media_type(content_type, offered=_FORMATS))
    if found is None or charset not in {"utf-8", "us-ascii"}:
        raise refused(415, SERVER_MEDIA_TYPE, found=content_type)
    value, issues = _read_xml(data, definitions) if found == XML else fhirjson.read(data)
    errors = [issue for issue in issues if issue.severity.rank <= 1]
    if errors:
        raise Refused(400, *errors)
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        problem = "it is not an object with a resourceType"
        raise refused(400, PARSE_NO_RESOURCE, problem=problem)
    check_bounds(value, may_have_controls=found == JSON and _ESCAPE.search(data) is not None)
    return value


def read_patch(data: bytes, content_type: str) -> object:
    """The JSON Patch in a body. Raises Refused: 415 for another kind of patch, 400 for no JSON."""
    if media_type(content_type) != JSON_PATCH:
        raise refused(415, SERVER_PATCH_TYPE, found=content_type, wanted=JSON_PATCH)
    value, issues = fhirjson.read(data)
    if errors := [issue for issue in issues if issue.severity.rank <= 1]:
        raise Refused(400, *errors)
    if isinstance(value, list):
        check_bounds({"patch": value}, may_have_controls=_ESCAPE.search(data) is not None)
    return value


_ESCAPE = re.compile(rb"\\[ubf]")


def _read_xml(data: bytes, definitions: Definitions) -> tuple[Resource | None, list[Issue]]:
    from fhirpkg import fhirxml  # noqa: PLC0415 - lxml is loaded when the first XML comes

    resource, issues, _ = fhirxml.read(data, definitions.types)
    return resource, issues


def write_resource(
    resource: Resource, wanted: str, definitions: Definitions, *, pretty: bool = False
) -> bytes:
    """A resource in the wanted format. Raises Refused (406) when XML cannot hold it.

    In a Bundle an entry that XML cannot hold makes way for what is to be said of it.
    """
    if wanted == JSON:
        return fhirjson.dump(resource, indent=2 if pretty else None).encode()
    from fhirpkg import fhirxml  # noqa: PLC0415 - lxml is loaded when the first XML goes

    try:
        return fhirxml.dump(resource, definitions.types)
    except _UNWRITTEN as error:
        issue = rules.issue(SERVER_UNREADABLE, url=_label(resource), format="XML", problem=error)
        entries = objects(resource, "entry")
        if not entries or resource["resourceType"] != "Bundle":
            raise Refused(406, issue) from error
        readable = [entry | _readable(entry, definitions) for entry in entries]
        return fhirxml.dump(resource | {"entry": readable}, definitions.types)


_UNWRITTEN = (SourceError, AttributeError, KeyError, RecursionError, TypeError, ValueError)


def _readable(entry: Resource, definitions: Definitions) -> Resource:
    """The resource of an entry, or why it is not there."""
    resource = entry.get("resource")
    if not isinstance(resource, dict):
        return {}
    try:
        write_resource(resource, XML, definitions)
    except Refused as error:
        return {"resource": error.outcome()}
    return {}


def _label(resource: Resource) -> str:
    return "/".join(str(resource[key]) for key in ("resourceType", "id") if key in resource)
