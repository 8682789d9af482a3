"""What the inputs hold for each other: targets of references, definitions, canonical bases."""

from __future__ import annotations

import gc
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from fhirpkg.definitions.datafile import entry_of
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from fhirpkg.corpus.inputs import Input
    from fhirpkg.definitions.datafile import Entry
    from fhirpkg.definitions.typemodel import TypesOfDefinitions
    from fhirpkg.issues import Resource

DEFINITIONS = frozenset(
    "ActivityDefinition CodeSystem ConceptMap ImplementationGuide Library Measure NamingSystem "
    "OperationDefinition PlanDefinition Questionnaire SearchParameter StructureDefinition "
    "StructureMap ValueSet".split()
)
"""What checks of other resources ask for."""
_TYPES = "http://hl7.org/fhir/StructureDefinition/"
_KEPT = 4_000_000
"""Bytes of targets held parsed: references to one resource are usually close together."""


class Guide(NamedTuple):
    """The canonical base that an ImplementationGuide owns, and the definitions that it lists."""

    base: str
    lists: frozenset[str]

    def is_whole(self, knows: Callable[[str], bool]) -> bool:
        """Whether there is all that it lists; a guide that lists nothing is not finished."""
        return bool(self.lists) and all(map(knows, self.lists))


@dataclass(frozen=True, slots=True)
class Identity:
    """How the resources of one input may be referred to."""

    names: tuple[str, ...]
    """``Type/id``, url and ``url|version`` of the resource."""
    inner: tuple[str, ...]
    """Those of the entries of a Bundle."""
    guides: tuple[Guide, ...]
    """The ImplementationGuides inside that own a base."""
    defines: tuple[tuple[str, Entry], ...]
    """The definitions inside that checks may use, by their canonicals with their versions."""
    structures: tuple[tuple[str, Resource], ...] = ()
    """Those of them that are compiled, where they are to be kept until then."""


@dataclass(frozen=True, slots=True)
class _Parsed:
    """What one input holds, by name, and how large its text is."""

    size: int
    by_name: dict[str, Resource]


@dataclass(slots=True)
class Targets:
    """The inputs by name; the content is read again when a reference leads to it."""

    types: TypesOfDefinitions
    by_name: dict[str, Input] = field(default_factory=dict)
    by_inner: dict[str, Input] = field(default_factory=dict)
    guides: set[Guide] = field(default_factory=set)
    definitions: dict[str, Input] = field(default_factory=dict)
    """The definitions by their canonicals, with their versions."""
    entries: dict[str, Entry] = field(default_factory=dict)
    """What identifies each of them."""
    structures: dict[str, Resource] = field(default_factory=dict)
    """Those that are compiled, parsed; until they are handed over."""
    _parsed: OrderedDict[str, _Parsed] = field(default_factory=OrderedDict)
    _size: int = 0
    """Bytes of what is held parsed."""

    def add(self, given: Input, identity: Identity) -> None:
        """Note one input; of two with one name the first is the target, of two in Bundles too."""
        for name in identity.names:
            self.by_name.setdefault(name, given)
        for name in identity.inner:
            self.by_inner.setdefault(name, given)
        self.guides.update(identity.guides)
        for canonical, entry in identity.defines:
            self.definitions.setdefault(canonical, given)
            self.entries.setdefault(canonical, entry)
        for canonical, structure in identity.structures:
            if self.definitions[canonical] is given:
                self.structures.setdefault(canonical, structure)

    @property
    def bases(self) -> set[str]:
        """Canonical bases of the guides whose definitions are all here.

        In the sources of a guide they may be in another language, such as FHIR Shorthand, or the
        guide lists none yet.
        """
        return {guide.base for guide in self.guides if guide.is_whole(self.knows)}

    def as_definitions(self) -> Targets:
        """The definitions alone, which no reference leads to."""
        structures = self.structures
        return Targets(
            self.types, definitions=self.definitions, entries=self.entries, structures=structures
        )

    def definition(self, canonical: str) -> Resource | None:
        """One of the definitions."""
        if canonical in self.structures:
            return self.structures[canonical]
        return self._read(self.definitions[canonical]).by_name.get(canonical)

    def knows(self, reference: str) -> bool:
        """Whether one of the inputs is what a reference leads to."""
        name = reference.partition("#")[0].partition("/_history/")[0]
        return name in self.by_name or name in self.by_inner

    def retrieve(self, reference: str) -> Resource | None:
        """The resource among the inputs that a reference or canonical leads to, or None."""
        name = reference.partition("#")[0].partition("/_history/")[0]
        given = self.by_name.get(name) or self.by_inner.get(name)
        if given is None:
            return _installed(name)
        return self._read(given).by_name.get(name)

    def _read(self, given: Input) -> _Parsed:
        """What one input holds; the latest ones are kept."""
        key = f"{given.file}:{given.first_line}"
        if key not in self._parsed:
            self._parsed[key] = _parse(given.data(), self.types)
            self._size += self._parsed[key].size
            while len(self._parsed) > 1 and self._size > _KEPT:
                self._size -= self._parsed.popitem(last=False)[1].size
        return self._parsed[key]


