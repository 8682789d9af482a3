"""What the answers to the checklist decide: sites, contraindications, what is only done if asked.

The newest answer on record counts (QuestionnaireResponse, completed or amended). Without one the
order says that the site is to be chosen, and what is asked stays as a possibility.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.asked import contraindication_link, site_link
from fhirpkg.authoring.logic import part
from fhirpkg.render.told import escaped, literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action
    from fhirpkg.issues import Resource


def decides(context: BuildContext) -> bool:
    """Whether an answer to the checklist changes what is ordered."""
    procedure = context.procedure
    return (
        bool(procedure.code.choose)
        or any(item.ask for item in procedure.contraindications)
        or any(action.questions or action.chooses_site for action in procedure.actions())
    )


def definitions(context: BuildContext) -> list[str]:
    """The definitions of the logic, as CQL."""
    if not decides(context):
        return []
    form = context.url("Questionnaire", context.id("checklist"))
    sites = []
    if context.procedure.code.choose:
        names = context.procedure.code.sites
        sites = [_SITE.format(_coded(context, names), literal(" / ".join(names)))]
    sites += [
        _MEDICINE_SITE.format(
            action=action.id,
            link=site_link(action),
            coded=_coded(context, action.sites),
            all=literal(" / ".join(action.sites)),
        )
        for action in context.procedure.actions()
        if action.chooses_site
    ]
    return [part("answered").replace("$form", escaped(form)), *sites, *_held(context)]


def site(context: BuildContext) -> list[Resource]:
    """The dynamic value that names the chosen sites on the order of the procedure."""
    if not context.procedure.code.choose:
        return []
    expression = {"language": "text/cql", "expression": "Chosen sites"}
    return [{"path": "bodySite", "expression": expression}]


def medicine_site(action: Action) -> list[Resource]:
    """The dynamic value that names the chosen site in the dosage of a medicine."""
    if not action.chooses_site:
        return []
    expression = {"language": "text/cql", "expression": f"{action.id} site"}
    return [{"path": "dosageInstruction[0].site", "expression": expression}]


def answer_conditions(action: Action) -> list[Resource]:
    """The conditions of an action that is asked for: no answer on record is no."""
    return [
        {
            "kind": "applicability",
            "expression": {
                "description": question,
                "language": "text/cql",
                "expression": _may_hold(link),
            },
        }
        for link, question in action.questions.items()
    ]


def _may_hold(link: str) -> str:
    """The name of the definition of the logic for a question."""
    return f"{link.removeprefix('only-if-')} may hold"


_SITE = """\
define "Chosen sites":
  if exists "Named sites"
    then ("Named sites" S
      return {}FHIR.CodeableConcept {{ text: FHIR.string {{ value: S }} }})
    else {{ FHIR.CodeableConcept {{
      text: FHIR.string {{ value: "Say"('To be chosen: ') + {} }} }} }}
"""
_MEDICINE_SITE = """\
define "{action} site":
  if exists "Named"('{link}')
    then First(("Named"('{link}')) S
      return {coded}FHIR.CodeableConcept {{ text: FHIR.string {{ value: S }} }})
    else FHIR.CodeableConcept {{
      text: FHIR.string {{ value: "Say"('To be chosen: ') + {all} }} }}
"""
_CODING = "FHIR.Coding {{ system: FHIR.uri {{ value: {} }}, code: FHIR.code {{ value: {} }} }}"


def concept_literal(concept: Resource) -> str:
    """A CodeableConcept as CQL writes it: its codes, if any, and its text."""
    codings = [
        _CODING.format(literal(coding["system"]), literal(coding["code"]))
        for coding in concept.get("coding", ())
    ]
    coded = f"coding: {{ {', '.join(codings)} }}, " if codings else ""
    text = f"text: FHIR.string {{ value: {literal(concept['text'])} }}"
    return f"FHIR.CodeableConcept {{ {coded}{text} }}"


def _coded(context: BuildContext, names: Iterable[str]) -> str:
    """The sites that have codes, each with what to do when it is named."""
    return "".join(
        f"if S = {literal(name)} then {concept_literal(context.concept(name))}\n      else "
        for name in names
        if context.concept(name).get("coding")
    )


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
        for link in action.questions:
            yield f'define "{_may_hold(link)}":\n  Coalesce("Says yes"(\'{link}\'), true)\n'
