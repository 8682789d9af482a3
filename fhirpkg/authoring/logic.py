"""The rules of criteria as CQL text: one library for each procedure, and nothing outside of it.

A criterion ends in a state: `met`, `exceeded`, `unusable` (on record in a form that cannot be
compared) or `missing`. The rules are in the library itself, so that every engine that runs CQL
comes to the same state. Two habits keep it portable: FHIR's values are taken out explicitly
(`.value`, `FHIRHelpers.ToConcept`), and a comparison that may be unknown is decided by `Coalesce`.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from types import MappingProxyType
from typing import TYPE_CHECKING

from fhirpkg.languages.choosing import TEXTS
from fhirpkg.render.told import escaped, literal, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_HELPERS = "FHIRHelpers"


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a value may go: `above` or `below` a number in a unit, and a band that is noticed."""

    direction: str
    number: str
    unit: str = ""
    notice: str = ""
    """The number from which a value within the limit is noticed; empty without such a band."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One criterion as the logic sees it."""

    title: str
    kind: str
    """`condition`, `observation`, `procedure`, `imaging`, `medicine`, `allergy`, `age` or `sex`."""
    value_set: str = ""
    """The canonical of the codes that it is found by."""
    names: tuple[str, ...] = ()
    """What people call these codes."""
    wanted: str = ""
    """What the age has to be, such as `>= 18`, or the sex."""
    within: str = ""
    """A duration of CQL, such as `6 months`: what is older does not count.

    What has no date counts only where it finds a reason against the procedure.
    """
    limit: Limit | None = None
    source: str = ""
    """Labels of the evidence behind the limit."""
    missing: str = ""
    against: str = ""
    """What is said before what is found, of a rule that finds a reason against the procedure."""


def cql_duration(within: str | None) -> str:
    """A span of an author's as a duration of CQL; nothing for none.

    >>> cql_duration("6 mo")
    '6 months'
    """
    number, _, unit = (within or "").partition(" ")
    return f"{number} {_DURATIONS[unit]}" if unit else ""


_DURATIONS = {"d": "days", "wk": "weeks", "mo": "months", "a": "years"}


def library(
    name: str,
    version: str,
    rules: Iterable[Rule],
    further: Iterable[str] = (),
    spoken: Mapping[str, Callable[[str], str]] = MappingProxyType({}),
    main: str = "en",
) -> str:
    """The library as CQL: shared functions, the definitions of each rule, and `further` ones.

    `spoken` are the languages besides English that its words can be asked for in, by the parameter
    TEXTS with `main` as its default, each with how it says English words; without them the words
    are there plainly.
    """
    rules = list(rules)
    lines = [f"library {name} version '{version}'", "", "using FHIR version '4.0.1'", ""]
    lines += [f"include {_HELPERS} version '4.0.1' called {_HELPERS}", ""]
    for rule in rules:
        lines += [f"valueset {_quoted(rule)}: '{rule.value_set}'"] if rule.value_set else []
    lines.append("")
    aged = [rule for rule in rules if has_age(rule)]
    lines += [f"parameter {_quoted(rule, ' days')} Integer default null" for rule in aged]
    lines += [f"parameter \"{TEXTS}\" String default '{main}'"] if spoken else []
    parts = [part("shared")]
    kinds = {rule.kind for rule in rules}
    parts += map(part, dict.fromkeys(name for kind, name in _SHARED.items() if kind in kinds))
    for rule in rules:
        parts += [_filled(part, rule) for part in _PARTS[rule.kind]]
        parts += [_noticed(rule)] if rule.limit and rule.limit.notice else []
        against = "against_recent" if rule.within else "against"
        parts += [_filled(against, rule)] if rule.against else []
    defined = "\n".join([*parts, *further])
    said = [_dictionary(defined, spoken)] if spoken else []
    defined = defined if spoken else _SAID.sub(r"'\1'", defined)
    return "\n".join([*lines, "", "context Patient", "", *said, defined])


