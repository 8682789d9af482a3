"""The checks of one set of definitions: compiled when first met, kept by type and canonical."""

from __future__ import annotations

import functools
import linecache
from typing import TYPE_CHECKING

from fhirpkg import rules
from fhirpkg.definitions.typemodel import ABSTRACT
from fhirpkg.errors import DefinitionError
from fhirpkg.issues import Json, Resource, Severity
from fhirpkg.validation.compiling.bytecode import compiled
from fhirpkg.validation.compiling.codegen import Code, profile_code, type_code
from fhirpkg.validation.compiling.compiler import Schemas
from fhirpkg.validation.compiling.deferred import Deferred
from fhirpkg.validation.compiling.parts import CheckBuilder
from fhirpkg.validation.compiling.remembered import REPEATED, Remembered
from fhirpkg.validation.elements import datatypes
from fhirpkg.validation.elements.extensions import Extensions
from fhirpkg.validation.elements.primitives import kind
from fhirpkg.validation.elements.references import check_claimed, check_reference
from fhirpkg.validation.elements.rules import (
    NOT_CHECKED_PROFILE,
    PROFILE_TYPE,
    PROFILE_UNKNOWN,
    STRUCTURE_NO_RESOURCE,
    STRUCTURE_OTHER_VERSION,
    STRUCTURE_RESOURCE_TYPE,
)
from fhirpkg.validation.elements.vitalsigns import implied_profiles
from fhirpkg.validation.families import families
from fhirpkg.validation.places import flat
from fhirpkg.validation.publishers import not_loaded
from fhirpkg.validation.rules import (
    DEFINITION_EXPERIMENTAL,
)
from fhirpkg.validation.versions import other_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Path
    from fhirpkg.rules import Rule
    from fhirpkg.validation.compiling.schema import ElementSchema
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run, Settings

_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
_DEEPEST_TRIAL = 8


