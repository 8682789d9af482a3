"""What the answers to the checklist decide: sites, contraindications, what is only done if asked.

The newest answer on record counts (QuestionnaireResponse, completed or amended). Without one the
order names no site, and what is asked stays as a possibility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.asked import contraindication_link
from fhirpkg.authoring.logic import part
from fhirpkg.render.told import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.issues import Resource


def decides(context: BuildContext) -> bool:
    """Whether an answer to the checklist changes what is ordered."""
    procedure = context.procedure
    return (
        bool(procedure.code.choose)
        or any(item.ask for item in procedure.contraindications)
        or any(action.question for action in procedure.actions())
    )


def definitions(context: BuildContext) -> list[str]:
    """The definitions of the logic, as CQL."""
    if not decides(context):
        return []
    form = context.url("Questionnaire", context.id("checklist"))
    sites = [_SITE.format(_coded(context))] if context.procedure.code.choose else []
    return [part("answered").replace("$form", escaped(form)), *sites, *_held(context)]


def site(context: BuildContext) -> list[Resource]:
    """The dynamic value that names the chosen sites on the order of the procedure."""
    if not context.procedure.code.choose:
        return []
    expression = {"language": "text/cql", "expression": "Chosen sites"}
    return [{"path": "bodySite", "expression": expression}]


def answer_condition(action: Action) -> list[Resource]:
    """The condition of an action that is asked for: the answer on record is not no."""
    if not action.question:
        return []
    expression = {"language": "text/cql", "expression": f"{action.id} may hold"}
    return [{"kind": "applicability", "expression": {"description": action.question, **expression}}]


_SITE = """\
define "Chosen sites":
  "Named sites" S
    return {}FHIR.CodeableConcept {{ text: FHIR.string {{ value: S }} }}
"""
_CODED = """if S = '{name}' then FHIR.CodeableConcept {{
        coding: {{ {codings} }}, text: FHIR.string {{ value: '{name}' }} }}
      else """
_CODING = (
    "FHIR.Coding {{ system: FHIR.uri {{ value: '{system}' }}, "
    "code: FHIR.code {{ value: '{code}' }} }}"
)


def _coded(context: BuildContext) -> str:
    """The sites that have codes, each with what to do when it is named."""
    made = ""
    for name in context.procedure.code.sites:
        codings = [
            _CODING.format(system=escaped(coding["system"]), code=escaped(coding["code"]))
            for coding in context.concept(name).get("coding", ())
        ]
        if codings:
            made += _CODED.format(name=escaped(name), codings=", ".join(codings))
    return made


def _held(context: BuildContext) -> Iterator[str]:
    """A contraindication that is asked for holds when somebody said yes, a step unless no."""
    for item in context.procedure.contraindications:
        if item.ask:
            link = contraindication_link(item)
            yield (
                f'define "{link} is answered with yes":\n'
                f"  Coalesce(\"Says yes\"('{link}'), false)\n"
            )
    for action in context.procedure.actions():
        if action.question:
            yield (
                f'define "{action.id} may hold":\n'
                f"  Coalesce(\"Says yes\"('only-if-{action.id}'), true)\n"
            )
