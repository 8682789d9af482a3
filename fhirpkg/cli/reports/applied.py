"""What applying a plan gave, for people: what to do, what not to do, when, and why or why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.render import clinical, times, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fhirpkg.applying.application import Applied
    from fhirpkg.applying.outcomes import Why
    from fhirpkg.issues import Resource

_MARKS = {"applicable": "+", "not applicable": "-", "not evaluated": "?", "skipped": "."}
_LEFT_OUT = {"not applicable": "left out, ", "skipped": "not looked at: "}
_RELATED_GOAL = "http://hl7.org/fhir/StructureDefinition/resource-pertainsToGoal"
_WAITING = ("before", "before-start", "before-end")
_AFTER = ("after", "after-end", "after-start")


def told(
    applied: Applied, subject: str, patient: Resource | None, *, verbose: bool
) -> Iterator[str]:
    """The lines: patient, goals, criteria, each action with its order, and what failed."""
    result = applied.result
    group = next((r for r in applied.resources if r["resourceType"] == "RequestGroup"), {})
    title = result.get("title") or group.get("title") or result.get("id", "")
    who = clinical.person(patient or {})
    yield f"{result['resourceType']} {title} for {f'{who} ({subject})' if who else subject}"
    for resource in applied.resources:
        if resource["resourceType"] == "Goal":
            yield f"  goal: {clinical.goal(resource)}"
    for criterion in applied.criteria:
        state, why = str(criterion["state"]), criterion["why"] or criterion["id"]
        yield f"  {state if state == 'met' else state.upper()}: {why}"
    yield from _actions(applied)
    if not applied.why and result["resourceType"] not in {"CarePlan", "Bundle"}:
        for line in clinical.orders(result, _by_name(applied)):
            yield f"  {line}"
    yield from _messages(applied, verbose=verbose)


def _actions(applied: Applied) -> Iterator[str]:
    made = _by_name(applied)
    titles = {why.action_id: why.title for why in applied.why if why.action_id and why.title}
    for number, (why, action) in enumerate(zip(applied.why, applied.actions, strict=True)):
        indent = "  " * why.depth
        if _is_said_by_criterion(why, applied):
            continue
        request = made.get(why.resource)
        yield f"{indent}{_MARKS[why.verdict]} {_headline(why, request)}"
        if why.verdict != "applicable":
            continue
        if request is not None and (open_ones := _open_before(number, action, applied)):
            yield f"{indent}    BLOCKED until: {'; '.join(open_ones)}"
        details = [
            *(clinical.orders(request, made) if request else ()),
            *_details(why, action, titles),
        ]
        goals = [made.get(name, {}).get("description", {}) for name in _goals(request or {})]
        details += [f"goals: {'; '.join(map(words.concept, goals))}"] if goals else []
        for line in dict.fromkeys(details):
            yield f"{indent}    {line}"


def _is_said_by_criterion(why: Why, applied: Applied) -> bool:
    """Whether an alert that does not apply, `missing-inr`, repeats the state of a criterion."""
    of_criterion = why.action_id.partition("-")[2] in {each["id"] for each in applied.criteria}
    return of_criterion and why.verdict == "not applicable"


def _headline(why: Why, request: Resource | None) -> str:
    name = why.title or why.action_id or "(untitled)"
    if why.verdict == "applicable":
        if request is None or not clinical.is_prohibited(request):
            return name
        # the title may say it as a deed ("stop warfarin"), which must not be negated once more
        return f"DO NOT: {clinical.subject_or_kind(request)} [{name}]"
    reason = why.reason.removesuffix(" (which is false)")
    found = f" [on record: {'; '.join(why.evidence)}]" if why.evidence else ""
    return f"{name}: {_LEFT_OUT.get(why.verdict, f'{why.verdict}: ')}{reason}{found}"


def _by_name(applied: Applied) -> dict[str, Resource]:
    return {f"{r['resourceType']}/{r.get('id')}": r for r in applied.resources}


def _details(why: Why, action: Resource, titles: dict[str, str]) -> Iterator[str]:
    if why.problem:
        yield f"NO ORDER could be made: {why.problem}"
    if priority := action.get("priority"):
        yield f"priority: {priority}"
    for condition in action.get("condition", ()):
        expression = condition.get("expression", {})
        yield f"why: {expression.get('description') or expression.get('expression', '')}"
    if why.evidence:
        yield f"on record: {'; '.join(why.evidence)}"
    sources = [a["label"] for a in action.get("documentation", ()) if a.get("label")]
    if sources and "condition" in action:
        yield f"source: {'; '.join(sources)}"
    if often := clinical.how_often(action):
        yield f"how often: {often}"
    when = [clinical.relation(related, titles) for related in action.get("relatedAction", ())]
    if moment := times.timed(action, "timing"):
        when.append(moment)
    if when:
        yield f"when: {'; '.join(when)}"
    who = [p.get("display") or p.get("reference", "") for p in action.get("participant", ())]
    if who:
        yield f"who: {'; '.join(dict.fromkeys(who))}"
    if behavior := action.get("selectionBehavior"):
        yield f"choose: {behavior.replace('-', ' ')}"


def _open_before(number: int, action: Resource, applied: Applied) -> list[str]:
    """What holds for this patient and is to come before an action: the innermost of it."""
    name = action.get("id")
    waits_for = {
        r["actionId"] for r in action.get("relatedAction", ()) if r.get("relationship") in _AFTER
    }
    found = []
    for place, (why, other) in enumerate(zip(applied.why, applied.actions, strict=True)):
        if place == number or why.verdict not in {"applicable", "not evaluated"}:
            continue
        if other.get("requiredBehavior") == "could":  # what may be left out, nothing waits for
            continue
        if not (why.verdict == "not evaluated" or "condition" in other) or _has_open_part(
            place, applied
        ):
            continue
        around = [applied.actions[n] for n in _around(place, applied)]
        if action in around:
            continue
        before = {
            r["actionId"]
            for each in around
            for r in each.get("relatedAction", ())
            if r.get("relationship") in _WAITING
        }
        if (name and name in before) or waits_for & {each.get("id") for each in around}:
            found.append(why.title or why.action_id or why.place)
    return found


def _around(place: int, applied: Applied) -> Iterator[int]:
    """An action and those it is a part of, by their numbers."""
    yield place
    depth = applied.why[place].depth
    for number in range(place - 1, -1, -1):
        if applied.why[number].depth < depth:
            depth = applied.why[number].depth
            yield number


def _has_open_part(place: int, applied: Applied) -> bool:
    depth = applied.why[place].depth
    for number in range(place + 1, len(applied.why)):
        why = applied.why[number]
        if why.depth <= depth:
            return False
        conditional = "condition" in applied.actions[number]
        if why.verdict == "not evaluated" or (why.verdict == "applicable" and conditional):
            return True
    return False


def _goals(request: Resource) -> Iterator[str]:
    for extension in request.get("extension", ()):
        if extension.get("url") == _RELATED_GOAL:
            reference = extension.get("valueReference", {}).get("reference", "")
            yield reference if not reference.startswith("#") else f"Goal/{reference[1:]}"


def _messages(applied: Applied, *, verbose: bool) -> Iterator[str]:
    """What failed; what is not in the result as a number, or in full."""
    said = {str(why) for why in applied.why}
    issues = [i for outcome in applied.outcomes for i in outcome["issue"]]
    issues = [i for i in issues if i["diagnostics"] not in said]
    serious = [i for i in issues if verbose or i["severity"] != "information"]
    by_reason: dict[str, list[str]] = {}
    for issue in serious:
        text = f"{issue['severity']}: {issue['diagnostics']}"
        by_reason.setdefault(text.rpartition(" encountered exception: ")[2], []).append(text)
    for texts in by_reason.values():
        more = f" (and {len(texts) - 1} more for the same reason)" if len(texts) > 1 else ""
        yield from texts if verbose else [f"{texts[0]}{more}"]
    remarks = sum(issue["severity"] == "information" for issue in issues)
    if remarks and not verbose:
        s = "" if remarks == 1 else "s"
        yield f"{remarks} remark{s} on what the result does not hold; --verbose lists them"
