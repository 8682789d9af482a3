"""Asks a terminology server what a code is, and for codes that are like some words.

http://hl7.org/fhir/R4/codesystem-operation-lookup.html and valueset-operation-expand.html.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.errors import ServerError
from fhirpkg.languages.choosing import primary
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.client.client import FhirClient
    from fhirpkg.client.response import Response
    from fhirpkg.issues import Resource

_VALUE_SETS = {"http://loinc.org": "http://loinc.org/vs"}
"""The value set of all codes of a system, where it is not `system?fhir_vs`."""
_DENIALS = (400, 404, 422)
_NOT_FOUND = ("not-found", "code-invalid", "invalid")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says of a code; `exists` is None when it cannot tell."""

    exists: bool | None
    display: str = ""
    is_active: bool | None = None
    version: str = ""
    """The version of the code system that it speaks of."""
    designations: tuple[tuple[str, str], ...] = ()
    """Other names for the code: a language, which may be empty, and the name."""


def look_up(client: FhirClient, system: str, code: str, language: str = "en") -> Answer:
    """What a server knows of a code. Raises ServerError when it does not answer with FHIR.

    Of its names for the code in other languages those in `language` are given.
    """
    params = {"system": system, "code": code}
    if language != "en":
        params["displayLanguage"] = language
    response = client.request("GET", "CodeSystem/$lookup", params=params)
    resource = response.resource or {}
    if response.ok and resource.get("resourceType") == "Parameters":
        return _answer(resource, language)
    is_refusal = resource.get("resourceType") == "OperationOutcome"
    if response.status not in _DENIALS or not is_refusal:
        problem = f"it did not say what a code is: {_problem(response)}"
        raise ServerError(client.url("CodeSystem/$lookup"), problem, status=response.status)
    codes = {text_of(issue, "code") for issue in objects(resource, "issue")}
    is_unknown = bool(codes & set(_NOT_FOUND))
    return Answer(exists=False if is_unknown and _has(client, system) else None)


def _has(client: FhirClient, system: str) -> bool:
    """Whether the server has a code system at all: only then it may deny a code of it."""
    response = client.request("GET", "CodeSystem", params={"url": system, "_summary": "count"})
    total = (response.resource or {}).get("total")
    return response.ok and isinstance(total, int) and total > 0


def _answer(parameters: Resource, language: str) -> Answer:
    values = {text_of(p, "name"): p for p in objects(parameters, "parameter")}
    active = None
    for part in objects(parameters, "parameter"):
        named = {text_of(p, "name"): p for p in objects(part, "part")}
        value = named.get("value", {})
        name = text_of(named.get("code", {}), "valueCode")
        if name == "inactive":
            gone = value.get("valueBoolean", text_of(value, "valueString").lower() == "true")
            active = not gone
        elif name.lower() == "status":
            status = (text_of(value, "valueCode") or text_of(value, "valueString")).lower()
            active = status not in ("retired", "inactive", "deprecated")
    display, version = (
        text_of(values.get(name, {}), "valueString") for name in ("display", "version")
    )
    others = (
        {text_of(p, "name"): p for p in objects(part, "part")}
        for part in objects(parameters, "parameter")
        if text_of(part, "name") == "designation"
    )
    named_ = [
        (text_of(each.get("language", {}), "valueCode"), text_of(each["value"], "valueString"))
        for each in others
        if "value" in each
    ]
    own = [pair for pair in named_ if primary(pair[0]) == primary(language)]
    return Answer(True, display, active, version, tuple(own))


def search(client: FhirClient, system: str, words: str) -> Iterator[tuple[str, str]]:
    """Code and display of what a server finds for some words in a system, its best first.

    Raises ServerError when it cannot.
    """
    url = _VALUE_SETS.get(system, f"{system}?fhir_vs")
    params = {"url": url, "filter": words, "count": "20"}
    response = client.request("GET", "ValueSet/$expand", params=params)
    expansion = (response.resource or {}).get("expansion")
    if not response.ok or not isinstance(expansion, dict):
        problem = f"it cannot be searched: {_problem(response)}"
        raise ServerError(
            client.url(f"ValueSet/$expand?url={url}"), problem, status=response.status
        )
    for each in objects(expansion, "contains"):
        yield text_of(each, "code"), text_of(each, "display")


def _problem(response: Response) -> str:
    """What is wrong with an answer that has another content than was asked for."""
    kind = text_of(response.resource or {}, "resourceType")
    is_refusal = not response.ok or not kind or kind == "OperationOutcome"
    return response.problem if is_refusal else f"it answered with a {kind}"
