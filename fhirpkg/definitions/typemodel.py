"""Types and their elements, for walking resources: FHIRPath, XML, builders.

A type is a line of a table: name, base, kind, regular expression of a primitive, elements. The
core's lines are made by the compiler; those of added packages from their StructureDefinitions.
Backbone elements are types by their path (`PlanDefinition.action`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.model import ElementType
from fhirpkg.untrusted import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from fhirpkg.definitions.datafile import DataFile, Entry
    from fhirpkg.issues import Json, Resource

_SYSTEM = "http://hl7.org/fhirpath/"
_FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
_IMPLEMENTS = "http://hl7.org/fhir/StructureDefinition/structuredefinition-implements"
ABSTRACT = frozenset(("Resource", "DomainResource", "CanonicalResource", "MetadataResource"))
"""Resource types without instances; the latter two are interfaces of R5."""
_REGEX = "http://hl7.org/fhir/StructureDefinition/regex"


@dataclass(frozen=True, slots=True)
class _Type:
    """One type, read from its line."""

    base: str | None
    kind: str
    regex: str
    elements: Mapping[str, ElementType]


class TypesOfDefinitions:
    """The types that definitions define; each is read when it is first asked for.

    `added` gives a StructureDefinition outside the core by type name.
    """

    def __init__(self, core: DataFile, added: Callable[[str], Resource | None]) -> None:
        self._core = core
        self._added = added
        self._types: dict[str, _Type | None] = {}
        self._resource_types: frozenset[str] | None = None
        self.derived: dict[object, Json] = {}

    def base(self, type_name: str) -> str | None:
        """What a type specializes, `DomainResource` for `Patient`; None for a root or no type."""
        found = self._type(type_name)
        return found.base if found else None

    def ancestors(self, type_name: str) -> Iterator[str]:
        """A type and all that it specializes, nearest first."""
        name: str | None = type_name
        while name:
            yield name
            name = self.base(name)

    def is_a(self, type_name: str, wanted: str) -> bool:
        """Whether a type is another one or specializes it."""
        return wanted in self.ancestors(type_name)

    def elements(self, type_name: str) -> Mapping[str, ElementType]:
        """The elements of a type in their order, inherited ones included, by name without [x].

        A primitive has `value` of a type like `System.String`. Empty when there is no such type.
        """
        found = self._type(type_name)
        return found.elements if found else {}

    def is_type(self, name: str) -> bool:
        """Whether a name is that of a type or, written as a path, of a backbone element."""
        return self._type(name) is not None

    def is_primitive(self, name: str) -> bool:
        """Whether a type is a primitive, which JSON writes as a plain value."""
        found = self._type(name)
        return found is not None and found.kind == "primitive-type"

    def is_resource(self, name: str) -> bool:
        """Whether a type is a resource, abstract ones (Resource, DomainResource) included."""
        found = self._type(name)
        return found is not None and found.kind == "resource"

    def resource_types(self) -> frozenset[str]:
        """The names of all resource types that can be instantiated."""
        if self._resource_types is None:
            rows = (line.split("\t") for line in self._core.type_lines())
            names = {row[0] for row in rows if row[2] == "resource"}
            self._resource_types = frozenset(names - ABSTRACT)
        return self._resource_types

    def regex(self, primitive: str) -> str:
        """The regular expression a primitive's text must match as a whole; empty for none."""
        found = self._type(primitive)
        return found.regex if found else ""

    def _type(self, name: str) -> _Type | None:
        try:
            return self._types[name]
        except KeyError:
            line = self._core.type_line(name)
            if line is None:
                self._types[name] = None
                self._learn(name)
            else:
                self._types[name] = _read_line(line)
            return self._types[name]

    def _learn(self, name: str) -> None:
        """Take in the types of an added StructureDefinition, the type itself and its backbones."""
        structure = self._added(name.partition(".")[0])
        try:
            lines = list(type_lines(structure)) if structure else []
        except (KeyError, TypeError, AttributeError, IndexError):
            return  # a malformed definition defines no type; validating it shows why
        for line in lines:
            self._types[line.partition("\t")[0]] = _read_line(line)


