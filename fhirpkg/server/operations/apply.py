"""`$apply` and `$r5.apply` on the embedded server, by GET and POST, on types and instances.

http://hl7.org/fhir/R4/plandefinition-operation-apply.html; the R5 form gives a Bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhirpkg.applying.remote import search_query, types_to_ask
from fhirpkg.canonical import Canonical
from fhirpkg.errors import ConfigError, DefinitionError, ResolutionError
from fhirpkg.languages.choosing import best, languages_of, wanted
from fhirpkg.repository import Layers, MemoryRepository, in_bundles
from fhirpkg.rules import nearest
from fhirpkg.server.exchange import Answer, Request, parameters, refused
from fhirpkg.server.rules import (
    SERVER_OPERATION_INPUT,
    SERVER_UNKNOWN_RESOURCE,
)
from fhirpkg.server.searching.criteria import read_criteria

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.applying.application import Applied
    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository
    from fhirpkg.server.endpoint import Endpoint

    Resolved = dict[tuple[str, str | None], Resource]

DEFINITIONS = ("PlanDefinition", "ActivityDefinition")


_NAMES = (
    "planDefinition", "activityDefinition", "canonical", "url", "version", "subject", "encounter",
    "practitioner", "organization", "userType", "userLanguage", "userTaskContext", "setting",
    "settingContext", "parameters", "useServerData", "data", "prefetchData",
)  # fmt: skip
"""Parameters that are used; endpoints, from which data would be fetched, are not among them."""
_MOST_SUBJECTS = 1000


OF_PLANS = ("PlanDefinition", "ActivityDefinition", "Library", "ValueSet")
"""What plans are made of."""


class StoreRepository:
    """What is stored on this server, for applying.

    Definitions that were resolved are kept in `resolved`, where one is given, for calls to share.
    """

    def __init__(self, endpoint: Endpoint, resolved: Resolved | None = None) -> None:
        self._endpoint = endpoint
        self._shared = resolved

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource of this type and id."""
        version = self._endpoint.store.present(resource_type, resource_id)
        return version.resource() if version else None

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """The resources of a type by patient and name."""
        query = search_query(resource_type, params, self._endpoint.definitions)
        found = MemoryRepository(self._matches(resource_type, query))
        return found.search(resource_type, params)

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition behind a canonical."""
        if self._shared is None:
            return self._resolve(canonical, resource_type)
        key = canonical, resource_type
        found = self._shared.get(key) or self._resolve(canonical, resource_type)
        if found and found["resourceType"] in OF_PLANS:
            self._shared[key] = found
        return found

    def _resolve(self, canonical: str, resource_type: str | None) -> Resource | None:
        asked = Canonical.parse(canonical)
        if ":" not in asked.url:
            relative_type, _, resource_id = asked.url.partition("/")
            return self.read(relative_type, resource_id) if resource_id else None
        for kind in types_to_ask(asked.url, resource_type):
            found = MemoryRepository(self._matches(kind, [("url", asked.url)]))
            if (resource := found.resolve(canonical, kind)) is not None:
                return resource
        return None

    def _matches(self, resource_type: str, query: list[tuple[str, str]]) -> list[Resource]:
        criteria = read_criteria(query, resource_type, self._endpoint.indexing)
        return [version.resource() for version in self._endpoint.matches(criteria)]


class _Input:
    """The parameters of a call, wherever they are: in the query or a Parameters resource."""

    def __init__(self, request: Request) -> None:
        self._values = parameters(request.resource)
        for name, text in request.query:
            self._values.setdefault(name, []).append(text)

    def all(self, name: str) -> list[Any]:
        """All values of a name."""
        return self._values.get(name, [])

    def reference(self, name: str) -> str:
        """The first value as the text of a reference."""
        return next(iter(self.references(name)), "")

    def references(self, name: str) -> list[str]:
        """The values as texts; a Reference by what it refers to."""
        found = [v.get("reference", "") if isinstance(v, dict) else v for v in self.all(name)]
        return [str(value) for value in found if value]

    def data(self) -> MemoryRepository:
        """Patient data that come with the call."""
        bundles = [b for b in self.all("data") if isinstance(b, dict)]
        for parts in self.all("prefetchData"):
            bundles += [p["resource"] for p in parts or () if p.get("name") == "data"]
        return in_bundles(bundles)

    def parameters(self) -> dict[str, Any]:
        """What the logic gets as its parameters."""
        from fhirpkg.applying.application import parameter_values  # noqa: PLC0415 - start-up
        from fhirpkg.applying.expressions import CONTEXT  # noqa: PLC0415 - start-up

        given = self.all("parameters")
        named = parameter_values(given[0]) if given and isinstance(given[0], dict) else {}
        context = {name: self.all(name)[0] for name in CONTEXT if self.all(name)}
        return context | named

    def check(self, most_subjects: int) -> None:
        """Raise Refused (400) for what would be ignored otherwise."""
        problem = ""
        if (count := len(self.references("subject"))) > most_subjects:
            problem = f"it takes one subject, but {count} are named; $r5.apply takes several"
        for name in self._values:
            if name not in _NAMES and not name.startswith("_"):
                problem = f"it has no parameter '{name}'{nearest(name, list(_NAMES))}"
        if problem:
            raise refused(400, SERVER_OPERATION_INPUT, name="apply", problem=problem)

    def language(self) -> str:
        """The code of the user's language."""
        for concept in self.all("userLanguage"):
            if isinstance(concept, dict) and concept.get("coding"):
                return str(concept["coding"][0].get("code", ""))
        return ""

    def uses_server(self) -> bool:
        """Whether the data of the server count beside those of the call."""
        return next(iter(self.all("useServerData")), True) not in (False, "false")


