"""StructureMaps: the groups that their rules call, and the variables that they use.

See http://hl7.org/fhir/R4/mapping-language.html and structuremap-definitions.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.rules import nearest
from fhirpkg.untrusted import numbered, objects, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_MAP_GROUP,
    STRUCTURE_MAP_INPUTS,
    STRUCTURE_MAP_VARIABLE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fhirpkg.issues import Json, Path, Resource
    from fhirpkg.validation.run import Run

Groups = dict[str, int]
"""The groups that may be called, each with the number of its inputs."""


def check_structure_map(structure_map: Resource, path: Path, run: Run) -> None:
    """Report calls of groups that are not there or take other inputs, and unknown variables."""
    groups, is_whole = _groups(structure_map, run)
    for place, group in numbered(structure_map, "group", path):
        extended = text_of(group, "extends")
        if extended and is_whole and extended not in groups:
            _report_group(extended, groups, (*place, "extends"), run)
        names = {text_of(each, "name") for each in objects(group, "input")}
        _Scope(groups, run, is_whole=is_whole).check(group, frozenset(names), place)


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

    def __init__(self, groups: Groups, run: Run, *, is_whole: bool) -> None:
        self._groups = groups
        self._run = run
        self._is_whole = is_whole

    def check(self, holder: Resource, known: frozenset[str], path: Path) -> None:
        """Check the rules of a group or a rule; `known` are the variables around them."""
        for place, rule in numbered(holder, "rule", path):
            here = self._sources(rule, known, place)
            here = self._targets(rule, here, place)
            self._calls(rule, here, place)
            self.check(rule, here, place)

    def _sources(self, rule: Resource, known: frozenset[str], path: Path) -> frozenset[str]:
        for place, source in numbered(rule, "source", path):
            self._use(text_of(source, "context"), known, (*place, "context"))
            known |= {text_of(source, "variable")}
        return known

    def _targets(self, rule: Resource, known: frozenset[str], path: Path) -> frozenset[str]:
        for place, target in numbered(rule, "target", path):
            if target.get("contextType") != "type":
                self._use(text_of(target, "context"), known, (*place, "context"))
            for at, parameter in numbered(target, "parameter", place):
                self._use(text_of(parameter, "valueId"), known, (*at, "valueId"))
            listed = target.get("listRuleId")
            known |= {text_of(target, "variable"), str(listed or "")}
        return known

    def _calls(self, rule: Resource, known: frozenset[str], path: Path) -> None:
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

    def _use(self, name: str, known: frozenset[str], place: Path) -> None:
        """Report a variable that is not known; a context may be a type as well."""
        if name and name not in known and not self._run.definitions.types.is_type(name):
            near = nearest(name, sorted(known - {""}))
            self._run.report(STRUCTURE_MAP_VARIABLE, place, name=name, near=near)


def _given(call: Mapping[str, Json]) -> Iterator[tuple[str, Path]]:
    """What a call passes: names of variables in R4; in R5 parameters, of which some are values."""
    variables = call.get("variable")
    for number, name in enumerate(variables if isinstance(variables, list) else ()):
        yield str(name), ("variable", number)
    for number, parameter in enumerate(objects(call, "parameter")):
        yield text_of(parameter, "valueId"), ("parameter", number, "valueId")
