"""References and canonicals: how they are written and what they lead to.

A target is sought in the resource, in the Bundle around it, in the other inputs and, for
canonicals, in the loaded definitions. One that is not found is only mentioned: a resource copied
out of its surroundings stays valid (http://hl7.org/fhir/R4/references.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import text_of
from fhirpkg.validation.elements.primitives import PREDICATES, cut
from fhirpkg.validation.elements.reference_rules import (
    CANONICAL_ABSOLUTE,
    CANONICAL_FRAGMENT,
    NOT_CHECKED_CANONICAL,
    NOT_CHECKED_REFERENCE,
    NOT_CHECKED_TARGET,
    REFERENCE_AGGREGATION,
    REFERENCE_CONDITIONAL,
    REFERENCE_FORMAT,
    REFERENCE_NOT_FOUND,
    REFERENCE_PROFILE,
    REFERENCE_PROFILE_UNKNOWN,
    REFERENCE_TARGET,
    REFERENCE_TYPE,
    REFERENCE_TYPE_UNKNOWN,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.compiling.compiler import Schemas
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

_LITERAL = re.compile(
    r"(?P<base>[a-z][a-z0-9+.-]*://\S*?/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.-]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9.-]{1,64}))?(?:#\S*)?"
)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*")
_OPERATION = re.compile(r"[A-Z][A-Za-z]+/(?:[A-Za-z0-9.-]{1,64}/)?\$[a-z][\w-]*(?:\?\S*)?")
"""An operation, whose address some give to be called (``Task/1/$accept?ac=x``)."""
_NOWHERE = re.compile(r"example\.org|acme\.com")
"""The domains of the specification's examples; what they name need not exist."""
_HL7 = "http://hl7.org/"
"""What HL7 publishes is in packages that need not all be loaded."""
_KINDS: dict[type, set[str]] = {dict: {"Reference"}, str: {"canonical"}}


def literal(reference: str) -> re.Match[str] | None:
    """A literal reference of the RESTful form, with its base, type, id and version."""
    return _LITERAL.fullmatch(reference)


def check_reference(value: Json, trail: Trail, run: Run) -> None:
    """How a Reference is written, and that its parts agree."""
    reference = value.get("reference")
    if not isinstance(reference, str) or reference.startswith("#"):
        return
    match = _LITERAL.fullmatch(reference)
    if match is None:
        _check_form(reference, trail, run)
        return
    implied = match["type"]
    if not run.definitions.types.is_resource(implied):
        if not match["base"]:
            # a guide lists what later versions have (ActorDefinition), written as a Basic in R4
            is_guide = run.owner(trail).get("resourceType") == "ImplementationGuide"
            severity = Severity.WARNING if is_guide or run.ignores_targets else None
            where = (trail, "reference")
            run.report(REFERENCE_TYPE_UNKNOWN, where, severity=severity, type=implied)
        return
    stated = text_of(value, "type")
    if stated and stated != implied:  # its canonical is for logical models only
        run.report(REFERENCE_TYPE, (trail, "type"), stated=stated, implied=implied)


def _check_form(reference: str, trail: Trail, run: Run) -> None:
    """A reference that is not a literal one is a search or absolute."""
    if _ABSOLUTE.fullmatch(reference):
        return
    around = run.bundle_type(trail)
    is_word = re.fullmatch(r"[^\s?]+", reference) is not None
    rule, is_minor = REFERENCE_FORMAT, is_word and around is None
    if _CONDITIONAL.fullmatch(reference):
        if around == "transaction":
            return
        rule, is_minor = REFERENCE_CONDITIONAL, around in {None, "batch"}
    is_minor = (is_minor and run.ignores_targets) or _OPERATION.fullmatch(reference) is not None
    severity = Severity.WARNING if is_minor else None
    run.report(rule, (trail, "reference"), severity=severity, reference=cut(reference, 80))


def _is_outside(reference: str, trail: Trail, run: Run) -> bool:
    return not reference.startswith("#") and not run.is_bundled(reference, trail)


def check_absolute(canonical: str, trail: Trail, run: Run) -> None:
    """A canonical is absolute, or a fragment."""
    if not canonical.startswith("#") and not _ABSOLUTE.match(canonical):
        run.report(CANONICAL_ABSOLUTE, trail, value=cut(canonical, 80))


