"""One FHIR exchange, free of HTTP: a Request comes in, an Answer goes out, or it is Refused.

An entry of a batch or transaction is a Request like any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, unquote

from fhirpkg import fhirjson, rules
from fhirpkg.server.rules import (
    SERVER_NO_BODY,
    SERVER_SCOPE,
)
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.issues import Issue, Resource
    from fhirpkg.rules import Rule
    from fhirpkg.server.storing.versions import Version

Query = tuple[tuple[str, str], ...]

ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_PREFERENCE = re.compile(r"(?:^|[,;])\s*(return|handling)\s*=\s*\"?([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Rights:
    """What a client may do: letters of `cruds` (create, read, update, delete, search) by type."""

    letters: Mapping[str, str]

    def allow(self, letter: str, resource_type: str) -> bool:
        """Whether a type may be treated so; the type ``*`` asks for all types."""
        return any(letter in self.letters.get(name, "") for name in ("*", resource_type))


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: `path` below the base in segments, headers by their lower-case names."""

    method: str
    path: tuple[str, ...] = ()
    query: Query = ()
    resource: Resource | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    base: str = ""
    patch: object = None
    """The JSON Patch that was sent with PATCH."""
    rights: Rights | None = None
    """What the client may do; None: everything."""
    security: Resource = field(default_factory=dict)
    """What a CapabilityStatement says of access."""
    found: Version | None = None
    """The newest version of what the path names, where that was read already."""

    def demand(self, letters: str, resource_type: str) -> None:
        """Raises Refused (403) when the client may not treat a type so."""
        if self.rights is None:
            return
        for letter in letters:
            if not self.rights.allow(letter, resource_type):
                scope = f"system/{resource_type}.{letter}"
                raise refused(403, SERVER_SCOPE, scope=scope)

    @property
    def at(self) -> str:
        """The path as it was written."""
        return "/".join(self.path)

    @property
    def body(self) -> Resource:
        """The resource that was sent. Raises Refused (400) when there is none."""
        if self.resource is None:
            raise refused(400, SERVER_NO_BODY, method=self.method, path=self.at)
        return self.resource

    def preference(self, name: Literal["return", "handling"]) -> str:
        """What `Prefer` says of `return` or `handling`; empty when it says nothing."""
        found = dict(_PREFERENCE.findall(self.headers.get("prefer", "")))
        return str(found.get(name, ""))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a resource, or the stored version of one; `location` after a creation.

    A `bare` answer has headers only; `text` is a resource that is JSON text already.
    """

    status: int
    resource: Resource | None = None
    version: Version | None = None
    location: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    bare: bool = False
    text: str | None = None
    lines: Iterator[str] | None = None
    media: str = ""
    """The media type of `text` or `lines`, where they are no resource."""

    def whole(self) -> Resource | None:
        """The resource that is answered, without that of a version."""
        if self.text is None or self.media:
            return self.resource
        resource: Resource = fhirjson.read(self.text)[0]
        return resource


class Refused(Exception):  # noqa: N818 - an answer, not an error of the server
    """A request that is not carried out: an HTTP status and the issues that say why."""

    def __init__(
        self, status: int, *issues: Issue, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.issues = issues
        self.headers = headers or {}
        super().__init__("; ".join(issue.text for issue in issues))

    def outcome(self) -> Resource:
        """The reasons as an OperationOutcome."""
        return outcome(*self.issues)


def refused(
    status: int,
    rule: Rule,
    *,
    expression: str = "",
    headers: Mapping[str, str] | None = None,
    **found: Any,
) -> Refused:
    """A refusal by one rule of `fhirpkg.rules.server`."""
    return Refused(status, rules.issue(rule, expression=expression, **found), headers=headers)


def outcome(*issues: Issue) -> Resource:
    """An OperationOutcome of these issues."""
    found = [issue.as_operation_outcome_issue() for issue in issues]
    return {"resourceType": "OperationOutcome", "issue": found}


def parameters(resource: Resource | None) -> dict[str, list[Any]]:
    """What a Parameters resource holds by name: values, resources, or the parts of a part."""
    found: dict[str, list[Any]] = {}
    if resource is None or resource.get("resourceType") != "Parameters":
        return found
    for part in objects(resource, "parameter"):
        key = next((k for k in part if k == "resource" or k.startswith("value")), "part")
        found.setdefault(text_of(part, "name"), []).append(part.get(key))
    return found


def split_url(url: str) -> tuple[tuple[str, ...], Query]:
    """A relative url as path segments and query: ``Patient?name=x``."""
    path, _, query = url.partition("?")
    segments = tuple(unquote(part) for part in path.strip("/").split("/") if part)
    return segments, tuple(parse_qsl(query, keep_blank_values=True))
