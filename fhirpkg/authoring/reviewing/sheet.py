"""What a reader gets: a line for each fact of the source, and for each item without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from pydantic import BaseModel

from fhirpkg.authoring.codes import codings
from fhirpkg.authoring.coverage import held_by, origins, words_by_fact
from fhirpkg.authoring.model.criterion import Criterion
from fhirpkg.authoring.model.parts import Origin, Said
from fhirpkg.authoring.model.reasons import Contraindication
from fhirpkg.authoring.model.review import Judged, Signed
from fhirpkg.authoring.model.sections import Target
from fhirpkg.authoring.reviewing.verdicts import digest_of_all, state
from fhirpkg.definitions.terminology.systems import written
from fhirpkg.languages.words import gettext

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.authoring.model.review import Review
    from fhirpkg.authoring.reviewing.verdicts import Reviewed
    from fhirpkg.authoring.terms.sources import Sources
    from fhirpkg.issues import Resource

SIGN_OFF = "sign-off"
"""The label of the last line, which is on the whole."""
WHOLE = "Everything above, as it is now"
"""What the last line is on."""
ADDED = "+"
"""What the label of an item without a fact begins with; the place of the item follows."""
JUDGED, SIGNED = get_args(Judged), get_args(Signed)
_MOST_ELEMENTS = 3
_SAID = (
    "text", "patient", "ask", "say", "limit", "notice", "missing", "exceeded", "noticed", "goal",
    "call", "measure", "change", "within",
)  # fmt: skip
"""What an item without a fact says to people."""


@dataclass(frozen=True, slots=True)
class Line:
    """A fact, or a place of the procedure, with all that a reader needs to judge it."""

    label: str
    words: str
    """What is said, line by line, just as the digest has it."""
    digest: str
    elements: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    criteria: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    earlier: str = ""
    """The verdict that is on record, by whom and when."""

    @property
    def verdicts(self) -> tuple[str, ...]:
        """What may be said of it."""
        return SIGNED if self.label == SIGN_OFF else JUDGED


@dataclass(frozen=True, slots=True)
class Sheet:
    """The lines of one procedure, as it stands."""

    folder: str
    procedure: str
    """Its id."""
    name: str
    package: str
    language: str
    """Of the procedure's own words."""
    lines: tuple[Line, ...]
    left_out: tuple[tuple[str, str], ...] = ()
    """Facts of the source that are left out, each with the reason."""

    def line(self, label: str) -> Line | None:
        """The line of a label, if there is one."""
        return next((line for line in self.lines if line.label == label), None)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What lines are made from."""

    procedure: Procedure
    held: Mapping[str, Sequence[tuple[str, str]]]
    terms: Sources


def sheet(
    package: PackageSource,
    procedure: Procedure,
    resources: Iterable[Resource],
    review: Review | None,
    terms: Sources,
    folder: str = "",
) -> Sheet:
    """The sheet of one procedure: its facts, the items without a fact, and the whole.

    `terms` know displays of codes.
    """
    facts = _Facts(procedure, held_by(resources), terms)
    found = [*_fact_lines(facts, review), *_addition_lines(facts, review)]
    return Sheet(
        folder,
        procedure.id,
        procedure.name.text,
        f"{package.id} {package.version}, {package.date}",
        package.language,
        (*found, _whole(procedure, review)),
        tuple(procedure.source.left_out.items()) if procedure.source else (),
    )


def _fact_lines(facts: _Facts, review: Review | None) -> Iterator[Line]:
    source = facts.procedure.source
    said, every = words_by_fact(facts.procedure), origins(facts.procedure)
    for label in source.labels() if source else ():
        words = said.get(label, [])
        items = [item for item in every if label in item.from_]
        verdict = review.facts.get(label) if review else None
        if words:
            yield _line(facts, label, words, items, state(words, verdict, review))


def _addition_lines(facts: _Facts, review: Review | None) -> Iterator[Line]:
    for place, item in _placed(facts.procedure, ()):
        words = [words for name in _SAID if (words := getattr(item, name, None))]
        verdict = review.additions.get(place) if review else None
        yield _line(facts, ADDED + place, words, [item], state(words, verdict, review))


def _placed(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, Origin]]:
    """The items below a value that express no fact, by their sections and ids."""
    if isinstance(value, Origin) and isinstance(value, (Said, Target)) and not value.from_:
        yield ".".join(path), value
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            inner = path if name == "parts" else (*path, name.strip("_").replace("_", "-"))
            yield from _placed(getattr(value, name), inner)
    elif isinstance(value, tuple):
        for at, item in enumerate(value, 1):
            yield from _placed(item, (*path, str(getattr(item, "id", at))))


def _line(
    facts: _Facts, label: str, words: Sequence[str], items: Sequence[Origin], read: Reviewed
) -> Line:
    procedure = facts.procedure
    places = [place for each in words for place in facts.held.get(each, ())]
    return Line(
        label,
        "\n".join(words),
        read.digest,
        tuple(_elements(places)),
        tuple(dict.fromkeys(code for item in items for code in _codes(item, facts))),
        tuple(words for item in items if (words := _limits(item))),
        tuple(dict.fromkeys(words for item in items for words in _cited(item, procedure))),
        _earlier(read),
    )


def _elements(places: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The first elements that hold what is said, top ones first, and how many others."""
    unique = sorted(dict.fromkeys(places), key=lambda place: len(place[1]))
    for resource, path in unique[:_MOST_ELEMENTS]:
        yield f"{resource} {path}"
    if len(unique) > _MOST_ELEMENTS:
        yield gettext("and {count} more", count=len(unique) - _MOST_ELEMENTS)