def check_claimed(canonical: str, trail: Trail, run: Run) -> None:
    """A profile that a resource claims is named by an absolute url, or contained."""
    check_absolute(canonical, trail, run)
    if canonical.startswith("#") and run.resolve(canonical, trail) is None:
        run.report(CANONICAL_FRAGMENT, trail, value=cut(canonical, 80))


def _is_demanded(reference: str, trail: Trail, run: Run) -> bool:
    """Whether a target that is not available is an error: by setting, or inside a whole guide."""
    if _CONDITIONAL.fullmatch(reference) or _NOWHERE.search(reference):
        return False
    match = _LITERAL.fullmatch(reference)
    is_relative = match is not None and match.start("type") == 0
    return bool(run.settings.targets) or (is_relative and run.must_lead_somewhere(trail))


def check_own_url(resource: Resource, path: Path, run: Run) -> None:
    """The url by which a definition is known is absolute."""
    url = resource.get("url")
    if isinstance(url, str) and "status" in run.definitions.types.elements(
        str(resource.get("resourceType"))
    ):
        check_absolute(url, (*path, "url"), run)


class Target:
    """What the references (or canonicals) of one element may lead to."""

    def __init__(
        self, focus: str | Mapping[str, str], allowed: Allowed, profile: str, schemas: Schemas
    ) -> None:
        self._focus = focus
        self._allowed = allowed
        self._profile = profile
        self._schemas = schemas
        self._unloaded = tuple(p for p in allowed.profiles if not schemas.type_of(p))

    def __call__(self, x: Json, t: Trail, run: Run) -> None:
        """Check one reference or canonical."""
        kind = self._focus if isinstance(self._focus, str) else self._focus.get(t[1])
        if kind == "CodeableReference" and isinstance(x, dict):
            kind, x, t = "Reference", x.get("reference"), (t, "reference")
        if kind not in _KINDS.get(type(x), ()):
            return
        reference = x.get("reference") if isinstance(x, dict) else None
        if isinstance(x, str):
            self._check_canonical(x, t, run)
        elif isinstance(reference, str):
            self._check_reference(reference, text_of(x, "type"), t, run)
        elif not run.ignores_targets:
            self._check_stated(text_of(x, "type"), t, run)

    @property
    def _looks_inside(self) -> bool:
        """Whether more than its type and that it exists is to be known of a target."""
        return bool(self._allowed.profiles or self._allowed.aggregation)

    def _check_stated(self, stated: str, t: Trail, run: Run) -> None:
        if stated:
            self._check_type(stated.rpartition("/")[2], "'type'", (t, "type"), run)

    def _check_reference(self, reference: str, stated: str, t: Trail, run: Run) -> None:
        match = _LITERAL.fullmatch(reference)
        if run.ignores_targets and _is_outside(reference, t, run):
            if not match or match["type"] == stated:
                self._check_stated(stated, t, run)
            self._check_aggregation(reference, None, t, run)
            return
        if (
            match
            and not self._looks_inside
            and run.is_elsewhere(reference)
            and not run.is_bundled(reference, t)
        ):
            self._check_type(match["type"], "going by its url, the target", t, run)
            return
        target = run.resolve(reference, t)
        self._check_aggregation(reference, target, t, run)
        if target is None:
            if not match:
                self._check_stated(stated, t, run)
            self._check_missing(reference, t, run)
            return
        kind = target.get("resourceType")
        if not isinstance(kind, str) or not run.definitions.types.is_resource(kind):
            return
        if stated not in {"", kind} and not match:
            run.report(REFERENCE_TYPE, (t, "type"), stated=stated, implied=kind)
        if self._check_type(kind, "the target", t, run):
            self._check_profiles(target, reference, t, run)

    def _check_missing(self, reference: str, t: Trail, run: Run) -> None:
        """Check a reference whose target is not available; ref-1 is for contained ones."""
        if reference.startswith("#"):
            return
        match = _LITERAL.fullmatch(reference) or _CONDITIONAL.fullmatch(reference)
        if match and run.definitions.types.is_resource(match["type"]):
            self._check_type(match["type"], "going by its url, the target", t, run)
        is_demanded = _is_demanded(reference, t, run)
        rule = REFERENCE_NOT_FOUND if is_demanded else NOT_CHECKED_REFERENCE
        run.report(rule, t, reference=cut(reference, 120))

    def _check_type(self, found: str, by: str, t: Trail, run: Run) -> bool:
        types = self._allowed.types
        is_any = not types and not self._unloaded
        if is_any or found in types or "Resource" in types:
            return True
        if "DomainResource" in types and run.definitions.types.is_a(found, "DomainResource"):
            return True
        where: dict[str, Json] = {"profile": self._profile, "type": found, "by": by}
        if self._unloaded:
            run.report(NOT_CHECKED_TARGET, t, **where, profiles=", ".join(self._unloaded))
            return True
        run.report(REFERENCE_TARGET, t, **where, allowed=", ".join(sorted(types)))
        return False

    def _check_aggregation(
        self, reference: str, target: Resource | None, t: Trail, run: Run
    ) -> None:
        wanted = self._allowed.aggregation
        if not wanted:
            return
        found = "referenced"
        if reference.startswith("#"):
            found = "contained"
        elif target is not None and run.is_bundled(reference, t):
            found = "bundled"
        if found not in wanted and not (found == "bundled" and "referenced" in wanted):
            allowed = ", ".join(sorted(wanted))
            run.report(
                REFERENCE_AGGREGATION, t, profile=self._profile, found=found, allowed=allowed
            )

    def _check_profiles(self, target: Resource, reference: str, t: Trail, run: Run) -> None:
        """A target that is available meets one of the profiles its type is allowed by."""
        if not (
            run.settings.targets == "valid"
            or reference.startswith("#")
            or run.is_bundled(reference, t)
        ):
            return
        for profile in self._unloaded:
            if profile.startswith(_HL7):
                continue
            run.report(REFERENCE_PROFILE_UNKNOWN, t, profile=self._profile, canonical=profile)
        kind = target["resourceType"]
        profiles = [p for p in self._allowed.profiles if self._schemas.profile_is_on(p, kind)]
        if not profiles or len(profiles) < self._allowed.count_for(kind):
            return
        verdicts = [run.conforms(target, profile, t) for profile in profiles]
        if any(verdict is not False for verdict in verdicts):
            return
        run.report(
            REFERENCE_PROFILE,
            t,
            profile=self._profile,
            reference=cut(reference, 120),
            allowed=", ".join(profiles),
        )

    def _check_canonical(self, canonical: str, t: Trail, run: Run) -> None:
        if not PREDICATES["canonical"](canonical):
            return
        if not self._profile:
            check_absolute(canonical, t, run)
        if canonical.startswith("#"):
            target = run.resolve(canonical, t)
        else:
            target = run.definitions.find(canonical) or run.resolve(canonical, t)
        if target is None and canonical.startswith("#"):
            run.report(CANONICAL_FRAGMENT, t, value=cut(canonical, 80))
        elif target is None and run.must_be_here(canonical) and not _is_there(canonical, t, run):
            run.report(REFERENCE_NOT_FOUND, t, reference=cut(canonical, 120))
        elif target is None:
            run.report(NOT_CHECKED_CANONICAL, t, canonical=cut(canonical, 120))
        elif isinstance(target.get("resourceType"), str):
            self._check_type(target["resourceType"], "the target", t, run)


def _is_there(canonical: str, t: Trail, run: Run) -> bool:
    """Whether there is another version of what a canonical names: a guide refers to older ones."""
    url, mark, _ = canonical.partition("|")
    return bool(mark) and (run.definitions.find(url) or run.resolve(url, t)) is not None


class Allowed(NamedTuple):
    """Target types, target profiles other than those of the types themselves, kinds of target."""

    types: frozenset[str]
    bare: frozenset[str]
    profiles: tuple[str, ...]
    aggregation: frozenset[str]

    def count_for(self, kind: str) -> int:
        """More than there are profiles when a target of this type may have any."""
        return len(self.profiles) + 1 if kind in self.bare or "Resource" in self.bare else 0
