"""The elements of a StructureDefinition's snapshot, read into schemas: nothing is compared yet."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fhirpkg.definitions.merging import is_suppressed
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

    from fhirpkg.issues import Json, Resource

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
_BEST_PRACTICE = f"{_STRUCTURE}elementdefinition-bestpractice"
_PLAIN_CONSTRAINT = frozenset(("key", "severity", "human", "expression", "source", "xpath"))
_ORDINARY = frozenset(
    "alias base binding code comment condition constraint contentReference definition example id "
    "isModifier isModifierReason isSummary label mapping max meaningWhenMissing min mustSupport "
    "orderMeaning path representation requirements short sliceIsConstraining sliceName slicing "
    "type".split()
)
"""What elements state that has nothing to do with what few state."""


def read(structure: Resource) -> ElementSchema:
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
        binding = binding._replace(value_set=f"{url}{binding.value_set}")
    if slicing is not None:
        parts = (Slice(s.name, _with_contained(s.element, url)) for s in slicing.slices)
        slicing = slicing._replace(slices=tuple(parts))
    children = tuple(_with_contained(child, url) for child in schema.children)
    return schema._replace(binding=binding, slicing=slicing, children=children)


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
            below = [s._replace(name=s.name.partition("/")[2]) for s in inner]
            divided = _with_slices(outer.element, below, slicing.discriminators)
            top[number] = Slice(outer.name, divided)
    return element._replace(slicing=slicing._replace(slices=tuple(top)))


def _schema(element: Resource, children: tuple[ElementSchema, ...]) -> ElementSchema:
    path = str(element["path"])
    last = path.rpartition(".")[2]
    is_choice = last.endswith("[x]")
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
        is_choice=is_choice,
        types=types,
        choices=tuple(ref.code for ref in types) if is_choice else (),
        content=reference or (path if children and "." in path else ""),
        binding=_binding(element),
        constraints=tuple(map(_constraint, element.get("constraint", ()))),
        slicing=_slicing(element),
        children=children,
        **_seldom_stated(element),
    )


def _seldom_stated(element: Resource) -> dict[str, Json]:
    """What few elements state, by the names of the schema."""
    types = element.get("type", ())
    if _ORDINARY.issuperset(element) and not any("extension" in type_ for type_ in types):
        return {}
    return {
        "fixed": _value(element, "fixed"),
        "pattern": _value(element, "pattern"),
        "min_value": _value(element, "minValue"),
        "max_value": _value(element, "maxValue"),
        "max_length": element.get("maxLength"),
        "min_length": _extension(element, f"{_STRUCTURE}minLength", "valueInteger"),
        "form": _form(element),
        "alternatives": _alternatives(element),
        "narrative": _narrative(element),
    }


def _max(element: Resource) -> int | None:
    text = str(element.get("max", "*"))
    return None if text == "*" else int(text)


def _type(type_: Resource) -> TypeRef:
    if len(type_) == 1 and "code" in type_:
        return _plain_type(str(type_["code"]))
    return TypeRef(
        type_code(type_),
        tuple(_profiles(type_)),
        tuple(type_.get("targetProfile", ())),
        tuple(type_.get("aggregation", ())),
        type_.get("versioning", ""),
    )


@functools.lru_cache(maxsize=500)
def _plain_type(code: str) -> TypeRef:
    return TypeRef(type_code({"code": code}))


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


def _extension(element: Resource, url: str, key: str) -> Json:
    """What an extension of an element definition states, or None."""
    return next((e.get(key) for e in element.get("extension", ()) if e.get("url") == url), None)


def _form(element: Resource) -> Json:
    """The regular expression of a value, which R4 states with its type and R5 also beside it."""
    holders = (element, *element.get("type", ()))
    found = (_extension(holder, f"{_STRUCTURE}regex", "valueString") for holder in holders)
    return next((regex for regex in found if regex), None)


def _alternatives(element: Resource) -> tuple[str, ...] | None:
    """The extensions that may replace a value (R5's mustHaveValue and valueAlternatives).

    Before R5 they are written as extensions.
    """
    known = element.get("extension", ())
    found = [str(e.get("valueCanonical")) for e in known if e.get("url") == _ALTERNATIVES]
    found += map(str, element.get("valueAlternatives", ()))
    must = element.get("mustHaveValue") is True or any(
        e.get("url") == _MUST_HAVE and e.get("valueBoolean") is True for e in known
    )
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
    http://hl7.org/fhir/R5/elementdefinition-definitions.html#ElementDefinition.binding.additional
    """
    for each in binding.get("additional", ()):
        if "usage" not in each:
            yield str(each["purpose"]), str(each["valueSet"])
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
    words = (
        constraint["key"],
        constraint.get("severity", "error"),
        str(constraint.get("human", constraint["key"])),
        constraint.get("expression", ""),
        constraint.get("source", ""),
    )
    if _PLAIN_CONSTRAINT.issuperset(constraint):
        return _plain_constraint(words)
    best_practice = any(
        extension.get("url") == _BEST_PRACTICE and extension.get("valueBoolean") is True
        for extension in constraint.get("extension", ())
    )
    suppressed = is_suppressed(constraint) and constraint.get("severity") == "warning"
    return Constraint(*words, best_practice, suppressed)


@functools.lru_cache(maxsize=4000)  # every element has the few of its type again
def _plain_constraint(words: tuple[str, str, str, str, str]) -> Constraint:
    return Constraint(*words)


def _slicing(element: Resource) -> Slicing | None:
    slicing = element.get("slicing")
    if slicing is None:
        return None
    discriminators = tuple(
        Discriminator(d.get("type", "value"), d.get("path", "$this"))
        for d in slicing.get("discriminator", ())
    )
    return Slicing(discriminators, slicing.get("rules", "open"), bool(slicing.get("ordered")), ())
