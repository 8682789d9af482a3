"""When to do what, as lines for people in the order of time; a line for each medicine."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from fhirpkg.authoring.building.elements import schedule_words
from fhirpkg.authoring.building.medicines import words
from fhirpkg.authoring.model.values import DAY_TIMES, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.actions import Action, Condition
    from fhirpkg.authoring.model.values import When

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "wk": 604800, "mo": 2629800, "a": 31557600}
_UNITS = {
    "s": ("second", "seconds"),
    "min": ("minute", "minutes"),
    "h": ("hour", "hours"),
    "d": ("day", "days"),
    "wk": ("week", "weeks"),
    "mo": ("month", "months"),
    "a": ("year", "years"),
}


def calendar(context: BuildContext, actions: Iterable[Action], relation: str) -> tuple[str, ...]:
    """The actions of a phase that have a moment, in the order of time, each with its moment.

    `relation` is `before` for what leads up to the procedure, `after` for what follows it.
    """
    lines = sorted(_entries(context, actions, relation), key=lambda entry: entry[0])
    return tuple(line for _, line in lines)


def _entries(
    context: BuildContext, actions: Iterable[Action], relation: str
) -> Iterator[tuple[Decimal, str]]:
    for action in actions:
        extra, condition = _schedule(context, action), condition_line(context, action)
        condition = f". {condition}" if condition else ""
        moments = [text for text in action.when if text not in DAY_TIMES]
        for text in moments:
            read = moment(text)
            if read.offset or extra:
                more = f" ({extra})" if extra else ""
                line = f"{_moment(context, text, read)}: {action.heading}{more}{condition}"
                yield _seconds(read, relation), line
        if not moments and extra:
            yield Decimal(0), f"{extra[0].upper()}{extra[1:]}: {action.heading}{condition}"
        yield from _entries(context, action.parts, relation)


def _seconds(read: When, relation: str) -> Decimal:
    """A number that orders moments in time; the earlier has the lesser one."""
    if read.offset is None:
        return Decimal(0)
    most = read.offset.most if read.offset.most is not None else read.offset.least
    seconds = (most or Decimal(0)) * _SECONDS[read.offset.unit]
    return -seconds if relation == "before" else seconds


def _moment(context: BuildContext, text: str, read: When) -> str:
    """A moment for people: `7 d before` as `7 days before`."""
    if read.offset is None:  # such as `after` or `during sedation`
        return context.say(text[0].upper() + text[1:])
    ends = (read.offset.least, read.offset.most)
    numbers = "-".join(str(end) for end in dict.fromkeys(ends) if end is not None)
    unit = _UNITS[read.offset.unit][numbers != "1"]
    how = {"from": "From {time}", "within": "Within the {time}"}.get(read.how, "{time}")
    way = {"before-start": "before", "after-end": "after"}[read.relation]
    time = f"{numbers} {context.say(unit)}"
    rest = next((f" {context.say(w)}" for w in DAY_TIMES if text.endswith(f" {w}")), "")
    return context.say(f"{how} {way}").format(time=time) + rest


def _schedule(context: BuildContext, action: Action) -> str:
    """How often and for how long; only English has a way to say it."""
    words = schedule_words(action)
    return context.say(words) if words else ""


def medicine_line(context: BuildContext, action: Action) -> str:
    """How a medicine is taken, or that it is not to be taken; nothing when neither is said."""
    if action.stop:
        return context.say("Do not take: {medicine}").format(medicine=context.named(action.stop))
    line = context.say(words(action)) if words(action) else ""
    if action.chooses_site:
        line = ", ".join(filter(None, (line, " / ".join(action.sites))))
    return f"{action.medicine or action.heading}: {line}" if line else ""


def specimen_line(context: BuildContext, action: Action) -> str:
    """What is taken to be examined; nothing where nothing is."""
    return f"{context.say('Specimen')}: {action.specimen.words}" if action.specimen else ""


def condition_line(context: BuildContext, action: Action) -> str:
    """On which conditions it is done: plain words, a question, a criterion or a chosen step."""
    lines = list(filter(None, (_condition_line(context, each) for each in action.only_if)))
    return " ".join(map(sentence, lines)) if len(lines) > 1 else "".join(lines)


def sentence(text: str) -> str:
    """A text that ends as a sentence, so that another can follow it."""
    return text if not text or text[-1] in ".!?:" else f"{text}."


def _condition_line(context: BuildContext, only_if: str | Condition) -> str:
    say = context.say
    if isinstance(only_if, str):
        in_words = " " in only_if
        line = say("Only if {condition}").format(condition=only_if) if in_words else ""
        return line or step_line(context, only_if)
    if only_if.asked:
        return say("Only if the answer is yes: {question}").format(question=only_if.asked)
    criterion = next(c for c in context.procedure.criteria if c.id == only_if.criterion)
    words = "beyond its limit" if criterion.limit else "on record"
    return say(f"Only if this is {words}: {{criterion}}").format(criterion=criterion.title)


def step_line(context: BuildContext, step: str | None) -> str:
    """The step that has to be chosen for it; nothing where none has."""
    headings = (action.heading for action in context.procedure.actions() if action.id == step)
    return next((context.say("Only with: {step}").format(step=h) for h in headings), "")
