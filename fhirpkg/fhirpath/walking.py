"""From an element to its children, by the type model.

A choice is one element under many JSON names (`value` under `valueQuantity`), and a primitive's id
and extensions lie beside it, under its name with an underscore: both are hidden here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.fhirpath.model import kept_by_model
from fhirpkg.fhirpath.values import Element, Item, Quantity, system

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.fhirpath.model import ElementType, TypeModel
    from fhirpkg.issues import Json

Plan = tuple[str, str, str]
"""JSON key, key of the primitive's id and extensions ("" for complex types), type ("" for any
resource and for what no type is known of)."""

NOTHING: Element = (None, "", None)
"""The focus where there is none."""


class Shape:
    """How a type lies in JSON: the plan of each element by its name and of each JSON key."""

    __slots__ = ("by_key", "by_name")

    def __init__(self, elements: Iterable[ElementType]) -> None:
        self.by_name: dict[str, Plan | dict[str, Plan]] = {}
        self.by_key: dict[str, Plan] = {}
        for element in elements:
            plans = [_plan(element.key(type_name), type_name) for type_name in element.types]
            by_key = {plan[0]: plan for plan in plans}
            by_key |= {plan[1]: plan for plan in plans if plan[1]}
            self.by_key |= by_key
            self.by_name[element.name] = by_key if element.is_choice else plans[0]


class Shapes(dict[str, Shape | None]):
    """The shapes of a model's types, made when first needed; None for what is not a type."""

    def __init__(self, model: TypeModel) -> None:
        super().__init__()
        self.model = model
        self._steps: dict[str, Steps] = {}
        self._ancestors: dict[str, frozenset[str]] = {}

    def __missing__(self, type_name: str) -> Shape | None:
        elements = self.model.elements(type_name) if type_name else None
        self[type_name] = Shape(elements.values()) if elements else None
        return self[type_name]

    def steps(self, name: str) -> Steps:
        """How to take one step by a name from any type."""
        if name not in self._steps:
            self._steps[name] = Steps(self, name)
        return self._steps[name]

    def ancestors(self, type_name: str) -> frozenset[str]:
        """A type and all it specializes."""
        if type_name not in self._ancestors:
            self._ancestors[type_name] = frozenset(self.model.ancestors(type_name))
        return self._ancestors[type_name]

    def children(self, item: Item) -> list[Element]:
        """All child elements of an item, in the order of its JSON."""
        if type(item) is not tuple:
            return []
        value, type_name, under = item
        if type(value) is not dict:
            value = under
            if type(value) is not dict:
                return []
        shape = self[type_name]
        plans = shape.by_key if shape else {}
        out: list[Element] = []
        for key in value:
            plan = plans.get(key)
            if plan is None:
                if shape or key == "resourceType":
                    continue
                plan = (key.lstrip("_"), f"_{key.lstrip('_')}", "")
            _add_of_key(key, value, plan, out)
        return out


class Steps(dict[str, "Plan | dict[str, Plan] | None"]):
    """The plan of one element name by type; of an unknown type, the name itself."""

    def __init__(self, shapes: Shapes, name: str) -> None:
        super().__init__()
        self._shapes = shapes
        self.name = name

    def __missing__(self, type_name: str) -> Plan | dict[str, Plan] | None:
        shape = self._shapes[type_name]
        plan = shape.by_name.get(self.name) if shape else (self.name, f"_{self.name}", "")
        self[type_name] = plan
        return plan


@kept_by_model(1)
def shapes_of(model: TypeModel) -> Shapes:
    """The shapes of a model, kept."""
    return Shapes(model)


def walk(items: Iterable[Item], steps: Steps) -> list[Item]:
    """The children of that name of all items."""
    out: list[Item] = []
    for item in items:
        if type(item) is not tuple:
            if type(item) is Quantity:
                _add_of_quantity(item, steps.name, out)
            continue
        value, type_name, under = item
        if type(value) is not dict:
            if steps.name == "value" and value is not None:  # that of a primitive
                out.append(system(item))
                continue
            if type(under) is not dict:
                continue
            value = under
        plan = steps[type_name]
        if plan is None:
            continue
        if not isinstance(plan, tuple):
            _add_choice(value, plan, out)
            continue
        key, beside, child_type = plan
        found = value.get(key)
        if beside and (extra := value.get(beside)) is not None:
            _add_primitives(found, extra, child_type, out)
        elif found is not None:
            if type(found) is not list:
                out.append((found, child_type or _resource_type(found), None))
            elif child_type:
                out.extend([(one, child_type, None) for one in found])
            else:
                out.extend([(one, _resource_type(one), None) for one in found])
    return out


def has(item: Item, steps: Steps) -> bool:
    """Whether one item has children of that name: `walk` without making them."""
    if type(item) is not tuple or type(item[0]) is not dict:
        return bool(walk((item,), steps))
    value = item[0]
    plan = steps[item[1]]
    if plan is None:
        return False
    if not isinstance(plan, tuple):
        return not plan.keys().isdisjoint(value)
    found = value.get(plan[0])
    return (found is not None and found != []) or (plan[1] != "" and plan[1] in value)


def resource(value: Json) -> Element:
    """A resource as an element; NOTHING when it is None."""
    return NOTHING if value is None else (value, _resource_type(value), None)


def _resource_type(value: Json) -> str:
    if type(value) is dict:
        found = value.get("resourceType", "")
        return found if type(found) is str else ""
    return ""


def _plan(key: str, type_name: str) -> Plan:
    known = "" if type_name in {"Resource", "DomainResource"} else type_name
    return (key, f"_{key}" if type_name[:1].islower() else "", known)


def _add_choice(value: dict[str, Json], plans: dict[str, Plan], out: list[Item]) -> None:
    for key in value:
        plan = plans.get(key)
        if plan is not None:
            _add_of_key(key, value, plan, out)


def _add_of_key(key: str, value: dict[str, Json], plan: Plan, out: list[Item]) -> None:
    """What is under one key; a primitive counts once, by its value or what lies beside it."""
    name, beside, type_name = plan
    found = value[key]
    if not beside:
        many = found if type(found) is list else (found,)
        out.extend([(one, type_name or _resource_type(one), None) for one in many])
    elif key == name:
        _add_primitives(found, value.get(beside), type_name, out)
    elif name not in value:
        _add_primitives(None, found, type_name, out)


def _add_primitives(found: Json, extra: Json, type_name: str, out: list[Item]) -> None:
    """Values with what lies beside them: two objects, or two lists with nulls as fillers."""
    if type(found) is not list and type(extra) is not list:
        out.append((found, type_name or _resource_type(found), extra))
        return
    values = found if type(found) is list else [found] if found is not None else []
    extras = extra if type(extra) is list else [extra] if extra is not None else []
    for index in range(max(len(values), len(extras))):
        value = values[index] if index < len(values) else None
        under = extras[index] if index < len(extras) else None
        if value is not None or under is not None:
            out.append((value, type_name or _resource_type(value), under))


def _add_of_quantity(quantity: Quantity, name: str, out: list[Item]) -> None:
    found = {"value": quantity.value, "unit": quantity.unit, "code": quantity.unit}.get(name)
    if found is not None:
        out.append(found)
