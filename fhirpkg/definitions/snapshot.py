"""Differential -> snapshot: a profile's few rules laid over everything its base says.

http://hl7.org/fhir/R4/profiling.html#snapshot. The base's elements become a tree, the
differential's elements are found in it one after the other (types are unfolded and slices made
where one leads into them) and merged, and the tree is written out again. Rules that a type's
profile has for its root are not copied: who checks an element against its types finds them there.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from fhirpkg.definitions.elements import Node, Segment, placed, tree, written
from fhirpkg.definitions.merging import merge
from fhirpkg.definitions.typemodel import type_code
from fhirpkg.errors import DefinitionError
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.issues import Resource

    Retrieve = Callable[[str], Resource | None]


class Structures(Protocol):
    """Where the base of a profile is found."""

    def structure(self, name: str) -> Resource | None:
        """The StructureDefinition of a url or a type name, with its snapshot."""


_MAX_ELEMENTS = 50_000
_EXTENSIONS = {"Extension", "extension", "modifierExtension"}
_BINDABLE = {
    "code", "Coding", "CodeableConcept", "Quantity", "string", "uri",
    "Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity",
}  # fmt: skip
"""http://hl7.org/fhir/R4/terminologies.html#4.1, with the types that are a Quantity."""
_NO_BASE = {None, "http://hl7.org/fhir/StructureDefinition/Base"}
_BY_URL = {
    "discriminator": [{"type": "value", "path": "url"}],
    "ordered": False,
    "rules": "open",
}
_BY_TYPE = {
    "discriminator": [{"type": "type", "path": "$this"}],
    "ordered": False,
    "rules": "open",
}


def snapshot(structure: Resource, definitions: Structures) -> Resource:
    """The StructureDefinition with its snapshot made anew from its differential.

    Raises DefinitionError when its base is unknown or leads back to itself, or when its
    differential names what its base does not have.
    """
    return generate(structure, definitions.structure)


def generate(structure: Resource, retrieve: Retrieve) -> Resource:
    """As `snapshot`; `retrieve` gives StructureDefinitions with snapshots by url or type name."""
    with _well_formed(_name(structure)) as name:
        work = _Snapshot(name, structure, retrieve)
        for segments, element in placed(structure.get("differential", {}).get("element", [])):
            work.apply(segments, element)
    return {**structure, "snapshot": {"element": work.elements()}}


@dataclass(frozen=True, slots=True)
class Refinement:
    """An element of a differential and what it refines."""

    element: Resource
    before: Resource
    """The element as it was: of a base, a type or the elements before; empty without a place."""
    sliced: Resource
    """The element that it is a slice of, as that was; empty when it is not a slice."""
    place: int = 0
    """Where the element is in the snapshot."""
    is_locked_out: bool = False
    """Whether it is a new slice where the base closed its slicing."""
    problem: str = ""
    """Why it has no place."""


@dataclass(frozen=True, slots=True)
class Laid:
    """A differential laid over its base."""

    steps: list[Refinement]
    """What each of its elements refines, in the differential's order."""
    elements: Callable[[], list[Resource]]
    """Finish the snapshot and give its elements; once. Raises DefinitionError as `generate`."""


def laid(structure: Resource, retrieve: Retrieve) -> Laid:
    """The differential over its base, whatever in it has no place there.

    Raises DefinitionError when the base is not known or something is malformed.
    """
    with _well_formed(_name(structure)) as name:
        work = _Snapshot(name, structure, retrieve)
        steps: list[tuple[Node | None, Refinement]] = []
        for segments, element in placed(structure.get("differential", {}).get("element", [])):
            try:
                steps.append(work.apply(segments, element))
            except DefinitionError as error:
                steps.append((None, Refinement(element, {}, {}, problem=error.problem)))
        places = {id(node): number for number, node in enumerate(_nodes(work.root))}
    made = [replace(step, place=places.get(id(node), 0)) for node, step in steps]
    return Laid(made, work.elements)


def _name(structure: Resource) -> str:
    return str(structure.get("url") or structure.get("id") or "StructureDefinition")


@contextlib.contextmanager
def _well_formed(name: str) -> Iterator[str]:
    """Turn what malformed definitions make go wrong into DefinitionErrors."""
    try:
        yield name
    except RecursionError as error:
        raise DefinitionError(name, "its elements are nested too deeply") from error
    except (KeyError, TypeError, AttributeError, IndexError, ValueError) as error:
        problem = f"it or its base is malformed ({type(error).__name__}: {error})"
        raise DefinitionError(name, problem) from error


def _nodes(node: Node) -> Iterator[Node]:
    """A node and what follows it in the snapshot."""
    yield node
    for child in node.children.values():
        yield from _nodes(child)
    for part in node.slices_in_order():
        yield from _nodes(part)


