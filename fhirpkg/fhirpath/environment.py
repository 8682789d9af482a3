"""What surrounds an evaluation: the resource, the variables, the services an expression may ask."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fhirpkg.fhirpath.comparison import EvaluationError
from fhirpkg.fhirpath.temporal import Temporal
from fhirpkg.fhirpath.values import UCUM, Item, Quantity
from fhirpkg.fhirpath.walking import NOTHING, Shapes, resource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.issues import Json, Resource

MOST_ITEMS = 1_000_000
_MOST_WORK = 5_000_000
_NAMED = {
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "ucum": UCUM,
}
_PREFIXED = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


@dataclass(slots=True, kw_only=True)
class Environment:
    """What ``%resource`` and functions that ask others refer to; all of it may be missing.

    A service that is missing or answers None makes the expression fail with FhirPathError, but
    `resolve`: what cannot be resolved is left out (http://hl7.org/fhir/R4/fhirpath.html#functions).
    """

    resource: Resource | None = None
    root_resource: Resource | None = None
    """The container when `resource` is a contained one; `resource` itself when None."""
    variables: Mapping[str, Json] = field(default_factory=dict)
    """``%name`` to FHIR JSON, a list of it, or a value."""
    resolve: Callable[[str], Resource | None] | None = None
    member_of: Callable[[Json, str, str], bool | None] | None = None
    """A value, its type (code, Coding, CodeableConcept …), the canonical of a value set."""
    conforms_to: Callable[[Resource, str], bool | None] | None = None
    html_checks: Callable[[str], bool | None] | None = None
    """Whether a narrative's div keeps the rules for XHTML."""
    trace: Callable[[str, list[Json]], None] | None = None
    """Told the name and plain items of each ``trace()``."""
    now: dt.datetime | None = None


class Scope:
    """What one evaluation knows besides its focus."""

    __slots__ = (
        "context",
        "defined",
        "environment",
        "index",
        "kept",
        "now",
        "shapes",
        "total",
        "work",
    )

    def __init__(self, environment: Environment, context: Item, shapes: Shapes) -> None:
        self.environment = environment
        self.context = context
        self.shapes = shapes
        self.index: int | None = None
        self.total: list[Item] = []
        self.defined: dict[str, list[Item]] = {}
        """Variables that the expression itself defines."""
        self.work = [0]
        self.kept: dict[int, Json] = {}
        """Results of parts that are the same for every focus, by the compiler's number."""
        self.now: dt.datetime | None = environment.now

    def inner(self) -> Scope:
        """A scope for one item of a loop, with ``$index`` and ``$total`` of its own."""
        scope = Scope(self.environment, self.context, self.shapes)
        scope.index, scope.total = self.index, self.total
        scope.defined = dict(self.defined)
        scope.work, scope.kept, scope.now = self.work, self.kept, self.clock
        return scope

    @property
    def clock(self) -> dt.datetime:
        """The moment of the evaluation, the same throughout."""
        if self.now is None:
            self.now = dt.datetime.now().astimezone()
        return self.now

    def spend(self, count: int) -> None:
        """Count work; raises EvaluationError when an expression does not come to an end."""
        self.work[0] += count
        if self.work[0] > _MOST_WORK or count > MOST_ITEMS:
            raise EvaluationError("evaluating this on such content takes too long")

    def variable(self, name: str) -> list[Item]:
        """The items of ``%name``; raises EvaluationError when nothing has that name."""
        environment = self.environment
        if name in self.defined:
            return self.defined[name]
        if name in environment.variables:
            found = items_of(environment.variables[name])
            self.spend(len(found))
            return found
        if name == "resource":
            return _one(environment.resource, self.context)
        if name == "rootResource":
            return _one(environment.root_resource or environment.resource, self.context)
        if name == "context":
            return [] if self.context is NOTHING else [self.context]
        if name in _NAMED:
            return [_NAMED[name]]
        for prefix, url in _PREFIXED.items():
            if name.startswith(prefix):
                return [url + name.removeprefix(prefix)]
        raise EvaluationError(f"there is no variable %{name}")

    def define(self, name: str, value: list[Item]) -> None:
        """Give a variable its value from here on; EvaluationError when the name is taken."""
        taken = name in self.defined or name in self.environment.variables
        if taken or name in {"resource", "rootResource", "context", *_NAMED}:
            raise EvaluationError(f"the variable %{name} is already defined")
        self.defined[name] = value


def items_of(value: Json) -> list[Item]:
    """JSON or values from outside as items."""
    if value is None:
        return []
    if isinstance(value, list):
        return [item for one in value for item in items_of(one)]
    if isinstance(value, dict):
        return [resource(value)]
    known = (bool, int, str, tuple, Temporal, Quantity)
    from_float = not isinstance(value, known) and isinstance(value, float)
    return [(value, "decimal", None) if from_float else value]


def _one(found: Resource | None, context: Item) -> list[Item]:
    if found is not None:
        return [resource(found)]
    is_resource = type(context) is tuple and type(context[0]) is dict
    return [context] if is_resource and "resourceType" in context[0] else []
