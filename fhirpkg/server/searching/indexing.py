"""What a resource can be found by: its values for each R4 SearchParameter of its type.

The parameters and their FHIRPath expressions come from the definitions.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.fhirpath import Environment, compile_expression
from fhirpkg.server.searching.rows import LOCAL, ROWS
from fhirpkg.server.storing.layout import INDEXED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fhirpkg.definitions.definitions import Definitions
    from fhirpkg.fhirpath import Expression
    from fhirpkg.issues import Resource
    from fhirpkg.server.storing.versions import Rows

    _Compiled = tuple[Expression, ...]
    _Made = dict[tuple[str, int], tuple[Any, list[tuple[Any, ...]]]]
    """The rows that values have given, by kind and identity, with the value that has it."""
    _Line = tuple["Parameter", _Compiled, list[tuple["Parameter", _Compiled]]]

_START = re.compile(r"\(*[A-Z]\w*\.([a-z]\w*)[^|]*")
_CHOICE = re.compile(
    r"\(?(?P<path>[A-Z]\w*\.(?P<name>[a-z]\w*))(?: as |\.(?:as|ofType)\()(?P<type>\w+)\)(?:\.\w+)*"
)
"""A path that begins with one type of a choice: ``(Observation.value as CodeableConcept).text``."""
_OF_TYPE = re.compile(r"\(?(?P<path>[\w.]+?)(?: as \w+|\.(?:as|ofType)\(\w+\))?\)?")
"""A path like ``Observation.effective``, or ``(Observation.value as Quantity)``."""
_OF_NOTHING = re.compile(r"\b(?:exists|empty|count|all|iif|and|or|not)\b")
"""What may have a value though its path leads to nothing."""
_CAPITAL = re.compile("[A-Z]")
_COLUMNS = {"_id": "id", "_lastUpdated": "updated"}
_MOST_PROGRAMS = 2000


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of one resource type, ready to run.

    `texts` are its expressions, from a focus of the type `focus`; `components` the parts of a
    composite one, each a Parameter that starts from its value.
    """

    name: str
    code: str
    kind: str
    definition: str
    texts: tuple[str, ...]
    focus: str | None = None
    targets: tuple[str, ...] = ()
    components: tuple[Parameter, ...] = ()
    is_single: bool = False
    """Whether a resource has one value at most."""


class Unindexable(ValueError):  # noqa: N818 - reported as a refusal
    """A value that its search parameter cannot take."""

    def __init__(self, parameter: str, problem: str) -> None:
        self.parameter = parameter
        self.problem = problem
        super().__init__(f"{parameter}: {problem}")


