"""Slices: which of them an item of a list belongs to, and the rules of the slicing itself.

The items are looked at in their order; each belongs to the first slice whose conditions, one a
discriminator, it meets (http://hl7.org/fhir/R4/profiling.html#slicing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.issues import Json, Severity
from fhirpkg.validation.compiling.slicing_rules import (
    NOT_CHECKED_SLICING,
    SLICE_CLOSED,
    SLICE_DISCRIMINATOR,
    SLICE_OPEN_AT_END,
    SLICE_ORDER,
    SLICE_SEVERAL,
)
from fhirpkg.validation.elements.rules import (
    CARDINALITY_MAX,
    CARDINALITY_MIN,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.validation.elements.forms import Item
    from fhirpkg.validation.places import Trail
    from fhirpkg.validation.run import Run

    Condition = Callable[[Item, Run], bool | None]
    Functions = tuple[tuple[Callable[..., object], Json], ...]


class Case(NamedTuple):
    """One slice: its condition, how many items it wants, and how those are sliced again."""

    name: str
    condition: Condition
    min: int
    max: int | None
    inner: Sliced | None


class Sliced(NamedTuple):
    """A slicing ready to run; `unclear` says why items cannot be distinguished, if they cannot.

    `default` is the number of the case for items that are in no other, if there is one.
    """

    element: str
    cases: tuple[Case, ...]
    rules: str
    ordered: bool
    profile: str
    unclear: str
    default: int | None = None
    is_discriminated: bool = True


def check_slices(
    found: list[Item], sliced: Sliced, functions: Functions, trail: Trail, run: Run
) -> None:
    """Put items into slices and check each by its slice; `functions` are those of the slices."""
    if sliced.unclear:
        _check_unclear(found, sliced, trail, run)
        return
    groups: list[list[Item]] = [[] for _ in sliced.cases]
    doubts = [0] * len(sliced.cases)
    last = -1
    unmatched = False
    for item in found:
        number, possible = _slice_of(item, sliced, run)
        if possible:
            _note_doubt(item, sliced, possible, doubts, run)
            continue
        if number is None:
            _check_unmatched(item, sliced, run)
            unmatched = True
            continue
        _check_order(item, sliced, number, last, unmatched, run)
        _check_single(item, sliced, number, run)
        last = max(last, number)
        groups[number].append(item)
        functions[number][0](*item, run)
    for case, group, doubtful, (_, inner) in zip(
        sliced.cases, groups, doubts, functions, strict=True
    ):
        _check_count(case, group, sliced, trail, run, doubtful)
        if case.inner is not None and not doubtful:
            check_slices(group, case.inner, inner, trail, run)


def _check_unclear(found: list[Item], sliced: Sliced, trail: Trail, run: Run) -> None:
    """Report that items cannot be distinguished, and slices that have too few in any case.

    Slices without discriminators are allowed, and then left to people.
    """
    rule = SLICE_DISCRIMINATOR if sliced.is_discriminated else NOT_CHECKED_SLICING
    for item in found:
        run.report(
            rule,
            item[1],
            profile=sliced.profile,
            element=sliced.element,
            reason=sliced.unclear,
        )
    for case in sliced.cases:
        if len(found) < case.min:
            _check_count(case, found, sliced, trail, run)


def _slice_of(item: Item, sliced: Sliced, run: Run) -> tuple[int | None, list[int]]:
    """The slice that an item is in, or those that it may be in for all that is known."""
    possible: list[int] = []
    for number, case in enumerate(sliced.cases):
        verdict = case.condition(item, run)
        if verdict:
            return number, []
        if verdict is None:
            possible.append(number)
    return None if possible else sliced.default, possible


def _note_doubt(
    item: Item, sliced: Sliced, possible: list[int], doubts: list[int], run: Run
) -> None:
    """Say which slices an item may be in, and count it for each."""
    for number in possible:
        doubts[number] += 1
    names = ", ".join(sliced.cases[number].name for number in possible)
    run.report(
        NOT_CHECKED_SLICING,
        item[1],
        severity=Severity.INFORMATION,
        profile=sliced.profile,
        element=sliced.element,
        reason=f"no loaded definition says whether it is in {names}",
    )


def _check_unmatched(item: Item, sliced: Sliced, run: Run) -> None:
    if sliced.rules == "closed":
        names = ", ".join(case.name for case in sliced.cases)
        run.report(
            SLICE_CLOSED, item[1], profile=sliced.profile, element=sliced.element, names=names
        )


def _check_order(
    item: Item, sliced: Sliced, number: int, last: int, unmatched: bool, run: Run
) -> None:
    name = sliced.cases[number].name
    where: dict[str, Json] = {"profile": sliced.profile, "element": sliced.element, "name": name}
    if sliced.ordered and number < last:
        run.report(SLICE_ORDER, item[1], after=sliced.cases[last].name, **where)
    if unmatched and sliced.rules == "openAtEnd":
        run.report(SLICE_OPEN_AT_END, item[1], **where)


def _check_single(item: Item, sliced: Sliced, number: int, run: Run) -> None:
    """Slices exclude each other; those of a choice all hold its one value."""
    if sliced.element.endswith("[x]"):
        return
    name = sliced.cases[number].name
    for other in sliced.cases[number + 1 :]:
        if other.condition(item, run):
            where: dict[str, Json] = {"profile": sliced.profile, "element": sliced.element}
            run.report(SLICE_SEVERAL, item[1], name=name, other=other.name, **where)
            return


def _check_count(
    case: Case, group: list[Item], sliced: Sliced, trail: Trail, run: Run, doubtful: int = 0
) -> None:
    element = f"{sliced.element}:{case.name}"
    if len(group) + doubtful < case.min:
        run.report(
            CARDINALITY_MIN,
            trail,
            profile=sliced.profile,
            element=element,
            min=case.min,
            found=len(group),
        )
    if case.max is not None and len(group) > case.max:
        run.report(
            CARDINALITY_MAX,
            group[case.max][1],
            profile=sliced.profile,
            element=element,
            max=case.max,
            found=len(group),
        )
