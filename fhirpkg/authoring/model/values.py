"""Single values of procedure.yaml: ids, names, spans of time, moments, doses, odds.

Each type carries its pattern, so that editors check it and :mod:`..checks` can say what was
expected; the functions below read what a pattern has allowed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints

_NUMBER = r"\d+(?:\.\d+)?"
_RANGE = rf"{_NUMBER}(?:-{_NUMBER})?"
_UNIT = r"(?:s|min|h|d|wk|mo|a)"
_ID = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"

DAY_TIMES = {
    "in the morning": "MORN",
    "in the afternoon": "AFT",
    "in the evening": "EVE",
    "at night": "NIGHT",
    "at bedtime": "HS",
    "before meals": "AC",
    "with meals": "C",
    "after meals": "PC",
}
"""Times of the day and the codes that Timing.repeat.when has for them."""

_DAY_TIME = "|".join(DAY_TIMES)
_STEP = rf"(?: (?P<step>{_ID}))?"
_MOMENT = (
    rf"(?:(?:(?P<how>from|within) )?(?P<span>{_RANGE} {_UNIT}) )?(?P<relation>before|after){_STEP}"
)
_BETWEEN = rf"between (?P<first>{_ID}) and (?P<second>{_ID})"
_WHEN = (
    rf"(?:{_DAY_TIME}|(?:{_MOMENT}|during(?: (?P<during>{_ID}))?|{_BETWEEN})(?: (?:{_DAY_TIME}))?)"
)


def _plain(pattern: str) -> str:
    """A pattern without names of groups, which JSON Schema does not know."""
    return "^" + re.sub(r"\?P<\w+>", "?:", pattern) + "$"


def _as_list(value: object) -> object:
    """One value for a list of one."""
    return [value] if isinstance(value, (str, int, Decimal)) else value


Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?$")]
Id = Annotated[str, StringConstraints(pattern=rf"^{_ID}$", max_length=32)]
PascalCase = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=32)]
Fact = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[1-9][0-9]*)?$")]
Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]\S*$")]
Count = Annotated[int, Field(ge=1, le=99, strict=True)]
MOST_FACTS = 999
FactCount = Annotated[int, Field(ge=1, le=MOST_FACTS, strict=True)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list, Text | tuple[Text, ...])]
Facts = Annotated[tuple[Fact, ...], BeforeValidator(_as_list, Fact | tuple[Fact, ...])]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_as_list, Id | tuple[Id, ...])]
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_list, Text | tuple[Text, ...])]
"""Names of concepts, which are under `codes`."""

Span = Annotated[str, StringConstraints(pattern=rf"^(?:[<>] ?)?{_RANGE} {_UNIT}$")]
"""A span of time: `30 min`, `1-2 h`, `< 30 min`."""
Period = Annotated[str, StringConstraints(pattern=rf"^{_RANGE} {_UNIT}$")]
"""A span of time with both ends: `14 d`, `4-6 h`."""
Within = Annotated[str, StringConstraints(pattern=r"^\d+ (d|wk|mo|a)$")]
Moment = Annotated[str, StringConstraints(pattern=_plain(_WHEN))]
"""When something is done, by the procedure or by one of its steps: see :func:`moment`."""
Moments = Annotated[tuple[Moment, ...], BeforeValidator(_as_list, Moment | tuple[Moment, ...])]
HowOften = Annotated[
    str,
    StringConstraints(pattern=r"^(?:once|twice|\d+(?:-\d+)? times)(?: daily| weekly| monthly)?$"),
]
Dose = Annotated[str, StringConstraints(pattern=rf"^{_RANGE} \S+$")]
MaxDose = Annotated[str, StringConstraints(pattern=rf"^{_NUMBER} \S+ in {_NUMBER} {_UNIT}$")]
Odds = Annotated[
    str,
    StringConstraints(
        pattern=rf"^(?:{_RANGE} ?%|[<>] ?{_NUMBER} ?%|{_NUMBER}(?:-{_NUMBER})? in \d[\d,]*"
        r"|[A-Za-z][^\d%]*)$"
    ),
]
"""How often something happens, as the source says it: `1 in 1000`, `1-2 %`, `rare`."""


@dataclass(frozen=True, slots=True)
class Length:
    """A span of time or an amount: its least and its most, either of which may be open."""

    least: Decimal | None
    most: Decimal | None
    unit: str

    @property
    def is_exact(self) -> bool:
        """Whether it is one number."""
        return self.least is not None and self.least == self.most


def length(text: str) -> Length:
    """A span or an amount, read.

    >>> length("1-2 h")
    Length(least=Decimal('1'), most=Decimal('2'), unit='h')
    >>> length("< 30 min")
    Length(least=None, most=Decimal('30'), unit='min')
    """
    sign, rest = (text[0], text[1:].strip()) if text[0] in "<>" else ("", text)
    numbers, unit = rest.split(" ", 1)
    first, _, second = numbers.partition("-")
    least, most = Decimal(first), Decimal(second or first)
    return Length(None if sign == "<" else least, None if sign == ">" else most, unit)


@dataclass(frozen=True, slots=True)
class When:
    """A moment, read: relations to actions, each with its offset, and a time of the day."""

    relation: str = ""
    """`before-start`, `after-end` or `concurrent`; nothing for a time of the day alone."""
    step: str = ""
    """The id of a step; nothing is the procedure as a whole."""
    offset: Length | None = None
    how: str = ""
    """`from`: it lasts from then up to the procedure. `within`: at most so far from it."""
    until: str = ""
    """The step that it precedes, when it is between two."""
    day_time: str = ""
    """The code of a time of the day."""


_RELATIONS = {"before": "before-start", "after": "after-end"}


def moment(text: str) -> When:
    """When something is done.

    >>> moment("7 d before").offset
    Length(least=Decimal('7'), most=Decimal('7'), unit='d')
    >>> moment("between sedation and closure").until
    'closure'
    >>> moment("1 d before in the evening").day_time
    'EVE'
    """
    if text in DAY_TIMES:
        return When(day_time=DAY_TIMES[text])
    found = re.fullmatch(_WHEN, text)
    assert found, "the pattern has allowed it"
    day_time = next((code for words, code in DAY_TIMES.items() if text.endswith(" " + words)), "")
    if found["first"]:
        return When("after-end", found["first"], until=found["second"], day_time=day_time)
    if not found["relation"]:
        return When("concurrent", found["during"] or "", day_time=day_time)
    offset = length(found["span"]) if found["span"] else None
    relation = _RELATIONS[found["relation"]]
    return When(relation, found["step"] or "", offset, found["how"] or "", day_time=day_time)


def steps_named(text: str) -> list[str]:
    """The ids of steps that a moment names."""
    if not re.fullmatch(_WHEN, text):
        return []
    read = moment(text)
    return [name for name in (read.step, read.until) if name]


def frequency(text: str) -> tuple[int, int | None, str]:
    """How often in one day, week or month: least, most when it differs, and the unit.

    >>> frequency("twice daily")
    (2, None, 'd')
    """
    how_many, *unit = text.rsplit(" ", 1) if text.endswith("ly") else (text,)
    numbers = {"once": "1", "twice": "2"}.get(how_many, how_many.partition(" ")[0])
    least, _, most = numbers.partition("-")
    units = {"daily": "d", "weekly": "wk", "monthly": "mo"}
    return int(least), int(most) if most else None, units[unit[0]] if unit else ""
