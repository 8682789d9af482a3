"""StructureDefinition to ElementSchema.

A type's schema states all its rules. A profile's schema states only what the profile adds to the
type it is on, since a resource is always checked against its type as well; elements to which
nothing is added are left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fhirpkg.definitions.typemodel import type_code
from fhirpkg.errors import DefinitionError
from fhirpkg.validation.compiling.schema import (
    Binding,
    Constraint,
    Discriminator,
    ElementSchema,
    NarrativeControl,
    Slice,
    Slicing,
    TypeRef,
    Value,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource

_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
_NARRATIVE = f"{_STRUCTURE}narrative-"
_MAX_VALUE_SET = f"{_STRUCTURE}elementdefinition-maxValueSet"
_ADDITIONAL = {
    "http://hl7.org/fhir/tools/StructureDefinition/additional-binding",
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.binding.additional",
}
_ELEMENT = f"{_STRUCTURE}elementdefinition-profile-element"
_OF_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition."
_ALTERNATIVES = f"{_OF_R5}valueAlternatives"
_MUST_HAVE = f"{_OF_R5}mustHaveValue"
_IMPOSED = f"{_STRUCTURE}structuredefinition-imposeProfile"
_BEST_PRACTICE = f"{_STRUCTURE}elementdefinition-bestpractice"


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
        except DefinitionError:  # one without snapshot still tells its type
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

    def _read_type(self, name: str) -> ElementSchema | None:
        if "." in name:
            outer = self.type(name.partition(".")[0])
            return _below(outer, name) if outer else None
        structure = self.definitions.structure(name)
        return _read(structure) if structure else None

    def _read_profile(self, structure: Resource) -> ElementSchema:
        schema = _read(structure)
        if structure.get("derivation") != "constraint":
            return replace(schema, constraints=(), children=(), content=schema.path)
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
            return replace(schema, children=children, slicing=slicing)
        known = {c.key for c in (*rules.constraints, *(base.constraints if base else ()))}
        changes: dict[str, Any] = {
            "min": schema.min if schema.min > rules.min else 0,
            "max": schema.max if schema.max != rules.max else None,
            "types": schema.types if schema.types != rules.types else (),
            "binding": schema.binding if schema.binding != rules.binding else None,
            "max_length": schema.max_length if schema.max_length != rules.max_length else None,
            "constraints": tuple(c for c in schema.constraints if c.key not in known),
            "choices": rules.choices,
            "content": base.path if base else "",
            "is_list": rules.is_list,
        }
        return replace(schema, children=children, slicing=slicing, **changes)

    def _added_children(
        self, schema: ElementSchema, base: ElementSchema | None
    ) -> Iterator[ElementSchema]:
        for child in schema.children:
            if base is not None and base.path[:1].islower() and child.name in {"value", "id"}:
                continue  # the parts of a primitive are told by its type alone
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
        return replace(slicing, slices=slices)

    def _added_slice(
        self, element: ElementSchema, base: ElementSchema | None, rules: ElementSchema | None
    ) -> ElementSchema:
        """A slice counts its own items, so its cardinality stays as it is written."""
        if rules is not None and rules.is_choice:
            base = self._content(element, rules)
        added = self._added(element, base, rules)
        return replace(added, min=element.min, max=element.max)

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
    empty = ElementSchema(schema.id, schema.path, schema.name)
    unmarked = replace(schema, is_list=False, is_choice=False, content="", choices=())
    return unmarked != empty


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


def _read(structure: Resource) -> ElementSchema:
    """The tree of a snapshot's elements."""
    url = str(structure.get("url", structure.get("name", "")))
    elements = structure.get("snapshot", {}).get("element") or []
    if not elements:
        raise DefinitionError(url, "its snapshot has no elements")
    try:
        schema, end = _read_element(elements, 0)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DefinitionError(url, f"its snapshot cannot be read: {error!r}") from error
    if structure.get("contained"):
        schema = _with_contained(schema, url)
    if end != len(elements):
        raise DefinitionError(
            url, "its snapshot has more than one root", str(elements[end]["path"])
        )
    return schema


