"""The rules for one element, in ElementDefinition's words: what a check is compiled from.

A schema is a tree of plain values between the definition and the code that runs: it can be read,
compared and printed as JSON (http://hl7.org/fhir/R4/elementdefinition.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from fhirpkg.issues import Json


class TypeRef(NamedTuple):
    """A type that a value may have, with the profiles it or its target must meet."""

    code: str
    profiles: tuple[str, ...] = ()
    target_profiles: tuple[str, ...] = ()
    aggregation: tuple[str, ...] = ()
    versioning: str = ""


class Binding(NamedTuple):
    """The value set that codes come from; `max_value_set` binds whatever the strength.

    `additional` are further value sets, each with its purpose.
    """

    strength: str
    value_set: str
    max_value_set: str = ""
    additional: tuple[tuple[str, str], ...] = ()


class Constraint(NamedTuple):
    """An invariant: a FHIRPath that must be true."""

    key: str
    severity: str
    human: str
    expression: str
    source: str = ""
    best_practice: bool = False
    suppressed: bool = False
    """Whether a profile leaves it out, which it may unless it is an error."""


class Value(NamedTuple):
    """A value that a definition states, with the type it is stated in."""

    type: str
    value: Json


class NarrativeControl(NamedTuple):
    """What a profile wants of narrative: sections by language, and texts that state their source.

    `languages` holds codes, `_yes`, `_no` or `_resource`; `sources` is a severity.
    """

    languages: tuple[str, ...] = ()
    sources: str = ""


class Discriminator(NamedTuple):
    """What distinguishes the slices of a list: the kind and the path to look at."""

    type: str
    path: str


class Slice(NamedTuple):
    """One slice: its name and the rules for the items in it."""

    name: str
    element: ElementSchema


class Slicing(NamedTuple):
    """How the repeats of an element are divided (profiling.html#slicing)."""

    discriminators: tuple[Discriminator, ...]
    rules: str
    ordered: bool
    slices: tuple[Slice, ...]


class ElementSchema(NamedTuple):
    """The rules for one element. `min`, `max` count repeats; `is_list` is about JSON's form.

    `choices` are the types that a choice's JSON properties are named by, whatever a profile leaves.
    `alternatives` are the extensions that may replace a value that is required.
    `content` names what holds the children where that is not the element's one type: a backbone's
    own path or that of a content reference; in profiles, always the type or path refined.
    """

    id: str
    path: str
    name: str
    min: int = 0
    max: int | None = None
    is_list: bool = False
    is_choice: bool = False
    types: tuple[TypeRef, ...] = ()
    choices: tuple[str, ...] = ()
    content: str = ""
    fixed: Value | None = None
    pattern: Value | None = None
    min_value: Value | None = None
    max_value: Value | None = None
    max_length: int | None = None
    min_length: int | None = None
    form: str | None = None
    alternatives: tuple[str, ...] | None = None
    narrative: NarrativeControl | None = None
    binding: Binding | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    children: tuple[ElementSchema, ...] = ()

    def child(self, name: str) -> ElementSchema | None:
        """The element of a name below this one, a choice without its type."""
        return next((child for child in self.children if child.name == name), None)
