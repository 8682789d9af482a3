"""What the elements of a StructureDefinition may state, each for itself.

See http://hl7.org/fhir/R4/elementdefinition.html#interpretation.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from fhirpkg.untrusted import numbered, text_of
from fhirpkg.validation.conformance.rules import (
    STRUCTURE_DEFINITION_CHARACTERISTIC,
    STRUCTURE_DEFINITION_ID,
    STRUCTURE_DEFINITION_PATH,
    STRUCTURE_DEFINITION_PROPERTY,
    STRUCTURE_DEFINITION_SLICING,
    STRUCTURE_DEFINITION_VALUE_TYPE,
)
from fhirpkg.validation.conformance.type_profiles import check_type_profiles, check_types
from fhirpkg.validation.elements.rules import (
    ELEMENT_ID_REPEATED,
)

if TYPE_CHECKING:
    from fhirpkg.issues import Path, Resource
    from fhirpkg.validation.run import Run

_TEXTS = "base64Binary canonical code id markdown oid string uri url uuid xhtml".split()
_NUMBERS = "date dateTime decimal instant integer positiveInt time unsignedInt".split()
_QUANTITIES = "Quantity Age Count Distance Duration MoneyQuantity SimpleQuantity".split()
_CODED = "code Coding CodeableConcept CodeableReference string uri url oid uuid".split()
_CHARACTERISTICS = {
    "binding": (
        "a binding",
        [*_CODED, *_QUANTITIES, "canonical", "markdown", "Range", "Extension"],
    ),
    "maxLength": ("a maximal length", [*_TEXTS, *_NUMBERS]),
    "minValue": ("a minimal value", [*_NUMBERS, *_QUANTITIES, "Money"]),
    "maxValue": ("a maximal value", [*_NUMBERS, *_QUANTITIES, "Money"]),
}
"""What an element may state, in words, and the types that it makes sense for."""


_TYPED = re.compile(r"^(fixed|pattern|minValue|maxValue|defaultValue)[A-Z]\w*$")
"""The key of a choice, which has the type of its value behind its name."""
_OF_ROOT = "sliceName slicing requirements defaultValue fixed pattern example minValue maxValue"
_PROHIBITED = {
    ("constraint", True): [*_OF_ROOT.split(), "meaningWhenMissing", "maxLength"],
    ("constraint", False): [],
    ("specialization", True): _OF_ROOT.split(),
    ("specialization", False): "sliceName fixed pattern minValue maxValue".split(),
}
"""What an element of a snapshot does not state, by derivation and whether it is the root."""


def check_elements(structure: Resource, path: Path, run: Run) -> None:
    """Report elements of the differential and the snapshot that state what they may not."""
    tail = text_of(structure, "type").rpartition("/")[2]
    for part in ("differential", "snapshot"):
        ids: set[str] = set()
        for place, element in numbered(structure.get(part), "element", (*path, part)):
            _check_id(element, ids, place, run)
            _check_path(element, tail, place, run)
            stated = {_name_of(key): key for key in element}
            _check_characteristics(element, stated, place, run)
            _check_value_type(element, stated, place, run)
            check_type_profiles(element, place, run)
            if structure.get("kind") != "logical":
                check_types(element, place, run)
            _check_properties(element, stated, _prohibited(structure, element, part), place, run)
            if part == "snapshot":
                _check_typed(element, place, run)
                _check_slicing(element, place, run)


@functools.lru_cache(maxsize=1000)
def _name_of(key: str) -> str:
    """The name of the element under a JSON key, of a choice without its type."""
    match = _TYPED.match(key)
    return match[1] if match else key


def _check_slicing(element: Resource, place: Path, run: Run) -> None:
    """What its own type lets occur once is not sliced, but for choices."""
    path, base = text_of(element, "path"), element.get("base")
    is_own = isinstance(base, dict) and (base.get("path"), base.get("max")) == (path, "1")
    if "slicing" in element and is_own and not path.endswith("[x]"):
        problem = f"{path} occurs once and cannot be sliced"
        run.report(STRUCTURE_DEFINITION_SLICING, (*place, "slicing"), problem=problem)


def _check_id(element: Resource, ids: set[str], place: Path, run: Run) -> None:
    """A differential has the ids of its snapshot, so only those of one list are compared."""
    identifier = text_of(element, "id")
    if identifier in ids:
        run.report(ELEMENT_ID_REPEATED, place, id=identifier)
    elif identifier:
        ids.add(identifier)
    path, name = text_of(element, "path"), text_of(element, "sliceName")
    if identifier and path and not _names(identifier, path, name):
        found = f"{path}:{name}" if name else path
        run.report(STRUCTURE_DEFINITION_ID, place, id=identifier, found=found)


def _names(identifier: str, path: str, slice_name: str) -> bool:
    """Whether an id says the path, with the names of slices; those may have dots of their own."""
    steps, expected = identifier.split("."), path.split(".")
    if len(steps) != len(expected):
        return ":" in identifier
    last = identifier.rpartition(":")[2] if ":" in steps[-1] else ""
    return last == slice_name and all(
        step == want or (step.startswith(want.removesuffix("[x]")) and want.endswith("[x]"))
        for step, want in zip((s.partition(":")[0] for s in steps), expected, strict=True)
    )


def _prohibited(structure: Resource, element: Resource, part: str) -> list[str]:
    """What an element of the differential or the snapshot does not state."""
    path, derivation = text_of(element, "path"), text_of(structure, "derivation")
    if structure.get("kind") == "primitive-type":
        return []  # the value of an integer has its limits
    if part == "snapshot":
        names = _PROHIBITED.get((derivation, "." not in path), [])
        is_form = structure.get("kind") == "logical"  # as the question libraries of SDC
        return [name for name in names if not (is_form and name in {"minValue", "maxValue"})]
    is_extension = path.rpartition(".")[2] in {"extension", "Extension"}
    return ["meaningWhenMissing"] if derivation == "constraint" and not is_extension else []


def _check_properties(
    element: Resource, stated: dict[str, str], prohibited: list[str], place: Path, run: Run
) -> None:
    for name in prohibited:
        if name in stated:
            problem = f"{name} is not for {text_of(element, 'path')} in such a definition"
            run.report(STRUCTURE_DEFINITION_PROPERTY, place, problem=problem)


def _check_typed(element: Resource, place: Path, run: Run) -> None:
    path = text_of(element, "path")
    if "." in path and not {"type", "contentReference"} & set(element):
        problem = f"{path} has neither types nor a content reference"
        run.report(STRUCTURE_DEFINITION_PROPERTY, place, problem=problem)


def _check_path(element: Resource, tail: str, place: Path, run: Run) -> None:
    path = text_of(element, "path")
    if path and tail and path != tail and not path.startswith(f"{tail}."):
        run.report(STRUCTURE_DEFINITION_PATH, place, found=path, type=tail)


def _types(element: Resource) -> list[str]:
    """The types an element states; none when one is FHIRPath's own, whose JSON goes by another."""
    codes = [text_of(type_, "code") for _, type_ in numbered(element, "type")]
    return [] if any(":" in code for code in codes) else [code for code in codes if code]


def _check_characteristics(
    element: Resource, stated: dict[str, str], place: Path, run: Run
) -> None:
    types = _types(element)
    for name, (words, allowed) in _CHARACTERISTICS.items():
        if name in stated and types and not set(types) & set(allowed):
            run.report(
                STRUCTURE_DEFINITION_CHARACTERISTIC,
                place,
                stated=words,
                types=", ".join(types),
                allowed=", ".join(allowed),
            )


def _check_value_type(element: Resource, stated: dict[str, str], place: Path, run: Run) -> None:
    types = _types(element)
    for name in ("fixed", "pattern"):
        key = stated.get(name, "")
        found = key.removeprefix(name)
        if key and types and found.lower() not in {code.lower() for code in types}:
            run.report(
                STRUCTURE_DEFINITION_VALUE_TYPE,
                (*place, key),
                key=key,
                found=found,
                allowed=", ".join(types),
            )
