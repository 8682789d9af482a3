"""What the differential of a StructureDefinition may say of its base.

Each of its elements is laid over the base as it is for a snapshot, and what it changes is held
against what was there (http://hl7.org/fhir/R4/profiling.html#cardinality, #types, #slicing).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg.definitions.snapshot import laid
from fhirpkg.definitions.typemodel import type_code
from fhirpkg.errors import DefinitionError
from fhirpkg.issues import Severity
from fhirpkg.untrusted import choice_of, numbered, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_ELEMENT,
    STRUCTURE_DEFINITION_REFINEMENT,
    STRUCTURE_DEFINITION_SLICE_UNANNOUNCED,
    STRUCTURE_DEFINITION_SLICING,
    STRUCTURE_DEFINITION_SNAPSHOT,
    STRUCTURE_DEFINITION_SNAPSHOT_SIZE,
)
from fhirpkg.validation.conformance.slicing import is_unannounced, slicing_problem
from fhirpkg.validation.elements.errata import EXTENSIBLE
from fhirpkg.validation.elements.rules import NOT_CHECKED_PROFILE
from fhirpkg.validation.publishers import not_loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fhirpkg.definitions.snapshot import Laid, Refinement
    from fhirpkg.issues import Path, Resource
    from fhirpkg.rules import Rule
    from fhirpkg.validation.run import Run

_OF_ALL = {"Base", "Element", "Resource", "DomainResource", "BackboneElement"}
_UNTYPED = {"Base", "Element"}
"""Types whose values may be of any type; parts of resources have no values that could be fixed."""
_MAX_CHAIN = 50
_SLICE_OF_CHOICE = re.compile(r"\[x\]:[^.]*")
_SLICE_AROUND_SLICE = re.compile(r":[^.:]+(?=\.[^:]*:)")


def check_kind(structure: Resource, base: Resource, path: Path, run: Run) -> None:
    """Report a kind that is not that of the base; what specializes an abstract type is of any."""
    kind = base.get("kind")
    is_free = structure.get("derivation") != "constraint" and base.get("abstract") is True
    if structure.get("kind") != kind and not is_free:
        problem = f"its kind is '{structure.get('kind')}', but that of its base is '{kind}'"
        severity = Severity.ERROR if run.settings.strict else Severity.WARNING  # R4's examples err
        place = (*path, "kind")
        run.report(STRUCTURE_DEFINITION_REFINEMENT, place, severity=severity, problem=problem)


def check_differential(structure: Resource, path: Path, run: Run) -> None:
    """Report elements that have no place in the base, or allow more than it does.

    What cannot be laid over the base is reported of the whole as well: nobody can use it.
    """
    alone = {**structure, "url": text_of(structure, "url") or "urn:uuid:unnamed"}
    try:
        found = laid(alone, _retrieving(alone, run))
    except DefinitionError as error:
        _report_unusable(error, path, run)
        return
    steps = found.steps
    for number, step in enumerate(steps):
        if is_unannounced(step):
            place = (*path, "differential", "element", number)
            name = text_of(step.element, "sliceName")
            run.report(STRUCTURE_DEFINITION_SLICE_UNANNOUNCED, place, name=name)
    # A new type may name the parts of an element without the element: others make it up.
    severity = None if structure.get("derivation") == "constraint" else Severity.WARNING
    wrong = []
    for number, rule, problem in _problems(structure, steps, run):
        place = (*path, "differential", "element", number)
        run.report(rule, place, severity=severity, problem=problem)
        wrong.append(text_of(steps[number].element, "path"))
    if wrong:
        named = ", ".join(dict.fromkeys(wrong))
        problem = f"of its elements these do not fit: {named}"
        run.report(STRUCTURE_DEFINITION_SNAPSHOT, path, severity=severity, problem=problem)
    elif severity is None:
        _check_snapshot(alone, found, path, run)


def _retrieving(structure: Resource, run: Run) -> Callable[[str], Resource | None]:
    """How definitions are found, of which the one being checked wins over others of its url."""

    def retrieve(name: str) -> Resource | None:
        if name.partition("|")[0] == structure["url"]:
            return run.definitions.with_resources([structure]).structure(name)
        return run.definitions.structure(name)

    return retrieve


def _report_unusable(error: DefinitionError, path: Path, run: Run) -> None:
    """Report what cannot be laid over its base; a base that is not loaded is nobody's fault."""
    if error.missing:
        reason = not_loaded(error.missing, run.definitions.release, f"its base {error.missing}")
        run.report(NOT_CHECKED_PROFILE, path, canonical=error.canonical, reason=reason)
    else:
        run.report(STRUCTURE_DEFINITION_SNAPSHOT, path, problem=error.problem)


