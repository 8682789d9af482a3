"""`$apply` from outside: its parameters in, a CarePlan, Bundle or request out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from fhirpkg.applying import plan
from fhirpkg.applying.criteria import criteria_of
from fhirpkg.applying.dialects import dialect as dialect_named
from fhirpkg.applying.expressions import Evaluator
from fhirpkg.applying.outcomes import Messages, Verdict, contain, messages_extension
from fhirpkg.applying.requests import activity
from fhirpkg.applying.requests.cells import Parties
from fhirpkg.applying.requests.subjects import misplaced_subjects
from fhirpkg.applying.rules import APPLY_NO_PLACE, APPLY_NOT_USED
from fhirpkg.applying.run import Run
from fhirpkg.applying.shapes import misshapen
from fhirpkg.errors import ConfigError, DefinitionError, ResolutionError
from fhirpkg.languages.choosing import TEXTS
from fhirpkg.languages.speaking import Translated, translator
from fhirpkg.repository import Layers, MemoryRepository, in_bundle
from fhirpkg.rules import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from fhirpkg.applying.dialects import Dialect
    from fhirpkg.applying.outcomes import Why
    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

Form = Literal["careplan", "bundle"]


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of `apply`; true when every condition was evaluated and nothing failed.

    - `result`: a CarePlan that contains all, a Bundle, or the request of an ActivityDefinition
    - `why`: a verdict on each action, in the order of the plan, with its reason
    - `outcomes`: OperationOutcomes, one for each plan that had something to report
    - `actions`: the RequestGroup.action of each verdict, empty where the action is left out
    """

    result: Resource
    """A CarePlan that contains all, a Bundle, or the request of an ActivityDefinition."""
    why: tuple[Why, ...]
    """A verdict on each action that was looked at, in the order of the plan."""
    outcomes: tuple[Resource, ...]
    """OperationOutcomes, one a plan that had something to say."""
    actions: tuple[Resource, ...] = ()
    """The RequestGroup.action that each verdict led to, empty where the action is left out."""

    def __bool__(self) -> bool:
        failed = any(
            issue["severity"] == "error" for outcome in self.outcomes for issue in outcome["issue"]
        )
        return not failed and all(w.verdict is not Verdict.NOT_EVALUATED for w in self.why)

    @property
    def resources(self) -> list[Resource]:
        """The CarePlan or RequestGroup first, then all that came with it."""
        if self.result["resourceType"] == "Bundle":
            return in_bundle(self.result)
        return [self.result, *self.result.get("contained", ())]

    @property
    def criteria(self) -> list[dict[str, Json]]:
        """The state of each criterion of the plans: what is on record, and whether it holds.

        Keys: id, state (met, exceeded, unusable, missing, not evaluated), value, unit, date,
        resource and why; None for what has no value.
        """
        groups = [r for r in self.resources if r["resourceType"] == "RequestGroup"]
        return [found for group in groups for found in criteria_of(group.get("extension", ()))]


def apply(
    definition: Resource | str,
    subject: str,
    repository: Repository,
    *,
    encounter: str = "",
    practitioner: str = "",
    organization: str = "",
    language: str = "",
    parameters: Mapping[str, Json] | None = None,
    data: Iterable[Resource] = (),
    form: Form = "careplan",
    dialect: str = "complete",
    now: datetime | None = None,
) -> Applied:
    """Apply a PlanDefinition or ActivityDefinition to a patient.

    - `definition`: the resource, its canonical or `Type/id`
    - `subject`: the patient, as `Patient/id` or a bare id; likewise `encounter`, `practitioner`
      and `organization`
    - `repository`: where definitions and data are read; `data` is used before it
    - `form`: `careplan` (R4's result, a CarePlan that contains all) or `bundle` (R5's result)
    - `language`: a tag such as `es`, for texts that have a translation; by default texts for
      patients are in a language that the patient speaks
    - `parameters`: values for the parameters of the logic
    - `dialect`: `complete`, or `reference` for the result of HAPI's engine
    - `now`: the time of the evaluation

    Raises ConfigError without a subject, ResolutionError when the definition or subject cannot be
    found, DefinitionError for a definition that cannot be applied. What fails inside a plan is
    reported in the outcomes of the result instead.

        repository = fhirpkg.open_repository("export")  # the plan and its patient
        applied = fhirpkg.apply("PlanDefinition/my-plan", "Patient/1", repository)
        for why in applied.why:
            print(why)
    """
    if not subject:
        raise ConfigError("name the subject: the patient, as Patient/id")
    rules = dialect_named(dialect)
    parties = Parties(
        subject=_typed(subject, "Patient"),
        encounter=_typed(encounter, "Encounter"),
        practitioner=_typed(practitioner, "Practitioner"),
        organization=_typed(organization, "Organization"),
        language=language,
    )
    extra = list(data)
    source: Repository = Layers(MemoryRepository(extra), repository) if extra else repository
    resource = _definition(definition, source)
    patient = source.read(*parties.subject.split("/", 1))
    if rules.needs_subject and patient is None:
        near = _nearest(parties.subject, source)
        raise ResolutionError(parties.subject, f"the subject is not in the data{near}")
    if rules.carries and (translate := translator(resource, language, patient)):
        resource, source = translate(resource), Translated(source, translate)
        parameters = {TEXTS: resource.get("language", ""), **(parameters or {})}
    evaluator = Evaluator(source, parties, parameters, now, lenient=rules.lenient_fhirpath)
    run = Run(parties, source, evaluator, rules, contained=form == "careplan")
    try:
        return _applied(run, resource)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        # A bug in fhirpkg, unless the content is not what its type says: that is reported instead.
        given = [resource, *extra, *run.definitions, *_in_memory(repository)]
        problem = misshapen(given, evaluator.types)
        if not problem:
            raise
        raise DefinitionError(
            str(definition)[:80], f"the content is not FHIR: {problem}"
        ) from error


