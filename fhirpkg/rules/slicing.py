"""Rules of slicing: how the repeats of an element are divided."""

from fhirpkg.rules import ERROR, WARNING, Rule

_SLICING = "http://hl7.org/fhir/R4/profiling.html#slicing"

RULES = (
    Rule(
        "slice-closed",
        ERROR,
        "structure",
        "In a closed slicing every item is in a slice",
        "this item of {element} is in none of its slices: {names}",
        spec=_SLICING,
    ),
    Rule(
        "slice-several",
        ERROR,
        "structure",
        "An item is in one slice only",
        "this item of {element} is in the slices '{name}' and '{other}'",
        spec=_SLICING,
    ),
    Rule(
        "slice-order",
        ERROR,
        "structure",
        "In an ordered slicing the slices come in their order",
        "slice '{name}' of {element} stands after slice '{after}'",
        spec=_SLICING,
    ),
    Rule(
        "slice-open-at-end",
        ERROR,
        "structure",
        "In a slicing open at its end, items in no slice come last",
        "slice '{name}' of {element} stands after an item that is in no slice",
        spec=_SLICING,
    ),
    Rule(
        "slice-discriminator",
        WARNING,
        "invalid",
        "A slice says something where its discriminators look",
        "which slice of {element} this is cannot be told: {reason}",
        spec="http://hl7.org/fhir/R4/profiling.html#discriminator",
        is_strict=True,
    ),
    Rule(
        "not-checked-slicing",
        WARNING,
        "not-supported",
        "The slices of an element can be told apart",
        "which slice of {element} this is cannot be told: {reason}",
        spec="http://hl7.org/fhir/R4/profiling.html#discriminator",
    ),
)