def _check_snapshot(structure: Resource, over_base: Laid, path: Path, run: Run) -> None:
    """Report a snapshot that has more or fewer elements than the differential gives."""
    stated = [element for _, element in numbered(structure.get("snapshot"), "element")]
    if not stated:
        return
    try:
        made = over_base.elements()
    except DefinitionError as error:
        _report_unusable(error, path, run)
        return
    ids = _ids(stated)
    needed = {each for each in _ids(made) if each in ids or _outside(each) not in ids}
    if "" not in ids and len(ids) != len(needed):
        found, expected = len(stated), len(made)
        run.report(STRUCTURE_DEFINITION_SNAPSHOT_SIZE, path, found=found, expected=expected)


def _ids(elements: list[Resource]) -> set[str]:
    """The ids of a snapshot; a choice of one type may be written as its only slice or without."""
    return {_SLICE_OF_CHOICE.sub("[x]", text_of(element, "id")) for element in elements}


def _outside(element_id: str) -> str:
    """The id of the same slice outside the slice that it is in; HL7's tool leaves it to that one.

    Any other element has its own id.
    """
    return _SLICE_AROUND_SLICE.sub("", element_id, count=1)


def _problems(
    structure: Resource, steps: list[Refinement], run: Run
) -> Iterator[tuple[int, Rule, str]]:
    """The elements that do not fit, by their number, each with a rule and words."""
    is_constraint = structure.get("derivation") == "constraint"
    misplaced = _misplaced(steps) if is_constraint else {}
    for number, step in enumerate(steps):
        problem = step.problem or misplaced.get(number, "")
        if problem:
            yield number, STRUCTURE_DEFINITION_ELEMENT, problem
            continue
        if not is_constraint:
            continue
        wider = next(filter(None, (check(step, run) for check in _CHECKS)), "")
        if wider:
            yield number, STRUCTURE_DEFINITION_REFINEMENT, wider
        slicing = slicing_problem(step)
        if slicing:
            yield number, STRUCTURE_DEFINITION_SLICING, slicing


def _misplaced(steps: list[Refinement]) -> dict[int, str]:
    """By number the elements that appear twice, or before one that they follow in the base."""
    found: dict[int, str] = {}
    placed = [(number, step) for number, step in enumerate(steps) if not step.problem]
    seen: set[int] = set()
    for number, step in placed:
        if step.place in seen:
            found[number] = "the differential has this element twice"
        seen.add(step.place)
    waiting: list[tuple[int, Refinement]] = []
    for each, step in placed:
        # those that wait are sorted by place, so that each is met once
        while waiting and waiting[-1][1].place > step.place:
            number, _ = waiting.pop()
            where = text_of(step.element, "path")
            found.setdefault(number, f"it follows {where} in its base, but comes before it")
        waiting.append((each, step))
    return found


def _min(step: Refinement, _run: Run) -> str:
    least, allowed = step.element.get("min"), step.before.get("min")
    if not isinstance(least, int) or not isinstance(allowed, int) or step.sliced:
        return ""
    return f"min is {least}, but {allowed} in its base" if least < allowed else ""


def _max(step: Refinement, _run: Run) -> str:
    # A slice may repeat as often as its element can at all: the sum is checked on instances.
    bounds = step.before.get("base", {}) if step.sliced else step.before
    most, allowed = text_of(step.element, "max"), text_of(bounds, "max")
    is_more = most == "*" or (most.isdigit() and allowed.isdigit() and int(most) > int(allowed))
    return f"max is {most}, but {allowed} in its base" if allowed.isdigit() and is_more else ""