class _Snapshot:
    """One snapshot in the making."""

    def __init__(self, name: str, structure: Resource, retrieve: Retrieve) -> None:
        self.name = name
        self._extends = structure.get("derivation") != "constraint"
        self._retrieve = retrieve
        self._base = self._base_elements(structure)
        self._count = len(self._base)
        self.root = tree(self._base)
        self._short_forms: dict[int, tuple[Node, bool]] = {}
        if self._extends and structure.get("type"):
            self.root.name = str(structure["type"]).rpartition("/")[2]

    def apply(self, segments: tuple[Segment, ...], element: Resource) -> tuple[Node, Refinement]:
        """Find the place of one element of the differential and merge the element into it."""
        place = ".".join(f"{name}:{part}" if part else name for name, part in segments)
        if segments[0][0] != self.root.name:
            problem = f"its differential names {place}, but it is about {self.root.name}"
            raise DefinitionError(self.name, problem, place)
        sliced = node = self.root
        outer, is_new, is_locked_out = {}, False, False
        for number, (name, part) in enumerate(segments[1:], 2):
            is_extension = node.name in _EXTENSIONS
            sliced, implied = self._child(node, name, place, is_last=number == len(segments))
            is_new = bool(part) and part not in sliced.slices
            outer = dict(sliced.element) if part else {}
            is_locked_out = is_new and self._is_closed(sliced)
            node = self._slice(sliced, part or implied)
            if implied:
                self._short_forms[id(sliced)] = sliced, is_extension
        # A new slice refines the base, not what this differential says of what it is a slice of.
        before = dict(node.given if is_new and node is not sliced else node.element)
        if is_new:
            before.pop("slicing", None)
        changed = node.own_element()
        merge(changed, element, self.name)
        if "binding" not in element and not _can_be_bound(changed):
            changed.pop("binding", None)
        if "base" not in changed:  # an element that a new type adds
            bounds = {"min": changed.get("min", 0), "max": changed.get("max", "*")}
            changed["base"] = {"path": ".".join(name for name, _ in segments), **bounds}
        if node.slice_name:
            self._bound_by_profile(node, element)
            _demand_type(sliced, node)
        return node, Refinement(element, before, outer, is_locked_out=is_locked_out)

    def elements(self) -> list[Resource]:
        """The elements, after the conclusion that needs all slices: the types left to a choice."""
        with _well_formed(self.name):
            for node, is_extension in self._short_forms.values():
                if is_extension:
                    _allow_only_sliced_types(node)
                if node.element["slicing"] == _BY_TYPE and _all_types_are_sliced(node):
                    node.own_element()["slicing"] = {**_BY_TYPE, "rules": "closed"}
            return written(self.root)

    def _is_closed(self, node: Node) -> bool:
        """Whether the base lets no slices be added; choices are closed by their types."""
        is_closed = node.element.get("slicing", {}).get("rules") == "closed"
        is_of_base = any(element is node.element for element in self._base)
        return is_closed and is_of_base and not node.name.endswith("[x]")

    def _base_elements(self, structure: Resource) -> list[Resource]:
        url = structure.get("baseDefinition")
        if url in _NO_BASE and self._extends:
            name = str(structure.get("type", "")).rpartition("/")[2]
            bounds = {"min": 0, "max": "*"}
            return [{"id": name, "path": name, **bounds, "base": {"path": "Base", **bounds}}]
        base = self._retrieve(url) if isinstance(url, str) else None
        if base is None:
            problem = f"its baseDefinition {url} is not loaded"
            raise DefinitionError(self.name, problem, missing=str(url or ""))
        elements: list[Resource] = base["snapshot"]["element"]
        return elements

    def _child(self, node: Node, name: str, place: str, *, is_last: bool) -> tuple[Node, str]:
        """The child of a name; for a choice's `valueQuantity` also the slice that it means.

        In R4 this short form leaves the other types open (https://jira.hl7.org/browse/FHIR-12259),
        but for the value of an extension, where it is the way to allow one type only.
        """
        if not node.children:
            self._unfold(node)
        known = node.children.get(name)
        if known is not None:
            return known, ""
        for child in node.children.values():
            if _choice_of(child, name):
                return child, name
        if self._extends and is_last:
            added = node.children[name] = Node(name, {})
            return added, ""
        problem = f"its differential names {place}, which its base does not have"
        raise DefinitionError(self.name, problem + nearest(name, sorted(node.children)), place)

    def _slice(self, node: Node, name: str) -> Node:
        """The slice of a name; a new one is a copy of what it slices and not required.

        The name on an element that occurs once and is not sliced is only a name.
        """
        if not name:
            return node
        if name in node.slices:
            return node.slices[name]
        if not _can_be_sliced(node):
            return node
        made = self._copied(node.slices.get(name.rpartition("/")[0], node))
        made.slice_name = name
        element = made.own_element()
        element.pop("slicing", None)
        element["min"] = 0
        element["sliceName"] = name
        type_ = _choice_of(node, name)
        if type_:
            element["type"] = [t for t in element["type"] if type_code(t) == type_]
        self._ensure_sliced(node)
        node.slices[name] = made
        return made

    def _ensure_sliced(self, node: Node) -> None:
        """Give an element that gets slices the slicing it implies, if it has none."""
        if "slicing" in node.element:
            return
        if node.name in _EXTENSIONS:
            node.own_element()["slicing"] = dict(_BY_URL)
        elif node.name.endswith("[x]"):
            node.own_element()["slicing"] = dict(_BY_TYPE)
        else:
            node.own_element()["slicing"] = {"rules": "open"}

    def _bound_by_profile(self, node: Node, change: Resource) -> None:
        """Let an extension occur as often as its definition says, where the slice says nothing."""
        types = change.get("type", [])
        if node.name in _EXTENSIONS and "max" not in change and len(types) == 1:
            for canonical in types[0].get("profile", ())[:1]:
                profile = self._profile(canonical)
                if profile and profile["snapshot"]["element"][0].get("max") == "1":
                    node.own_element()["max"] = "1"

    def _unfold(self, node: Node) -> None:
        """Give a node the children that its content reference or type has."""
        reference = node.element.get("contentReference")
        if reference:
            target = tree(self._base).find(reference.partition("#")[2])
            if target is None:
                raise DefinitionError(
                    self.name, f"{reference} names an element that does not exist"
                )
            element = node.own_element()
            del element["contentReference"]
            element["type"] = target.element["type"]
            node.children = self._copied(target).children
            return
        source = self._structure_of(node.element.get("type", []))
        if source is not None:
            unfolded = tree(source["snapshot"]["element"])
            self._add(unfolded.size())
            node.children = unfolded.children

    def _structure_of(self, types: list[Resource]) -> Resource | None:
        """The definition to unfold: of the one profile, else of the one type, else Element."""
        codes = {type_code(t) for t in types}
        profiles = [p for t in types for p in t.get("profile", ())]
        if len(codes) == 1 and len(profiles) == len(types) == 1:
            profile = self._profile(profiles[0])
            if profile is not None:
                return profile
        if not codes:
            return None
        return self._retrieve(codes.pop() if len(codes) == 1 else "Element")

    def _profile(self, canonical: str) -> Resource | None:
        """A type's profile; a broken one is reported when it is used, here its base type serves."""
        try:
            return self._retrieve(canonical)
        except DefinitionError:
            return None

    def _copied(self, node: Node) -> Node:
        self._add(node.size())
        return node.copy()

    def _add(self, count: int) -> None:
        self._count += count
        if self._count > _MAX_ELEMENTS:
            raise DefinitionError(self.name, f"its snapshot has over {_MAX_ELEMENTS} elements")