class Checks:
    """The compiled checks of types and profiles, and what they ask of each other."""

    def __init__(
        self, definitions: Definitions, terminology: Terminology, settings: Settings
    ) -> None:
        self.definitions = definitions
        self.terminology = terminology
        self.settings = settings
        self.schemas = Schemas(definitions)
        self.type_rules: dict[str, Callable[[Json, Trail, Run], None]] = {
            **datatypes.type_rules(),
            "Extension": Extensions(self.schemas),
            "Reference": check_reference,
        }
        self._parts = CheckBuilder(self)
        self._types: dict[str, Json] = {}
        self._profiles: dict[str, Callable[..., object] | None] = {}
        self._suppressed: dict[str, frozenset[tuple[str, str]]] = {}
        # how those of a release are called by version (versions.html#extensions)
        self._own = f"http://hl7.org/fhir/{definitions.release.short}/StructureDefinition/"

    def type(self, name: str) -> Json:
        """The check of a type or backbone element, compiled when it is first called."""
        if name not in self._types:
            if name in ABSTRACT:
                self._types[name] = self.check_resource
            else:
                self._types[name] = Deferred(functools.partial(self._compile_type, name))
        return self._types[name]

    def check_resource(self, resource: Json, trail: Trail, run: Run) -> None:
        """Check a resource by its type, the profiles it claims and the families of rules."""
        name = resource.get("resourceType") if isinstance(resource, dict) else None
        if not isinstance(name, str):
            run.report(STRUCTURE_NO_RESOURCE, trail, found=kind(resource))
            return
        if not self.schemas.is_resource(name) or name in ABSTRACT:
            if versions := other_versions(name):
                words: dict[str, Json] = {"versions": versions, "release": self.definitions.release}
                run.report(STRUCTURE_OTHER_VERSION, trail, name=name, **words)
            else:
                near = rules.nearest(name, list(self.definitions.types.resource_types()))
                run.report(STRUCTURE_RESOURCE_TYPE, trail, name=name[:60], near=near)
            return
        if trail and not run.settings.inner:
            return
        if not run.settings.experimental and resource.get("experimental") is True:
            run.report(DEFINITION_EXPERIMENTAL, trail)
        with run.inside(resource, trail):
            self.type(name)(resource, trail, run)
            claimed = _claimed(resource)
            for number, profile in enumerate(claimed):
                check_claimed(profile, ((trail, "meta"), "profile", number), run)
            for profile in (*claimed, *self._globals.get(name, ())):
                self.check_profile(profile.replace(self._own, _STRUCTURE), resource, trail, run)
            for profile in implied_profiles(resource) if name == "Observation" else ():
                self._check_implied(profile, resource, trail, run)
            path = flat(trail)
            for family in families(name):
                family(resource, path, run)

    def _check_implied(self, profile: str, resource: Resource, trail: Trail, run: Run) -> None:
        """Check by a profile that applies unclaimed: R4's own examples do not all meet theirs."""
        if run.settings.strict:
            self.check_profile(profile, resource, trail, run)
            return
        before = len(run.findings)
        self.check_profile(profile, resource, trail, run)
        for index, finding in enumerate(run.findings[before:], before):
            if run.severity_of(finding) is Severity.ERROR:
                run.findings[index] = finding._replace(severity=Severity.WARNING)

    @functools.cached_property
    def _globals(self) -> dict[str, list[str]]:
        """The profiles that loaded ImplementationGuides demand of every resource of a type."""
        found: dict[str, list[str]] = {}
        for entry in self.definitions.entries("ImplementationGuide"):
            guide = self.definitions.find(entry.url, "ImplementationGuide") or {}
            for each in guide.get("global", ()):
                found.setdefault(str(each.get("type")), []).append(str(each.get("profile")))
        return found

    def check_profile(
        self,
        canonical: str,
        value: Json,
        trail: Trail,
        run: Run,
        unknown: Rule = NOT_CHECKED_PROFILE,
    ) -> None:
        """Check a value by a profile; one that is not loaded or cannot be used is reported."""
        if not run.enter(canonical, value):
            return
        try:
            check = self.profile(canonical)
        except DefinitionError as error:
            # One wrong element concerns its profile; an invalid profile concerns this one, too.
            is_useless = run.settings.strict and not error.element
            severity = Severity.ERROR if is_useless else Severity.WARNING
            words = {"canonical": canonical, "reason": error.problem}
            run.report(NOT_CHECKED_PROFILE, trail, severity=severity, **words)
            return
        if check is None:
            run.report(
                unknown,
                trail,
                canonical=canonical,
                reason=not_loaded(canonical, run.definitions.release),
            )
            return
        wanted = self.schemas.type_of(canonical)
        found = value.get("resourceType") if isinstance(value, dict) else None
        if isinstance(found, str) and wanted and not self.definitions.types.is_a(found, wanted):
            run.report(PROFILE_TYPE, trail, canonical=canonical, type=wanted, found=found)
            return
        check(value, trail, None, run)
        if self._suppressed[canonical]:
            self._suppress(canonical, trail, run)
        for imposed in self.schemas.imposed(canonical):
            self.check_profile(imposed, value, trail, run)

    def profile(self, canonical: str) -> Callable[..., object] | None:
        """The check of a profile; None when it is not loaded. Raises DefinitionError."""
        if canonical not in self._profiles:
            schema = self.schemas.profile(canonical)
            made = None
            if schema is not None:
                made = _load(profile_code(schema, self._parts, canonical))
                self._suppressed[canonical] = frozenset(_suppressed_by(schema))
            self._profiles[canonical] = made
        return self._profiles[canonical]

    def _suppress(self, canonical: str, trail: Trail, run: Run) -> None:
        """Withdraw the warnings of a type that a profile on it suppresses."""
        around, root = flat(trail), self.schemas.type_of(canonical)
        run.findings[:] = [
            finding
            for finding in run.findings
            if finding.path[: len(around)] != around
            or run.severity_of(finding) is Severity.ERROR
            or (_element_of(root, finding.path[len(around) :]), finding.rule.id)
            not in self._suppressed[canonical]
        ]

    def code(self, name: str) -> Code:
        """The generated source for a type or the canonical of a profile, with its constants.

        Raises DefinitionError when there is no such type or profile.
        """
        if ":" in name:
            profile = self.schemas.profile(name)
            if profile is not None:
                return profile_code(profile, self._parts, name)
        schema = self.schemas.type(name)
        if schema is None:
            near = rules.nearest(name, list(self.definitions.types.resource_types()))
            raise DefinitionError(name, f"there is no such type or profile{near}")
        return type_code(schema, self._parts)

    def conforms_to(self, value: Json, canonical: str, trail: Trail, run: Run) -> bool | None:
        """Whether a value meets a profile, and its type if it is a resource; None if unknown."""
        known = run.conforming
        if not known.has(value, canonical):
            if run.depth >= _DEEPEST_TRIAL:
                return None
            known.keep(value, None, canonical)  # what leads back here does not decide
            known.keep(value, self._conforms_to(value, canonical, trail, run), canonical)
        return known.get(value, canonical)

    def _conforms_to(self, value: Json, canonical: str, trail: Trail, run: Run) -> bool | None:
        with run.trial() as found:
            if not isinstance(value, dict) or "resourceType" not in value:
                self.check_profile(canonical, value, trail, run)
            elif self.schemas.is_core_type(canonical):
                self._check_type_of(value, canonical, trail, run)
            else:
                with run.inside(value, trail, visited=True):
                    self.check_profile(canonical, value, trail, run)
        if any(f.rule in {NOT_CHECKED_PROFILE, PROFILE_UNKNOWN} for f in found):
            return None
        return not any(run.severity_of(f) is Severity.ERROR for f in found)

    def _check_type_of(self, value: Resource, canonical: str, trail: Trail, run: Run) -> None:
        wanted = self.schemas.type_of(canonical)
        if not self.definitions.types.is_a(str(value["resourceType"]), wanted):
            run.report(
                PROFILE_TYPE, trail, canonical=canonical, type=wanted, found=value["resourceType"]
            )

    def _compile_type(self, name: str) -> Callable[..., object]:
        schema = self.schemas.type(name)
        if schema is None or not schema.children:
            return _check_nothing
        check = _load(type_code(schema, self._parts), keep=True)
        return Remembered(check) if name in REPEATED else check


def _check_nothing(*_: Json) -> None:
    """The check of a type without definition: there is no rule."""


def _suppressed_by(schema: ElementSchema) -> Iterator[tuple[str, str]]:
    """The elements of a profile with the keys of what it suppresses on them."""
    yield from ((schema.path, c.key) for c in schema.constraints if c.suppressed)
    for child in schema.children:
        yield from _suppressed_by(child)


def _element_of(root: str, path: Path) -> str:
    return ".".join((root, *(step for step in path if isinstance(step, str))))


def _claimed(resource: Resource) -> list[str]:
    """The profiles that a resource says it meets."""
    meta = resource.get("meta")
    profiles = meta.get("profile") if isinstance(meta, dict) else None
    return [p for p in profiles if isinstance(p, str)] if isinstance(profiles, list) else []


def _load(code: Code, *, keep: bool = False) -> Callable[..., object]:
    """Run generated source and give its function; debuggers find the lines under its name."""
    made = compiled(code.source, keep=keep)
    lines = code.source.splitlines(keepends=True)
    linecache.cache[made.co_filename] = (len(code.source), None, lines, made.co_filename)
    exec(made, code.constants)  # noqa: S102 - made of our own words only
    function: Callable[..., object] = code.constants[code.entry]
    return function