def _with_contained(schema: ElementSchema, url: str) -> ElementSchema:
    """The elements with value sets that the profile contains named by its url."""
    binding, slicing = schema.binding, schema.slicing
    if binding is not None and binding.value_set.startswith("#"):
        binding = replace(binding, value_set=f"{url}{binding.value_set}")
    if slicing is not None:
        parts = (Slice(s.name, _with_contained(s.element, url)) for s in slicing.slices)
        slicing = replace(slicing, slices=tuple(parts))
    children = tuple(_with_contained(child, url) for child in schema.children)
    return replace(schema, binding=binding, slicing=slicing, children=children)


def _read_element(elements: list[Resource], at: int) -> tuple[ElementSchema, int]:
    """The element at an index with all below it, and the index behind them."""
    element = elements[at]
    path = str(element["path"])
    inside = f"{path}."
    at += 1
    children: dict[str, ElementSchema] = {}
    slices: dict[str, list[Slice]] = {}
    while at < len(elements) and elements[at]["path"].startswith(inside):
        slice_name = elements[at].get("sliceName")
        child, at = _read_element(elements, at)
        if slice_name and child.name in children:
            slices.setdefault(child.name, []).append(Slice(str(slice_name), child))
        else:
            children.setdefault(child.name, child)
    for name, found in slices.items():
        children[name] = _with_slices(children[name], found)
    return _schema(element, tuple(children.values())), at


def _with_slices(
    element: ElementSchema, found: list[Slice], implied: tuple[Discriminator, ...] = ()
) -> ElementSchema:
    """An element with its slices, re-slices (``name/part``) below the slice they divide.

    A slice that does not say how it is divided is so by the `implied` discriminators, its own.
    """
    slicing = element.slicing or Slicing(implied, "open", ordered=False, slices=())
    top = [s for s in found if "/" not in s.name]
    for number, outer in enumerate(top):
        inner = [s for s in found if s.name.startswith(f"{outer.name}/")]
        if inner:
            below = [replace(s, name=s.name.partition("/")[2]) for s in inner]
            divided = _with_slices(outer.element, below, slicing.discriminators)
            top[number] = Slice(outer.name, divided)
    return replace(element, slicing=replace(slicing, slices=tuple(top)))


def _schema(element: Resource, children: tuple[ElementSchema, ...]) -> ElementSchema:
    path = str(element["path"])
    last = path.rpartition(".")[2]
    types = tuple(_type(t) for t in element.get("type", ()))
    base_max = str(element.get("base", {}).get("max", element.get("max", "1")))
    reference = str(element.get("contentReference", "")).partition("#")[2]
    return ElementSchema(
        id=str(element.get("id", path)),
        path=path,
        name=last.removesuffix("[x]"),
        min=int(element.get("min", 0)),
        max=_max(element),
        is_list=base_max not in {"0", "1"},
        is_choice=last.endswith("[x]"),
        types=types,
        choices=tuple(ref.code for ref in types) if last.endswith("[x]") else (),
        content=reference or (path if children and "." in path else ""),
        fixed=_value(element, "fixed"),
        pattern=_value(element, "pattern"),
        min_value=_value(element, "minValue"),
        max_value=_value(element, "maxValue"),
        max_length=element.get("maxLength"),
        min_length=_extension(element, f"{_STRUCTURE}minLength", "valueInteger"),
        form=_extension(element, f"{_STRUCTURE}regex", "valueString"),
        alternatives=_alternatives(element),
        narrative=_narrative(element),
        binding=_binding(element),
        constraints=tuple(_constraint(c) for c in element.get("constraint", ())),
        slicing=_slicing(element),
        children=children,
    )


def _max(element: Resource) -> int | None:
    text = str(element.get("max", "*"))
    return None if text == "*" else int(text)


def _type(type_: Resource) -> TypeRef:
    return TypeRef(
        type_code(type_),
        tuple(_profiles(type_)),
        tuple(type_.get("targetProfile", ())),
        tuple(type_.get("aggregation", ())),
        type_.get("versioning", ""),
    )