def _applied(run: Run, definition: Resource) -> Applied:
    kind = definition["resourceType"]
    if kind == "ActivityDefinition":
        return _activity(definition, run.parties, run.dialect, run.evaluator)
    if kind != "PlanDefinition":
        problem = f"a {kind} cannot be applied, only a PlanDefinition or ActivityDefinition"
        raise DefinitionError(str(definition.get("url", kind)), problem)
    group = plan.apply_plan(run, definition)
    result = (
        _care_plan(run, group, definition) if run.contained else _bundle(run, group, definition)
    )
    return Applied(result, tuple(run.whys), tuple(run.outcomes), tuple(run.actions))


def parameter_values(parameters: Resource) -> dict[str, Json]:
    """The values of a Parameters resource by name: a list of a name that appears twice.

    A parameter with parts is an object of them.
    """
    values: dict[str, Json] = {}
    for parameter in parameters.get("parameter", ()):
        name = parameter.get("name", "")
        value = parameter.get("resource")
        if value is None:
            value = next((v for k, v in parameter.items() if k.startswith("value")), None)
        if value is None and "part" in parameter:
            value = parameter_values({"parameter": parameter["part"]})
        if name not in values:
            values[name] = value
        elif isinstance(values[name], list):
            values[name].append(value)
        else:
            values[name] = [values[name], value]
    return values


def _typed(reference: str, resource_type: str) -> str:
    return reference if "/" in reference or not reference else f"{resource_type}/{reference}"


def _definition(definition: Resource | str, source: Repository) -> Resource:
    if not isinstance(definition, str):
        return definition
    found = source.resolve(definition)
    if found is None and definition.count("/") == 1:
        found = source.read(*definition.split("/"))
    if found is None:
        near = _nearest(definition, source)
        raise ResolutionError(definition, f"no such definition was found{near}")
    return found


def _nearest(reference: str, source: Repository) -> str:
    """What is in memory and most like a reference that leads nowhere."""
    known = _in_memory(source)
    return nearest(reference, [f"{r['resourceType']}/{r['id']}" for r in known if "id" in r])


def _in_memory(source: Repository) -> list[Resource]:
    return list(source) if isinstance(source, Layers | MemoryRepository) else []


def _activity(
    definition: Resource, parties: Parties, rules: Dialect, evaluator: Evaluator
) -> Applied:
    """The request of an ActivityDefinition; with messages contained when there are some."""
    messages = Messages(rules)
    resource, left_over = activity.build(definition, parties, rules)
    activity.compute(definition, resource, evaluator, messages)
    for problem in misplaced_subjects(resource):
        messages.report(APPLY_NO_PLACE, problem)
    for problem in evaluator.unused_parameters():
        messages.report(APPLY_NOT_USED, problem)
    for key in left_over:
        messages.report(APPLY_NO_PLACE, activity.without_place(resource, key))
    outcome = messages.outcome(resource["id"])
    if outcome is None:
        return Applied(resource, (), ())
    contain(resource, outcome)
    return Applied(resource, (), (outcome,))


def _care_plan(run: Run, group: Resource, definition: Resource) -> Resource:
    care_plan: Resource = {"resourceType": "CarePlan", "id": group["id"]}
    if "language" in group:
        care_plan["language"] = group["language"]
    contained = [group, *_lifted(run.resources), *run.outcomes]
    care_plan["contained"] = contained
    if run.outcomes:
        care_plan["extension"] = [messages_extension(outcome) for outcome in run.outcomes]
    for element in ("instantiatesCanonical", "status", "intent"):
        if element in group:
            care_plan[element] = group[element]
    if run.dialect.carries:
        care_plan |= {k: definition[k] for k in ("title", "description") if k in definition}
    # The reference engine has an author only when it knows the practitioner.
    authored = ("author",) if run.parties.practitioner else ()
    for element in ("subject", "encounter", *authored):
        if element in group:
            care_plan[element] = group[element]
    if run.dialect.carries and (author := run.parties.practitioner or run.parties.organization):
        care_plan["author"] = {"reference": author}
    goals = [run.reference(r) for r in run.resources if r["resourceType"] == "Goal"]
    if goals:
        care_plan["goal"] = goals
    care_plan["activity"] = [{"reference": run.reference(group)}]
    return care_plan


def _lifted(resources: Iterable[Resource]) -> list[Resource]:
    """Resources with what they contain beside them: contained resources do not nest in FHIR."""
    lifted: dict[str, Resource] = {}
    for resource in resources:
        lifted[resource["id"]] = resource
    for resource in resources:
        for inner in resource.pop("contained", ()):
            lifted.setdefault(inner.get("id", "").lstrip("#"), inner)
    return list(lifted.values())


def _bundle(run: Run, group: Resource, definition: Resource) -> Resource:
    """What was made, the group first; fullUrls below the plan's base let references lead on."""
    base, named, _ = definition.get("url", "").rpartition("/PlanDefinition/")
    entries = []
    for resource in (group, *run.resources):
        full_url = f"{base}/{resource['resourceType']}/{resource['id']}"
        located = {"fullUrl": full_url} if named and run.dialect.carries else {}
        entries.append({**located, "resource": resource})
    return {"resourceType": "Bundle", "id": group["id"], "type": "collection", "entry": entries}