class Indexing:
    """The search parameters of all types, each type's made when it is first met."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._parameters: dict[str, dict[str, Parameter]] = {}
        self._programs: dict[tuple[str, frozenset[str]], list[_Line]] = {}

    def parameters(self, resource_type: str) -> Mapping[str, Parameter]:
        """The parameters that a type can be searched by, by their codes."""
        if resource_type not in self._parameters:
            found = self._definitions.search_parameters(resource_type)
            self._parameters[resource_type] = {
                code: parameter
                for code, definition in found.items()
                if (parameter := self._parameter(resource_type, code, definition))
            }
        return self._parameters[resource_type]

    def rows(self, resource: Resource) -> Rows:
        """The rows that find a resource, by kind. Raises Unindexable."""
        rows: Rows = {}
        environment = Environment(resource=resource, root_resource=resource, resolve=_stand_in)
        program = self._program(resource["resourceType"], frozenset(resource))
        made: _Made = {}
        for parameter, expressions, components in program:
            for part, value in enumerate(_evaluate(expressions, resource, environment)):
                if not components:
                    _add(rows, parameter, part, value, made)
                    continue
                found = [_evaluate(inner, value, environment) for _, inner in components]
                if all(found):  # one that lacks a component is found by none of them
                    for (component, _), values_ in zip(components, found, strict=True):
                        for one in values_:
                            _add(rows, component, part, one, made)
        return rows

    def _program(self, resource_type: str, keys: frozenset[str]) -> list[_Line]:
        """What is evaluated for resources of a type with these keys: what may find something."""
        program = self._programs.get((resource_type, keys))
        if program is None:
            if len(self._programs) >= _MOST_PROGRAMS:
                self._programs.clear()
            there = frozenset(name for key in keys for name in _elements(key))
            lines = (self._line(p, there) for p in self.parameters(resource_type).values())
            program = [line for line in lines if line[1]]
            self._programs[resource_type, keys] = program
        return program

    def _line(self, parameter: Parameter, there: frozenset[str]) -> _Line:
        """A parameter with those of its expressions that may find something."""
        texts = () if parameter.code in _COLUMNS else parameter.texts
        met = [t for t in texts if not any(map(there.isdisjoint, self._needs(parameter, t)))]
        parts = [(part, self._compiled(part, part.texts)) for part in parameter.components]
        return parameter, self._compiled(parameter, met), parts

    def _needs(self, parameter: Parameter, text: str) -> list[frozenset[str]]:
        """What must be there for an expression to find something: one element of each set."""
        if text == parameter.focus:  # a composite of elements of the resource itself
            parts = [f"{text}.{part.texts[0]}" for part in parameter.components]
        else:
            parts = [text]
        return [found for part in parts if (found := self._starts(part))]

    def _starts(self, text: str) -> frozenset[str]:
        """The elements without which a path finds nothing; empty when that is not known."""
        match = _START.fullmatch(text)
        if match is None or _OF_NOTHING.search(text):
            return frozenset()
        choice = _CHOICE.fullmatch(text)
        if choice is None:
            return frozenset({match[1]})
        wanted, types = choice["type"], self._definitions.types
        fitting = [t for t in self._types_at(choice["path"]) if wanted in {t, *types.ancestors(t)}]
        return frozenset(f"{choice['name']}{t[0].upper()}{t[1:]}" for t in fitting)

    def _compiled(self, parameter: Parameter, texts: Iterable[str]) -> _Compiled:
        types = self._definitions.types
        return tuple(compile_expression(text, types, parameter.focus) for text in texts)

    def _parameter(self, resource_type: str, code: str, definition: Resource) -> Parameter | None:
        kind, url = definition["type"], definition["url"]
        texts = tuple(_alternatives(definition.get("expression", ""), resource_type))
        if not texts or (kind not in INDEXED and kind != "composite"):
            return None
        is_single = self._is_single(texts)
        if kind == "date":
            texts = tuple(map(self._without_text, texts))
        name = f"{resource_type}.{code}"
        components: tuple[Parameter, ...] = ()
        if kind == "composite":
            focus = next(iter(self._types_at(texts[0])), None)
            components = tuple(
                self._component(f"{name}#{number}", part, focus)
                for number, part in enumerate(definition.get("component", []), 1)
            )
        targets = tuple(definition.get("target", ()))
        return Parameter(
            name, code, kind, url, texts, resource_type, targets, components, is_single
        )

    def _component(self, name: str, part: Resource, focus: str | None) -> Parameter:
        definition = self._definitions.find(part["definition"], "SearchParameter")
        assert definition is not None, f"{part['definition']} is not among the definitions"
        code, kind, url = definition["code"], definition["type"], definition["url"]
        targets = tuple(definition.get("target", ()))
        return Parameter(name, code, kind, url, (part["expression"],), focus, targets)

    def _types_at(self, path: str) -> tuple[str, ...]:
        """The types of what a plain path like ``PlanDefinition.useContext`` leads to."""
        first, *steps = path.split(".")
        here: tuple[str, ...] = (first,)
        for step in steps:
            elements = self._definitions.types.elements(here[0]) if len(here) == 1 else {}
            element = elements.get(step)
            here = element.types if element else ()
        return here

    def _is_single(self, texts: tuple[str, ...]) -> bool:
        """Whether plain paths lead to one value at most, that of one choice if they are several."""
        found = [_OF_TYPE.fullmatch(text) for text in texts]
        paths = {match["path"] for match in found if match}
        if len(paths) != 1 or not all(found):
            return False
        here, *steps = paths.pop().split(".")
        for step in steps:
            element = self._definitions.types.elements(here).get(step)
            if element is None or element.is_list:
                return False
            here = element.types[0]
        return True

    def _without_text(self, path: str) -> str:
        """A path for dates: a choice like Immunization.occurrence may hold any text as well."""
        if "string" not in self._types_at(path):
            return path
        return f"{path}.where(($this is string).not())"


def _alternatives(expression: str, resource_type: str) -> Iterator[str]:
    """The parts of a union that can hold for a type: R4 writes one for all types it serves."""
    starts = (resource_type, "Resource", "DomainResource")
    part = ""
    for piece in expression.split("|"):
        part += piece
        if part.count("(") > part.count(")"):  # a union inside of parentheses
            part += "|"
            continue
        first = part.strip(" (").split(".")[0].split(" ")[0]
        if first in starts or first[:1].islower():  # InsurancePlan's "name | alias" names no type
            yield part.strip()
        part = ""


@functools.lru_cache(maxsize=10_000)
def _elements(key: str) -> tuple[str, ...]:
    """The elements that a key of a resource may belong to: `valueCode` to `value` as well.

    >>> _elements("multipleBirthBoolean")
    ('multipleBirthBoolean', 'multiple', 'multipleBirth')
    """
    name = key.removeprefix("_")
    return name, *(name[: match.start()] for match in _CAPITAL.finditer(name))


def _evaluate(expressions: _Compiled, focus: Any, environment: Environment) -> list[Any]:
    return [value for one in expressions for value in one.evaluate(focus, environment)]


def _stand_in(reference: str) -> Resource | None:
    """What a reference leads to, as far as an index needs it: `resolve() is Patient`."""
    match = LOCAL.search(reference)
    return {"resourceType": match["type"], "id": match["id"]} if match else None


def _add(rows: Rows, parameter: Parameter, part: int, value: Any, made: _Made) -> None:
    name, kind = parameter.name, parameter.kind
    place = kind, id(value)
    try:
        if place not in made:  # many parameters may find one value
            made[place] = value, list(ROWS[kind](value))
        rows.setdefault(kind, []).extend([(name, part, *row) for row in made[place][1]])
        if kind == "reference" and isinstance(value, dict) and "identifier" in value:
            found = ROWS["token"](value["identifier"])
            rows.setdefault("token", []).extend((f"{name}:identifier", part, *r) for r in found)
    except (ValueError, TypeError, AttributeError, KeyError, ArithmeticError) as error:
        problem = str(error) if type(error) is ValueError else f"{value!r} has the wrong type"
        raise Unindexable(parameter.code, problem) from error


@functools.lru_cache(maxsize=2)
def indexing_of(definitions: Definitions) -> Indexing:
    """The indexing by some definitions, made once in a process."""
    return Indexing(definitions)