def _types(step: Refinement, run: Run) -> str:
    allowed = _codes(step.sliced or step.before)
    if not allowed:
        return ""
    wide = allowed & _OF_ALL
    others = [
        code
        for code in _codes(step.element)
        if code not in allowed and not wide & set(_ancestors(code, run))
    ]
    if not others:
        return ""
    return f"its type is {', '.join(others)}, but {', '.join(sorted(allowed))} in its base"


def _ancestors(code: str, run: Run) -> Iterator[str]:
    """What a type specializes; a type of one's own may be of any kind."""
    if not run.definitions.types.is_type(code):
        yield from _OF_ALL
    yield from run.definitions.types.ancestors(code)


def _targets(step: Refinement, run: Run) -> str:
    for _, type_ in numbered(step.element, "type"):
        wider = [t for _, t in numbered(step.before, "type") if type_code(t) == type_code(type_)]
        allowed = [_canonicals(t, "targetProfile") for t in wider]
        if not allowed or not all(allowed):
            continue
        for target in _canonicals(type_, "targetProfile"):
            if not _leads_to(target, {url for urls in allowed for url in urls}, run):
                known = ", ".join(url.rpartition("/")[2] for urls in allowed for url in urls)
                return f"its target is {target}, but its base allows {known}"
    return ""


def _canonicals(type_: Resource, key: str) -> list[str]:
    values = type_.get(key)
    return [v for v in values if isinstance(v, str)] if isinstance(values, list) else []


def _leads_to(canonical: str, allowed: set[str], run: Run) -> bool:
    """Whether a profile is one of those allowed or based on one; yes if it is not loaded.

    Versions are not compared: guides pin those of their snapshots, not those of differentials.
    """
    urls = {url.partition("|")[0] for url in allowed}
    for _ in range(_MAX_CHAIN):
        if canonical.partition("|")[0] in urls:
            return True
        found = run.definitions.find(canonical, "StructureDefinition")
        if found is None:
            return True
        canonical = text_of(found, "baseDefinition")
        if not canonical:
            return False
    return True


def _value(step: Refinement, _run: Run) -> str:
    key = choice_of(step.element, "fixed")[0] or choice_of(step.element, "pattern")[0]
    found = key.removeprefix("fixed").removeprefix("pattern").lower()
    types = _codes(step.element) or _codes(step.before)
    if not key or not types or types & _UNTYPED or found in {code.lower() for code in types}:
        return ""
    if text_of(step.element, "path").endswith(".id"):  # FHIRPath's string, which profiles call id
        return ""
    return f"{key} is not a value of its type in its base, {', '.join(sorted(types))}"


def _binding(step: Refinement, run: Run) -> str:
    here, there = step.element.get("binding"), step.before.get("binding")
    if not isinstance(here, dict) or not isinstance(there, dict):
        return ""
    is_loose = text_of(there, "valueSet").partition("|")[0] in EXTENSIBLE
    if there.get("strength") != "required" or (is_loose and not run.settings.by_letter):
        return ""
    strength = text_of(here, "strength")
    if strength not in {"", "required"}:
        return f"its binding is {strength}, but required in its base"
    narrow, wide = text_of(here, "valueSet"), text_of(there, "valueSet")
    if not narrow or not wide or narrow == wide:
        return ""
    codes, allowed = run.terminology.expansion(narrow), run.terminology.expansion(wide)
    more = sorted(code for _, code in (codes or frozenset()) - (allowed or frozenset()))
    if codes is None or allowed is None or not more:
        return ""
    return (
        f"{narrow} has codes that are missing from the value set of its base: {', '.join(more[:5])}"
    )


def _must_support(step: Refinement, _run: Run) -> str:
    if step.element.get("mustSupport") is False and step.before.get("mustSupport") is True:
        return "mustSupport is false, but true in its base"
    return ""


def _codes(element: Resource) -> set[str]:
    codes = {type_code(type_) for _, type_ in numbered(element, "type")}
    return codes - {""}


_CHECKS: tuple[Callable[[Refinement, Run], str], ...] = (
    _min,
    _max,
    _types,
    _targets,
    _value,
    _binding,
    _must_support,
)
