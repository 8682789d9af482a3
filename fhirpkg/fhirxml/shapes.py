"""What an element of a type may contain, by its name, which is the same in XML and JSON."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fhirpkg.definitions.typemodel import TypesOfDefinitions

FHIR = "http://hl7.org/fhir"
XHTML = "http://www.w3.org/1999/xhtml"


@dataclass(frozen=True, slots=True)
class Child:
    """An element in its parent: `name` as written (valueQuantity), `expression` as FHIRPath says.

    `kind` is primitive, complex, resource (any resource may be in it) or narrative; `place` is its
    number among its parent's elements.
    """

    name: str
    expression: str
    type: str
    kind: str
    is_list: bool
    place: int


_Order = tuple[tuple[str, str, Child | None], ...]
"""Elements by name, with the key of what stands beside a primitive value, and their shape."""
_MOST_ORDERS = 4096


class Shapes:
    """The children of each type, made when first asked for."""

    def __init__(self, model: TypesOfDefinitions) -> None:
        self._model = model
        self._children: dict[str, dict[str, Child]] = {}
        self._by_tag: dict[str, dict[str, Child]] = {}
        self._attributes: dict[str, tuple[str, ...]] = {}
        self._in_order: dict[tuple[str, tuple[str, ...], tuple[str, ...]], _Order] = {}

    def children(self, type_name: str) -> Mapping[str, Child]:
        """The elements of a type by their names; `id` and `url` included where attributes."""
        if type_name not in self._children:
            self._children[type_name] = {child.name: child for child in self._made(type_name)}
        return self._children[type_name]

    def in_order(self, type_name: str, keys: tuple[str, ...], skip: tuple[str, ...]) -> _Order:
        """The elements behind the JSON keys of an object in the order of XML, but those to skip.

        Objects have the same few sets of keys again and again, so the orders are kept.
        """
        asked = (type_name, keys, skip)
        found = self._in_order.get(asked)
        if found is None:
            children = self.children(type_name)
            last = len(children)
            places = {
                name: children[name].place if name in children else last
                for name in (key.removeprefix("_") for key in keys if key not in skip)
            }
            names = sorted(places, key=places.__getitem__)
            found = tuple((name, f"_{name}", children.get(name)) for name in names)
            if len(self._in_order) >= _MOST_ORDERS:
                self._in_order.clear()
            self._in_order[asked] = found
        return found

    def by_tag(self, type_name: str) -> Mapping[str, Child]:
        """The child elements of a type by namespace and name as lxml writes them."""
        if type_name not in self._by_tag:
            attributes = self.attributes(type_name)
            self._by_tag[type_name] = {
                f"{{{XHTML if child.kind == 'narrative' else FHIR}}}{name}": child
                for name, child in self.children(type_name).items()
                if name not in attributes
            }
        return self._by_tag[type_name]

    def attributes(self, type_name: str) -> tuple[str, ...]:
        """The elements of a type that XML writes as attributes."""
        found = self._attributes.get(type_name)
        if found is None:
            inner = ("id", "url") if type_name == "Extension" else ("id",)
            found = self._attributes[type_name] = (
                () if self._model.is_resource(type_name) else inner
            )
        return found

    def _made(self, type_name: str) -> list[Child]:
        made: list[Child] = []
        for place, element in enumerate(self._model.elements(type_name).values()):
            for type_ in element.types:
                of_type = f".ofType({type_})" if element.is_choice else ""
                expression, kind = element.name + of_type, self._kind(type_)
                key = element.key(type_)
                made.append(Child(key, expression, type_, kind, element.is_list, place))
        return made

    def _kind(self, type_name: str) -> str:
        if type_name == "xhtml":
            return "narrative"
        if self._model.is_resource(type_name):
            return "resource"
        return "primitive" if self._model.is_primitive(type_name) else "complex"


@functools.lru_cache(maxsize=4)
def shapes_of(model: TypesOfDefinitions) -> Shapes:
    """The shapes of a model, shared by everybody who reads with it."""
    return Shapes(model)
