"""A Questionnaire made of the inputs of a plan's actions, and a response with what is known.

Where a plan carries CPG's cpg-questionnaire-generate, each input with a profile becomes a group of
items; data that meet it answer them. See
http://hl7.org/fhir/uv/cpg/StructureDefinition-cpg-questionnaire-generate.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying.goals import all_actions
from fhirpkg.applying.requests.cells import extension_value
from fhirpkg.applying.rules import APPLY_QUESTIONNAIRE
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError

if TYPE_CHECKING:
    from fhirpkg.applying.outcomes import Messages
    from fhirpkg.applying.questionnaires.items import Asked
    from fhirpkg.applying.run import Run
    from fhirpkg.issues import Resource

_CPG = "http://hl7.org/fhir/uv/cpg/StructureDefinition/"
_GENERATE = f"{_CPG}cpg-questionnaire-generate"
_TEXT = f"{_CPG}cpg-input-text"
_DESCRIPTION = f"{_CPG}cpg-input-description"
_FEATURE = f"{_CPG}cpg-featureExpression"
_LONGEST_ID = 64


def is_generated(plan: Resource) -> bool:
    """Whether a plan wants its inputs asked for by a Questionnaire."""
    return extension_value(plan, _GENERATE) is True


def asked_of(action: Resource) -> list[Resource]:
    """The inputs of an action that a Questionnaire can ask for: those with a profile."""
    return [i for i in action.get("input", ()) if isinstance(i, dict) and i.get("profile")]


def generated(run: Run, plan: Resource, messages: Messages) -> list[Resource]:
    """The Questionnaire of a plan and its response; nothing when no input has a profile."""
    if not is_generated(plan):
        return []
    inputs = [i for action in all_actions(plan) for i in asked_of(action)]
    if not inputs:
        return []
    identity = f"{plan.get('id', 'plan')}-questionnaire"[-_LONGEST_ID:].lstrip("-.")
    questionnaire: Resource = {"resourceType": "Questionnaire", "id": identity}
    if "url" in plan:
        questionnaire["url"] = plan["url"].replace("/PlanDefinition/", "/Questionnaire/")
        if "version" in plan:
            questionnaire["version"] = plan["version"]
    questionnaire |= {k: plan[k] for k in ("name", "title") if k in plan}
    questionnaire |= {"status": "draft", "subjectType": ["Patient"]}
    groups, answered = [], []
    for number, requirement in enumerate(inputs, start=1):
        group, answers = _group(run, plan, requirement, str(number), messages)
        groups.append(group)
        answered += answers
    questionnaire["item"] = groups
    canonical = questionnaire.get("url")
    version = questionnaire.get("version")
    response: Resource = {
        "resourceType": "QuestionnaireResponse",
        "id": f"{identity}-response"[-_LONGEST_ID:].lstrip("-."),
        "questionnaire": f"{canonical}|{version}" if version else canonical or f"#{identity}",
        "status": "in-progress",
        "subject": {"reference": run.parties.subject},
    }
    if answered:
        response["item"] = answered
    return [questionnaire, response]


def _group(
    run: Run, plan: Resource, requirement: Resource, link_id: str, messages: Messages
) -> tuple[Resource, list[Resource]]:
    """The group that asks for one input, and the groups that answer it, one a resource."""
    from fhirpkg.applying.questionnaires.items import items_of  # noqa: PLC0415 - costs start-up

    canonical = requirement["profile"][0]
    profile = run.repository.resolve(canonical, "StructureDefinition")
    profile = profile or Definitions.core().find(canonical, "StructureDefinition")
    title = (profile or {}).get("title") or (profile or {}).get("name") or requirement.get("type")
    text = extension_value(requirement, _TEXT) or title
    group: Resource = {
        "linkId": link_id,
        "definition": f"{canonical.partition('|')[0]}#{requirement.get('type', '')}",
        "text": str(text),
        "type": "group",
        "repeats": True,
    }
    if profile is None:
        problem = f"the profile {canonical} of an input is not in the content: not asked about"
        messages.report(APPLY_QUESTIONNAIRE, problem)
        note = extension_value(requirement, _DESCRIPTION) or f"Data by the profile {canonical}"
        return {**group, "item": [{"linkId": f"{link_id}.1", "text": note, "type": "display"}]}, []
    asked = list(items_of(profile, link_id))
    known = _known(run, plan, requirement, canonical, messages)
    answers = [answer for resource in known if (answer := _answered(run, group, asked, resource))]
    return ({**group, "item": [a.item for a in asked]} if asked else group), answers


def _answered(run: Run, group: Resource, asked: list[Asked], resource: Resource) -> Resource | None:
    """The items that a resource answers, in the group they belong to."""
    items = []
    for element in asked:
        if found := element.answers(resource, run.evaluator.types):
            item = {key: element.item[key] for key in ("linkId", "definition", "text")}
            items.append({**item, "answer": found if element.item.get("repeats") else found[:1]})
    named = {key: group[key] for key in ("linkId", "definition", "text")}
    return {**named, "item": items} if items else None


def _known(
    run: Run, plan: Resource, requirement: Resource, canonical: str, messages: Messages
) -> list[Resource]:
    """The data that meet an input: what its expression gives, else what claims its profile."""
    kind = requirement.get("type", "")
    expression = extension_value(requirement, _FEATURE)
    try:
        if isinstance(expression, dict):
            found = run.evaluator.evaluate(expression, plan, None)
            return [r for r in found if isinstance(r, dict) and r.get("resourceType") == kind]
        stored = run.repository.search(kind, {"patient": run.parties.subject})
    except FhirpkgError as error:
        problem = f"the data for the input {kind} could not be read: {error}"
        messages.report(APPLY_QUESTIONNAIRE, problem)
        return []
    claimed = canonical.partition("|")[0]
    return [
        resource
        for resource in stored
        if any(p.partition("|")[0] == claimed for p in resource.get("meta", {}).get("profile", ()))
    ]
