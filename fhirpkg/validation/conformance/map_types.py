"""The types of what a StructureMap maps: those of its structures, and of their elements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.issues import Resource

Types = frozenset[str]
"""Names of types, one of which something is; none where that is not known."""

_ANY = frozenset(
    ("Resource", "DomainResource", "Element", "BackboneElement", "BackboneType", "Base", "xhtml")
)
"""Types that say nothing of the elements there may be."""


class MapTypes:
    """The structures that a map names, by alias and type, and the elements of their types."""

    def __init__(self, structure_map: Resource, definitions: Definitions) -> None:
        self._types = definitions.types
        self._of: dict[str, str] = {}
        self.modes: dict[str, set[str]] = {}
        """Aliases and types of the structures, each with the modes it is given."""
        for each in objects(structure_map, "structure"):
            url, alias = text_of(each, "url"), text_of(each, "alias")
            found = definitions.find(url, "StructureDefinition") if url else None
            type_name = text_of(found, "type").rpartition("/")[2]
            for name in {alias, type_name, url.rpartition("/")[2]} - {""}:
                self._of.setdefault(name, type_name)
                self.modes.setdefault(name, set()).add(text_of(each, "mode"))

    def is_known(self, name: str) -> bool:
        """Whether a name is that of a structure or of a type of FHIR."""
        return name in self.modes or self._types.is_type(name)

    def named(self, name: str) -> Types:
        """The type of a name."""
        found = self._of.get(name, name)
        is_known = found and found not in _ANY and self._types.elements(found)
        return frozenset((found,)) if is_known else frozenset()

    def element(self, around: Types, name: str) -> tuple[Types, list[str]]:
        """The types of an element; where there is none, the names of its elements."""
        found: set[str] = set()
        names: list[str] = []
        for each in around:
            for element in self._types.elements(each).values():
                keys = [element.name, *map(element.key, element.types)]
                names += keys
                if name in keys:
                    found.update(element.types)
        if not found:
            return frozenset(), names
        is_certain = all(each not in _ANY and self._types.elements(each) for each in found)
        return frozenset(found if is_certain else ()), []

    def made(self, target: Resource, element: Types) -> Types:
        """The types of what a target makes: a type by its name, else what its element takes."""
        if target.get("transform") != "create":
            return element if len(element) == 1 else frozenset()
        named = next((text_of(p, "valueString") for p in objects(target, "parameter")), "")
        return self.named(named) if named else element
