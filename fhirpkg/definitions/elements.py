"""A list of ElementDefinitions as a tree, and back; where an element of a differential belongs.

Paths and ids (http://hl7.org/fhir/R4/elementdefinition.html#id) follow from the tree.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Resource

Segment = tuple[str, str]
"""One step of an id: the element's name and the slice's name, which may be empty."""


@dataclass(slots=True, eq=False)
class Node:
    """An element, its children and its slices; the ElementDefinition is shared until changed."""

    name: str
    element: Resource
    slice_name: str = ""
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)
    is_own: bool = False
    given: Resource = field(default_factory=dict)
    """The ElementDefinition before it was changed here."""

    def __post_init__(self) -> None:
        """What is made of a shared element begins with that."""
        self.given = self.given or self.element

    def own_element(self) -> Resource:
        """The ElementDefinition, for changing."""
        if not self.is_own:
            self.element = dict(self.element)
            self.is_own = True
        return self.element

    def copy(self) -> Node:
        """The node with copies of its children, without its slices."""
        self.is_own = False
        copied = Node(self.name, self.element, self.slice_name, given=self.given)
        copied.children = {name: c.copy_with_slices() for name, c in self.children.items()}
        return copied

    def copy_with_slices(self) -> Node:
        """The node with copies of its children and slices."""
        copied = self.copy()
        copied.slices = {name: s.copy_with_slices() for name, s in self.slices.items()}
        return copied

    def size(self) -> int:
        """How many elements the node stands for."""
        return 1 + sum(node.size() for node in (*self.children.values(), *self.slices.values()))

    def find(self, element_id: str) -> Node | None:
        """The node of an id below this one, the root's own name included."""
        node: Node | None = self
        for name, part in _segments(element_id)[0][1:]:
            node = node.children.get(name) if node else None
            if node and part:
                node = node.slices.get(part)
        return node

    def slices_in_order(self) -> list[Node]:
        """The slices, each followed by its reslices (`a`, `a/b`)."""
        families: dict[str, list[Node]] = {}
        for name, part in self.slices.items():
            families.setdefault(name.partition("/")[0], []).append(part)
        return [part for family in families.values() for part in family]


def tree(elements: Iterable[Resource]) -> Node:
    """The elements of a snapshot as a tree."""
    nodes: dict[tuple[Segment, ...], Node] = {}
    root: Node | None = None
    for segments, element in placed(elements):
        name, part = segments[-1]
        node = nodes[segments] = Node(name, element, part)
        if root is None:
            root = node
        elif part:
            nodes[(*segments[:-1], (name, ""))].slices[part] = node
        else:
            nodes[segments[:-1]].children[name] = node
    if root is None:
        raise ValueError("a snapshot has at least one element")
    return root


def written(root: Node) -> list[Resource]:
    """The elements of a tree in the order of a snapshot, with their ids and paths."""
    return list(_written(root, "", ""))


def placed(elements: Iterable[Resource]) -> Iterator[tuple[tuple[Segment, ...], Resource]]:
    """Each element and its place.

    The place is the id's when it agrees with path and slice name. Otherwise it follows from these
    two: what is behind a slice, with a longer path, belongs to that slice.
    """
    open_: list[tuple[str, tuple[Segment, ...], bool]] = []
    for element in elements:
        path: str = element["path"]
        while open_ and not path.startswith(open_[-1][0] + "."):
            open_.pop()
        above, known, without_id = open_[-1] if open_ else ("", (), False)
        part = element.get("sliceName", "")
        segments, told_path = _segments(element.get("id", ""))
        is_told = told_path == path
        by_order = without_id or not is_told or bool(part and not segments[-1][1])
        if by_order:
            names = (path[len(above) + 1 :] if above else path).split(".")
            segments = (*known, *((name, "") for name in names[:-1]), (names[-1], part))
        open_.append((path, segments, without_id or (by_order and bool(part))))
        yield segments, element


@functools.lru_cache(maxsize=50_000)
def _segments(element_id: str) -> tuple[tuple[Segment, ...], str]:
    """The steps of an id, and the path that they make."""
    steps = (step.partition(":") for step in element_id.split("."))
    segments = tuple((name, part) for name, _, part in steps)
    return segments, ".".join(name for name, _ in segments)


def _written(node: Node, above_id: str, above_path: str) -> Iterator[Resource]:
    path = f"{above_path}.{node.name}" if above_path else node.name
    name = f"{node.name}:{node.slice_name}" if node.slice_name else node.name
    id_ = f"{above_id}.{name}" if above_id else name
    yield {"id": id_, "path": path} | {
        key: value for key, value in node.element.items() if key not in {"id", "path"}
    }
    for child in node.children.values():
        yield from _written(child, id_, path)
    for part in node.slices_in_order():
        yield from _written(part, above_id, above_path)
