"""Rules of data types that no StructureDefinition states: codings, quantities, attachments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.codesystems import Concept, is_display
from fhirpkg.definitions.terminology.verdicts import Membership, Verdict
from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import objects, text_of
from fhirpkg.validation.elements.datatype_rules import (
    ATTACHMENT_HASH,
    ATTACHMENT_SIZE,
    CODING_ABSTRACT,
    CODING_CODE,
    CODING_DISPLAY,
    CODING_DISPLAY_UNKNOWN,
    CODING_FORM,
    CODING_SYSTEM_ABSOLUTE,
    CODING_SYSTEM_KIND,
    IDENTIFIER_SYSTEM,
    IDENTIFIER_URI,
    META_SECURITY_REPEATED,
)
from fhirpkg.validation.elements.primitives import PREDICATES, cut
from fhirpkg.validation.places import flat
from fhirpkg.validation.run import Finding

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.rules import Rule
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_URIS = "urn:ietf:rfc:3986"
_EXACT = (
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://unitsofmeasure.org",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
)
"""Systems that no other begins with: an edition, a value set or a slip of the pen does
(http://hl7.org/fhir/R4/terminologies-systems.html)."""
_QUANTITIES = (
    "Quantity",
    "Age",
    "Count",
    "Distance",
    "Duration",
    "MoneyQuantity",
    "SimpleQuantity",
)
_MOST_KEPT = 20_000


class Codings:
    """The check of codes in their systems, whatever they are bound to; answers are kept."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str | None], Rule | None] = {}

    def __call__(self, value: Json, trail: Trail, run: Run) -> None:
        """Check the system, the code and the display of a Coding."""
        system, code = value.get("system"), value.get("code")
        if not isinstance(system, str):
            return
        if not _ABSOLUTE.fullmatch(system):
            run.report(CODING_SYSTEM_ABSOLUTE, (trail, "system"), system=cut(system, 80))
            return
        if not isinstance(code, str) or not PREDICATES["code"](code):
            return
        problem = self._problem(system, code, value.get("version"), run)
        if problem:
            place = (trail, "system" if problem is CODING_SYSTEM_KIND else "code")
            words = {"code": cut(code, 80), "system": system}
            words["reason"] = self._reason(system, code, run)
            run.report(problem, place, severity=_severity(system, trail), **words)
        if problem in {None, CODING_ABSTRACT} and isinstance(value.get("display"), str):
            self._check_display(system, code, value["display"], trail, run)

    def check_quantity(self, value: Json, trail: Trail, run: Run) -> None:
        """Check that the system of a Quantity is absolute and its coded unit exists."""
        system, code = value.get("system"), value.get("code")
        if isinstance(system, str) and not _ABSOLUTE.fullmatch(system):
            run.report(CODING_SYSTEM_ABSOLUTE, (trail, "system"), system=cut(system, 80))
        elif isinstance(system, str) and isinstance(code, str) and PREDICATES["code"](code):
            problem = self._problem(system, code, None, run)
            if problem is CODING_SYSTEM_KIND and _meant(system):
                reason = self._reason(system, code, run)
                run.report(problem, (trail, "system"), system=cut(system, 80), reason=reason)
            elif problem and problem in {CODING_CODE, CODING_FORM}:
                reason = self._reason(system, code, run)
                code = cut(code, 80)
                rule = problem if run.settings.strict else CODING_FORM  # R4's own examples err
                run.report(rule, (trail, "code"), code=code, system=system, reason=reason)

    def _problem(self, system: str, code: str, version: Json, run: Run) -> Rule | None:
        """The rule that a code breaks; codes of systems that are not loaded break none."""
        version = version if isinstance(version, str) else None
        key = (system, code, version)
        if key not in self._known:
            if len(self._known) > _MOST_KEPT:
                self._known.clear()
            self._known[key] = self._look_up(system, code, version, run)
        return self._known[key]

    @staticmethod
    def _look_up(system: str, code: str, version: str | None, run: Run) -> Rule | None:
        held = run.terminology.system(system)
        if _meant(system) or _is_supplement(system, run):
            return CODING_SYSTEM_KIND
        if held is None and run.terminology.value_set(system) is not None:
            return CODING_SYSTEM_KIND
        found = run.terminology.lookup(system, code, version)
        if isinstance(found, Concept):
            return CODING_ABSTRACT if found.is_abstract else None
        if found.verdict is not Verdict.NO:
            return None
        is_held = held is not None and held.content != "not-present"
        return CODING_CODE if is_held else CODING_FORM

    @staticmethod
    def _reason(system: str, code: str, run: Run) -> str:
        if meant := _meant(system):
            return f"that would be {meant}"
        if _is_supplement(system, run):
            return "it only adds to another code system"
        found = run.terminology.lookup(system, code)
        return found.reason if isinstance(found, Membership) else ""

    @staticmethod
    def _check_display(system: str, code: str, display: str, trail: Trail, run: Run) -> None:
        known = run.terminology.displays(system, code, _language(run))
        held = None if known else run.terminology.system(system)
        if held and held.get(code):
            run.report(
                CODING_DISPLAY_UNKNOWN,
                (trail, "display"),
                display=cut(display, 80),
                code=code,
                system=system,
            )
        if known and not is_display(display, known):
            words = {"display": cut(display, 80), "code": code, "system": system}
            words["known"] = ", ".join(f"'{cut(one, 80)}'" for one in known[:5])
            place = flat((trail, "display"))
            severity = run.settings.wrong_display
            run.displays[place] = Finding(CODING_DISPLAY, place, severity, "", words)


def check_attachment(value: Json, trail: Trail, run: Run) -> None:
    """The size and the hash stated for an Attachment are those of its data."""
    size, stated, data = value.get("size"), value.get("hash"), value.get("data")
    if not isinstance(data, str) or not PREDICATES["base64Binary"](data):
        return
    bare = "".join(data.split())
    found = len(bare) // 4 * 3 - bare.count("=", -2)
    if isinstance(size, int) and size != found:
        run.report(ATTACHMENT_SIZE, trail, size=size, found=found)
    if isinstance(stated, str):
        digest = _digest(bare)
        if stated != digest:
            run.report(ATTACHMENT_HASH, trail, hash=cut(stated, 80), found=digest)


def _digest(data: str) -> str:
    """The SHA-1 of base64 text, in base64, as FHIR states it."""
    import base64  # noqa: PLC0415 - slow to load and seldom needed
    import hashlib  # noqa: PLC0415 - see above

    found = hashlib.sha1(base64.b64decode(data), usedforsecurity=False).digest()
    return base64.b64encode(found).decode()


def _meant(system: str) -> str:
    """The code system that one is named after without being it, or nothing."""
    return next((one for one in _EXACT if system != one and system.startswith(one)), "")


def _severity(system: str, trail: Trail) -> Severity | None:
    """HL7's validator lets a concept pass whose codes are of a system that is named amiss."""
    return Severity.WARNING if _meant(system) and trail and trail[1] == "coding" else None


def _is_supplement(system: str, run: Run) -> bool:
    """Whether a code system only adds to another one, whatever its `content` says."""
    held = run.definitions.find(system, "CodeSystem")
    return held is not None and ("supplements" in held or held.get("content") == "supplement")


def check_identifier(value: Json, trail: Trail, run: Run) -> None:
    """The system of an Identifier is absolute; where it says that the value is a uri, it is one."""
    system, text = value.get("system"), value.get("value")
    if not isinstance(system, str):
        return
    if not _ABSOLUTE.match(system):
        run.report(IDENTIFIER_SYSTEM, (trail, "system"), system=cut(system, 80))
    elif system == _URIS and isinstance(text, str) and not _ABSOLUTE.fullmatch(text):
        run.report(IDENTIFIER_URI, (trail, "value"), value=cut(text, 80), system=system)


def check_meta(value: Json, trail: Trail, run: Run) -> None:
    """No security label appears twice."""
    labels = [
        (text_of(each, "system"), text_of(each, "code")) for each in objects(value, "security")
    ]
    for number, (system, code) in enumerate(labels):
        if code and (system, code) in labels[:number]:
            run.report(META_SECURITY_REPEATED, trail, code=cut(f"{system}#{code}", 80))


def _language(run: Run) -> str:
    """The language that displays are in; empty, any, if none is stated.

    R4 wants one of the displays of the code system, in whatever language. HL7's validator takes
    English where none is stated, and so does `strict`.
    """
    return run.language or ("en" if run.settings.strict else "")


def type_rules() -> dict[str, Callable[[Json, Trail, Run], None]]:
    """The rules by the name of the type they are about."""
    codings = Codings()
    return {
        "Attachment": check_attachment,
        "Coding": codings,
        "Identifier": check_identifier,
        "Meta": check_meta,
        **dict.fromkeys(_QUANTITIES, codings.check_quantity),
    }
