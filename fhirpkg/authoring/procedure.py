"""A procedure as a clinician writes it: the model of procedure.yaml, for any procedure.

The same model gives editors their JSON Schema (`fhirpkg schema`). What goes beyond the form of
single values, such as names that must exist elsewhere in the file, is in :mod:`.checks`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]
PascalCase = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$", max_length=32)]
Fact = Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[1-9][0-9]*)?$")]
Count = Annotated[int, Field(ge=1, le=99, strict=True)]


def _as_list(value: Any) -> Any:
    """One value for a list of one."""
    return [value] if isinstance(value, (str, int, Decimal)) else value


Texts = Annotated[tuple[Text, ...], BeforeValidator(_as_list, Text | tuple[Text, ...])]
Facts = Annotated[tuple[Fact, ...], BeforeValidator(_as_list, Fact | tuple[Fact, ...])]
Ids = Annotated[tuple[Id, ...], BeforeValidator(_as_list, Id | tuple[Id, ...])]
Names = Annotated[tuple[Text, ...], BeforeValidator(_as_list, Text | tuple[Text, ...])]
"""Names of concepts, which stand under `codes`."""


class Part(BaseModel):
    """A part of an authored file: frozen, and without keys that the model does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(Part):
    """Where an item comes from: facts of the source, evidence, or a reason of its own."""

    from_: Facts = Field((), alias="from", description="Facts of the source, such as risks-2")
    cite: Ids = Field((), description="Ids of the evidence that supports it")
    added: str = Field("", description="Why it stands here though the source does not have it")


class Said(Origin):
    """Something said, in a clinician's words and, if wanted, in words for patients."""

    text: Text
    patient: str = Field("", description="The same in words for patients")

    @property
    def plain(self) -> str:
        """The words for patients; the clinician's where there are no others."""
        return self.patient or self.text


class ProcedureCode(Origin):
    """The concept that the procedure is found, ordered and reported by."""

    use: Text = Field(description="A name under 'codes'")
    sites: Names = Field((), description="Body sites: names under 'codes'")


class Purpose(Said):
    """What the procedure is for."""

    goals: Ids = Field((), description="Ids of the benefits that it aims at")


class Indication(Said):
    """A reason for the procedure."""

    id: Id
    code: Names = ()
    diagnoses: Names = Field((), description="Concepts for the value set of indications")


class Action(Said):
    """Something ordered, done or told; it may have parts."""

    id: Id
    title: Text
    kind: Literal["order", "task", "message"] | None = Field(
        None, description="Makes a definition of its own that can be applied to a patient"
    )
    code: Names = ()
    who: Ids = Field((), description="'patient', or ids of the personnel")
    goals: Ids = Field((), description="Ids of the benefits and risks that it serves")
    choose: (
        Literal["any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more"] | None
    ) = Field(None, description="Which of the parts are to be done")
    needed: Literal["must", "could"] | None = None
    repeats: StrictBool = False
    parts: tuple[Action, ...] = ()


class Duration(Said):
    """How long it takes."""

    takes: Annotated[
        str, StringConstraints(pattern=r"^\d+(\.\d+)?(-\d+(\.\d+)?)? (s|min|h|d|wk|mo|a)$")
    ] = Field(description="One number or two with a unit of time, such as '1-2 h'")

    @property
    def span(self) -> tuple[Decimal, Decimal | None, str]:
        """The least time, the most when there is one, and the unit."""
        numbers, unit = self.takes.split(" ")
        least, _, most = numbers.partition("-")
        return Decimal(least), Decimal(most) if most else None, unit


class Setting(Said):
    """Where it is done."""

    places: Names = Field(min_length=1, description="Names under 'codes'")
    specialty: str = Field("", description="A name under 'codes'")


class Person(Said):
    """Somebody who takes part; without `only`, in the whole procedure."""

    id: Id
    code: Names = ()
    only: Id | None = Field(None, description="The id of the one step that they are needed for")


class Risk(Said):
    """What can go wrong; it becomes a goal of safety."""

    id: Id
    goal: Text = Field(description="The same as what is to be reached: 'No infection'")
    call: str = Field("", description="What a patient at home should call about")
    code: Names = ()


class Target(Origin):
    """How far a benefit shall go, and by when."""

    measure: Text = Field(description="A name under 'codes'")
    change: Text
    within: Annotated[str, StringConstraints(pattern=r"^\d+ (d|wk|mo|a)$")]


