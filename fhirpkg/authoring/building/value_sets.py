"""Value sets: every code listed, with an expansion, so that no server has to expand them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.codes import codings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.issues import Resource


def value_set(context: BuildContext) -> Resource | None:
    """The ValueSet of indications: every code listed, so that it expands without a server.

    None when no indication names a diagnosis that has a code.
    """
    procedure = context.procedure
    names = context.diagnoses()
    if not names:
        return None
    text = f"Conditions for which the procedure is considered: {', '.join(names)}."
    made = listed_value_set(
        context, "indications", f"{procedure.name.text}: indications", text, names
    )
    return {**made, "purpose": "To find patients who may have a reason for the procedure."}


def listed_value_set(
    context: BuildContext, part: str, title: str, text: str, names: Iterable[str]
) -> Resource:
    """A ValueSet of the codes behind names, with its expansion: no server has to expand it."""
    codes: dict[str, list[str]] = {}
    for name in names:
        for line in context.procedure.codes[name]:
            for coding in codings(line):
                codes.setdefault(coding.system, []).append(coding.code)
    unique = [(system, code) for system, found in codes.items() for code in dict.fromkeys(found)]
    return {
        **context.header("ValueSet", context.id(part), title, text),
        "compose": {
            "include": [
                {"system": system, "concept": [{"code": code} for code in dict.fromkeys(found)]}
                for system, found in codes.items()
            ]
        },
        "expansion": {
            "timestamp": context.package.date,
            "total": len(unique),
            "contains": [{"system": system, "code": code} for system, code in unique],
        },
    }
