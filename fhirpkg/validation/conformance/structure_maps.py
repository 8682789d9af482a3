"""StructureMaps: the groups that rules call, the variables that they use, and their elements.

See http://hl7.org/fhir/R4/mapping-language.html and structuremap-definitions.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.rules import nearest
from fhirpkg.untrusted import mappings, numbered, objects, text_of
from fhirpkg.validation.conformance.map_types import MapTypes, Types
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_MAP_ELEMENT,
    STRUCTURE_MAP_GROUP,
    STRUCTURE_MAP_INPUTS,
    STRUCTURE_MAP_MODE,
    STRUCTURE_MAP_TYPE,
    STRUCTURE_MAP_VARIABLE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

Groups = dict[str, int]
"""The groups that may be called, each with the number of its inputs."""
Variables = dict[str, "Types"]
"""What is known at a place: variables, each with the types that it may be of."""
_MODES = {"source": ("source", "queried"), "target": ("target", "produced")}
"""The modes of inputs to those of the structures that they may be of."""


def check_structure_map(structure_map: Resource, path: Path, run: Run) -> None:
    """Report what rules and calls name that is not there, or that takes other inputs."""
    groups, is_whole = _groups(structure_map, run)
    types = MapTypes(structure_map, run.definitions)
    called = {
        text_of(call, "name")
        for _, rule in mappings(structure_map.get("group"), path)
        for call in objects(rule, "dependent")
    }
    for place, group in numbered(structure_map, "group", path):
        extended = text_of(group, "extends")
        if extended and is_whole and extended not in groups:
            _report_group(extended, groups, (*place, "extends"), run)
        is_entry = text_of(group, "name") not in called
        _check_inputs(group, types, place, run, is_entry=is_entry)
        known = {
            text_of(each, "name"): types.named(text_of(each, "type"))
            for each in objects(group, "input")
        }
        _Scope(groups, types, run, is_whole=is_whole).check(group, known, place)


def _check_inputs(
    group: Resource, types: MapTypes, path: Path, run: Run, *, is_entry: bool
) -> None:
    """The type of an input is one of the map's structures, of the same side, or one of FHIR's.

    A group that rules call may read what they made, which the map declares as a target.
    """
    for place, each in numbered(group, "input", path):
        name, mode = text_of(each, "type"), text_of(each, "mode")
        modes = types.modes.get(name, set())
        if name and types.modes and not types.is_known(name):
            near = nearest(name, list(types.modes))
            run.report(STRUCTURE_MAP_TYPE, (*place, "type"), name=name, near=near)
        elif is_entry and mode in _MODES and modes and modes.isdisjoint(_MODES[mode]):
            words: dict[str, Json] = {"name": name, "mode": mode, "found": ", ".join(sorted(modes))}
            run.report(STRUCTURE_MAP_MODE, (*place, "mode"), **words)


def _groups(structure_map: Resource, run: Run) -> tuple[Groups, bool]:
    """The groups of a map and of those it imports, and whether all of these are loaded."""
    found: Groups = {}
    todo, seen, is_whole = [structure_map], set[str](), True
    while todo:
        each = todo.pop()
        for group in objects(each, "group"):
            found.setdefault(text_of(group, "name"), len(objects(group, "input")))
        imports = each.get("import")
        for canonical in map(str, imports if isinstance(imports, list) else ()):
            if canonical in seen:
                continue
            seen.add(canonical)
            other = None if "*" in canonical else run.definitions.find(canonical, "StructureMap")
            is_whole = is_whole and other is not None
            todo += [other] if other else []
    return found, is_whole


def _report_group(name: str, groups: Groups, place: Path, run: Run) -> None:
    run.report(STRUCTURE_MAP_GROUP, place, name=name, near=nearest(name, list(groups)))


class _Scope:
    """The rules of one group."""

    def __init__(self, groups: Groups, types: MapTypes, run: Run, *, is_whole: bool) -> None:
        self._groups = groups
        self._types = types
        self._run = run
        self._is_whole = is_whole

    def check(self, holder: Resource, known: Variables, path: Path) -> None:
        """Check the rules of a group or a rule; `known` are the variables around them."""
        for place, rule in numbered(holder, "rule", path):
            here = self._sources(rule, known, place)
            here = self._targets(rule, here, place)
            self._calls(rule, here, place)
            self.check(rule, here, place)

    def _sources(self, rule: Resource, known: Variables, path: Path) -> Variables:
        for place, source in numbered(rule, "source", path):
            self._use(text_of(source, "context"), known, (*place, "context"))
            found = self._element(source, known, place)
            stated = self._types.named(text_of(source, "type"))
            known = {**known, text_of(source, "variable"): stated or found}
        return known

    def _targets(self, rule: Resource, known: Variables, path: Path) -> Variables:
        for place, target in numbered(rule, "target", path):
            found: Types = frozenset()
            if target.get("contextType") != "type":
                self._use(text_of(target, "context"), known, (*place, "context"))
                found = self._element(target, known, place)
            for at, parameter in numbered(target, "parameter", place):
                self._use(text_of(parameter, "valueId"), known, (*at, "valueId"))
            made = self._types.made(target, found)
            listed = target.get("listRuleId")
            known = {**known, text_of(target, "variable"): made, str(listed or ""): frozenset()}
        return known

    def _element(self, part: Resource, known: Variables, place: Path) -> Types:
        """The types of the element that a source or target names; none where these are not known.

        Without an element it is the variable itself.
        """
        around, name = known.get(text_of(part, "context"), frozenset()), text_of(part, "element")
        if not name or not around:
            return around
        found, names = self._types.element(around, name)
        if names:
            words: dict[str, Json] = {"name": name, "type": " or ".join(sorted(around))}
            near = nearest(name, names)
            self._run.report(STRUCTURE_MAP_ELEMENT, (*place, "element"), **words, near=near)
        return found

    def _calls(self, rule: Resource, known: Variables, path: Path) -> None:
        for place, call in numbered(rule, "dependent", path):
            given = list(_given(call))
            for name, where in given:
                self._use(name, known, (*place, *where))
            name, wanted = text_of(call, "name"), self._groups.get(text_of(call, "name"))
            if wanted is None:
                if name and self._is_whole:
                    _report_group(name, self._groups, (*place, "name"), self._run)
            elif wanted != len(given):
                words: dict[str, Json] = {"name": name, "wanted": wanted, "found": len(given)}
                self._run.report(STRUCTURE_MAP_INPUTS, place, **words)

    def _use(self, name: str, known: Variables, place: Path) -> None:
        """Report a variable that is not known; a context may be a type as well."""
        if name and name not in known and not self._run.definitions.types.is_type(name):
            near = nearest(name, sorted(known.keys() - {""}))
            self._run.report(STRUCTURE_MAP_VARIABLE, place, name=name, near=near)


def _given(call: Mapping[str, Json]) -> Iterator[tuple[str, Path]]:
    """What a call passes: names of variables in R4; in R5 parameters, of which some are values."""
    variables = call.get("variable")
    for number, name in enumerate(variables if isinstance(variables, list) else ()):
        yield str(name), ("variable", number)
    for number, parameter in enumerate(objects(call, "parameter")):
        yield text_of(parameter, "valueId"), ("parameter", number, "valueId")