class Benefit(Said):
    """What the patient gains; it becomes a goal."""

    id: Id
    goal: Text
    code: Names = ()
    target: Target | None = None


class Alternative(Said):
    """What could be done instead."""

    id: Id
    title: Text
    code: Names = ()


class Criterion(Said):
    """Something that is looked up in a patient's record; it never excludes anybody.

    One of `indications`, `condition`, `observation`, `procedure`, `imaging`, `age` and `sex` says
    what. `text` says why it is looked up.
    """

    id: Id
    title: Text
    indications: Literal["any"] | None = Field(None, description="A diagnosis of the indications")
    condition: Names = Field((), description="A condition: names under 'codes'")
    observation: Names = Field((), description="A measured value: names under 'codes'")
    procedure: Names = Field((), description="Something done: names under 'codes'")
    imaging: Names = Field((), description="Images taken: names under 'codes'")
    age: Count | None = Field(None, description="At least so many years")
    sex: Literal["female", "male"] | None = None
    within: Annotated[str, StringConstraints(pattern=r"^\d+ (d|wk|mo|a)$")] | None = Field(
        None, description="Not longer ago than this"
    )
    limit: (
        Annotated[str, StringConstraints(pattern=r"^(above|below) \d+(\.\d+)?( \S+)?$")] | None
    ) = Field(None, description="Beyond it the value is to be corrected first: 'below 50 10*9/L'")
    missing: Text = Field(description="What is said when it is not on record")
    exceeded: str = Field("", description="What is said when the value is beyond its limit")

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        given = [name for name in _LOOKED_UP if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"just one of {', '.join(_LOOKED_UP)}, which says what is looked up")
        if bool(self.limit) != bool(self.exceeded) or (self.limit and not self.observation):
            raise ValueError("'limit' and 'exceeded' together, with 'observation'")
        return self

    @property
    def kind(self) -> str:
        """What is looked up; a diagnosis of the indications is a condition."""
        found = next(name for name in _LOOKED_UP if getattr(self, name))
        return "condition" if found == "indications" else found

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the codes it is found by."""
        return self.condition or self.observation or self.procedure or self.imaging

    @property
    def bounds(self) -> tuple[str, str, str]:
        """Direction, number and unit of the limit."""
        direction, number, *unit = (self.limit or "").split(" ")
        return direction, number, unit[0] if unit else ""


_LOOKED_UP = ("indications", "condition", "observation", "procedure", "imaging", "age", "sex")


class Question(Said):
    """A question of the checklist before the procedure."""

    id: Id
    answer: Literal["yes-no", "choice", "text", "date"]
    choices: Texts = ()


class Evidence(Part):
    """A publication, and what of it is used here in our own words."""

    label: Text
    citation: Text
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]\S*$")] = ""
    findings: str = ""


class Origins(Part):
    """The source that the procedure expresses: how many facts and numbers each section has."""

    title: Text
    facts: dict[Annotated[str, StringConstraints(pattern="^[a-z]+$")], Count]
    numbers: dict[str, tuple[Decimal, ...]] = {}

    def labels(self) -> list[str]:
        """The label of each fact, in order: `summary`, `risks-1`, `risks-2`."""
        return [
            section if count == 1 else f"{section}-{number}"
            for section, count in self.facts.items()
            for number in range(1, count + 1)
        ]


class Procedure(Part):
    """One procedure, as procedure.yaml holds it."""

    id: PascalCase = Field(description="The beginning of all ids; stays the same for ever")
    source: Origins
    name: Said
    code: ProcedureCode
    summary: Said
    purpose: Purpose
    indications: tuple[Indication, ...] = Field(min_length=1)
    preparation: tuple[Action, ...] = ()
    steps: tuple[Action, ...] = Field(min_length=1)
    duration: Duration
    setting: Setting
    personnel: tuple[Person, ...] = Field(min_length=1)
    risks: tuple[Risk, ...] = Field(min_length=1)
    benefits: tuple[Benefit, ...] = Field(min_length=1)
    recovery: tuple[Action, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    experience: Said
    criteria: tuple[Criterion, ...] = ()
    checklist: tuple[Question, ...] = ()
    evidence: dict[Id, Evidence] = {}
    codes: dict[Text, Annotated[Names, Field(min_length=1)]] = Field(
        description="Our name for a concept, and its codes"
    )
