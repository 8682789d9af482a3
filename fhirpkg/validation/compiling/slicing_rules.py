"""Rules of slicing: how the repeats of an element are divided."""

from fhirpkg.rules import error, warning

_SLICING = "http://hl7.org/fhir/R4/profiling.html#slicing"

SLICE_CLOSED = error(
    "slice-closed",
    "structure",
    title="In a closed slicing every item is in a slice",
    text="this item of {element} is in none of its slices: {names}",
    spec=_SLICING,
)
SLICE_SEVERAL = error(
    "slice-several",
    "structure",
    title="An item is in one slice only",
    text="this item of {element} is in the slices '{name}' and '{other}'",
    spec=_SLICING,
)
SLICE_ORDER = error(
    "slice-order",
    "structure",
    title="In an ordered slicing the slices come in their order",
    text="slice '{name}' of {element} stands after slice '{after}'",
    spec=_SLICING,
)
SLICE_OPEN_AT_END = error(
    "slice-open-at-end",
    "structure",
    title="In a slicing open at its end, items in no slice come last",
    text="slice '{name}' of {element} stands after an item that is in no slice",
    spec=_SLICING,
)
SLICE_DISCRIMINATOR = warning(
    "slice-discriminator",
    "invalid",
    title="A slice says something where its discriminators look",
    text="which slice of {element} this is cannot be told: {reason}",
    spec="http://hl7.org/fhir/R4/profiling.html#discriminator",
    is_strict=True,
)
NOT_CHECKED_SLICING = warning(
    "not-checked-slicing",
    "not-supported",
    title="The slices of an element can be told apart",
    text="which slice of {element} this is cannot be told: {reason}",
    spec="http://hl7.org/fhir/R4/profiling.html#discriminator",
)