def _codes(item: Origin, facts: _Facts) -> Iterator[str]:
    """The codes behind the names that an item uses, with their official displays."""
    for name in _names(item):
        for line in facts.procedure.codes.get(name, ()):
            for coding in codings(line):
                known = facts.terms.find(coding.system, coding.code)
                display = f" {known.display}" if known and known.display else ""
                unknown = f" ({gettext('no display known here')})"
                yield f"{name}: {written(coding.system, coding.code)}{display or unknown}"


def _names(item: BaseModel) -> Iterator[str]:
    """The texts of an item and of its parts that are no items of their own."""
    for name in type(item).model_fields:
        value = getattr(item, name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, str):
                yield each
            elif isinstance(each, BaseModel) and not isinstance(each, Origin):
                yield from _names(each)


def _limits(item: Origin) -> str:
    """What a criterion looks for, with its limit; the same of a contraindication."""
    if isinstance(item, Contraindication):
        found = item.found_by
        if found and found.age:
            return gettext("age {age} years", age=found.age)
        limit = (found.limit if found else "") or gettext("on record")
        return f"{', '.join(found.names)}: {limit}" if found else ""
    if not isinstance(item, Criterion):
        return ""
    parts = (
        item.limit and gettext("limit: {limit}", limit=item.limit),
        item.notice and gettext("noticed {limit}", limit=item.notice),
        gettext("from {age} years of age", age=item.age) if item.age else "",
        item.within and gettext("not older than {time}", time=item.within),
        gettext(item.strength) if item.limit else "",
    )
    return f"{item.title}: {', '.join(filter(None, parts)) or gettext('on record')}"


def _cited(item: Origin, procedure: Procedure) -> Iterator[str]:
    """The evidence that an item cites, and the reason for an item that the source lacks."""
    for name in item.cite:
        evidence = procedure.evidence[name]
        yield " ".join(filter(None, (f"{evidence.label}:", evidence.findings, evidence.url)))
    if item.added:
        yield item.added


def _earlier(read: Reviewed) -> str:
    verdict = read.verdict
    if verdict is None:
        return ""
    stale = f"{gettext('of older words')}: " if read.is_stale else ""
    when = f", {read.on}" if read.on else ""
    note = f": {verdict.note}" if verdict.note else ""
    return f"{stale}{gettext(verdict.verdict)}{note} ({read.by}{when})"


def _whole(procedure: Procedure, review: Review | None) -> Line:
    now = digest_of_all(procedure)
    older = f"{gettext('of an older text')}: "
    signed = [
        f"{'' if each.digest == now else older}{gettext(each.verdict)} ({each.by}, {each.on})"
        for each in (review.sign_off if review else ())
    ]
    return Line(SIGN_OFF, gettext(WHOLE), now, earlier="\n".join(signed))
