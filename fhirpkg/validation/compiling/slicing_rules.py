"""Rules of slicing: how the repeats of an element are divided."""

from fhirpkg.rules import error, warning

_SLICING = "http://hl7.org/fhir/R4/profiling.html#slicing"

SLICE_CLOSED = error(
    "slice-closed",
    "structure",
    title="In a closed slicing every item belongs to a slice",
    text="this item of {element} matches none of its slices: {names}",
    spec=_SLICING,
)
SLICE_SEVERAL = error(
    "slice-several",
    "structure",
    title="An item belongs to one slice only",
    text="this item of {element} matches two slices, '{name}' and '{other}'",
    spec=_SLICING,
)
SLICE_ORDER = error(
    "slice-order",
    "structure",
    title="In an ordered slicing the slices follow their order",
    text="slice '{name}' of {element} must come before slice '{after}'",
    spec=_SLICING,
)
SLICE_OPEN_AT_END = error(
    "slice-open-at-end",
    "structure",
    title="In a slicing open at its end, other items come last",
    text="slice '{name}' of {element} comes after an item that belongs to no slice",
    spec=_SLICING,
)
SLICE_DISCRIMINATOR = warning(
    "slice-discriminator",
    "invalid",
    title="Slices constrain what their discriminators look at",
    text="the slice of this {element} cannot be determined: {reason}",
    spec="http://hl7.org/fhir/R4/profiling.html#discriminator",
    is_strict=True,
)
NOT_CHECKED_SLICING = warning(
    "not-checked-slicing",
    "not-supported",
    title="The slices of an element can be distinguished",
    text="the slice of this {element} was not determined: {reason}",
    spec="http://hl7.org/fhir/R4/profiling.html#discriminator",
)