_AGE = 'CalculateAgeInYearsAt("Subject".birthDate.value, Today())'
_SHARED = {"age": "person", "condition": "diagnosed", "observation": "observed", "sex": "person"}
"""The functions that all rules of a kind share."""
_SAID = re.compile(r"\"Say\"\('((?:[^'\\]|\\.)*)'\)")
"""Words in the templates that are said in the language that is asked for."""
_EDGES = re.compile(r"([\s:;,]*)(.*?)([\s:;,]*)", re.DOTALL)


def _dictionary(defined: str, spoken: Mapping[str, Callable[[str], str]]) -> str:
    """The function that says words in the languages; what has no translation stays English."""
    words = sorted(set(_SAID.findall(defined)))
    lines = ['define function "Say"(words String):', f'  case "{TEXTS}"']
    for language, translated in spoken.items():
        lines += [f"    when '{language}' then", "      case words"]
        for each in words:
            before, core, after = _EDGES.fullmatch(words_of(f"'{each}'") or "").groups()  # type: ignore[union-attr]
            if found := translated(core):
                lines.append(f"        when '{each}' then {literal(before + found + after)}")
        lines += ["        else words", "      end"]
    return "\n".join([*lines, "    else words", "  end", ""])


def _said(words: str) -> str:
    """Words of a template that are said in the language that is asked for; nothing for none."""
    return f'"Say"({literal(words)})' if words else "''"


_PARTS = {
    "allergy": ("too_old", "allergy", "any", "told"),
    "age": ("patient", "told"),
    "condition": ("too_old", "condition", "any", "told"),
    "imaging": ("too_old", "imaging", "any", "told"),
    "medicine": ("too_old", "medicine", "any", "told"),
    "observation": ("too_old", "observation", "told"),
    "procedure": ("too_old", "procedure", "any", "told"),
    "sex": ("patient", "told"),
}
"""The templates of each kind, in their order; they are in `cql/`."""


def has_age(rule: Rule) -> bool:
    """Whether a record of it can be too old."""
    return "too_old" in _PARTS[rule.kind]


@functools.cache
def part(name: str) -> str:
    """A template of the folder `cql`."""
    return (files(__package__) / "cql" / f"{name}.cql").read_text("utf-8")


def _filled(name: str, rule: Rule) -> str:
    """A template with what is the rule's own in it."""
    template = part(name).replace("$done", part("done").rstrip())
    values = _of_limit(rule) | _of_kind(rule)
    return Template(template).substitute(values, title=_name(rule), missing=escaped(rule.missing))


def _name(rule: Rule) -> str:
    """The title, escaped for a quoted identifier."""
    return rule.title.replace("\\", "\\\\").replace('"', '\\"')


def _quoted(rule: Rule, part: str = "") -> str:
    return f'"{_name(rule)}{part}"'


def _of_kind(rule: Rule) -> dict[str, str]:
    """What depends on the kind: how a record is introduced, and what else is said of it."""
    title = _name(rule)
    observed = rule.kind == "observation"
    names = (rule.title, *rule.names)
    by_author = "false"
    if rule.within:
        by_author = f"not Coalesce(date from moment on or after Today() - {rule.within}, false)"
    if rule.within and rule.against:
        by_author = f"Coalesce(date from moment before Today() - {rule.within}, false)"
    holds, shown = {
        "age": (f"{_AGE} {rule.wanted}", f"ToString({_AGE}) + {_said(' years')}"),
        "sex": (f"\"Subject\".gender.value = '{rule.wanted}'", '"Subject".gender.value'),
    }.get(rule.kind, ("", ""))
    return {
        "against": "exceeded" if rule.limit else "met",
        "dated": "Coalesce(R.ending, R.moment)" if observed else "R.moment",
        "prefix": escaped(rule.against),
        "lead": escaped(rule.title) + (" " if observed else ": "),
        "day": f""" + {_said(" on ")} + "Day"("{title} deciding".moment)"""
        if has_age(rule)
        else "",
        "doubt": f' + "{title} doubt"' if observed else "",
        "before": f' + "{title} before"' if observed else "",
        "past": f' + "{title} past"' if rule.kind in ("condition", "observation") else "",
        "words": ", ".join(map(literal, dict.fromkeys(map(str.lower, names)))),
        "by_author": by_author,
        "holds": holds,
        "shown": shown,
    }