def _profiles(type_: Resource) -> Iterator[str]:
    """The profiles of a type; one that is meant for an element of it has its id as fragment."""
    beside = type_.get("_profile") or []
    for index, profile in enumerate(type_.get("profile", ())):
        extensions = (beside[index] or {}).get("extension", ()) if index < len(beside) else ()
        part = next((e["valueString"] for e in extensions if e.get("url") == _ELEMENT), "")
        yield f"{profile}#{part}" if part else profile


def _value(element: Resource, prefix: str) -> Value | None:
    """``fixedCode: x`` as a Value; an extension on a stated primitive is not part of it."""
    for key, value in element.items():
        if key.startswith(prefix) and key[len(prefix) : len(prefix) + 1].isupper():
            name = key[len(prefix) :]
            primitive = not isinstance(value, dict)
            return Value(name[:1].lower() + name[1:] if primitive else name, value)
    return None


def _extension(element: Resource, url: str, key: str) -> Any:
    """What an extension of an element definition states, or None."""
    return next((e.get(key) for e in element.get("extension", ()) if e.get("url") == url), None)


def _alternatives(element: Resource) -> tuple[str, ...] | None:
    """The extensions that may stand for a value (R5's mustHaveValue and valueAlternatives)."""
    known = element.get("extension", ())
    found = [str(e.get("valueCanonical")) for e in known if e.get("url") == _ALTERNATIVES]
    must = any(e.get("url") == _MUST_HAVE and e.get("valueBoolean") is True for e in known)
    return tuple(found) if found or must else None


def _binding(element: Resource) -> Binding | None:
    binding = element.get("binding")
    if binding is None:
        return None
    largest = (
        str(extension.get("valueCanonical") or extension.get("valueUri") or "")
        for extension in binding.get("extension", ())
        if extension.get("url") == _MAX_VALUE_SET
    )
    value_set = "" if binding.get("strength") == "example" else binding.get("valueSet", "")
    added = tuple(_additional(binding))
    if not value_set and not added:
        return None
    return Binding(binding["strength"], value_set, next(largest, ""), added)


def _additional(binding: Resource) -> Iterator[tuple[str, str]]:
    """Purpose and value set of what an element is bound to besides, whatever the use.

    https://build.fhir.org/ig/FHIR/fhir-tools-ig/StructureDefinition-additional-binding.html
    """
    for extension in binding.get("extension", ()):
        if extension.get("url") not in _ADDITIONAL:
            continue
        parts: dict[str, Resource] = {str(p.get("url")): p for p in extension.get("extension", ())}
        value_set = parts.get("valueSet", {}).get("valueCanonical")
        if isinstance(value_set, str) and "usage" not in parts:
            yield str(parts.get("purpose", {}).get("valueCode", "")), value_set


def _narrative(element: Resource) -> NarrativeControl | None:
    found: dict[str, list[str]] = {}
    for extension in element.get("extension", ()):
        name = str(extension.get("url", "")).removeprefix(_NARRATIVE)
        found.setdefault(name, []).append(str(extension.get("valueCode", "")))
    languages, sources = found.get("language-control", []), found.get("source-control", [])
    return NarrativeControl(tuple(languages), *sources[:1]) if languages or sources else None


def _constraint(constraint: Resource) -> Constraint:
    return Constraint(
        constraint["key"],
        constraint.get("severity", "error"),
        str(constraint.get("human", constraint["key"])),
        constraint.get("expression", ""),
        constraint.get("source", ""),
        any(
            extension.get("url") == _BEST_PRACTICE and extension.get("valueBoolean") is True
            for extension in constraint.get("extension", ())
        ),
    )


def _slicing(element: Resource) -> Slicing | None:
    slicing = element.get("slicing")
    if slicing is None:
        return None
    discriminators = tuple(
        Discriminator(d.get("type", "value"), d.get("path", "$this"))
        for d in slicing.get("discriminator", ())
    )
    return Slicing(discriminators, slicing.get("rules", "open"), bool(slicing.get("ordered")), ())
