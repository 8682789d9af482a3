"""The codes of a procedure by their systems, with what each stands for and where it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.render.words import coding as written
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Json, Resource

_PLUMBING = (
    "http://hl7.org/fhir/",
    "http://terminology.hl7.org/CodeSystem/",
    "https://w3id.org/fhirpkg/",
)
"""Systems of FHIR itself: they say how the content works, not what the procedure is."""
_CLINICAL = "http://hl7.org/fhir/sid/"
_ELSEWHERE = {"text", "meta", "contained", "jurisdiction", "compose", "expansion", "identifier"}
"""Elements without codes of the procedure; those of value sets are on the pages of these."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code as a row: itself, its words, and the titles of what uses it."""

    code: str
    words: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """The codes of one system: its name as people say it, and its url."""

    name: str
    url: str
    codes: tuple[Code, ...]


def code_systems(resources: Iterable[Resource], of: str = "") -> list[CodeSystem]:
    """The clinical codes in resources; systems and codes in the order in which they appear.

    Titles of what uses a code lose the name of the procedure that they begin with, `of`.
    """
    found: dict[str, dict[str, tuple[list[str], list[str]]]] = {}
    for resource in resources:
        for system, code, words, use in _codings(resource, "", text_of(resource, "title")):
            said, uses = found.setdefault(system, {}).setdefault(code, ([], []))
            said.append(words)
            rest = use.removeprefix(f"{of}: ") if of else use
            uses.append(rest[:1].upper() + rest[1:])
    return [
        CodeSystem(written({"system": system}), system, tuple(
            Code(code, next(filter(None, said), ""), tuple(dict.fromkeys(filter(None, uses))))
            for code, (said, uses) in codes.items()
        ))
        for system, codes in found.items()
    ]  # fmt: skip


def procedure_codes(plan: Resource, resources: Iterable[Resource]) -> list[str]:
    """The codes that a plan is about, as people write them: ``CPT 20983``."""
    focus = [
        context.get("valueCodeableConcept")
        for context in objects(plan, "useContext")
        if text_of(context.get("code"), "code") == "focus"
    ]
    defined = {
        text_of(action, "definitionCanonical").partition("|")[0]
        for action in objects(plan, "action")
    }
    defined.discard("")
    done = [
        r.get("code")
        for r in resources
        if text_of(r, "url") in defined and r.get("kind") != "CommunicationRequest"
    ]
    concepts = [*objects(plan, "topic"), *focus, *done]
    codings = [coding for concept in concepts for coding in objects(concept, "coding")]
    clinical = [c for c in codings if text_of(c, "code") and not _is_plumbing(c)]
    return list(dict.fromkeys(map(written, clinical)))


def _codings(value: Json, words: str, use: str) -> Iterator[tuple[str, str, str, str]]:
    """System, code, words and use of every coding in a value."""
    if isinstance(value, list):
        for item in value:
            yield from _codings(item, words, use)
    elif isinstance(value, dict):
        system, code = value.get("system"), value.get("code")
        if isinstance(system, str) and isinstance(code, str) and not _is_plumbing(value):
            yield system, code, text_of(value, "display") or words, use
        use = text_of(value, "title") or use
        words = text_of(value, "text")
        for key, item in value.items():
            if key not in _ELSEWHERE and isinstance(item, dict | list):
                yield from _codings(item, words, use)


def _is_plumbing(value: Resource) -> bool:
    system = text_of(value, "system")
    is_unit = "value" in value or system == "http://unitsofmeasure.org"
    return is_unit or (system.startswith(_PLUMBING) and not system.startswith(_CLINICAL))