def apply(request: Request, endpoint: Endpoint) -> Answer:
    """A CarePlan with its RequestGroup, or the resource that an ActivityDefinition asks for."""
    given = _Input(request)
    given.check(most_subjects=1)
    return Answer(200, _applied(request, endpoint, given, given.reference("subject")).result)


def r5_apply(request: Request, endpoint: Endpoint) -> Answer:
    """One Bundle a subject, in a Parameters resource."""
    given = _Input(request)
    given.check(most_subjects=_MOST_SUBJECTS)
    subjects = given.references("subject") or [""]
    bundles = [
        _applied(request, endpoint, given, subject, as_bundle=True).result for subject in subjects
    ]
    parts = [{"name": "return", "resource": bundle} for bundle in bundles]
    return Answer(200, {"resourceType": "Parameters", "parameter": parts})


def _applied(
    request: Request, endpoint: Endpoint, given: _Input, subject: str, *, as_bundle: bool = False
) -> Applied:
    """Apply, with errors as refusals: 400 for wrong use, 404 and 422 for what cannot be found."""
    from fhirpkg.applying import application  # noqa: PLC0415 - start-up

    stored = StoreRepository(endpoint)
    definition = _definition(request, given, stored)
    known: Repository = stored if given.uses_server() else OnlyKnowledge(stored)
    try:
        repository = Layers(given.data(), known)
    except (AttributeError, KeyError, TypeError) as error:
        problem = ConfigError("the data that come with the call are not a Bundle of resources")
        raise _refusal(400, problem) from error
    try:
        return application.apply(
            definition,
            subject,
            repository,
            encounter=given.reference("encounter"),
            practitioner=given.reference("practitioner"),
            organization=given.reference("organization"),
            language=given.language() or _accepted(request, definition),
            parameters=given.parameters(),
            form="bundle" if as_bundle else "careplan",
        )
    except ConfigError as error:
        raise _refusal(400, error) from error
    except (ResolutionError, DefinitionError) as error:
        raise _refusal(422, error) from error


def _accepted(request: Request, definition: Resource) -> str:
    """The language of the Accept-Language header that the definition has; nothing without one."""
    own = str(definition.get("language", ""))
    asked = wanted(request.headers.get("accept-language", ""))
    return best(asked, {*languages_of(definition), own} - {""})


class OnlyKnowledge:
    """The definitions of a repository without its patient data (useServerData is false)."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """Definitions alone."""
        known = resource_type in (*DEFINITIONS, "Questionnaire")
        return self._repository.read(resource_type, resource_id) if known else None

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Libraries alone."""
        return self._repository.search(resource_type, params) if resource_type == "Library" else []

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """Any definition."""
        return self._repository.resolve(canonical, resource_type)


def _definition(request: Request, given: _Input, stored: StoreRepository) -> Resource:
    """The definition by the path, as a parameter, or by its canonical. Raises Refused."""
    resource_type = request.path[0]
    if len(request.path) == 3:
        found = stored.read(resource_type, request.path[1])
        if found is None:
            raise refused(404, SERVER_UNKNOWN_RESOURCE, type=resource_type, id=request.path[1])
        return found
    inline = given.all(resource_type[0].lower() + resource_type[1:])
    if inline and isinstance(inline[0], dict):
        resource: Resource = inline[0]
        return resource
    canonical = given.reference("canonical") or given.reference("url")
    if not canonical:
        problem = f"it needs a {resource_type}: by its id in the path, 'url' or 'canonical'"
        raise refused(400, SERVER_OPERATION_INPUT, name="apply", problem=problem)
    if version := given.reference("version"):
        canonical = f"{canonical}|{version}"
    found = stored.resolve(canonical, resource_type)
    if found is None:
        problem = f"there is no {resource_type} {canonical}"
        raise refused(404, SERVER_OPERATION_INPUT, name="apply", problem=problem)
    return found


def _refusal(status: int, error: Exception) -> Exception:
    return refused(status, SERVER_OPERATION_INPUT, name="apply", problem=error)
