"""Rules of StructureDefinitions: what their differentials and elements may say."""

from fhirpkg.rules import ERROR, WARNING, Rule

_R4 = "http://hl7.org/fhir/R4"

RULES = (
    Rule(
        "structure-definition-element",
        ERROR,
        "business-rule",
        "A differential names elements of its base, each once and in their order",
        "{problem}",
        spec=f"{_R4}/profiling.html#snapshot",
    ),
    Rule(
        "structure-definition-slice-unannounced",
        WARNING,
        "business-rule",
        "An element says how it is sliced before its slices follow",
        "'{name}' names a slice, but nothing says how its element is sliced",
        "put an element with the same path and `slicing` before it, or leave sliceName out",
        f"{_R4}/profiling.html#slicing",
    ),
    Rule(
        "structure-definition-slicing",
        ERROR,
        "business-rule",
        "A profile slices what repeats, and only narrows how its base does",
        "{problem}",
        spec=f"{_R4}/profiling.html#slicing",
    ),
)
