"""What the parts of procedure.yaml say of each other: names, codes, facts, evidence, numbers.

These look at the plain data, not at the model, so that they also run when some of it is wrong.
"""

from __future__ import annotations

import difflib
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fhirpkg import ucum
from fhirpkg.authoring.codes import SYSTEMS, known_codes, problem
from fhirpkg.authoring.procedure import Procedure
from fhirpkg.authoring.rules import (
    SOURCE_CODE,
    SOURCE_CODE_SYSTEM,
    SOURCE_DUPLICATE_ID,
    SOURCE_LOST_FACT,
    SOURCE_MISSING,
    SOURCE_NO_ORIGIN,
    SOURCE_NUMBER,
    SOURCE_PROCEDURE_CODE,
    SOURCE_UNKNOWN_CODE,
    SOURCE_UNKNOWN_FACT,
    SOURCE_UNKNOWN_KEY,
    SOURCE_UNKNOWN_REFERENCE,
    SOURCE_UNUSED_CODE,
    SOURCE_VALUE,
)
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.source import Source
    from fhirpkg.issues import Path

_ELSEWHERE = ("source", "codes", "evidence")
_CODE_KEYS = (
    "code", "use", "sites", "diagnoses", "places", "specialty", "measure",
    "condition", "observation", "procedure", "imaging",
)  # fmt: skip
_SAID_KEYS = (
    "title", "text", "patient", "goal", "change", "call", "choices", "within", "takes",
    "limit", "missing", "exceeded",
)  # fmt: skip
_SPAN = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?) ")
_FACT = re.compile(r"[a-z]+(-[1-9][0-9]*)?")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ACTIONS = ("preparation", "steps", "recovery")
_RESERVED_IDS = (
    "counseling", "eligibility", "risks", "benefits", "alternatives", "experience",
    "preparation", "checklist", "procedure", "recovery", "readiness",
)  # fmt: skip
"""Ids of the actions that every plan has; an author's own differ from them."""


def cross_check(read: Source) -> None:
    """Report everything that does not fit together."""
    _check_codes(read)
    _check_ids(read)
    _check_references(read)
    _check_facts(read)
    _check_origins(read)
    _check_questions(read)
    _check_choosing(read)
    _check_quantities(read)
    _check_indications(read)
    _check_key(read)
    _check_code_names(read)


def _check_codes(read: Source) -> None:
    """Each code has a system that is known, and a form and check digit that it allows."""
    for name, lines in _mapping(read.data.get("codes")).items():
        for at, line in enumerate(_texts(lines)):
            path = ("codes", name, at) if isinstance(lines, list) else ("codes", name)
            system, *codes = line.split() or [""]
            if system in SYSTEMS and not codes:
                read.report(SOURCE_CODE, path, problem=f"no code follows '{system}'", nearest="")
            elif system not in SYSTEMS:
                read.report(
                    SOURCE_CODE_SYSTEM,
                    path,
                    text=line,
                    nearest=nearest(system, list(SYSTEMS)),
                    allowed=", ".join(SYSTEMS),
                )
            else:
                for code in codes:
                    _check_code(read, path, system, code)


def _check_code(read: Source, path: Path, system: str, code: str) -> None:
    wrong = problem(system, code)
    if wrong:
        close = nearest(code, sorted(known_codes(SYSTEMS[system])))
        read.report(SOURCE_CODE, path, problem=wrong, nearest=close)


def _check_code_names(read: Source) -> None:
    """Each concept that is named stands under `codes`, and each that stands there is named."""
    codes = read.data.get("codes")
    if not isinstance(codes, dict):
        return
    used: set[str] = set()
    for path, part in _parts(read.data):
        for key in _CODE_KEYS:
            for place, name in _named(part, path, key):
                used.add(_closest(name, list(codes)))
                if name not in codes:
                    read.report(
                        SOURCE_UNKNOWN_CODE,
                        place,
                        name=name,
                        nearest=nearest(name, list(codes)),
                    )
    unused = codes.keys() - used if not read.issues else ()  # else it may only seem so
    for name in unused:
        read.report(SOURCE_UNUSED_CODE, ("codes", name), key=True, name=name)