def defines_type(entry: Entry) -> bool:
    """Whether a definition is a StructureDefinition of a type of its own, not a profile."""
    return entry.resource_type == "StructureDefinition" and entry.derivation != "constraint"


def type_lines(structure: Resource) -> Iterator[str]:
    """The lines of the type a StructureDefinition with snapshot defines, and of its backbones."""
    elements = structure["snapshot"]["element"]
    root = elements[0]["path"]
    base = _base_of(structure)
    children = _children(elements)
    for path, inner in children.items():
        if path == root:
            kind, parent = structure["kind"], base
        else:
            kind, parent = "backbone", _types(_by_path(elements, path))[0]
        members = ";".join(_member(element, children) for element in inner)
        yield "\t".join((path, parent, kind, _regex_of(structure, path), members))


def _base_of(structure: Resource) -> str:
    """What a type specializes, the interface that it implements if there is one.

    An interface has itself a base (http://hl7.org/fhir/R5/metadataresource.html).
    """
    extensions = structure.get("extension", ())
    implemented = (e.get("valueUri") for e in extensions if e.get("url") == _IMPLEMENTS)
    return str(next(implemented, structure.get("baseDefinition", ""))).rpartition("/")[2]


def _children(elements: Iterable[Resource]) -> dict[str, list[Resource]]:
    """Elements by the path of their parent; slices are not elements of a type."""
    children: dict[str, list[Resource]] = {}
    for element in elements:
        parent = element["path"].rpartition(".")[0]
        if parent and "sliceName" not in element:
            children.setdefault(parent, []).append(element)
    return children


def _by_path(elements: Iterable[Resource], path: str) -> Resource:
    return next(element for element in elements if element["path"] == path)


def _member(element: Resource, children: Mapping[str, Json]) -> str:
    """``name:types`` with ``*`` for a list and ``?`` for a choice behind the name."""
    name = element["path"].rpartition(".")[2]
    is_list = "*" if element.get("max") not in {"0", "1"} else ""
    is_choice = "?" if name.endswith("[x]") else ""
    types = [element["path"]] if element["path"] in children else _types(element)
    return f"{name.removesuffix('[x]')}{is_list}{is_choice}:{'|'.join(dict.fromkeys(types))}"


def _types(element: Resource) -> list[str]:
    if "contentReference" in element:
        return [element["contentReference"].partition("#")[2]]
    if _is_value_of_primitive(element):
        return [element["type"][0]["code"].removeprefix(_SYSTEM)]
    return [type_code(type_) for type_ in element.get("type", [])] or ["Element"]


def _is_value_of_primitive(element: Resource) -> bool:
    """`boolean.value` and its like: a lower-case type has no other element named `value`."""
    path: str = element["path"]
    return path[0].islower() and path.endswith(".value")


def type_code(type_: Resource) -> str:
    """The FHIR type of an ElementDefinition.type, also where it names FHIRPath's (Element.id)."""
    for extension in objects(type_, "extension"):
        if extension.get("url") == _FHIR_TYPE:
            return str(extension.get("valueUrl") or extension.get("valueUri"))
    return str(type_.get("code", "")).rpartition("/")[2]


def _regex_of(structure: Resource, path: str) -> str:
    """The regular expression on the value of a primitive type."""
    if structure["kind"] != "primitive-type" or "." in path:
        return ""
    value = _by_path(structure["snapshot"]["element"], f"{path}.value")
    for extension in value["type"][0].get("extension", ()):
        if extension["url"] == _REGEX:
            return str(extension["valueString"])
    return ""


def _read_line(line: str) -> _Type:
    _, base, kind, regex, members = line.split("\t")
    elements = {}
    for member in members.split(";") if members else ():
        marked, _, types = member.partition(":")
        name = marked.rstrip("*?")
        marks = marked[len(name) :]
        elements[name] = ElementType(name, tuple(types.split("|")), "*" in marks, "?" in marks)
    return _Type(base or None, kind, regex, elements)