def _of_limit(rule: Rule) -> dict[str, str]:
    """How a value is measured and compared with the limit, and how the limit is put into words."""
    title, limit = _name(rule), rule.limit
    unit = limit.unit if limit else ""
    measured = '"{0} measure"(R.{1})'
    if not unit:
        measured = f"Coalesce({measured}, ToDecimal(R.whole))"
    ratio = f'"Ratio"(quantity, {literal(rule.title.lower())})'
    found = {
        "measure": _converted(unit) if unit else ratio,
        "lowest": measured.format(title, "lowest"),
        "highest": measured.format(title, "highest"),
        "compared": "compared with" if unit else "read as a ratio",
        "unit": f" + ' {escaped(unit)}'" if unit else "",
        "exceeded": "false",
        "kept": "true",
        "worst": "asc",
        "impossible": "",
        **dict.fromkeys(("beyond", "settled", "within"), "''"),
    }
    if limit is None:
        return found
    source = f" ({rule.source})" if rule.source else ""
    bound = escaped(f" {limit.number} {unit}".rstrip() + source)
    leads = {"beyond": ": ", "within": ", not ", "settled": "; the limit is "}
    for name, lead in leads.items():
        found[name] = f"{_said(lead + limit.direction)} + '{bound}'"
    if not limit.number.startswith("-"):
        found["impossible"] = _IMPOSSIBLE
    return found | _compared(limit.direction, limit.number)


_IMPOSSIBLE = (
    """if Coalesce(lowest, highest) < 0 then "Say"('it is less than nothing') else null,"""
)


def _converted(unit: str) -> str:
    """A quantity in the unit of the limit; nobody counts in moles, which are numbers in UCUM."""
    moles = """ and not Matches("Code in UCUM"(quantity), '.*(mol|osm|eq).*')"""
    return _CONVERTED.format(unit=escaped(unit), counted="" if "mol" in unit else moles)


_CONVERTED = """\
if "Code in UCUM"(quantity) is not null{counted}
    then (convert System.Quantity {{ value: quantity.value.value * 1.00000000,
      unit: "Code in UCUM"(quantity) }} to '{unit}').value
    else null"""
"""Times 1.0…: Java's converter rounds whole numbers, 49999 /uL to 50 10*9/L."""


def _compared(direction: str, number: str) -> dict[str, str]:
    """Whether a value surely goes beyond a limit, or surely keeps to it; the order to the worst."""
    if direction == "above":
        beyond, kept, worst = ("lowest >", "lowest =", ">"), "highest <=", "asc"
    else:
        beyond, kept, worst = ("highest <", "highest =", "<"), "lowest >=", "desc"
    far, near, sign = beyond
    exceeded = f"{far} {number} or ({near} {number} and R.comparator = '{sign}')"
    return {
        "exceeded": f"Coalesce({exceeded}, false)",
        "kept": f"Coalesce({kept} {number}, false)",
        "worst": worst,
    }


def _noticed(rule: Rule) -> str:
    """Whether a value within the limit lies in the band that is noticed."""
    assert rule.limit, "only a limit has a band beside it"
    sign = ">=" if rule.limit.direction == "above" else "<="
    title = _name(rule)
    return f"""\
define "{title} noticed":
  "{title} state" = 'met' and "{title} deciding".measured {sign} {rule.limit.notice}
"""
