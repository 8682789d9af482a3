"""One answer of a server, whatever it sent: FHIR, HTML, nothing, or no answer at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fhirpkg.errors import ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.issues import Resource

_SHOWN = 300
_ERRORS = {"error", "fatal"}


@dataclass(frozen=True, slots=True)
class Response:
    """What came back. `status` is 0 when no answer came, and `text` then says why.

    `resource` is the body as a FHIR resource, or None; `headers` has lower-case keys.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    resource: Resource | None = None
    text: str = ""
    url: str = ""

    @property
    def ok(self) -> bool:
        """Whether the status says that it worked (an OperationOutcome may say otherwise)."""
        return 200 <= self.status < 300

    @property
    def worked(self) -> bool:
        """Whether the status says that it worked and no OperationOutcome says otherwise."""
        return self.ok and not outcome_codes(self.outcome)

    @property
    def outcome(self) -> Resource | None:
        """The OperationOutcome, when that is what came."""
        resource = self.resource
        return resource if resource and resource["resourceType"] == "OperationOutcome" else None

    @property
    def version(self) -> str:
        """The version id that the ETag names: ``W/"3"``, ``"3"`` and ``3`` all give ``3``."""
        return version_of_etag(self.headers.get("etag", ""))

    @property
    def problem(self) -> str:
        """One line that says what is wrong, in the server's own words when it has some."""
        if not self.status:
            return self.text
        words = "; ".join(outcome_texts(self.outcome)) or self._body_in_short()
        return f"HTTP {self.status}: {words}" if words else f"HTTP {self.status}"

    def error(self) -> ServerError:
        """The answer as an error, to be raised."""
        return ServerError(self.url, self.problem, status=self.status, outcome=self.outcome)

    def expect(self, *types: str) -> Resource:
        """The resource, which must be of one of the types.

        Raises ServerError for an error status, for what is not FHIR and for another type.
        """
        if not self.ok:
            raise self.error()
        if self.resource is None:
            problem = f"answered {self._kind()}, not FHIR JSON"
            raise ServerError(self.url, problem, status=self.status)
        if types and self.resource["resourceType"] not in types:
            raise ServerError(
                self.url,
                f"answered {self.resource['resourceType']} where {' or '.join(types)} was expected",
                status=self.status,
                outcome=self.outcome,
            )
        return self.resource

    def _kind(self) -> str:
        if not self.text.strip():
            return "an empty body"
        start = self.text.lstrip()[:200].lower()
        if start.startswith(("<!doctype html", "<html")):
            return "HTML"
        return "XML" if start.startswith("<") else "something else"

    def _body_in_short(self) -> str:
        if self._kind() == "HTML":
            return "an HTML page"
        words = " ".join(self.text.split())
        return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"


_Shape = dict[str, Any] | list[Any] | tuple[Any, ...]
_OUTCOME: dict[str, Any] = {"issue": [{"details": {}}]}
_RESOURCE: dict[str, Any] = _OUTCOME | {
    "meta": {"tag": [{}], "security": [{}]},
    "identifier": ([{}], {}),
    "link": [{}],
    "software": {},
    "rest": [{"interaction": [{}], "resource": [{"interaction": [{}], "searchParam": [{}]}]}],
}
_RESOURCE["entry"] = [{"resource": _RESOURCE, "search": {}, "response": {"outcome": _OUTCOME}}]
"""Where a client reads on without looking: objects, lists of them, one of several."""


def is_readable(value: Any, shape: _Shape = _RESOURCE) -> bool:
    """Whether a resource has objects and lists where FHIR has them, as far as a client reads it."""
    if isinstance(shape, tuple):
        return any(is_readable(value, each) for each in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(is_readable(each, shape[0]) for each in value)
    if not isinstance(value, dict):
        return False
    return all(is_readable(value[key], shape[key]) for key in shape.keys() & value.keys())


def version_of_etag(etag: str) -> str:
    """The version id in an ETag header or in `entry.response.etag`, which HAPI writes bare.

    >>> version_of_etag('W/"3"'), version_of_etag("3")
    ('3', '3')
    """
    return etag.removeprefix("W/").strip('"')


def outcome_texts(outcome: Resource | None) -> Iterator[str]:
    """What the issues of an OperationOutcome say, the errors among them first."""
    issues = [i for i in (outcome or {}).get("issue", []) if isinstance(i, dict)]
    for issue in sorted(issues, key=lambda i: str(i.get("severity")) not in _ERRORS):
        details = issue.get("details") or {}
        said = issue.get("diagnostics") or details.get("text") or issue.get("code") or ""
        if said:
            yield " ".join(str(said).split())[:_SHOWN]


def outcome_codes(outcome: Resource | None) -> frozenset[str]:
    """The codes of the issues that are errors."""
    issues = [i for i in (outcome or {}).get("issue", []) if isinstance(i, dict)]
    return frozenset(str(i.get("code")) for i in issues if str(i.get("severity")) in _ERRORS)
