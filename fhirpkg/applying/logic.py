"""Logic of Library resources: found by canonical or name, read from ELM or CQL, evaluated."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from fhirpkg.canonical import version_matches
from fhirpkg.cql.evaluating.evaluator import open_session
from fhirpkg.cql.evaluating.library import Library, from_elm, qualified
from fhirpkg.cql.evaluating.values import as_list, to_json
from fhirpkg.cql.needs import retrieved
from fhirpkg.errors import FhirpkgError, ResolutionError
from fhirpkg.untrusted import data_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from fhirpkg.cql.tree import Node
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository


class Logic:
    """The libraries of one application, and the values of their definitions for its patient."""

    def __init__(
        self,
        repository: Repository,
        subject: str,
        variables: Mapping[str, Json],
        types: TypesOfDefinitions,
        now: datetime | None,
    ) -> None:
        self._repository = repository
        self._variables = variables
        self._libraries: dict[str, Library] = {}
        self._beside: list[Resource] = []
        """The libraries that the definition contains whose expression is evaluated."""
        self.declared: set[str] = set()
        """The parameters of the libraries that were read."""
        self._session = open_session(repository, subject, variables, self._named, types, now)

    def defined(
        self, name: str, reference: str, context: Resource, resource: Resource | None
    ) -> list[Json]:
        """The value of a definition: of the library referred to, else the first of the context."""
        canonical = reference or next(iter(context.get("library", ())), "")
        if not canonical:
            raise FhirpkgError(f"'{name}' names a definition of a library, but no library is given")
        self._give_variables(context, resource)
        around = None if reference else context
        return self._decided(
            lambda: self._value_of(name, self._library(canonical, context), around)
        )

    @property
    def seen(self) -> Iterator[Resource]:
        """The resources that the last expression retrieved, as often as it did."""
        for found in self._session.seen.values():
            yield from (r for r in found if r.get("resourceType") != "Patient")

    def _value_of(self, name: str, library: Library, context: Resource | None) -> Json:
        """The value of a name in a library, or in another of the context: `Other."Definition"`."""
        alias, _, local = name.partition(".")
        if local and library.definition(name) is None and alias == library.name:
            name = local
        if library.definition(name) is None:
            library = library if context is None else self._around(context)
            return self._session.evaluate(_read(name, library), library)
        return self._session.value_of(library, name)

    def retrieved(self, text: str, *, is_name: bool, reference: str, context: Resource) -> set[str]:
        """The types that an expression, or a definition by its name, may retrieve; all it leads to.

        Raises FhirpkgError for what cannot be read.
        """
        self._beside = libraries_in(context)
        canonical = reference or next(iter(context.get("library", ())), "")
        if is_name and canonical:
            library = self._library(canonical, context)
            for name in (text, text.rpartition(".")[2]):
                if statement := library.definition(name):
                    return retrieved(statement.tree, library, self._named)
        library = self._around(context)
        return retrieved(_read(text, library), library, self._named)

    def inline(
        self, text: str, context: Resource, resource: Resource | None, inputs: Mapping[str, Json]
    ) -> list[Json]:
        """The value of an expression; it may use the definitions of the context's libraries."""
        self._give_variables(context, resource)
        self._session.parameters = {**self._session.parameters, **inputs}
        return self._decided(lambda: self._read_and_evaluated(text, context))

    def _decided(self, value: Callable[[], Json]) -> list[Json]:
        """A value that depends on no unknown membership; else FhirpkgError with the reason."""
        self._session.unknown = []
        self._session.seen = {}
        found = _bounded(value)
        if self._session.unknown:
            raise FhirpkgError(self._session.unknown[0])
        return found

    def _read_and_evaluated(self, text: str, context: Resource) -> Json:
        library = self._around(context)
        return self._session.evaluate(_read(text, library), library)

    def _around(self, context: Resource) -> Library:
        """The first library, from which the definitions of all are named: `Name."Definition"`."""
        canonicals: Sequence[str] = context.get("library", ())
        if not canonicals:
            return Library("")
        first = self._library(canonicals[0], context)
        found = [self._resource_of(canonical, context) for canonical in canonicals]
        named = {r["name"]: (r["name"], "") for r in found if r is not None and "name" in r}
        return replace(first, includes=named | first.includes)

    def _resource_of(self, canonical: str, context: Resource) -> Resource | None:
        if canonical.startswith("#"):
            return _contained(context, canonical[1:])
        return self._repository.resolve(canonical, "Library")

    def _give_variables(self, context: Resource, resource: Resource | None) -> None:
        """`%context` and `%resource` are parameters that change with the expression."""
        self._beside = libraries_in(context)
        changing = {"context": context, "resource": context if resource is None else resource}
        self._session.parameters = {**self._variables, **changing}

    def _library(self, canonical: str, context: Resource) -> Library:
        """The library behind a canonical, looked up once; one that is contained each time."""
        if canonical.startswith("#"):
            return self._of_resource(_contained(context, canonical[1:]))
        if canonical not in self._libraries:
            self._libraries[canonical] = self._of_resource(self._resolved(canonical))
        return self._libraries[canonical]

    def _resolved(self, canonical: str) -> Resource:
        found = self._repository.resolve(canonical, "Library")
        if found is None:
            raise ResolutionError(canonical, "the library is not in the package or the data")
        return found

    def _named(self, name: str, version: str) -> Library:
        """A library that another one includes, by its name; one contained beside it comes first."""
        local = qualified(name)[1]
        found = [library for library in self._beside if library.get("name") == local]
        found = found or self._repository.search("Library", {"name": local})
        fitting = [r for r in found if version_matches(version or None, r.get("version"))]
        fitting = fitting or [r for r in found if "version" not in r]
        read = (self._of_resource(resource) for resource in reversed(fitting))
        library = next((library for library in read if library.may_be(name)), None)
        if library is None:
            wanted = f"{name} version '{version}'" if version else name
            raise ResolutionError(wanted, "the included library is not in the package or the data")
        if library.version and not version_matches(version or None, library.version):
            problem = f"the included library found is of version '{library.version}'"
            raise ResolutionError(f"{name} version '{version}'", problem)
        return library

    def _of_resource(self, library: Resource) -> Library:
        contents = {part.get("contentType"): part for part in library.get("content", ())}
        for content_type, read in _READERS.items():
            part = contents.get(content_type)
            if part is not None and "data" in part:
                found = read(_decoded(part["data"]), str(library.get("name", "")))
                self.declared |= found.parameters.keys()
                return found
        name = library.get("url") or library.get("name") or library.get("id")
        elsewhere = [str(part["url"]) for part in contents.values() if "url" in part]
        held = f"it is at {', '.join(elsewhere)}" if elsewhere else f"it holds {_kinds(contents)}"
        raise FhirpkgError(f"the library {name} has no CQL or ELM in it; {held}")


