"""What FHIR adds (http://hl7.org/fhir/R4/fhirpath.html#functions), the tree, and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError, MissingDefinitionError
from fhirpkg.fhirpath.functions.function import Function, Projection
from fhirpkg.fhirpath.temporal import Temporal, moment, time_of_day, today
from fhirpkg.fhirpath.types import type_info
from fhirpkg.fhirpath.units import are_comparable
from fhirpkg.fhirpath.values import Quantity, plain, system
from fhirpkg.fhirpath.walking import resource, walk

if TYPE_CHECKING:
    from fhirpkg.fhirpath.environment import Scope
    from fhirpkg.fhirpath.values import Item
    from fhirpkg.issues import Json


def children(scope: Scope, items: list[Item]) -> list[Item]:
    """All child elements."""
    shapes = scope.shapes
    if len(items) == 1:
        return shapes.children(items[0])
    out = [child for item in items for child in shapes.children(item)]
    scope.spend(len(out))
    return out


def descendants(scope: Scope, items: list[Item]) -> list[Item]:
    """All child elements, theirs, and so on, each before its own."""
    below = scope.shapes.children
    out: list[Item] = []
    waiting = items[::-1]
    while waiting:
        found = below(waiting.pop())
        out += found
        waiting += [child for child in reversed(found) if child[2] or type(child[0]) is dict]
    scope.spend(len(out))
    return out


def trace(
    scope: Scope, items: list[Item], name: str, projection: Projection | None = None
) -> list[Item]:
    """The items themselves; whoever evaluates may listen."""
    listener = scope.environment.trace
    if listener is not None:
        shown = [x for item in items for x in projection(item, scope)] if projection else items
        listener(name, [plain(item) for item in shown])
    return items


def has_value(items: list[Item]) -> bool:
    """Whether there is one item, with a value and not only extensions."""
    if len(items) != 1:
        return False
    item = items[0]
    return type(item) is not tuple or (item[0] is not None and type(item[0]) is not dict)


def get_value(items: list[Item]) -> Json:
    """The value of the one item that has one."""
    return system(items[0]) if has_value(items) else None


def extension(scope: Scope, items: list[Item], url: str) -> list[Item]:
    """The extensions with that url."""
    found = walk(items, scope.shapes.steps("extension"))
    return [one for one in found if type(one[0]) is dict and one[0].get("url") == url]


def has_extension(scope: Scope, items: list[Item], url: str) -> bool:
    """Whether there is an extension with that url, which R4's search parameters ask."""
    return bool(extension(scope, items, url))


def resolve(scope: Scope, items: list[Item]) -> list[Item]:
    """The resources that references lead to; those that lead nowhere are left out."""
    scope.spend(len(items))
    found = (_resolve(scope, item) for item in items)
    return [resource(one) for one in found if one is not None]


def _resolve(scope: Scope, item: Item) -> Json:
    value = item[0] if type(item) is tuple else item
    reference = value.get("reference") if type(value) is dict else value
    if type(reference) is not str:
        return None
    environment = scope.environment
    root = environment.root_resource or environment.resource
    if reference.startswith("#") and root is not None:
        if reference == "#":
            return root
        contained = root.get("contained")
        for one in contained if type(contained) is list else ():
            if type(one) is dict and one.get("id") == reference[1:]:
                return one
    return environment.resolve(reference) if environment.resolve else None


def _only(items: list[Item], function: str) -> Item:
    if len(items) > 1:
        raise EvaluationError(f"{function} is for a single item")
    return items[0]


def member_of(scope: Scope, items: list[Item], value_set: str) -> bool | None:
    """Whether a code, Coding or CodeableConcept is in a value set."""
    if not items:
        return None
    item = _only(items, "memberOf()")
    value, type_name = item[:2] if type(item) is tuple else (item, "code")
    service = scope.environment.member_of
    return _told(f"memberOf('{value_set}')", service and service(value, type_name, value_set))


def conforms_to(scope: Scope, items: list[Item], canonical: str) -> bool | None:
    """Whether a resource or element conforms to a profile."""
    if not items:
        return None
    item = _only(items, "conformsTo()")
    service = scope.environment.conforms_to
    value = item[0] if type(item) is tuple else None
    known = service(value, canonical) if service and type(value) is dict else None
    return _told(f"conformsTo('{canonical}')", known)


def html_checks(scope: Scope, items: list[Item]) -> bool | None:
    """Whether a narrative keeps the rules for its XHTML."""
    if not items:
        return None
    value = items[0][0] if type(items[0]) is tuple else items[0]
    service = scope.environment.html_checks
    return _told("htmlChecks()", service(value) if service and type(value) is str else None)


def _told(what: str, answer: bool | None) -> bool:
    if answer is None:
        raise MissingDefinitionError(f"{what} is unknown here")
    return answer


def comparable(one: Json, two: Json) -> bool:
    """Whether two quantities have units of one dimension."""
    if not isinstance(one, Quantity) or not isinstance(two, Quantity):
        raise EvaluationError("comparable() is for quantities")
    return are_comparable(one.unit, two.unit)


def now(scope: Scope, _items: list[Item]) -> Temporal:
    """The moment of the evaluation."""
    return moment(scope.clock)


FUNCTIONS = {
    "children": Function(children, "items", scoped=True),
    "descendants": Function(descendants, "items", scoped=True),
    "trace": Function(trace, "items", ("string", "projection"), optional=1, scoped=True),
    "type": Function(lambda items: [type_info(item) for item in items], "items"),
    "now": Function(now, "items", gives="DateTime", scoped=True),
    "today": Function(lambda scope, _: today(scope.clock), "items", gives="Date", scoped=True),
    "timeOfDay": Function(
        lambda scope, _: time_of_day(scope.clock), "items", gives="Time", scoped=True
    ),
    "hasValue": Function(has_value, "items", gives="Boolean"),
    "getValue": Function(get_value, "items", gives="Any"),
    "extension": Function(extension, "items", ("string",), scoped=True),
    "hasExtension": Function(has_extension, "items", ("string",), "Boolean", scoped=True),
    "resolve": Function(resolve, "items", scoped=True),
    "memberOf": Function(member_of, "items", ("string",), "Boolean", scoped=True),
    "conformsTo": Function(conforms_to, "items", ("string",), "Boolean", scoped=True),
    "htmlChecks": Function(html_checks, "items", gives="Boolean", scoped=True),
    "comparable": Function(comparable, "value", ("value",), "Boolean"),
}
