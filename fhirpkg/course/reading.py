"""PlanDefinition to course: FHIR's actions and their relations as steps and arrows.

R4 PlanDefinition, `action.relatedAction`: an action is before or after another one by its id.
Arrows join parts of one action; relations across, at the same time or in a circle stay words.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.course import wording
from fhirpkg.course.measure import clean
from fhirpkg.course.order import in_circles, rails, reduced, sequence
from fhirpkg.course.steps import Course, Note, Step
from fhirpkg.languages.words import gettext
from fhirpkg.untrusted import objects, text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.course.order import Pair
    from fhirpkg.issues import Resource

_DEEPEST = 30
_MOST_RAILS = 8
"""More lines than these beside each other cannot be followed by eye."""


@dataclass(slots=True)
class _Node:
    """An action with its place in the tree; `parts` are the indexes of the actions in it."""

    action: Resource
    above: int
    place: int
    key: str
    parts: list[int] = field(default_factory=list)
    definition: Resource = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    pairs: set[Pair] = field(default_factory=set)
    """Which part comes before which, by their places: also because of what is in them."""
    arrows: set[Pair] = field(default_factory=set)


def course(plan: Resource, resolve: Callable[[str], Resource | None]) -> Course:
    """The course of a PlanDefinition; `resolve` gives the definition of a canonical, if known."""
    nodes = [_Node({**plan, "title": "", "description": ""}, 0, 0, "")]
    remarks = list(_collect(nodes, plan, 0, 1))
    contained = {f"#{text_of(r, 'id')}": r for r in objects(plan, "contained")}
    for node in nodes[1:]:
        url = text_of(node.action, "definitionCanonical")
        node.definition = contained.get(url) or (resolve(url) if url else None) or {}
    _relate(nodes)
    for node in nodes:
        remarks += _untangle(node, nodes)
    whole = _step(nodes, 0)
    lanes = dict.fromkeys(who for node in nodes[1:] for who in wording.people(node.action))
    named = (clean(text_of(plan, key)) for key in ("title", "name", "id"))
    title = next(filter(None, named), "Plan without a title")
    return Course(title, whole, tuple(lanes), tuple(remarks))


def _collect(nodes: list[_Node], parent: Resource, above: int, depth: int) -> Iterator[str]:
    """Add the actions in document order, each before its parts; say what lies too deep."""
    actions = objects(parent, "action")
    if actions and depth > _DEEPEST:
        yield f"Actions more than {_DEEPEST} levels deep are not shown: step {nodes[above].key}"
        return
    for place, action in enumerate(actions):
        key = f"{nodes[above].key}.{place + 1}".lstrip(".")
        nodes[above].parts.append(len(nodes))
        nodes.append(_Node(action, above, place, key))
        yield from _collect(nodes, action, len(nodes) - 1, depth + 1)


def _relate(nodes: list[_Node]) -> None:
    """Note how actions are related, and give the order that follows to what they are parts of."""
    by_id = defaultdict(list)
    for number, node in enumerate(nodes[1:], 1):
        for key in ("id", "linkId"):  # R5 relates actions by `targetId` to a `linkId`
            by_id[text_of(node.action, key)].append(number)
    names = [_name(node) for node in nodes]
    for number, node in enumerate(nodes[1:], 1):
        for related in objects(node.action, "relatedAction"):
            wanted = text_of(related, "actionId") or text_of(related, "targetId")
            found = by_id.get(wanted, ()) if wanted else ()
            beside = [other for other in found if nodes[other].above == node.above]
            other = next(iter([*beside, *found]), None)
            if other is None:
                words = wording.relation(related, wanted)
                missing = gettext("{words}, which this plan does not have", words=words)
                node.notes.append(Note("When", missing))
            else:
                _order(nodes, number, other, related, wording.relation(related, names[other]))


def _name(node: _Node) -> str:
    title, text = wording.heading(node.action, node.definition)
    return title or text or f"step {node.key}"


def _order(nodes: list[_Node], one: int, other: int, related: Resource, words: str) -> None:
    """Take an order of two actions to where both are parts; words, where no arrow says it all."""
    first, second = _beside(nodes, one, other)
    code = text_of(related, "relationship")
    is_before = code.startswith("before")
    has_order = first != second and (is_before or code.startswith("after"))
    is_exact = has_order and (first, second) == (one, other)
    is_far = "offsetDuration" in related or "offsetRange" in related
    if has_order:
        pair = (nodes[first].place, nodes[second].place)
        pair = pair if is_before else pair[::-1]
        parent = nodes[nodes[first].above]
        parent.pairs.add(pair)
        if is_exact:
            parent.arrows.add(pair)
    if is_far or not is_exact:
        nodes[one].notes.append(Note("When", words))


def _beside(nodes: list[_Node], one: int, other: int) -> tuple[int, int]:
    """The actions side by side that hold these two; twice the same if one holds the other."""
    lines = [_line(nodes, one), _line(nodes, other)]
    for first, second in zip(*lines, strict=False):
        if first != second:
            return first, second
    return one, one


def _line(nodes: list[_Node], number: int) -> list[int]:
    """An action and those around it, the outermost first."""
    found = []
    while number:
        found.append(number)
        number = nodes[number].above
    return found[::-1]


def _untangle(node: _Node, nodes: list[_Node]) -> Iterator[str]:
    """Leave arrows that can be drawn: no circles, none that follow from others, not too many."""
    count = len(node.parts)
    if circle := in_circles(count, node.pairs):
        names = ", ".join(f"'{_name(nodes[node.parts[place]])}'" for place in sorted(circle))
        yield f"The plan has these come before each other in a circle: {names}"
        _in_words(node, nodes, {p for p in node.arrows if set(p) <= circle})
        node.pairs = {p for p in node.pairs if not set(p) <= circle}
    node.arrows = reduced(count, node.arrows & node.pairs)
    at = {place: position for position, place in enumerate(_shown(node, nodes))}
    _, beside = rails((at[first], at[second]) for first, second in node.arrows)
    if max((rail.column for rail in beside), default=0) >= _MOST_RAILS:
        _in_words(node, nodes, node.arrows)
        node.arrows = set()


def _in_words(node: _Node, nodes: list[_Node], pairs: set[Pair]) -> None:
    for first, second in sorted(pairs):
        before, after = nodes[node.parts[first]], nodes[node.parts[second]]
        after.notes.append(Note("When", gettext("after '{step}'", step=_name(before))))


def _shown(node: _Node, nodes: list[_Node]) -> list[int]:
    """The places of the parts in the order to show them.

    As they are in the plan, where that is free; but steps under a condition, one after another,
    are right before the first that they must precede, and no further up. Those that precede
    none come last of them.
    """
    ranks = [float(place) for place in range(len(node.parts))]
    run: list[int] = []
    for place in range(len(node.parts) + 1):
        if place < len(node.parts) and _is_conditional_leaf(nodes[node.parts[place]]):
            run.append(place)
            continue
        ends = [b for a, b in node.pairs if a in run and b not in run]
        for each in run if ends else ():
            ranks[each] = min(ends) - (0.5 if any(each in pair for pair in node.pairs) else 0.4)
        run = []
    return sequence(ranks, node.pairs)


def _is_conditional_leaf(node: _Node) -> bool:
    return not node.parts and bool(objects(node.action, "condition"))


def _step(nodes: list[_Node], number: int) -> Step:
    node = nodes[number]
    action, definition = node.action, node.definition
    title, text = wording.heading(action, definition)
    shown = _shown(node, nodes)
    at = {place: position for position, place in enumerate(shown)}
    notes = (*wording.notes(action, definition), *node.notes)
    text = "" if title and any(note.text == text for note in notes) else text
    return Step(
        key=node.key,
        title=title,
        text=text,
        choice=text_of(action, "selectionBehavior") if wording.is_choice(action) else "",
        tags=tuple(wording.tags(action, definition)),
        notes=tuple(dict.fromkeys(note for note in notes if note.text)),
        who=tuple(wording.people(action)),
        is_optional=text_of(action, "requiredBehavior") == "could",
        is_repeated=text_of(action, "cardinalityBehavior") == "multiple",
        steps=tuple(_step(nodes, node.parts[place]) for place in shown),
        arrows=tuple(sorted((at[first], at[second]) for first, second in node.arrows)),
    )