def _read(text: str, library: Library) -> Node:
    """The tree of a CQL expression; raises FhirpkgError."""
    from fhirpkg.cql.reading.library import read_expression  # noqa: PLC0415 - ELM is read without it

    return read_expression(text, library)


def _kinds(contents: Mapping[Json, Resource]) -> str:
    """The kinds of content that a library says it has."""
    return ", ".join(f"{kind} without data" for kind in contents) or "nothing"


def libraries_in(definition: Resource) -> list[Resource]:
    """The libraries that a definition contains."""
    return [r for r in definition.get("contained", ()) if r.get("resourceType") == "Library"]


def _contained(context: Resource, identity: str) -> Resource:
    """The library that a definition contains."""
    for resource in libraries_in(context):
        if resource.get("id") == identity:
            return resource
    raise ResolutionError(f"#{identity}", "the definition contains no such library")


@functools.lru_cache(maxsize=256)
def _from_json(text: bytes, _: str) -> Library:
    import json  # noqa: PLC0415 - only with ELM

    try:
        document = json.loads(text)
    except ValueError as error:
        raise FhirpkgError(f"the ELM is not JSON: {error}") from error
    return from_elm(document)


@functools.lru_cache(maxsize=256)
def _from_xml(text: bytes, _: str) -> Library:
    from fhirpkg.cql.reading import xml  # noqa: PLC0415 - ELM in XML is rare

    return from_elm(xml.read(text))


@functools.lru_cache(maxsize=256)
def _from_cql(text: bytes, name: str) -> Library:
    from fhirpkg.cql.reading.library import read_library  # noqa: PLC0415 - ELM is read without it

    return read_library(text.decode("utf-8", "replace"), name)


_READERS: dict[str, Callable[[bytes, str], Library]] = {
    "application/elm+json": _from_json,
    "application/elm+xml": _from_xml,
    "text/cql": _from_cql,
}
"""How a library can be written, the one that needs least work first."""


@functools.lru_cache(maxsize=256)
def _decoded(data: str) -> bytes:
    found = data_of({"data": data})
    if found is None:
        raise FhirpkgError("the library's content is not base64")
    return found


def _bounded(value: Callable[[], Json]) -> list[Json]:
    """A value as a list of JSON; logic nested beyond what can be followed is an error."""
    try:
        return [to_json(item) for item in as_list(value())]
    except RecursionError:
        raise FhirpkgError("the logic is nested too deeply to be evaluated") from None
