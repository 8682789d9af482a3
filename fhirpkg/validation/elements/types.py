"""Types and type profiles that a profile leaves for a value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.validation.elements.rules import (
    NOT_CHECKED_PROFILE,
    PROFILE_NONE,
    PROFILE_UNKNOWN,
    STRUCTURE_TYPE,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.issues import Json
    from fhirpkg.rules import Rule
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

_HL7 = "http://hl7.org/fhir/"


class AllowedTypes:
    """The types left of a choice, by JSON property, or of a place for any resource."""

    def __init__(
        self, element: str, keys: Mapping[str, str], codes: frozenset[str], profile: str
    ) -> None:
        self._element = element
        self._keys = keys
        self._codes = codes
        self._profile = profile

    def __call__(self, x: Json, t: Trail, run: Run) -> None:
        """Check one value."""
        if self._keys:
            if t[1].removeprefix("_") in self._keys:
                return
            found = t[1]
        else:
            found = x.get("resourceType") if isinstance(x, dict) else None
            if not isinstance(found, str) or self._is_allowed(found, run):
                return
        run.report(
            STRUCTURE_TYPE,
            t,
            profile=self._profile,
            element=self._element,
            found=found,
            allowed=", ".join(sorted(self._codes)),
        )

    def _is_allowed(self, found: str, run: Run) -> bool:
        return not self._codes.isdisjoint(run.definitions.types.ancestors(found))


class Conforms:
    """The profiles on the types of an element; a value must meet one of those of its type."""

    def __init__(
        self,
        by_type: Mapping[str, tuple[str, ...]],
        focus: str | Mapping[str, str],
        profile: str,
    ) -> None:
        self._by_type = by_type
        self._focus = focus
        self._profile = profile

    def __call__(self, x: Json, t: Trail, run: Run) -> None:
        """Check one value."""
        if x is None:
            return
        profiles = self._by_type.get(self._type_of(x, t), ())
        if len(profiles) == 1:
            run.check_profile(x, profiles[0], t, unknown=self._unknown(profiles[0]))
        elif profiles:
            if any(run.conforms(x, p, t) is not False for p in profiles):
                return
            run.report(PROFILE_NONE, t, profile=self._profile, allowed=", ".join(profiles))

    @staticmethod
    def _unknown(profile: str) -> Rule:
        """The rule that a profile is available: HL7's packages beside the core need not be."""
        return NOT_CHECKED_PROFILE if profile.startswith(_HL7) else PROFILE_UNKNOWN

    def _type_of(self, x: Json, t: Trail) -> str:
        if isinstance(self._focus, str):
            if isinstance(x, dict) and isinstance(x.get("resourceType"), str):
                kind = str(x["resourceType"])
                return kind if kind in self._by_type else next(iter(self._by_type))
            return self._focus if self._focus in self._by_type else next(iter(self._by_type))
        return self._focus.get(t[1], "")
