"""MeasureReports against the Measures they report on: their parts and their scores.

http://hl7.org/fhir/R4/measurereport.html
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.issues import Json, Severity
from fhirpkg.untrusted import choice_of, objects, text_of
from fhirpkg.validation.elements.primitives import cut
from fhirpkg.validation.resources.measure_rules import (
    MEASURE_REPORT_COUNT,
    MEASURE_REPORT_MISSING,
    MEASURE_REPORT_PART,
    MEASURE_REPORT_SCORE,
    MEASURE_REPORT_SUBJECTS,
    NOT_CHECKED_MEASURE,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_SCORED = frozenset(("cohort", "proportion", "ratio", "continuous-variable"))
_GROUP_SCORING = "http://hl7.org/fhir/uv/cqm/StructureDefinition/cqm-scoring"
_UNITLESS = {"cohort": None, "proportion": 1}
"""The scorings whose score is a number without unit, from 0 to what is said."""

Pairs = list[tuple["Resource", "Resource", "Path"]]
"""Parts of a report, each with the part of the Measure it is about and its place."""


def check_measure_report(report: Resource, path: Path, run: Run) -> None:
    """Report where a MeasureReport does not fit its Measure, or that this was not checked."""
    canonical = text_of(report, "measure")
    if not canonical:
        return
    measure = None
    if not canonical.startswith("#"):
        measure = run.definitions.find(canonical, "Measure")
    measure = measure or run.resolve(canonical, path)
    if measure is None or measure.get("resourceType") != "Measure":
        run.report(NOT_CHECKED_MEASURE, (*path, "measure"), measure=cut(canonical, 120))
        return
    kind = text_of(report, "type")
    for group, wanted, place in _groups(report, measure, path, run):
        for population, _, where in _pairs(group, wanted, "population", place, run):
            if kind == "subject-list":
                _check_count(population, where, run)
            elif "subjectResults" in population:
                run.report(MEASURE_REPORT_SUBJECTS, where, type=kind)
        _pairs(group, wanted, "stratifier", place, run)
        scoring = _scoring(wanted) or _first_code(measure.get("scoring"))
        key, score = _score(group)
        if key and kind == "data-collection":
            problem = "a data collection has no score yet"
            run.report(MEASURE_REPORT_SCORE, (*place, key), problem=problem)
        elif scoring in _SCORED and kind != "data-collection":
            _check_score(key, score, scoring, place, run)


def _check_count(population: Resource, path: Path, run: Run) -> None:
    """A population counts the subjects of its List, where that is available."""
    count, listed = population.get("count"), population.get("subjectResults")
    found = 0
    if listed is not None:
        reference = text_of(listed, "reference")
        subjects = run.resolve(reference, path) if reference else None
        if subjects is None:
            return
        found = len(objects(subjects, "entry"))
    if isinstance(count, int) and count != found:
        run.report(MEASURE_REPORT_COUNT, path, count=count, found=found)


def _scoring(group: Resource) -> str:
    """The scoring that an extension gives a group of its own."""
    extensions = (e for e in objects(group, "extension") if text_of(e, "url") == _GROUP_SCORING)
    return next((_first_code(e.get("valueCodeableConcept")) for e in extensions), "")


def _groups(report: Resource, measure: Resource, path: Path, run: Run) -> Pairs:
    """The groups; where there is one on both sides it need not have a code."""
    found, wanted = objects(report, "group"), objects(measure, "group")
    if not wanted:
        return []
    if len(found) != 1 or len(wanted) != 1:
        is_collecting = report.get("type") == "data-collection"
        return _pairs(report, measure, "group", path, run, may_miss=is_collecting)
    place = (*path, "group", 0)
    if found[0].get("linkId") and wanted[0].get("linkId"):
        return _pairs(report, measure, "group", path, run)
    if "code" in found[0] and _codes(wanted[0]) and not _share_code(found[0], wanted[0]):
        problem = f"has another code than that of the Measure, {_shown(wanted[0])}"
        run.report(MEASURE_REPORT_PART, place, part="group", problem=problem)
    return [(found[0], wanted[0], place)]


def _pairs(
    report: Resource, measure: Resource, part: str, path: Path, run: Run, *, may_miss: bool = False
) -> Pairs:
    """The parts that the report and the Measure share; what only one of them has is reported."""
    definitions = objects(measure, part)
    pairs: Pairs = []
    for number, item in enumerate(objects(report, part)):
        place = (*path, part, number)
        wanted = next(_matching(item, definitions), None)
        problem, severity = "", None
        if wanted is None:
            problem = f"({_shown(item)}) is not one of those of the Measure"
        elif any(wanted is other for _, other, _ in pairs):
            problem = f"({_shown(item)}) is there already"
            if not run.settings.strict:  # R4's own example errs
                severity = Severity.WARNING
        elif _codes(item) and _codes(wanted) and not _share_code(item, wanted):
            problem = f"({_shown(item)}) has the id of {_shown(wanted)} of the Measure"
        if problem or wanted is None:
            run.report(MEASURE_REPORT_PART, place, severity=severity, part=part, problem=problem)
        else:
            pairs.append((item, wanted, place))
    for each in definitions:
        is_optional = may_miss or "measure-observation" in {code for _, code in _codes(each)}
        if not is_optional and not any(each is wanted for _, wanted, _ in pairs):
            run.report(MEASURE_REPORT_MISSING, path, part=part, wanted=_shown(each))
    return pairs


def _matching(item: Resource, definitions: list[Resource]) -> Iterator[Resource]:
    """The parts of a Measure that a part of a report may be about: by id, then by code.

    Since R5 parts have a linkId, which alone decides (MeasureReport.group.linkId).
    """
    link, name, codes, text = item.get("linkId"), item.get("id"), _codes(item), _text(item)
    if link:
        yield from (each for each in definitions if each.get("linkId") == link)
        if any("linkId" in each for each in definitions):
            return
    yield from (each for each in definitions if name and each.get("id") == name)
    yield from (each for each in definitions if _share_code(each, item))
    yield from (each for each in definitions if text and not codes and _text(each) == text)


def _score(group: Resource) -> tuple[str, Json]:
    """The score of a group, which is a choice since R5, and its key."""
    if "measureScore" in group:
        return "measureScore", group["measureScore"]
    return choice_of(group, "measureScore")


def _check_score(key: str, score: Json, scoring: str, place: Path, run: Run) -> None:
    if key not in {"", "measureScore", "measureScoreQuantity"}:
        return
    where = (*place, key)
    if not isinstance(score, dict):
        problem = f"the scoring of the Measure is '{scoring}', so a score is required"
        # A cohort is counted: HL7's validator demands a score, guides (DEQM, QI-Core) give none.
        is_sure = scoring != "cohort" or run.settings.strict
        severity = None if is_sure else Severity.WARNING
        run.report(MEASURE_REPORT_SCORE, place, severity=severity, problem=problem)
        return
    value: Json = score.get("value")
    if value is None and "extension" not in score:
        run.report(MEASURE_REPORT_SCORE, where, problem="the score has no value")
    if scoring not in _UNITLESS:
        return
    if score.keys() & {"unit", "system", "code"}:
        problem = f"a score of the kind '{scoring}' has no unit"
        run.report(MEASURE_REPORT_SCORE, where, problem=problem)
    most = _UNITLESS[scoring]
    is_number = isinstance(value, (int, float, Decimal))
    if is_number and (value < 0 or (most is not None and value > most)):
        limits = "from 0 to 1" if most else "0 or more"
        problem = f"a score of the kind '{scoring}' is {limits}, not {value}"
        run.report(MEASURE_REPORT_SCORE, (*where, "value"), problem=problem)


def _concepts(part: Resource) -> list[Resource]:
    """The code of a part; the stratifier of a report has a list of them."""
    code = part.get("code")
    return [code] if isinstance(code, dict) else objects(part, "code")


def _codes(part: Resource) -> set[tuple[str, str]]:
    codings = (coding for concept in _concepts(part) for coding in objects(concept, "coding"))
    return {(text_of(each, "system"), text_of(each, "code")) for each in codings}


def _share_code(one: Resource, other: Resource) -> bool:
    """Whether two parts have a code in common; without a system it may be of any."""
    return any(
        code == symbol and (system == space or not system or not space)
        for system, code in _codes(one)
        for space, symbol in _codes(other)
    )


def _text(part: Resource) -> str:
    return next((text_of(concept, "text") for concept in _concepts(part)), "")


def _shown(part: Resource) -> str:
    codes = ", ".join(sorted(f"'{code}'" for _, code in _codes(part)))
    name = part.get("linkId") or part.get("id") or "without a code"
    return cut(codes or _text(part) or f"the part {name}", 80)


def _first_code(concept: Json) -> str:
    return next((text_of(each, "code") for each in objects(concept, "coding")), "")
