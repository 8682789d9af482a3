"""Queries for the data of a plan, as prefetch templates of a CDS Hooks service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from fhirpkg.applying.goals import all_actions
from fhirpkg.applying.hooks.needs import retrieved_types
from fhirpkg.definitions.definitions import Definitions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository

ORDER_QUERY = "ServiceRequest?patient={{context.patientId}}&status=draft,active"
_EVERYTHING = "_count=1000"
_MOST_CODES = 20
_MOST_JOINED = 100
_CODES_ASKED = re.compile(r"(.*?)(?:&(code|combo-code)=(.*))?")


def templates_of(plan: Resource, repository: Repository) -> dict[str, str]:
    """Templates: the patient, and a query for each data requirement of the plan's logic."""
    templates = {"patient": "Patient/{{context.patientId}}"}
    declared = list(_requirements(plan, repository))
    kinds = [str(requirement.get("type")) for requirement in declared]
    for requirement in [*declared, *_undeclared(plan, repository, kinds)]:
        kind = requirement.get("type")
        if not isinstance(kind, str) or kind == "Patient":
            continue
        filters = (_patient_parameter(kind), _code_parameter(requirement, repository))
        query = "&".join(filter(None, filters)) or _EVERYTHING
        _name_template(templates, f"{kind}?{query}")
    return templates


def _patient_parameter(kind: str) -> str:
    """How a search of this type is limited to the patient: by `patient`, else by `subject`.

    Nothing for a type of things that are of no patient, such as a Location: all of it is asked for.
    """
    known = Definitions.core().search_parameters(kind)
    if "patient" in known:
        return "patient={{context.patientId}}"
    return "subject=Patient/{{context.patientId}}" if "subject" in known else ""


def _undeclared(plan: Resource, repository: Repository, declared: Iterable[str]) -> list[Resource]:
    """A requirement for each type that the logic retrieves and that no library declares.

    What is not asked for would look like what does not exist.
    """
    types = retrieved_types(plan, repository) - {*declared, "Patient"}
    known = Definitions.core().types.resource_types()
    return [{"type": kind} for kind in sorted(types & known)]


def is_of_patient(template: str) -> bool:
    """Whether a template asks for data of the patient alone."""
    return "{{context." in template


def _requirements(plan: Resource, repository: Repository) -> Iterator[Resource]:
    for canonical in plan.get("library", ()):
        library = repository.resolve(canonical, "Library") or {}
        yield from library.get("dataRequirement", ())
    for action in all_actions(plan):
        yield from action.get("input", ())


def _code_parameter(requirement: Resource, repository: Repository) -> str:
    """The codes to ask for when they are few; else all is asked for, and the logic looks at it.

    A filter whose codes cannot all be queried is dropped: it would hide what it leaves out.
    """
    for code_filter in requirement.get("codeFilter", ()):
        name = code_filter.get("searchParam") or code_filter.get("path")
        codings = code_filter.get("code", ())
        if canonical := code_filter.get("valueSet"):
            codings = () if codings else _expanded(repository.resolve(canonical, "ValueSet"))
        whole = all("code" in coding for coding in codings)
        if name in {"code", "combo-code"} and whole and 0 < len(codings) <= _MOST_CODES:
            return f"{name}={','.join(map(_token, codings))}"
    return ""


def _expanded(value_set: Resource | None) -> Sequence[Resource]:
    """The codes of an expansion that is whole; else none."""
    expansion = (value_set or {}).get("expansion", {})
    codings = expansion.get("contains", ())
    nested = any("contains" in coding for coding in codings)
    return codings if expansion.get("total") == len(codings) and not nested else ()


def _token(coding: Resource) -> str:
    """A code as a search asks for it; without system it may be of any."""
    code = _escaped(coding["code"])
    return f"{_escaped(coding['system'])}|{code}" if coding.get("system") else code


def _escaped(text: str) -> str:
    """Text in a value of a search: what separates values is escaped, the rest encoded."""
    return quote(re.sub(r"([\\,|$])", r"\\\1", text), safe=":/")


def joined(prefetches: Iterable[dict[str, str]]) -> dict[str, str]:
    """The templates of several services as few queries: codes that are asked for together."""
    asked: dict[str, dict[str, dict[str, None]]] = {}
    for template in (t for prefetch in prefetches for t in prefetch.values()):
        matched = _CODES_ASKED.fullmatch(template)
        assert matched, "every template matches"
        query, name, codes = matched.groups(default="")
        asked.setdefault(query, {}).setdefault(name, {}).update(dict.fromkeys(codes.split(",")))
    templates: dict[str, str] = {}
    for query, filters in asked.items():
        if "" in filters or sum(map(len, filters.values())) > _MOST_JOINED:
            _name_template(templates, query)
            continue
        for name, wanted in filters.items():
            _name_template(templates, f"{query}&{name}={','.join(wanted)}")
    return templates


def _name_template(templates: dict[str, str], query: str) -> None:
    """Add a query under a key that contains its type."""
    if query in templates.values():
        return
    kind = re.split("[/?]", query)[0]
    key = "orders" if query == ORDER_QUERY else kind[0].lower() + kind[1:]
    number = sum(re.fullmatch(rf"{key}\d*", name) is not None for name in templates) + 1
    templates[key if number == 1 else f"{key}{number}"] = query