def _check_ids(read: Source) -> None:
    """No id twice among things that are named together."""
    data = read.data
    groups = [
        [item for section in _ACTIONS for item in _actions(data.get(section), (section,))],
        [*_items(data, "risks"), *_items(data, "benefits")],
        *([*_items(data, name)] for name in ("indications", "alternatives", "personnel")),
        [*_items(data, "criteria")],
        [*_items(data, "checklist")],
    ]
    for number, group in enumerate(groups):
        first: dict[str, int] = {}
        for path, item in group:
            found, place = item.get("id"), (*path, "id")
            line = read.place(place)[0]
            if not isinstance(found, str):
                continue
            if found in first:
                read.report(SOURCE_DUPLICATE_ID, place, id=found, first=first[found])
            elif number == 0 and found in _RESERVED_IDS:
                _report_value(read, place, found, "an id that the plan does not have by itself")
            first.setdefault(found, line)


def _check_references(read: Source) -> None:
    """Each person, goal, step and piece of evidence that is named is there."""
    data = read.data
    actions = [item for name in _ACTIONS for item in _actions(data.get(name), (name,))]
    targets = {
        "who": ("person", ["patient", *_ids(_items(data, "personnel"))], ["personnel"]),
        "goals": (
            "risk or benefit",
            _ids([*_items(data, "risks"), *_items(data, "benefits")]),
            ["risks", "benefits"],
        ),
        "cite": ("evidence", list(_mapping(data.get("evidence"))), ["evidence"]),
        "only": ("step", _ids(actions), ["steps"]),
    }
    for path, part in _parts(data):
        for key, (kind, names, sections) in targets.items():
            if not all(isinstance(data.get(section), (list, dict)) for section in sections):
                continue  # a section that is missing is told once, not at each name in it
            for place, name in _named(part, path, key):
                if name not in names:
                    read.report(
                        SOURCE_UNKNOWN_REFERENCE,
                        place,
                        kind=kind,
                        name=name,
                        nearest=nearest(name, names),
                        allowed=", ".join(names),
                    )


def _check_facts(read: Source) -> None:
    """Each fact that is named is one of the source, and each of the source is named."""
    counts = _mapping(_mapping(read.data.get("source")).get("facts"))
    _mend_sections(read, counts)
    labels = {
        section if count == 1 else f"{section}-{number}": section
        for section, count in counts.items()
        if _is_count(count)
        for number in range(1, count + 1)
    }
    if not labels:
        return
    expressed = set()
    for path, part in _parts(read.data):
        for place, fact in _named(part, path, "from"):
            expressed.add(_closest(fact, list(labels)))
            is_counted = _is_count(counts.get(fact.partition("-")[0], 1))
            if fact not in labels and is_counted and _FACT.fullmatch(fact):
                read.report(
                    SOURCE_UNKNOWN_FACT,
                    place,
                    fact=fact,
                    nearest=nearest(fact, list(labels)),
                    example=next(iter(labels)),
                )
    for label, section in labels.items():
        if label not in expressed and isinstance(read.data.get(section), (list, dict)):
            read.report(SOURCE_LOST_FACT, ("source", "facts", section), fact=label)
    told = {issue.expression for issue in read.issues if issue.rule == SOURCE_MISSING.id}
    for section in counts.keys() - read.data.keys() - told:
        read.report(SOURCE_MISSING, (section,), missing=section)


def _mend_sections(read: Source, counts: dict[str, Any]) -> None:
    """Report the sections that a procedure does not have and read them as those that were meant."""
    known = [name for name in Procedure.model_fields if name not in ("id", *_ELSEWHERE)]
    for section in [name for name in counts if name not in known]:
        path = ("source", "facts", section)
        free = [name for name in known if name not in counts]
        close = nearest(section, free)
        allowed = ", ".join(known)
        read.report(
            SOURCE_UNKNOWN_KEY, path, key=True, key_=section, nearest=close, allowed=allowed
        )
        meant = _closest(section, free)
        counts[meant] = counts.pop(section)
        read.rename(path, (*path[:-1], meant))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and 1 <= value <= 99


def _check_origins(read: Source) -> None:
    """Each item says where it comes from, and each number in it comes from there."""
    for path, part in _parts(read.data):
        if not {"text", "use", "change"} & part.keys():
            continue
        if not (part.get("from") or part.get("cite") or part.get("added")):
            read.report(SOURCE_NO_ORIGIN, path)
        allowed = _numbers_of(read, part)
        if allowed is None:
            continue
        for key in _SAID_KEYS:
            for place, text in _named(part, path, key):
                for number in _NUMBER.findall(text):
                    if number not in allowed:
                        read.report_in_text(SOURCE_NUMBER, place, number, number=number)
        if isinstance(age := part.get("age"), int) and str(age) not in allowed:
            read.report(SOURCE_NUMBER, (*path, "age"), number=age)


