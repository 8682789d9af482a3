"""Asks a terminology server whether a code exists and is in a value set.

http://hl7.org/fhir/R4/valueset-operation-validate-code.html and the same of CodeSystem. An answer
is kept; a server that fails is not asked again, and what it was to say stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.definitions.terminology.verdicts import YES, Membership, no, unknown
from fhirpkg.errors import ServerError

if TYPE_CHECKING:
    from fhirpkg.client.client import FhirClient
    from fhirpkg.issues import Resource

_UNKNOWN_SYSTEM = "x-caused-by-unknown-system"
_NOT_THERE = frozenset(("not-found", "not-supported"))


class TerminologyServer:
    """The `server` of `Terminology`: called with value set or None, code, system and version."""

    def __init__(self, client: FhirClient) -> None:
        self._client = client
        self._known: dict[tuple[str | None, str, str | None, str | None], Membership] = {}
        self._failure = ""

    def __call__(
        self, value_set: str | None, code: str, system: str | None, version: str | None
    ) -> Membership:
        """The server's answer; UNKNOWN with the reason when it has none."""
        key = (value_set, code, system, version)
        if key not in self._known:
            self._known[key] = self._ask(value_set, code, system, version)
        return self._known[key]

    def _ask(
        self, value_set: str | None, code: str, system: str | None, version: str | None
    ) -> Membership:
        if self._failure:
            return unknown(self._failure)
        params = {"code": code}
        if value_set is None:
            params |= {"url": system or ""} | ({"version": version} if version else {})
        else:
            url, _, value_set_version = value_set.partition("|")
            params["url"] = url
            params |= {"valueSetVersion": value_set_version} if value_set_version else {}
            params |= {"system": system} if system else {"inferSystem": "true"}
            params |= {"systemVersion": version} if version else {}
        path = f"{'CodeSystem' if value_set is None else 'ValueSet'}/$validate-code"
        try:
            response = self._client.request("GET", path, params=params)
        except ServerError as error:
            self._failure = f"the terminology server does not answer: {error.problem}"
            return unknown(self._failure)
        if not response.ok or response.resource is None:
            return unknown(f"the terminology server could not answer: {response.problem}")
        return _membership(response.resource)


def _membership(parameters: Resource) -> Membership:
    """The `Parameters` of an answer as a Membership."""
    values = {p.get("name"): p for p in parameters.get("parameter", []) if isinstance(p, dict)}
    result = values.get("result", {}).get("valueBoolean")
    message = str(
        values.get("message", {}).get("valueString") or "the terminology server rejects it"
    )
    if result is True:
        return YES
    if result is None:
        return unknown("the terminology server gave no result")
    if _UNKNOWN_SYSTEM in values or _is_not_there(values.get("issues", {}).get("resource")):
        return unknown(message)
    return no(message)


def _is_not_there(outcome: Any) -> bool:
    """Whether the server says no only because it lacks a code system or value set."""
    issues = outcome.get("issue", []) if isinstance(outcome, dict) else []
    return any(
        issue.get("code") in _NOT_THERE
        and any(c.get("code") == "not-found" for c in issue.get("details", {}).get("coding", []))
        for issue in issues
    )
