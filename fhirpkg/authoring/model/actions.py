"""Actions: what is ordered, done, given or explained, with times, medicines and conditions."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StrictBool, model_validator

from fhirpkg.authoring.model.parts import Part, Titled
from fhirpkg.authoring.model.values import (
    Count,
    Dose,
    HowOften,
    Id,
    Ids,
    MaxDose,
    Moments,
    Names,
    Period,
    Text,
)

Priority = Literal["routine", "urgent", "asap", "stat"]
Choice = Literal["any", "all", "all-or-none", "exactly-one", "at-most-one", "one-or-more"]
Kind = Literal["order", "task", "message", "medicine", "device", "material"]


class Alternatives(Part):
    """People of whom one is needed."""

    one_of: Ids = Field(
        alias="one-of",
        min_length=2,
        description="Ids of personnel, any one of whom is needed",
        examples=[["radiologist", "urologist"]],
    )


class Condition(Part):
    """What has to hold: something looked up in the record, or a question to people."""

    criterion: Id | None = Field(
        None,
        description="The id of a criterion: the action applies when it is on record, or beyond "
        "its limit when it has one",
        examples=["biliary-stent"],
    )
    asked: str = Field(
        "",
        description="A question that people answer with yes before the action is done",
        examples=["Is a polyp found?"],
    )

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        if bool(self.criterion) == bool(self.asked):
            raise ValueError("just one of criterion, asked")
        return self


def _listed(value: object) -> object:
    """One condition for a list of one."""
    return [value] if isinstance(value, (str, dict)) else value


def _steps_in(only_if: tuple[str | Condition, ...]) -> list[str]:
    """The ids of steps among conditions: words have a space."""
    return [each for each in only_if if isinstance(each, str) and " " not in each]


def _below_one_step(only_if: tuple[str | Condition, ...]) -> tuple[str | Condition, ...]:
    if len(_steps_in(only_if)) > 1:
        raise ValueError("one step that has to be chosen, not several")
    return only_if


_ANY_CONDITION = Text | Condition | tuple[Text | Condition, ...]
Conditions = Annotated[
    tuple[Text | Condition, ...],
    BeforeValidator(_listed, _ANY_CONDITION),
    AfterValidator(_below_one_step),
]


class Specimen(Part):
    """What is taken from the patient to be examined."""

    of: Names = Field(
        description="What it is of: a name under 'codes', or words", examples=["Colonic mucosa"]
    )
    in_: str = Field(
        "",
        alias="in",
        description="The container or medium that it is kept in",
        examples=["buffered formalin"],
    )

    @property
    def words(self) -> str:
        """What it is, and what it is kept in, on one line."""
        return ", ".join(self.of) + (f", in {self.in_}" if self.in_ else "")


class Action(Titled):
    """Something ordered, done, given or explained; it may have parts."""

    id: Id = Field(description="Its id, by which other items refer to it", examples=["blood-tests"])
    kind: Kind | None = Field(
        None,
        description="Makes a separate definition that can be applied to a patient: an order, "
        "a task, a message, a medicine, a device (implant) or material",
        examples=["order"],
    )
    code: Names = Field((), description="Names under 'codes'", examples=["Complete blood count"])
    who: Ids | Alternatives = Field(
        (),
        description="'patient', or ids of the personnel; under 'one-of' those of whom one is "
        "needed",
        examples=[["nurse", "patient"], {"one-of": ["radiologist", "urologist"]}],
    )
    goals: Ids = Field(
        (), description="Ids of the benefits and risks that it serves", examples=[["bleeding"]]
    )
    choose: Choice | None = Field(
        None, description="Which of the parts are to be done", examples=["exactly-one"]
    )
    needed: Literal["must", "could"] | None = Field(
        None, description="Whether it must be done or may be left out", examples=["could"]
    )
    repeats: StrictBool = Field(
        default=False, description="Whether it may be done several times", examples=[True]
    )
    priority: Priority | None = Field(
        None, description="How urgent an order for it is", examples=["urgent"]
    )
    only_if: Conditions = Field(
        (),
        alias="only-if",
        description="The id of the step that has to be chosen, a condition, or plain words, which "
        "become a question; of a list, all have to hold",
        examples=[
            "sedation",
            {"asked": "Is a polyp found?"},
            {"criterion": "biliary-stent"},
            ["sedation", {"criterion": "biliary-stent"}],
        ],
    )

    when: Moments = Field(
        (),
        description="When, relative to the procedure or one of its steps: before, after, during, a "
        "span before or after, between two steps, a time of the day; several moments as a list",
        examples=["7 d before", "from 8 h before", ["3 mo after", "6 mo after"], "at night"],
    )
    for_: Period | None = Field(
        None, alias="for", description="For how long in total", examples=["1 wk"]
    )
    every: Period | None = Field(
        None, description="The time from one repetition to the next", examples=["14 d"]
    )
    times: Count | None = Field(None, description="How many times in total", examples=[12])
    how_often: HowOften | None = Field(
        None,
        alias="how-often",
        description="How often a day, a week or a month",
        examples=["once daily", "3 times daily"],
    )

    medicine: Text | None = Field(
        None, description="The medicine to give: a name under 'codes'", examples=["Enoxaparin"]
    )
    stop: Text | None = Field(
        None,
        description="The medicine not to take or to give: a name under 'codes'",
        examples=["Warfarin"],
    )
    dose: Dose | None = Field(
        None, description="One dose with its unit, as the source states it", examples=["40 mg"]
    )
    route: Text | None = Field(None, description="How it is given", examples=["subcutaneous"])
    sites: Names = Field(
        (),
        description="Where on the body the medicine is given: names under 'codes', or words; of "
        "several the checklist asks which",
        examples=["Left thigh", ["Left eye", "Right eye"]],
    )
    if_needed: StrictBool | Text = Field(
        default=False,
        alias="if-needed",
        description="Whether it is taken only when needed, or for what",
        examples=[True, "for pain"],
    )
    max: MaxDose | None = Field(
        None, description="The maximum in a period of time", examples=["4 g in 24 h"]
    )

    specimen: Specimen | None = Field(
        None,
        description="Samples that are taken to be examined",
        examples=[{"of": "Colonic mucosa", "in": "buffered formalin"}],
    )
    parts: tuple[Action, ...] = Field(
        (),
        description="The actions it consists of",
        examples=[[{"id": "ct", "text": "Images by CT", "from": "preparation-3"}]],
    )

    @model_validator(mode="after")
    def _is_a_medicine_or_not(self) -> Self:
        if self.medicine and self.stop:
            raise ValueError("'medicine' or 'stop', not both")
        product = self.medicine or self.stop
        if self.kind == "medicine" and not (product or self.todo):
            raise ValueError("'medicine' or 'stop' with the name of the medicine")
        if product and self.kind not in (None, "medicine"):
            raise ValueError("'kind: medicine' with 'medicine' or 'stop'")
        if self.sites and self.makes != "medicine":
            raise ValueError("'sites' with a medicine")
        return self

    @property
    def makes(self) -> Kind | None:
        """What kind of definition it has; one that names a medicine is of that kind."""
        return self.kind or ("medicine" if self.medicine or self.stop else None)

    @property
    def people(self) -> tuple[str, ...]:
        """The ids of all who take part."""
        return self.who.one_of if isinstance(self.who, Alternatives) else self.who

    @property
    def step_needed(self) -> str:
        """The id of the step that has to be chosen for it."""
        return next(iter(_steps_in(self.only_if)), "")

    @property
    def chooses_site(self) -> bool:
        """Whether the checklist asks at which of several sites the medicine is given."""
        return len(self.sites) > 1

    @property
    def criteria(self) -> tuple[str, ...]:
        """The ids of the criteria that have to hold."""
        found = (each.criterion for each in self.only_if if isinstance(each, Condition))
        return tuple(filter(None, found))

    @property
    def questions(self) -> dict[str, str]:
        """The questions that people answer before it is done, by their linkIds."""
        asked = [
            each.asked
            if isinstance(each, Condition)
            else f"{self.heading}: does this hold? Only if {each}"
            for each in self.only_if
            if isinstance(each, Condition) or " " in each
        ]
        first = f"only-if-{self.id}"
        return {
            f"{first}-{n}" if n > 1 else first: text
            for n, text in enumerate(filter(None, asked), 1)
        }
