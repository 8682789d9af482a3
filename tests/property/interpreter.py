"""A slow, plain reading of an ElementSchema: what the compiled check must agree with.

It walks every element the schema has, builds no code, takes no short cut and evaluates every
invariant with FHIRPath; only the tests of single values are shared with the compiled check.
"""

from fhirpkg.definitions.terminology.verdicts import Verdict
from fhirpkg.errors import FhirPathError
from fhirpkg.fhirpath.environment import Environment
from fhirpkg.fhirpath.expression import compile_expression
from fhirpkg.validation.elements.errata import corrected
from fhirpkg.validation.elements.primitives import PREDICATES, problem

ANY = {"Resource", "DomainResource"}
ELSEWHERE = ("dom-3", "txt-1", "txt-2", "dom-6", "con-3")
"""Invariants that are a family of their own, or best practice."""


class Interpreter:
    """Finds (rule, path) in a resource; `checks` gives schemas and terminology."""

    def __init__(self, checks):
        self.schemas = checks.schemas
        self.types = checks.definitions.types
        self.terminology = checks.terminology
        self.found = set()

    def check(self, resource):
        """All that is wrong with a resource by its type alone."""
        self._resource(resource, (), resource)
        return self.found

    def _resource(self, value, path, root):
        name = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(name, str):
            self.found.add(("structure-no-resource", path))
        elif not self.types.is_resource(name) or name in ANY:
            self.found.add(("structure-resource-type", path))
        else:
            around = root if "contained" in path[-2:] else value
            self._object(value, path, name, Environment(resource=value, root_resource=around))

    def _object(self, value, path, type_name, environment):
        if not isinstance(value, dict):
            self.found.add(("structure-object", path))
            return
        if not value:
            self.found.add(("structure-empty", path))
            return
        schema = self.schemas.type(type_name)
        names = {"resourceType"} if self.types.is_resource(type_name) else set()
        for child in schema.children:
            names |= self._element(child, value, path, environment)
        for key in value.keys() - names:
            rule = "structure-unknown-element"
            if any(self._is_choice(child, key) for child in schema.children):
                rule = "structure-choice-type"
            self.found.add((rule, (*path, key)))
        self._constraints(schema.constraints, value, None, path, type_name, environment)

    @staticmethod
    def _is_choice(child, key):
        rest = key[len(child.name) :]
        return child.is_choice and key.startswith(child.name) and rest[:1].isupper()

    def _element(self, child, owner, path, environment):
        """Check one element of an object; the keys that belong to it."""
        types = [ref.code for ref in child.types]
        if child.is_choice:
            keys = {f"{child.name}{code[:1].upper()}{code[1:]}": code for code in types}
        else:
            keys = {child.name: child.content or (types[0] if types else "")}
        present = [key for key in owner if key in keys]
        if child.min and not present and not any(f"_{key}" in owner for key in keys):
            self.found.add(("cardinality-min", path))
        if len(present) > 1:
            self.found.add(("structure-choice-many", (*path, present[1])))
        for key in present:
            self._values(child, owner, key, keys[key], path, environment)
        primitive = {key for key, code in keys.items() if code in PREDICATES}
        for key in primitive:
            if f"_{key}" in owner:
                self._beside(child, owner, key, path, environment)
        return set(keys) | {f"_{key}" for key in primitive}

    def _values(self, child, owner, key, code, path, environment):
        value = owner[key]
        place = (*path, key)
        if not child.is_list:
            self._value(child, value, place, code, environment)
            return
        if not isinstance(value, list) or not value:
            rule = "structure-empty" if isinstance(value, list) else "structure-list"
            self.found.add((rule, place))
            if isinstance(value, dict) and code not in PREDICATES:
                self._value(child, value, place, code, environment)
            elif code == "code" and PREDICATES["code"](value):
                self._primitive(child, value, place, code)  # its binding is told as well
            return
        beside = owner.get(f"_{key}")
        for index, item in enumerate(value):
            filled = isinstance(beside, list) and index < len(beside)
            if item is None and code in PREDICATES and filled and isinstance(beside[index], dict):
                continue
            self._value(child, item, (*place, index), code, environment)

    def _value(self, child, value, place, code, environment):
        if code in PREDICATES:
            self._primitive(child, value, place, code)
        elif code in ANY:
            self._resource(value, place, environment.root_resource)
        elif code:
            self._object(value, place, code, environment)
        if not child.content:
            own = [c for c in child.constraints if c.key not in self._of_type(code)]
            self._constraints(own, value, None, place, code, environment)

    def _of_type(self, code):
        schema = self.schemas.type(code)
        return {"ele-1"} | {c.key for c in schema.constraints} if schema else {"ele-1"}

    def _primitive(self, child, value, place, code):
        if not PREDICATES[code](value):
            rule = "structure-not-list" if isinstance(value, list) else problem(code, value)[0].id
            self.found.add((rule, place))
        elif code == "code" and child.binding and child.binding.strength == "required":
            found = self.terminology.membership(child.binding.value_set, value)
            if found.verdict is Verdict.NO:
                self.found.add(("binding-required", place))

    def _beside(self, child, owner, key, path, environment):
        values, beside = owner.get(key), owner[f"_{key}"]
        place = (*path, f"_{key}")
        if not child.is_list:
            if values is None or not _is_bare_id(beside):
                self._object(beside, place, "Element", environment)
            return
        if not isinstance(beside, list) or not beside:
            rule = "structure-empty" if isinstance(beside, list) else "structure-list"
            self.found.add((rule, place))
            return
        for index, item in enumerate(beside):
            filled = isinstance(values, list) and index < len(values)
            value = values[index] if filled else None
            if item is None and value is None:
                self.found.add(("structure-null", (*place, index)))
            elif item is not None and (value is None or not _is_bare_id(item)):
                self._object(item, (*place, index), "Element", environment)
        if isinstance(values, list) and len(values) != len(beside):
            self.found.add(("structure-alignment", place))

    def _constraints(self, constraints, value, beside, place, type_name, environment):
        focus = None if type_name in ANY else type_name
        for constraint in constraints:
            if constraint.key in ELSEWHERE or constraint.best_practice:
                continue
            text = corrected(constraint.expression, by_letter=False)
            if constraint.key == "ref-1" and "reference" not in value:
                continue  # of no reference it is not true; see constraints.py
            try:
                holds = compile_expression(text, self.types, focus).is_true(
                    value, environment, beside
                )
            except FhirPathError:
                self.found.add(("not-checked-invariant", place))
                continue
            if not holds:
                self.found.add((constraint.key, place))


def _is_bare_id(beside):
    """An id alone beside a value: ele-1 is about both, and the value is there."""
    return (
        isinstance(beside, dict)
        and list(beside) == ["id"]
        and bool(beside["id"])
        and (isinstance(beside["id"], str))
    )
