"""PlanDefinition/$apply: actions that hold for a patient, as a RequestGroup with its requests.

See http://hl7.org/fhir/R4/plandefinition-operation-apply.html; where R4 leaves it open, this is
what the reference engine does, in the column of the dialect (:mod:`fhirpkg.applying.dialects`).
Conditions have three results: applicable, not applicable, not evaluated. What is left out and
what failed is reported, in :class:`Why` and in an OperationOutcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.applying import criteria, dynamic
from fhirpkg.applying.conditions import evidence_of, judge
from fhirpkg.applying.goals import (
    goals_of,
    kept,
    prune_relations,
    unused,
    with_one_of_both,
    without_request,
)
from fhirpkg.applying.outcomes import Messages, Verdict, Why, contain, messages_extension, point_to
from fhirpkg.applying.questionnaires.generation import asked_of, generated, is_generated
from fhirpkg.applying.requests import activity
from fhirpkg.applying.requests.cells import canonical_of, extension_value
from fhirpkg.applying.requests.subjects import misplaced_subjects, participant_of
from fhirpkg.applying.rules import (
    APPLY_BEHAVIOR,
    APPLY_DEFINITION,
    APPLY_LEFT_OUT,
    APPLY_NO_PLACE,
    APPLY_NOT_USED,
    APPLY_URL,
)
from fhirpkg.applying.run import Run, free_id
from fhirpkg.errors import FhirpkgError, ResolutionError
from fhirpkg.issues import Json, Severity
from fhirpkg.render.limits import is_criterion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.issues import Resource

_APPLICABILITY_BEHAVIOR = "http://hl7.org/fhir/StructureDefinition/cqf-applicabilityBehavior"
_PERTAINS_TO_GOAL = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
_NESTING_LIMIT = 20


def apply_plan(run: Run, plan: Resource) -> Resource:
    """The RequestGroup of a plan; its requests and goals go to the run."""
    messages = Messages(run.dialect)
    group = _group_of(run, plan)
    extensions = _computed_extensions(run, plan, messages)
    goals = goals_of(run, plan)
    if not run.contained:
        extensions += [
            {"url": _PERTAINS_TO_GOAL, "valueReference": run.reference(g)} for g in goals.values()
        ]
        if "url" not in plan:
            severity = None if run.dialect.explains else Severity.ERROR
            problem = f"PlanDefinition {group['id']} is missing a canonical url."
            messages.report(APPLY_URL, problem, severity=severity)
    for resource in (group, *goals.values()):
        for problem in misplaced_subjects(resource):
            messages.report(APPLY_NO_PLACE, problem)
    actions = list(_Actions(run, plan, group, goals, messages).made_of(plan, "PlanDefinition"))
    for resource in generated(run, plan, messages):
        run.add(resource)
    if actions:
        group["action"] = actions
    for problem in () if run.nesting else run.evaluator.unused_parameters():
        messages.report(APPLY_NOT_USED, problem)
    if run.dialect.prunes_relations:
        prune_relations(group, messages)
    extensions += _told(run, group, messages)
    if extensions:
        group["extension"] = extensions
    return group


def _group_of(run: Run, plan: Resource) -> Resource:
    """The RequestGroup of a plan before its actions are made."""
    group: Resource = {"resourceType": "RequestGroup", "id": plan.get("id", "").lstrip("#")}
    if run.contained and not run.nesting:
        run.ids.add(group["id"])
    if run.parties.language:
        group["language"] = run.parties.language
    if "url" in plan:
        group["instantiatesCanonical"] = [canonical_of(plan)]
    group |= {
        "status": "active",
        "intent": "proposal",
        "subject": {"reference": run.parties.subject},
    }
    if run.parties.encounter:
        group["encounter"] = {"reference": run.parties.encounter}
    if author := run.group_author():
        group["author"] = {"reference": author}
    if run.dialect.carries:
        group |= kept(plan, ("modifierExtension",))
    return group


def _computed_extensions(run: Run, plan: Resource, messages: Messages) -> list[Resource]:
    """The extensions that a plan passes on, computed; the results of its criteria come last."""
    every = activity.kept_extensions(plan)
    others = [e for e in every if not is_criterion(e)]
    return dynamic.computed_extensions(others, plan, run.evaluator, messages) + [
        criteria.computed(e, plan, run.evaluator, messages) for e in every if is_criterion(e)
    ]


def _told(run: Run, group: Resource, messages: Messages) -> list[Resource]:
    """The extension that leads to the OperationOutcome of a plan, which goes to the run."""
    outcome = messages.outcome(group["id"])
    if outcome is None:
        return []
    run.outcomes.append(outcome)
    if not run.contained:
        group["contained"] = [outcome]
    return [messages_extension(outcome)]


class _Actions:
    """The actions of one plan, turned into those of its RequestGroup."""

    def __init__(
        self,
        run: Run,
        plan: Resource,
        group: Resource,
        goals: dict[str, Resource],
        messages: Messages,
    ) -> None:
        self._run = run
        self._plan = plan
        self._group = group
        self._goals = goals
        self._messages = messages

    def made_of(self, parent: Resource, place: str) -> Iterator[Resource]:
        """The actions below a plan or an action that apply."""
        actions = parent.get("action", ())
        behavior = extension_value(parent, _APPLICABILITY_BEHAVIOR)
        if behavior not in {None, "all", "any"}:
            problem = f"{place}: the applicabilityBehavior is {behavior!r}, not all or any"
            self._messages.report(APPLY_BEHAVIOR, problem)
        for index, action in enumerate(actions):
            made = self._made(action, f"{place}.action[{index}]")
            if made is not None:
                yield made
                if behavior == "any":
                    self._pass_over(actions, index, place)
                    return

    def _pass_over(self, actions: list[Resource], taken: int, place: str) -> None:
        """Tell which actions were not looked at, because one before them applies and is enough."""
        reason = f"'{_title(actions[taken])}' applies, and only the first that applies is used"
        for index, action in enumerate(actions[taken + 1 :], start=taken + 1):
            self._leave_out(Verdict.PASSED_OVER, action, f"{place}.action[{index}]", reason)

    def _leave_out(
        self, verdict: Verdict, action: Resource, place: str, reason: str, expression: str = ""
    ) -> None:
        words = (
            place,
            str(action.get("id", "")),
            self._called(action),
            verdict,
            reason,
            expression,
        )
        told = verdict is Verdict.PASSED_OVER or _tells_itself(action)
        evidence = () if told else evidence_of(self._run.evaluator)
        why = Why(*words, evidence=evidence, depth=self._depth(place))
        self._run.whys.append(why)
        self._run.actions.append({})
        if verdict is not Verdict.NOT_EVALUATED:
            self._messages.report(APPLY_LEFT_OUT, str(why), place)

    def _made(self, action: Resource, place: str) -> Resource | None:
        verdict, reason, expression = judge(action, self._plan, self._run.evaluator, self._messages)
        if verdict is not Verdict.APPLICABLE:
            self._leave_out(verdict, action, place, reason, expression)
            return None
        tells_itself = _tells_itself(action)
        evidence = () if tells_itself else evidence_of(self._run.evaluator)
        position = len(self._run.whys)
        made = self._carried(action, place)
        if children := list(self.made_of(action, place)):
            made["action"] = children
        target, failure = self._defined(action, made, place)
        if target is None and self._run.dialect.carries:
            for problem in without_request(action):
                self._messages.report(APPLY_NO_PLACE, f"{place}.{problem}", place)
        self._compute(action, target, made)
        request = "" if target is None else f"{target['resourceType']}/{target['id']}"
        title = _title(made) if tells_itself else self._called(action)
        words = (place, str(action.get("id", "")), title, verdict, reason, expression)
        why = Why(*words, request, evidence, failure, self._depth(place))
        self._run.whys.insert(position, why)
        self._run.actions.insert(position, made)
        return with_one_of_both(made, _title(action)) if self._run.dialect.one_of_both else made

    def _compute(self, action: Resource, target: Resource | None, made: Resource) -> None:
        """The dynamic values of an action; who refers to a request whose id is computed follows."""
        before = None if target is None else target["id"]
        evaluator = self._run.evaluator
        dynamic.set_values(action, self._plan, target, made, evaluator, self._messages)
        if target is not None and target["id"] != before:
            target["id"] = free_id(str(target["id"]), self._run.ids)
            self._run.ids.add(target["id"])
            made["resource"] = self._run.reference(target)

    def _called(self, action: Resource) -> str:
        """What people know an action by: its own words, else the title of what it is defined by."""
        canonical = action.get("definitionCanonical", "")
        if _title(action) or not canonical:
            return _title(action)
        try:
            definition = self._resolve(canonical)
        except ResolutionError:
            return str(canonical)
        return str(definition.get("title") or definition.get("name") or canonical)

    def _depth(self, place: str) -> int:
        return self._run.depth + place.count(".action[")

    def _carried(self, action: Resource, place: str) -> Resource:
        """What the RequestGroup.action takes over from the action as it is."""
        dialect = self._run.dialect
        made: Resource = {"id": action["id"]} if "id" in action else {}
        if extensions := action.get("extension"):
            made["extension"] = dynamic.computed_extensions(
                extensions, self._plan, self._run.evaluator, self._messages
            )
        for element in dialect.action_elements:
            if element in action:
                made[element] = action[element]
        if codes := action.get("code"):
            made["code"] = codes if dialect.all_action_codes else codes[:1]
        for key in action:
            if key.startswith("timing"):
                made[key] = action[key]
        if conditions := action.get("condition"):
            parts = dialect.condition_elements
            made["condition"] = [kept(c, parts) if parts else c for c in conditions]
        if related := action.get("relatedAction"):
            made["relatedAction"] = related
        if dialect.carries:
            self._carry_more(action, made, place)
        return made

    def _carry_more(self, action: Resource, made: Resource, place: str) -> None:
        made |= kept(action, ("modifierExtension",))
        if participants := action.get("participant"):
            made["participant"] = [participant_of(p, self._run.parties) for p in participants]
        asked = asked_of(action) if "input" in action and is_generated(self._plan) else []
        for problem in unused(action, asked):
            self._messages.report(APPLY_NOT_USED, f"{place}.{problem}", place)

    def _defined(self, action: Resource, made: Resource, place: str) -> tuple[Resource | None, str]:
        """The resource that the action's definition makes, taken into the result; or why none."""
        if uri := action.get("definitionUri"):
            made["resource"] = {"reference": uri}
            return None, ""
        canonical = action.get("definitionCanonical")
        if canonical is None:
            return None, ""
        try:
            resource, left_over = self._resource_of(canonical, place)
        except FhirpkgError as error:
            problem = f"{place}.definitionCanonical {canonical} could not be applied: {error}"
            self._messages.report(APPLY_DEFINITION, problem)
            return None, str(error)
        if (action_id := action.get("id")) and self._is_renamed(resource):
            is_task = resource["resourceType"] == "Task"
            resource["id"] = action_id if is_task else f"{action_id}-{resource['id']}"
        self._tie(action, made, resource, left_over, place)
        self._run.add(resource)
        made["resource"] = self._run.reference(resource)
        return resource, ""

    def _is_renamed(self, resource: Resource) -> bool:
        """A Questionnaire is not a request made here: it keeps the id that belongs to its url."""
        return not (self._run.dialect.carries and resource["resourceType"] == "Questionnaire")

    def _resource_of(self, canonical: str, place: str) -> tuple[Resource, list[str]]:
        definition = self._resolve(canonical)
        kind = definition["resourceType"]
        if kind == "ActivityDefinition":
            return self._applied_activity(definition)
        if kind == "PlanDefinition":
            return self._nested(definition, canonical, place), []
        if kind == "Questionnaire":
            return dict(definition), []
        raise ResolutionError(canonical, f"is a {kind}, which cannot be applied")

    def _resolve(self, canonical: str) -> Resource:
        """The definition behind a canonical; a fragment names one that is contained."""
        whole, _, fragment = canonical.partition("#")
        holder = self._run.repository.resolve(whole) if whole else self._plan
        self._run.definitions += [holder] if holder else []
        if holder is not None and not fragment:
            return holder
        beside: list[Resource] = (holder or {}).get("contained", [])
        found = next((c for c in beside if c.get("id", "").lstrip("#") == fragment), None)
        if found is None:
            raise ResolutionError(canonical)
        if self._run.dialect.carries:
            # What is contained does not contain: its references lead to what lies beside it.
            return {**found, "contained": beside}
        return found

    def _applied_activity(self, definition: Resource) -> tuple[Resource, list[str]]:
        run = self._run
        resource, left_over = activity.build(definition, run.parties, run.dialect)
        messages = self._messages if run.dialect.explains else Messages(run.dialect)
        activity.compute(definition, resource, run.evaluator, messages)
        resource["id"] = free_id(resource["id"] or resource["resourceType"], run.ids)
        if messages is not self._messages:
            self._keep_apart(messages.outcome(resource["id"]), resource)
        return resource, left_over

    def _keep_apart(self, outcome: Resource | None, resource: Resource) -> None:
        """The reference engine reports what failed in an activity on its request."""
        if outcome is None:
            return
        self._run.outcomes.append(outcome)
        (point_to if self._run.contained else contain)(resource, outcome)

    def _nested(self, plan: Resource, canonical: str, place: str) -> Resource:
        if self._run.nesting >= _NESTING_LIMIT:
            raise ResolutionError(
                canonical, "plans are nested too deeply; do they call each other?"
            )
        around = self._run.depth
        self._run.nesting += 1
        self._run.depth = self._depth(place)
        try:
            return apply_plan(self._run, plan)
        finally:
            self._run.nesting -= 1
            self._run.depth = around

    def _tie(
        self, action: Resource, made: Resource, resource: Resource, left_over: list[str], place: str
    ) -> None:
        """What a request gets from its action and its group."""
        if resource["resourceType"] == "Task":
            resource["basedOn"] = [self._basis()]
        if not self._run.dialect.carries:
            return
        for goal_id in action.get("goalId", ()):
            if goal := self._goals.get(goal_id):
                link = _pertains_to(self._run.reference(goal))
                resource["extension"] = [*resource.get("extension", ()), link]
            else:
                problem = f"{place}.goalId: the plan has no goal '{goal_id}'"
                self._messages.report(APPLY_NO_PLACE, problem, place)
        reasons = action.get("reason")
        if reasons and not activity.add_reasons(resource, reasons):
            left_over = [*left_over, "reason"]
        for problem in misplaced_subjects(resource):
            self._messages.report(APPLY_NO_PLACE, f"{place}: {problem}", place)
        for key in left_over:
            kept = self._kept_on_action(key, action, made)
            problem = f"{place}: {activity.without_place(resource, key)}{kept}"
            self._messages.report(APPLY_NO_PLACE, problem, place)

    def _basis(self) -> dict[str, str]:
        """The group a task is based on; the reference engine does not say that it is contained."""
        if self._run.dialect.carries:
            return self._run.reference(self._group)
        return {"reference": f"RequestGroup/{self._group['id']}"}

    def _kept_on_action(self, key: str, action: Resource, made: Resource) -> str:
        """Put a timing that the request has no element for on the action; say that it is there."""
        if not key.startswith("timing") or any(other.startswith("timing") for other in made):
            return ""
        made[key] = self._resolve(action["definitionCanonical"])[key]
        return "; it is on the action"


def _pertains_to(goal: dict[str, str]) -> dict[str, Json]:
    return {"url": _PERTAINS_TO_GOAL, "valueReference": goal}


def _tells_itself(action: Resource) -> bool:
    """Whether an action computes its title: it names the record that it is about."""
    return "dynamicValue" in action and any(
        value.get("path") == "title" for value in action["dynamicValue"]
    )


def _title(action: Resource) -> str:
    return str(action.get("title") or action.get("description") or action.get("textEquivalent", ""))
