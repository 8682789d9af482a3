"""Extensions: whether they are known, where they are allowed, and what they may hold.

An extension whose definition is not loaded is `not-checked-extension`, never an error; one under
HL7's own base that the loaded packages do not define is a mistake
(http://hl7.org/fhir/R4/extensibility.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.errors import DefinitionError, FhirPathError
from fhirpkg.identity import ByIdentity
from fhirpkg.rules import nearest
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.elements.extensions_pack import CONTEXTS, EXTENSIONS
from fhirpkg.validation.elements.places import Places, is_of_later_type, places, value_of
from fhirpkg.validation.elements.primitives import cut
from fhirpkg.validation.elements.rules import (
    EXTENSION_CONTEXT,
    EXTENSION_CROSS_ELEMENT,
    EXTENSION_CROSS_VERSION,
    EXTENSION_FRAGMENT,
    EXTENSION_INVARIANT,
    EXTENSION_MODIFIER,
    EXTENSION_PART,
    EXTENSION_TYPE,
    EXTENSION_UNKNOWN,
    EXTENSION_URL,
    EXTENSION_VERSION,
    NOT_CHECKED_EXTENSION,
)
from fhirpkg.validation.places import flat
from fhirpkg.validation.publishers import not_loaded

if TYPE_CHECKING:
    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.releases import Release
    from fhirpkg.validation.compiling.compiler import Schemas
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_CORE = "http://hl7.org/fhir/StructureDefinition/"
_DEFINED_ELSEWHERE = re.compile(
    r"http://hl7\.org/fhir/(?:tools/|build/|\d\.\d/StructureDefinition/extension-)"
    r"|.*(?:example\.(?:org|com)|acme\.com|nema\.org)"
)
"""Urls of extensions that HL7 defines in packages beside the core, and those of examples."""
_OF_VERSION = re.compile(r"http://hl7\.org/fhir/(\d+\.\d+)/StructureDefinition/extension-.+")
"""The url of an element of some version of FHIR (http://hl7.org/fhir/R4/versions.html#extensions)."""
_VERSIONS = {"1.0", "1.4", "3.0", "4.0", "4.1", "4.3", "5.0", "6.0"}
_ALSO = {
    f"{_CORE}regex": {"ElementDefinition.type"},
    f"{_CORE}structuredefinition-normative-version": {"DomainResource", "ElementDefinition"},
    f"{_CORE}translation": {"ValueSet.expansion.contains"},
    f"{_CORE}valueset-concept-comments": {"CodeSystem.concept"},
}
"""Where R4 itself puts extensions whose definition in 4.0.1 does not say so: its own definitions
and examples (http://hl7.org/fhir/R4/downloads.html); later versions of them mostly do."""


class Scope(NamedTuple):
    """Where an extension is allowed, in a release of FHIR."""

    contexts: list[Resource]
    may_be_here: bool
    """Whether it is for this release at all."""
    is_free: bool
    """Whether it is allowed everywhere."""


class Extensions:
    """The check of every extension, by its definition and the places where it is allowed."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._scopes: ByIdentity[Scope] = ByIdentity()
        self._parts: dict[str, frozenset[str]] = {}

    def __call__(self, value: Json, trail: Trail, run: Run) -> None:
        """Check one extension."""
        url = value.get("url")
        if not isinstance(url, str) or not url:
            return
        if not _ABSOLUTE.fullmatch(url):
            if not self._is_nested(trail):
                run.report(EXTENSION_URL, trail, url=url)
            return
        if "|" in url:
            run.report(EXTENSION_VERSION, trail, url=url)
            return
        try:
            definition = run.definitions.structure(url)
        except DefinitionError as error:
            run.report(NOT_CHECKED_EXTENSION, trail, url=url, reason=error.problem)
            return
        if definition is not None and "#" in url and definition.get("url") != url:
            run.report(EXTENSION_FRAGMENT, trail, url=url)
            return
        if definition is None and (match := _OF_VERSION.fullmatch(url)):
            version = match[1]
            if version not in _VERSIONS - {run.definitions.release.short}:
                run.report(EXTENSION_CROSS_VERSION, trail, url=url, version=version)
            elif run.definitions.has_elements_of(version):
                run.report(EXTENSION_CROSS_ELEMENT, trail, url=url, version=version)
                return
        if definition is None:
            elsewhere = _DEFINED_ELSEWHERE.match(url) or _is_in_pack(url, run.definitions.release)
            # Who does not know a modifier must not use what it is on (extensibility.html#modifier).
            is_wanted = run.settings.strict or trail[1] == "modifierExtension"
            rule = EXTENSION_UNKNOWN if is_wanted and not elsewhere else NOT_CHECKED_EXTENSION
            run.report(
                rule,
                trail,
                url=url,
                reason=not_loaded(url, run.definitions.release, "its definition"),
            )
            return
        if definition.get("type") != "Extension":
            run.report(EXTENSION_TYPE, trail, url=url, type=definition.get("type"))
            return
        self._check_modifier(definition, url, trail, run)
        self._check_context(definition, url, trail, run)
        _check_invariants(definition, url, trail, run)
        self._check_parts(url, value, trail, run)
        run.check_profile(value, url, trail)

    @staticmethod
    def _is_nested(trail: Trail) -> bool:
        """Whether an extension is a part of another, whose parts have short names."""
        path = flat(trail)
        return len(path) > 2 and any(
            step in {"extension", "modifierExtension"} for step in path[:-2]
        )

    @staticmethod
    def _check_modifier(definition: Resource, url: str, trail: Trail, run: Run) -> None:
        elements = definition.get("snapshot", {}).get("element") or [{}]
        is_modifier = elements[0].get("isModifier") is True
        if is_modifier is not (trail[1] == "modifierExtension"):
            wanted = "modifierExtension" if is_modifier else "extension"
            run.report(EXTENSION_MODIFIER, trail, url=url, wanted=wanted)

    def _check_parts(self, url: str, value: Json, trail: Trail, run: Run) -> None:
        """The parts of a complex extension are those that its definition names."""
        parts = value.get("extension")
        if not isinstance(parts, list):
            return
        known = self._parts_of(url)
        for index, part in enumerate(parts):
            name = part.get("url") if isinstance(part, dict) else None
            if isinstance(name, str) and not _ABSOLUTE.fullmatch(name) and name not in known:
                run.report(
                    EXTENSION_PART,
                    (trail, "extension", index),
                    url=url,
                    name=cut(name, 80),
                    nearest=nearest(name, sorted(known)),
                )

    def _parts_of(self, url: str) -> frozenset[str]:
        """The names of the parts that the definition of a complex extension gives."""
        if url not in self._parts:
            schema = self._schemas.profile_if_usable(url)
            sliced = schema.child("extension") if schema else None
            slices = sliced.slicing.slices if sliced and sliced.slicing else ()
            fixed = [s.element.child("url") for s in slices]
            names = (str(f.fixed.value) for f in fixed if f is not None and f.fixed is not None)
            self._parts[url] = frozenset(names)
        return self._parts[url]

    def _check_context(self, definition: Resource, url: str, trail: Trail, run: Run) -> None:
        scope = self._scopes.get(definition)
        if scope is None:
            scope = self._scopes.keep(definition, _scope(definition, run.definitions.release))
        if scope.is_free:
            return
        path = flat(trail)
        place = places(path, run)
        name = url.removeprefix(_CORE)
        if not place.names.isdisjoint(_ALSO.get(url) or CONTEXTS.get(name) or ()):
            return
        contexts, may_be_here = scope.contexts, scope.may_be_here
        if not may_be_here or not any(self._is_context(c, place, path, run) for c in contexts):
            named = [str(c.get("expression")) for c in contexts] if may_be_here else []
            allowed = ", ".join(named) or f"nowhere in {run.definitions.release.name}"
            run.report(EXTENSION_CONTEXT, trail, url=url, allowed=allowed, place=place.shown)

    def _is_context(self, context: Resource, place: Places, path: Path, run: Run) -> bool:
        kind, expression = context.get("type"), str(context.get("expression"))
        if kind == "extension":
            return place.extension == expression.partition("#")[0]
        if kind == "fhirpath":
            return _selects(expression, path, run)
        if expression in place.names or is_of_later_type(expression, place):
            return True
        profile, _, name = expression.rpartition("#")
        if name in place.names:
            return self._may_meet(profile, run)
        return _named_by_url(expression, place)

    def _may_meet(self, profile: str, run: Run) -> bool:
        """Whether the resource around a place meets the profile that a context is about."""
        resource = run.environment.resource
        kind = resource.get("resourceType") if isinstance(resource, dict) else None
        if not profile or self._schemas.type_of(profile) != kind:
            return True
        return run.conforms(resource, profile, ()) is not False


def _scope(definition: Resource, release: Release) -> Scope:
    """Where a definition allows its extension."""
    stated = definition.get("context") or ()
    contexts = [context for context in stated if is_for(context, release)]
    may_be_here = is_for(definition, release)
    is_free = not stated or (may_be_here and any(map(_is_anywhere, contexts)))
    return Scope(contexts, may_be_here, is_free)


def _is_in_pack(url: str, release: Release) -> bool:
    """Whether HL7's package of extensions may define one that the core does not."""
    name = url.removeprefix(_CORE)
    return name in EXTENSIONS or (name != url and not release.has_extensions)


def _is_anywhere(context: Resource) -> bool:
    """Whether a context is any element at all."""
    return context.get("type") == "element" and text_of(context, "expression") in {
        "Base",
        "Element",
    }


def is_for(definition: Resource, release: Release) -> bool:
    """Whether what an extension or a context of it says of FHIR's versions lets one be."""
    for extension in objects(definition, "extension"):
        if extension.get("url") == f"{_CORE}version-specific-use":
            parts = objects(extension, "extension")
            bounds = {str(part.get("url")): str(part.get("valueCode")) for part in parts}
            first, last = bounds.get("startFhirVersion", "0"), bounds.get("endFhirVersion", "9")
            return first <= release.version and last >= release.short
    return True


def _check_invariants(definition: Resource, url: str, trail: Trail, run: Run) -> None:
    """What a definition requires of the element that its extension is on."""
    from fhirpkg.fhirpath.expression import compile_expression  # noqa: PLC0415 - seldom needed

    for formula in map(str, definition.get("contextInvariant") or ()):
        path = flat(trail)
        name = places(path, run).shown
        types = run.definitions.types
        try:
            expression = compile_expression(formula, types, name if types.is_type(name) else None)
            is_met = expression.is_true(_owner(path, run), run.environment)
        except FhirPathError as error:
            problem = error.problem
            run.report(NOT_CHECKED_EXTENSION, trail, url=url, reason=problem)
            continue
        if not is_met:
            run.report(EXTENSION_INVARIANT, trail, url=url, formula=formula)


def _owner(path: Path, run: Run) -> Json:
    """The element that the extension at a path is on."""
    node: Json = run.root
    for step in path[:-1] if isinstance(path[-1], str) else path[:-2]:
        node = value_of(node, step)
    return node


def _value(path: Path, run: Run) -> Json:
    """The element that the extension at a path is on; of a primitive its value, if any."""
    node = _owner(path, run)
    steps = [step.removeprefix("_") if isinstance(step, str) else step for step in path]
    value = _owner(tuple(steps), run)
    return node if value is None else value


def _named_by_url(expression: str, place: Places) -> bool:
    return expression.startswith("http://hl7.org/fhir/StructureDefinition/") and (
        expression.rpartition("/")[2] in place.names
    )


def _selects(expression: str, path: Path, run: Run) -> bool:
    """Whether a FHIRPath on the resource selects the element; true when that is unknown."""
    from fhirpkg.fhirpath.expression import compile_expression  # noqa: PLC0415 - seldom needed

    node = _value(path, run)
    resource = run.environment.resource or run.owner(path)
    try:
        compiled = compile_expression(
            expression, run.definitions.types, str(resource.get("resourceType"))
        )
        found = compiled.evaluate(resource, run.environment)
    except FhirPathError:
        return True
    return any(item is node for item in found)
