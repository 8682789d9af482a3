"""One CodeSystem, indexed: its concepts, their hierarchy and the filters value sets ask by.

See http://hl7.org/fhir/R4/codesystem.html and codesystem-filter-operator.html.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fhirpkg.definitions.terminology.grammars import LOINC, SNOMED_CT
from fhirpkg.languages.choosing import primary
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from fhirpkg.definitions.terminology.composition import Filter
    from fhirpkg.issues import Json, Resource

_ABOUT_CODES = frozenset(("regex", "=", "in", "not-in"))
_NEGATIVE = frozenset(("is-not-a", "not-in"))
_TREE = frozenset(("is-a", "is-not-a", "descendent-of", "generalizes"))
_WITH_SETS = frozenset((LOINC, SNOMED_CT))
"""Systems whose filters have meanings of their own, but for those by the hierarchy."""
_PARENT_PROPERTIES = ("parent", "subsumedBy")


@dataclass(frozen=True, slots=True)
class Concept:
    """A code with what its system says of it; `parents` are codes, also those by property.

    A designation is a text and its language, which may be empty.
    """

    code: str
    display: str = ""
    designations: tuple[tuple[str, str], ...] = ()
    parents: tuple[str, ...] = ()
    properties: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    definition: str = ""

    @property
    def displays(self) -> tuple[str, ...]:
        """Every text that may stand as display, the preferred one first; none known = empty."""
        return self.displays_in("")

    def displays_in(self, language: str) -> tuple[str, ...]:
        """The display, whatever its language, and the designations that fit a language.

        Those without a language fit all; all fit the empty language.
        """
        wanted = primary(language)
        fitting = (
            text for text, own in self.designations if not own or wanted in ("", primary(own))
        )
        return tuple(filter(None, (self.display, *fitting)))

    @property
    def is_abstract(self) -> bool:
        """Whether the code only groups others and is not for use (property notSelectable)."""
        return any(_is_true(self.properties.get(p)) for p in ("notSelectable", "abstract"))

    @property
    def is_inactive(self) -> bool:
        """Whether the code is retired (http://hl7.org/fhir/R4/codesystem.html#status)."""
        status = {str(value).lower() for value in self.properties.get("status", ())}
        return _is_true(self.properties.get("inactive")) or bool(status & {"retired", "inactive"})


class CodeSystem:
    """The concepts of a CodeSystem resource by code."""

    def __init__(self, resource: Resource) -> None:
        self.url = text_of(resource, "url")
        self.version = text_of(resource, "version") or None
        self.content = text_of(resource, "content") or "complete"
        if "supplements" in resource:
            self.content = "supplement"
        self._folds_case = resource.get("caseSensitive") is False
        self.concepts: dict[str, Concept] = {}
        for concept in _concepts(resource):
            self.concepts.setdefault(self._key(concept.code), concept)
        self._add_children_by_property()

    @property
    def is_complete(self) -> bool:
        """Whether a code that is not here does not exist."""
        return self.content == "complete"

    def get(self, code: str) -> Concept | None:
        """The concept of a code, ignoring case where the system does."""
        return self.concepts.get(self._key(code))

    def is_a(self, code: str, ancestor: str) -> bool:
        """Whether `ancestor` is the code itself or above it; cycles end."""
        wanted = self._key(ancestor)
        seen: set[str] = set()
        above = [self._key(code)]
        while above:
            key = above.pop()
            if key == wanted:
                return True
            if key not in seen and key in self.concepts:
                seen.add(key)
                above += map(self._key, self.concepts[key].parents)
        return False

    def _key(self, code: str) -> str:
        return code.lower() if self._folds_case else code

    def _add_children_by_property(self) -> None:
        """Turn `child` properties, HL7's second way to write a hierarchy, into parents."""
        for parent in list(self.concepts.values()):
            for child in parent.properties.get("child", ()):
                key = self._key(str(child))
                known = self.concepts.get(key)
                if known and parent.code not in known.parents:
                    self.concepts[key] = replace(known, parents=(*known.parents, parent.code))


def is_display(text: str, known: Iterable[str]) -> bool:
    """Whether a text is one of the displays, whatever its case."""
    return text.casefold() in map(str.casefold, known)


def _concepts(resource: Resource) -> Iterator[Concept]:
    todo: list[tuple[Resource, tuple[str, ...]]] = [
        (concept, ()) for concept in reversed(objects(resource, "concept"))
    ]
    while todo:
        raw, parents = todo.pop()
        code = text_of(raw, "code")
        properties = _properties(raw)
        by_property = (str(c) for p in _PARENT_PROPERTIES for c in properties.get(p, ()))
        if code:
            yield Concept(
                code,
                text_of(raw, "display"),
                tuple(
                    (text_of(each, "value"), text_of(each, "language"))
                    for each in objects(raw, "designation")
                ),
                tuple(dict.fromkeys((*parents, *by_property))),
                properties,
                text_of(raw, "definition"),
            )
        todo += [(child, (code,)) for child in reversed(objects(raw, "concept"))]


def _properties(raw: Resource) -> dict[str, tuple[Json, ...]]:
    found: dict[str, tuple[Json, ...]] = {}
    for entry in objects(raw, "property"):
        value = next((v for key, v in entry.items() if key.startswith("value")), None)
        if isinstance(value, dict):
            value = value.get("code")
        code = text_of(entry, "code")
        found[code] = (*found.get(code, ()), value)
    return found


def _is_true(values: tuple[Json, ...] | None) -> bool:
    return bool(values) and any(value is True or value == "true" for value in values or ())


def matches(system: CodeSystem, concept: Concept, clause: Filter) -> bool | None:
    """Whether a concept satisfies a filter of a value set; None when that is unknown.

    A part of a system shows what a concept is and has, not what it is not or lacks.
    """
    is_bare = is_about_code(clause, system.url)
    operator = _OPERATORS.get(clause.op)
    if operator is None or (system.url in _WITH_SETS and not is_bare and clause.op not in _TREE):
        return None
    answer = operator(system, concept, clause.property, clause.value)
    is_negative = clause.op in _NEGATIVE or (clause.op == "exists" and not _wants(clause.value))
    is_sure = system.is_complete or is_bare or answer is not is_negative
    return answer if is_sure else None


def is_about_code(clause: Filter, system: str) -> bool:
    """Whether a filter looks at nothing but the code itself.

    ``concept in X`` does not in SNOMED CT and LOINC, where X stands for its members
    (http://hl7.org/fhir/R4/snomedct.html, loinc.html: filters).
    """
    if clause.property == "concept" and clause.op in {"in", "not-in"} and system in _WITH_SETS:
        return False
    return clause.property in {"code", "concept"} and clause.op in _ABOUT_CODES


def values(concept: Concept, name: str) -> tuple[Json, ...]:
    """What a concept has for a property, the implied ones (code, display, parent) included."""
    if name in {"code", "concept"}:
        return (concept.code,)
    if name == "display":
        return concept.displays
    if name == "definition":
        return (concept.definition,) if concept.definition else ()
    if name in _PARENT_PROPERTIES:
        return concept.parents
    return concept.properties.get(name, ())


def _equals(system: CodeSystem, concept: Concept, name: str, value: str) -> bool:
    if name == "child":
        child = system.get(value)
        return child is not None and concept.code in child.parents
    return value in map(_text, values(concept, name))


def _is_a(system: CodeSystem, concept: Concept, _: str, value: str) -> bool:
    return system.is_a(concept.code, value)


def _descends(system: CodeSystem, concept: Concept, _: str, value: str) -> bool:
    return concept.code != value and system.is_a(concept.code, value)


def _is_not_a(system: CodeSystem, concept: Concept, _: str, value: str) -> bool:
    return not system.is_a(concept.code, value)


def _generalizes(system: CodeSystem, concept: Concept, _: str, value: str) -> bool:
    return system.is_a(value, concept.code)


def _in(_: CodeSystem, concept: Concept, name: str, value: str) -> bool:
    wanted = {part.strip() for part in value.split(",")}
    return not wanted.isdisjoint(map(_text, values(concept, name)))


def _not_in(system: CodeSystem, concept: Concept, name: str, value: str) -> bool:
    return not _in(system, concept, name, value)


def _regex(_: CodeSystem, concept: Concept, name: str, value: str) -> bool | None:
    from fhirpkg.fhirpath.patterns import fits  # noqa: PLC0415 - few value sets need it

    answers = [fits(_text(found), value) for found in values(concept, name)]
    return True if True in answers else None if None in answers else False


def _exists(_: CodeSystem, concept: Concept, name: str, value: str) -> bool:
    return bool(values(concept, name)) == _wants(value)


def _wants(value: str) -> bool:
    """Whether a filter by `exists` asks for concepts that have the property."""
    return value.strip().lower() != "false"


def _text(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_OPERATORS: dict[str, Callable[[CodeSystem, Concept, str, str], bool | None]] = {
    "=": _equals,
    "is-a": _is_a,
    "descendent-of": _descends,
    "is-not-a": _is_not_a,
    "generalizes": _generalizes,
    "in": _in,
    "not-in": _not_in,
    "regex": _regex,
    "exists": _exists,
}