def _numbers_of(read: Source, part: dict[str, Any]) -> set[str] | None:
    """The numbers that the facts and the evidence of an item give; None where these are missing."""
    source, evidence = read.data.get("source"), read.data.get("evidence", {})
    if not isinstance(source, dict) or not isinstance(evidence, dict):
        return None
    given = _mapping(source.get("numbers"))
    sections = [fact.partition("-")[0] for fact in _texts(part.get("from"))]
    from_source = {
        str(number)
        for section in sections
        if isinstance(given.get(section), list)
        for number in given[section]
    }
    findings = [_mapping(evidence.get(name)).get("findings") for name in _texts(part.get("cite"))]
    cited = {number for text in findings for number in _NUMBER.findall(str(text or ""))}
    return from_source | cited


def _check_questions(read: Source) -> None:
    """A question that is answered by a choice has something to choose from."""
    for path, question in _items(read.data, "checklist"):
        if question.get("answer") == "choice" and not question.get("choices"):
            read.report(SOURCE_MISSING, (*path, "choices"), missing="choices")


def _check_choosing(read: Source) -> None:
    """Where parts are chosen from there are parts."""
    for section in _ACTIONS:
        for path, action in _actions(read.data.get(section), (section,)):
            for place, choice in _named(action, path, "choose"):
                if not action.get("parts"):
                    _report_value(read, place, choice, "'parts' to choose from")


def _check_quantities(read: Source) -> None:
    """A span of time begins with its lesser number, and a limit has a unit of UCUM."""
    for place, takes in _named(_mapping(read.data.get("duration")), ("duration",), "takes"):
        span = _SPAN.match(takes)
        if span and Decimal(span[1]) >= Decimal(span[2]):
            _report_value(read, place, takes, "the lesser number first")
    for path, criterion in _items(read.data, "criteria"):
        for place, limit in _named(criterion, path, "limit"):
            unit = limit.split(" ")[2:]
            if unit and (wrong := ucum.problem(unit[0])):
                _report_value(read, place, limit, f"a unit of UCUM ({wrong})")


def _report_value(read: Source, path: Path, found: str, expected: str) -> None:
    read.report(SOURCE_VALUE, path, found=repr(found), expected=expected, nearest="")


def _check_indications(read: Source) -> None:
    """The value set of indications has something in it."""
    items = [item for _, item in _items(read.data, "indications")]
    if items and not any(item.get("diagnoses") for item in items):
        read.report(SOURCE_MISSING, ("indications", 0, "diagnoses"), missing="diagnoses")


def _check_key(read: Source) -> None:
    """The procedure has a CPT code: everything is found by it."""
    for place, name in _named(_mapping(read.data.get("code")), ("code",), "use"):
        lines = _mapping(read.data.get("codes")).get(name)
        if lines and not any(line.startswith("CPT ") for line in _texts(lines)[:1]):
            read.report(SOURCE_PROCEDURE_CODE, place, name=name)


def _parts(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every mapping of what is said, with its place; not those of source, codes and evidence."""
    for key, value in data.items():
        if key not in _ELSEWHERE:
            yield from _inner(value, (key,))


def _inner(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _inner(item, (*path, key))
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _inner(item, (*path, at))


def _actions(value: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The actions of a section with their parts."""
    return ((place, part) for place, part in _inner(value, path) if "id" in part)


def _items(data: dict[str, Any], section: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The items of a section that are mappings."""
    value = data.get(section)
    for at, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield (section, at), item


def _ids(items: Any) -> list[str]:
    return [item["id"] for _, item in items if isinstance(item.get("id"), str)]


def _named(part: dict[str, Any], path: Path, key: str) -> Iterator[tuple[Path, str]]:
    """The texts that a key holds, one or a list of them, each with its place."""
    value = part.get(key)
    if isinstance(value, str):
        yield (*path, key), value
    elif isinstance(value, list):
        for at, item in enumerate(value):
            if isinstance(item, str):
                yield (*path, key, at), item


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _closest(name: str, names: list[str]) -> str:
    """The name that was meant: the name itself, or the one most like it."""
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return name if name in names or not close else close[0]