def _allow_only_sliced_types(node: Node) -> None:
    """Narrow a choice to the types that it has slices for."""
    named = {type_code(t) for part in node.slices.values() for t in part.element["type"]}
    element = node.own_element()
    element["type"] = [t for t in element["type"] if type_code(t) in named]


def _all_types_are_sliced(node: Node) -> bool:
    named = {type_code(t) for part in node.slices.values() for t in part.element["type"]}
    return all(type_code(t) in named for t in node.element["type"])


def _demand_type(node: Node, part: Node) -> None:
    """Narrow a choice to the type of a slice that must be there: it has one value only."""
    least = part.element.get("min")
    if node.name.endswith("[x]") and isinstance(least, int) and least > 0:
        node.own_element().update(min=1, type=part.element["type"])


def _can_be_bound(element: Resource) -> bool:
    codes = {type_code(type_) for type_ in element.get("type", ())}
    return not codes or bool(codes & _BINDABLE)


def _can_be_sliced(node: Node) -> bool:
    element = node.element
    is_always = node.name in _EXTENSIONS or node.name.endswith("[x]")
    return is_always or "slicing" in element or element.get("max") != "1"


def _choice_of(node: Node, name: str) -> str:
    """The type that `valueQuantity` means for a node `value[x]`; nothing if it means none."""
    stem = node.name.removesuffix("[x]")
    if stem == node.name or not name.startswith(stem):
        return ""
    suffix = name[len(stem) :]
    codes = (type_code(t) for t in node.element.get("type", ()))
    return next((code for code in codes if code[:1].upper() + code[1:] == suffix), "")