def _parse(data: bytes, types: TypesOfDefinitions) -> _Parsed:
    """The resources of one input; its errors are ignored here, as its own check reports them."""
    found: dict[str, Resource] = {}
    for resource in _resources(_value(data, types)):
        for name in _names(resource):
            found.setdefault(name, resource)
    return _Parsed(len(data), found)


def _value(data: bytes, types: TypesOfDefinitions) -> Any:
    """The value in JSON or XML text; None for what is neither."""
    if data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        from fhirpkg import fhirxml

        return fhirxml.read(data, types)[0]
    try:
        return json.loads(data.decode("utf-8-sig"), parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _installed(name: str) -> Resource | None:
    """The target of a relative reference in the content that is installed with this program."""
    from fhirpkg.packages.installed import installed_resource

    resource_type, _, identifier = name.partition("/")
    known = resource_type.isalpha() and identifier.replace("-", "").replace(".", "").isalnum()
    return installed_resource(resource_type, identifier) if known else None


def identify(given: Input, types: TypesOfDefinitions, *, keeping: bool = False) -> Identity:
    """The names of the resources in one input; none when it cannot be read.

    With `keeping`, also the StructureDefinitions that FHIR does not have, which all are compiled.
    """
    enabled = gc.isenabled()
    gc.disable()  # parsing makes no cycles; with it a large input takes twice as long
    try:
        resources = list(_resources(_value(given.data(), types)))
    finally:
        if enabled:
            gc.enable()
    return Identity(
        tuple(_names(resources[0]) if resources else ()),
        tuple(name for resource in resources[1:] for name in _names(resource)),
        tuple(Guide(base, _listed(r)) for r in resources if (base := _base(r))),
        tuple(
            (_names(resource)[-1], entry_of(resource))
            for resource in resources
            if resource["resourceType"] in DEFINITIONS and text_of(resource, "url")
        ),
        tuple(_structures(resources, types)) if keeping else (),
    )


def _structures(
    resources: list[Resource], types: TypesOfDefinitions
) -> Iterator[tuple[str, Resource]]:
    for resource in resources:
        url = text_of(resource, "url")
        is_compiled = url and resource["resourceType"] == "StructureDefinition"
        if is_compiled and not types.is_type(url.removeprefix(_TYPES)):
            yield _names(resource)[-1], resource


def targets_among(
    identified: Iterable[tuple[Input, Identity]], types: TypesOfDefinitions
) -> Targets:
    """The inputs by the names found in them."""
    targets = Targets(types)
    for given, identity in identified:
        targets.add(given, identity)
    return targets


def _resources(value: Any) -> Iterator[Resource]:
    """The resource itself and, of a Bundle, those of its entries."""
    if not isinstance(value, dict) or not isinstance(value.get("resourceType"), str):
        return
    yield value
    entries = value.get("entry") if value["resourceType"] == "Bundle" else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            yield from _resources(entry.get("resource"))


def _base(resource: Resource) -> str:
    """The canonical base that a guide owns; none for FHIR's, where whatever no package holds is."""
    base, mark, _ = str(resource.get("url")).partition("/ImplementationGuide/")
    is_guide = resource.get("resourceType") == "ImplementationGuide" and mark
    return base if is_guide and base != "http://hl7.org/fhir" else ""


def _listed(guide: Resource) -> frozenset[str]:
    """The definitions among the resources that a guide lists, as ``Type/id``."""
    parts = objects(guide.get("definition"), "resource")
    named = (text_of(each.get("reference"), "reference") for each in parts)
    return frozenset(name for name in named if name.partition("/")[0] in DEFINITIONS)


def _names(resource: Resource) -> list[str]:
    names = []
    if isinstance(resource.get("id"), str):
        names.append(f"{resource['resourceType']}/{resource['id']}")
    url, version = resource.get("url"), resource.get("version")
    if isinstance(url, str):
        names.append(url)
        if isinstance(version, str):
            names.append(f"{url}|{version}")
    return names
