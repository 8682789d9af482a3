"""What generated checks are put together from: the members of types and the rules of elements.

Each rule is a small callable made from a part of an ElementSchema; None where there is no rule.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from fhirpkg.definitions.typemodel import ABSTRACT
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.environment import Environment
from fhirpkg.identity import ByIdentity
from fhirpkg.validation.compiling.deferred import Deferred
from fhirpkg.validation.compiling.discriminators import UnclearError, condition
from fhirpkg.validation.compiling.slicing import Case, Sliced
from fhirpkg.validation.elements import constraints
from fhirpkg.validation.elements.bindings import Bound
from fhirpkg.validation.elements.errata import corrected
from fhirpkg.validation.elements.forms import Member
from fhirpkg.validation.elements.primitives import PREDICATES, predicates
from fhirpkg.validation.elements.references import Allowed, Target
from fhirpkg.validation.elements.types import AllowedTypes, Conforms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.definitions.terminology.valuesets import Terminology
    from fhirpkg.issues import Json
    from fhirpkg.validation.compiling.compiler import Schemas
    from fhirpkg.validation.compiling.schema import Constraint, ElementSchema
    from fhirpkg.validation.compiling.slicing import Condition
    from fhirpkg.validation.elements.constraints import Invariant
    from fhirpkg.validation.elements.forms import Item
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run, Settings

_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
_DEFAULT = "@default"
"""The slice for what is in no other (http://hl7.org/fhir/R4/profiling.html#default)."""
_REFERRING = {"Reference", "canonical", "CodeableReference"}


class Compiled(Protocol):
    """The checks that parts are made for, and what they are compiled from."""

    definitions: Definitions
    terminology: Terminology
    settings: Settings
    schemas: Schemas
    type_rules: dict[str, Callable[[Json, Trail, Run], None]]

    def type(self, name: str) -> Json:
        """The check of a type."""


class CheckBuilder:
    """Makes the parts of checks; kept for as long as the checks are."""

    def __init__(self, checks: Compiled) -> None:
        self._checks = checks
        self._schemas = checks.schemas
        self._codes: dict[str, Deferred] = {}
        self._predicates = predicates(checks.definitions.release)
        self._named: ByIdentity[dict[str, str]] = ByIdentity()

    def element(self) -> Json:
        """The check of the object beside a primitive."""
        return self._checks.type("Element")

    def hook(self, path: str) -> Json:
        """What is checked of values of a type beyond its definition."""
        return self._checks.type_rules.get(path)

    def members(self, schema: ElementSchema) -> dict[str, Member]:
        """The JSON properties that a type may have."""
        found: dict[str, Member] = {}
        for child in schema.children:
            found |= self.choices(child) if child.is_choice else {child.name: self.member(child)}
        if self._schemas.is_resource(schema.path):
            found["resourceType"] = Member("resourceType", "code", False, None, None)
        return found

    def member(self, child: ElementSchema) -> Member:
        """The JSON property of an element that is not a choice."""
        code = child.types[0].code if child.types else ""
        return self._member(child, child.name, child.content or code)

    def choices(self, child: ElementSchema) -> dict[str, Member]:
        """The JSON properties of a choice element."""
        return {
            f"{child.name}{code[:1].upper()}{code[1:]}": self._member(
                child, f"{child.name}[x]", code
            )
            for code in child.choices
        }

    def _member(self, child: ElementSchema, name: str, code: str) -> Member:
        predicate = self._predicates.get(code)
        check = None if predicate else self._checks.type(code)
        return Member(name, code, child.is_list, predicate, check)

    def is_primitive(self, schema: ElementSchema) -> bool:
        """Whether the values of an element are plain ones, with their parts beside them."""
        return _type_of(schema) in PREDICATES

    def is_element_id(self, child: ElementSchema) -> bool:
        """Whether an element is the id of an element, which no other of the resource may have.

        A differential has the ids of its snapshot, so those of ElementDefinition may repeat.
        """
        owner = child.path.removesuffix(".id")
        if owner in {child.path, "ElementDefinition"}:
            return False
        return not self._schemas.is_resource(owner)

    def codes(self, value_set: str) -> Deferred:
        """All codes of a value set, read when the first code is checked; none if not known."""
        if value_set not in self._codes:
            terminology = self._checks.terminology
            self._codes[value_set] = Deferred(lambda: terminology.codes(value_set) or frozenset())
        return self._codes[value_set]

    def binding(self, schema: ElementSchema, profile: str) -> Bound:
        """The binding of an element of one type."""
        assert schema.binding is not None, "called for bound elements only"
        return Bound(schema.binding, schema.path, self._focus(schema), profile)

    def bound(self, schema: ElementSchema, profile: str) -> Bound | None:
        """The binding of an element, unless the check of its form has looked at it already."""
        binding = schema.binding
        if binding is None:
            return None
        if not profile and binding.strength == "required" and self._focus(schema) == "code":
            return None if not schema.is_list else self.binding(schema, profile)
        return self.binding(schema, profile)

    def allowed(self, schema: ElementSchema, profile: str) -> AllowedTypes | None:
        """Which types a profile leaves a choice or a resource."""
        if not profile or not schema.types:
            return None
        codes = frozenset(ref.code for ref in schema.types)
        if schema.is_choice:
            keys = {key: m.type for key, m in self.choices(schema).items() if m.type in codes}
            return AllowedTypes(schema.path, keys, codes, profile)
        if any(self._schemas.is_resource(code) for code in codes):
            return AllowedTypes(schema.path, {}, codes, profile)
        return None

    def conforms(self, schema: ElementSchema, profile: str) -> Conforms | None:
        """The profiles that values must meet, one of them for their type."""
        by_type = {ref.code: ref.profiles for ref in schema.types if ref.profiles}
        if not by_type:
            return None
        return Conforms(by_type, self._focus(schema), profile)

    def target(self, schema: ElementSchema, profile: str) -> Target | None:
        """What references of an element may lead to."""
        if schema.path == "Meta.profile":
            return None  # a profile that is not loaded is reported as `not-checked-profile`
        refs = [ref for ref in schema.types if ref.code in _REFERRING]
        targets = [target for ref in refs for target in ref.target_profiles]
        if not refs or (schema.is_choice and not targets):
            return None
        bare = frozenset(
            t.removeprefix(_STRUCTURE) for t in targets if self._schemas.is_core_type(t)
        )
        profiles = tuple(t for t in targets if not self._schemas.is_core_type(t))
        types = bare | {self._schemas.type_of(p) for p in profiles}
        if not targets and profile:
            return None
        aggregation = frozenset(kind for ref in refs for kind in ref.aggregation)
        allowed = Allowed(frozenset(types - {""}), bare, profiles, aggregation)
        return Target(self._focus(schema), allowed, profile, self._schemas)

    def constraints(self, schema: ElementSchema, profile: str) -> Iterable[Constraint]:
        """The invariants of an element besides those of its type."""
        if profile:
            return schema.constraints
        known = {"ele-1"}
        for ref in schema.types:
            base = self._schemas.type(ref.code)
            if base is not None:
                known.update(c.key for c in base.constraints)
        if schema.children or schema.content:
            return ()
        return [c for c in schema.constraints if c.key not in known]

    def invariant(
        self, constraint: Constraint, schema: ElementSchema, profile: str
    ) -> Invariant | None:
        """The invariant of a constraint, unless it is not to be evaluated."""
        settings, types = self._checks.settings, self._checks.definitions.types
        return constraints.invariant(
            constraint,
            profile,
            self._focus(schema),
            types,
            settings.best_practice,
            by_letter=settings.by_letter,
        )

    @staticmethod
    def inlined(constraint: Constraint) -> str:
        """A condition in Python under which an invariant needs to be evaluated, or nothing."""
        return constraints.inlined(constraint.expression)

    def guard(self, constraint: Constraint, schema: ElementSchema) -> frozenset[str] | None:
        """The keys without which an invariant of a type is true; None when it must be evaluated."""
        keys = self.looked_at(constraint, schema)
        return keys if keys and self._is_true_of_nothing(constraint, schema) else None

    def looked_at(self, constraint: Constraint, schema: ElementSchema) -> frozenset[str]:
        """The keys that an invariant of a type depends on; none when it may depend on others."""
        formula = self._formula(constraint)
        return constraints.keys_looked_at(formula, self._names(schema)) or frozenset()

    def type_of(self, schema: ElementSchema) -> ElementSchema | None:
        """The type of an element's values, if each is an object of that very type."""
        name = _type_of(schema)
        return None if schema.is_choice or name in PREDICATES else self._schemas.type(name)

    def needed(self, constraint: Constraint, schema: ElementSchema) -> list[frozenset[str]]:
        """Sets of keys; an invariant of a type is true where any of them has none that is there."""
        names = self._names(schema)
        elements = constraints.elements_needed(self._formula(constraint))
        found = [frozenset(k for k, name in names.items() if name == each) for each in elements]
        return sorted(filter(None, found), key=min)

    def _formula(self, constraint: Constraint) -> str:
        """The expression that is evaluated."""
        return corrected(constraint.expression, by_letter=self._checks.settings.by_letter)

    def _names(self, schema: ElementSchema) -> dict[str, str]:
        """The element of each key of a type."""
        known = self._named.get(schema)
        if known is None:
            members = self.members(schema).items()
            names = {key: member.name.removesuffix("[x]") for key, member in members}
            beside = {f"_{key}": name for key, name in names.items()}
            known = self._named.keep(schema, names | beside)
        return known

    def _is_true_of_nothing(self, constraint: Constraint, schema: ElementSchema) -> bool:
        invariant = self.invariant(constraint, schema, "")
        if invariant is None:
            return False
        try:
            return invariant.expression(()).is_true({}, Environment(resource={}))
        except FhirPathError:
            return False

    def sliced(self, schema: ElementSchema, profile: str) -> Sliced:
        """The slicing of an element with its conditions."""
        slicing = schema.slicing
        assert slicing is not None, "called for sliced elements only"
        cases: list[Case] = []
        unclear = ""
        default = None
        for each in slicing.slices:
            test: Condition = _never
            if each.name == _DEFAULT:
                default = len(cases)
            else:
                try:
                    test = condition(slicing.discriminators, each.element, self._schemas)
                except UnclearError as error:
                    unclear = unclear or str(error)
            inner = self.sliced(each.element, profile) if each.element.slicing else None
            cases.append(Case(each.name, test, each.element.min, each.element.max, inner))
        discriminated = bool(slicing.discriminators)
        how = (slicing.rules, slicing.ordered, profile, unclear, default, discriminated)
        return Sliced(schema.path, tuple(cases), *how)

    def _focus(self, schema: ElementSchema) -> str | Mapping[str, str]:
        """The type of an element's values; of a choice the types by JSON property."""
        if schema.is_choice:
            return {key: member.type for key, member in self.choices(schema).items()}
        return _type_of(schema)


def _never(_item: Item, _run: Run) -> bool:
    """The condition of a slice that says nothing of what is in it, or that is the default."""
    return False


def _type_of(schema: ElementSchema) -> str:
    """The type or backbone element that the values of an element are."""
    code = schema.content or ("" if "." in schema.path else schema.path)
    if not code and len(schema.types) == 1:
        code = schema.types[0].code
    return "" if code in ABSTRACT else code
