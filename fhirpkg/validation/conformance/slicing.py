"""What a differential may say of slicing (http://hl7.org/fhir/R4/profiling.html#slicing)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.definitions.typemodel import type_code
from fhirpkg.untrusted import numbered, text_of

if TYPE_CHECKING:
    from fhirpkg.definitions.snapshot import Refinement
    from fhirpkg.issues import Resource

_IMPLIED = (".extension", ".modifierExtension", "[x]")
_BY_TYPE = [("type", "$this")]


def slicing_problem(step: Refinement) -> str:
    """What is wrong with the slicing that an element states, or with the slice that it is."""
    return _stated(step) or _slice(step)


def is_unannounced(step: Refinement) -> bool:
    """Whether an element is named as a slice of what is not sliced; of some it need not be said."""
    path = text_of(step.element, "path")
    return bool(step.sliced) and "slicing" not in step.sliced and not path.endswith(_IMPLIED)


def _stated(step: Refinement) -> str:
    here = step.element.get("slicing")
    if not isinstance(here, dict):
        return ""
    path, there = text_of(step.element, "path"), step.before.get("slicing")
    is_choice = path.endswith("[x]")
    if not isinstance(there, dict):
        return "" if is_choice or _repeats(step) else f"{path} occurs once and cannot be sliced"
    rules, before = text_of(here, "rules"), text_of(there, "rules")
    if rules == "open" and before in {"closed", "openAtEnd"} and not is_choice:
        return f"its slicing is open, but {before} in its base"
    if {here.get("ordered"), there.get("ordered")} == {True, False}:
        return "its slicing is ordered here but not in its base, or the other way round"
    mine, known = _discriminators(here), _discriminators(there)
    if mine and known and mine[: len(known)] != known:
        words = ", ".join(f"{kind}:{path}" for kind, path in known)
        return f"its slicing does not begin with the discriminators of its base: {words}"
    return ""


def _repeats(step: Refinement) -> bool:
    """Whether an element can occur more than once, if only in the type that defines it."""
    defined = step.before.get("base", {}).get("max")
    return defined != "1" and (step.before.get("max") != "1" or step.element.get("max") == "1")


def _discriminators(slicing: Resource) -> list[tuple[str, str]]:
    return [(text_of(d, "type"), text_of(d, "path")) for _, d in numbered(slicing, "discriminator")]


def _slice(step: Refinement) -> str:
    name, path = text_of(step.element, "sliceName"), text_of(step.element, "path")
    if not name or not step.sliced:
        return ""
    if step.is_locked_out:
        return f"'{name}' is a new slice, but the slicing is closed in its base"
    slicing = step.sliced.get("slicing")
    if path.endswith("[x]") and isinstance(slicing, dict):
        return _slice_of_choice(step, slicing)
    return ""


def _slice_of_choice(step: Refinement, slicing: Resource) -> str:
    """A choice is sliced by its type, unordered, into slices like `valueQuantity`."""
    stated = _discriminators(slicing)
    if (stated and stated != _BY_TYPE) or slicing.get("ordered") is True:
        return "a choice is sliced by type:$this, unordered"
    types = [type_code(type_) for _, type_ in numbered(step.element, "type")]
    if len(types) != 1:
        return ""
    stem = text_of(step.element, "path").rpartition(".")[2].removesuffix("[x]")
    wanted = stem + types[0][:1].upper() + types[0][1:]
    found = text_of(step.element, "sliceName")
    return "" if found == wanted else f"the slice for {types[0]} is '{wanted}', not '{found}'"
