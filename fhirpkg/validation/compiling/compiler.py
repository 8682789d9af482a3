"""StructureDefinition to ElementSchema.

A type's schema states all its rules. A profile's schema states only what the profile adds to the
type it is on, since a resource is always checked against its type as well; elements to which
nothing is added are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.errors import DefinitionError
from fhirpkg.validation.compiling.reading import read
from fhirpkg.validation.compiling.schema import (
    ElementSchema,
    Slice,
    Slicing,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Json, Resource

_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
_IMPOSED = f"{_STRUCTURE}structuredefinition-imposeProfile"
_MARKS: dict[str, Json] = {
    "id": "", "path": "", "name": "",
    "is_list": False, "is_choice": False, "content": "", "choices": (),
}  # fmt: skip
"""What every element has, whether it states anything or not."""
_EMPTY = ElementSchema("", "", "")


class Schemas:
    """The schemas of types and profiles, each made when it is first asked for."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._types: dict[str, ElementSchema | None] = {}
        self._profiles: dict[str, ElementSchema] = {}

    def type(self, name: str) -> ElementSchema | None:
        """The schema of a type, or of a backbone element by its path; None when there is none."""
        if name not in self._types:
            self._types[name] = self._read_type(name)
        return self._types[name]

    def profile(self, canonical: str) -> ElementSchema | None:
        """What a profile adds to its type; None when the profile is not loaded.

        With a fragment, what it adds to the element of that id. Raises DefinitionError when the
        profile cannot be used.
        """
        url, _, element = canonical.partition("#")
        if canonical not in self._profiles:
            structure = self.definitions.structure(url)
            if structure is None or structure.get("resourceType") != "StructureDefinition":
                return None
            schema = self._read_profile(structure)
            found = next(_with_id(schema, element), None) if element else schema
            if found is None:
                raise DefinitionError(url, "it has no such element", element)
            self._profiles[canonical] = found
        return self._profiles[canonical]

    def type_of(self, canonical: str) -> str:
        """The type that a profile is on, or nothing when it is not loaded or not whole."""
        if "#" in canonical:
            return ""
        try:
            structure = self.definitions.structure(canonical)
        except DefinitionError:  # one without snapshot still states its type
            structure = self.definitions.find(canonical, "StructureDefinition")
        return str(structure.get("type", "")).rpartition("/")[2] if structure else ""

    def imposed(self, canonical: str) -> Iterator[str]:
        """The profiles that whoever meets a profile must meet as well.

        https://hl7.org/fhir/extensions/StructureDefinition-structuredefinition-imposeProfile.html
        """
        structure = {} if "#" in canonical else self.definitions.structure(canonical) or {}
        for extension in structure.get("extension", ()):
            if extension.get("url") == _IMPOSED:
                yield str(extension.get("valueCanonical"))

    def profile_if_usable(self, canonical: str) -> ElementSchema | None:
        """The schema of a profile, None also when its definition cannot be used."""
        try:
            return self.profile(canonical)
        except DefinitionError:
            return None

    def is_resource(self, name: str) -> bool:
        """Whether a name is that of a resource type."""
        return self.definitions.types.is_resource(name)

    def is_core_type(self, canonical: str) -> bool:
        """Whether a canonical is that of a type of R4 itself rather than of a profile."""
        name = canonical.removeprefix(_STRUCTURE)
        return name != canonical and self.definitions.types.is_type(name)

    def profile_is_on(self, canonical: str, name: str) -> bool:
        """Whether resources of a type can meet a profile, as far as is known."""
        wanted = self.type_of(canonical)
        return not wanted or self.definitions.types.is_a(name, wanted)

    def _read_type(self, name: str) -> ElementSchema | None:
        if "." in name:
            outer = self.type(name.partition(".")[0])
            return _below(outer, name) if outer else None
        structure = self.definitions.structure(name)
        return read(structure) if structure else None

    def _read_profile(self, structure: Resource) -> ElementSchema:
        schema = read(structure)
        if structure.get("derivation") != "constraint":
            return schema._replace(constraints=(), children=(), content=schema.path)
        base = self.type(self.type_of(str(structure["url"])))
        if base is None:
            raise DefinitionError(
                str(structure["url"]), f"its type {structure.get('type')} is not loaded"
            )
        return self._added(schema, base, base)

    def _added(
        self, schema: ElementSchema, base: ElementSchema | None, rules: ElementSchema | None
    ) -> ElementSchema:
        """What an element of a profile adds to the same element of its type.

        `base` is the element whose children are refined, `rules` the one whose rules are.
        """
        children = tuple(self._added_children(schema, base))
        slicing = self._added_slices(schema, base, rules)
        if rules is None:
            return schema._replace(children=children, slicing=slicing)
        known = {c.key for c in (*rules.constraints, *(base.constraints if base else ()))}
        changes: dict[str, Json] = {
            "min": schema.min if schema.min > rules.min else 0,
            "max": schema.max if schema.max != rules.max else None,
            "types": schema.types if schema.types != rules.types else (),
            "binding": schema.binding if schema.binding != rules.binding else None,
            "max_length": schema.max_length if schema.max_length != rules.max_length else None,
            "constraints": tuple(
                c for c in schema.constraints if c.suppressed or c.key not in known
            ),
            "choices": rules.choices,
            "content": base.path if base else "",
            "is_list": rules.is_list,
        }
        return schema._replace(children=children, slicing=slicing, **changes)

    def _added_children(
        self, schema: ElementSchema, base: ElementSchema | None
    ) -> Iterator[ElementSchema]:
        for child in schema.children:
            if base is not None and base.path[:1].islower() and child.name in {"value", "id"}:
                continue  # the parts of a primitive are known from its type alone
            rules = base.child(child.name) if base else None
            added = self._added(child, self._content(child, rules), rules)
            if states_something(added):
                yield added

    def _added_slices(
        self, schema: ElementSchema, base: ElementSchema | None, rules: ElementSchema | None
    ) -> Slicing | None:
        slicing = schema.slicing
        if slicing is None or (not slicing.slices and slicing.rules == "open"):
            return None
        slices = tuple(
            Slice(s.name, self._added_slice(s.element, base, rules)) for s in slicing.slices
        )
        return slicing._replace(slices=slices)

    def _added_slice(
        self, element: ElementSchema, base: ElementSchema | None, rules: ElementSchema | None
    ) -> ElementSchema:
        """A slice counts its own items, so its cardinality stays as it is written."""
        if rules is not None and rules.is_choice:
            base = self._content(element, rules)
        added = self._added(element, base, rules)
        return added._replace(min=element.min, max=element.max)

    def _content(self, element: ElementSchema, rules: ElementSchema | None) -> ElementSchema | None:
        """The element or type that holds the children an element may refine."""
        if rules is not None and rules.children:
            return rules
        if rules is not None and rules.content:
            return self.type(rules.content)
        codes = {ref.code for ref in element.types}
        return self.type(codes.pop()) if len(codes) == 1 else None


def states_something(schema: ElementSchema) -> bool:
    """Whether an element of a profile has any rule of its own."""
    return schema._replace(**_MARKS) != _EMPTY


def _with_id(schema: ElementSchema, wanted: str) -> Iterator[ElementSchema]:
    """The elements of an id in a schema, slices included."""
    if schema.id == wanted:
        yield schema
    for child in schema.children:
        yield from _with_id(child, wanted)
    for each in schema.slicing.slices if schema.slicing else ():
        yield from _with_id(each.element, wanted)


def _below(schema: ElementSchema, path: str) -> ElementSchema | None:
    for step in path.split(".")[1:]:
        found = schema.child(step.removesuffix("[x]"))
        if found is None:
            return None
        schema = found
    return schema
