"""What is looked up in a patient's record: the criteria of procedure.yaml."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from fhirpkg.authoring.model.parts import Said
from fhirpkg.authoring.model.values import Count, Id, Names, Text, Within


class Criterion(Said):
    """Something that is looked up in a patient's record; it never excludes anybody.

    One of `indications`, `condition`, `observation`, `procedure`, `imaging`, `age` and `sex` says
    what. `text` says why it is looked up.
    """

    id: Id = Field(description="Its id", examples=["inr"])
    title: Text = Field(description="What is looked up, in short", examples=["INR"])
    indications: Literal["any"] | None = Field(
        None, description="A diagnosis of the indications", examples=["any"]
    )
    condition: Names = Field(
        (), description="A condition: names under 'codes'", examples=["Diabetes"]
    )
    observation: Names = Field(
        (), description="A measured value: names under 'codes'", examples=["Platelet count"]
    )
    procedure: Names = Field(
        (), description="Something done: names under 'codes'", examples=["Biliary stent"]
    )
    imaging: Names = Field(
        (), description="Images taken: names under 'codes'", examples=["Computed tomography"]
    )
    age: Count | None = Field(None, description="Minimum age in years", examples=[18])
    sex: Literal["female", "male"] | None = Field(
        None, description="The sex on record", examples=["female"]
    )
    within: Within | None = Field(
        None, description="The maximum age of what is on record", examples=["30 d"]
    )
    limit: (
        Annotated[str, StringConstraints(pattern=r"^(above|below) \d+(\.\d+)?( \S+)?$")] | None
    ) = Field(
        None,
        description="The limit; a value beyond it has to be corrected first",
        examples=["above 1.8", "below 50 10*9/L"],
    )
    notice: Annotated[str, StringConstraints(pattern=r"^((from|to) \d+(\.\d+)?)?$")] = Field(
        "",
        description="The value from which a result within the limit is pointed out",
        examples=["from 1.5"],
    )
    strength: Literal["attention", "correct-first"] = Field(
        "attention",
        description="Whether a value beyond its limit is to be corrected first",
        examples=["correct-first"],
    )
    priority: Literal["routine", "urgent", "asap", "stat"] = Field(
        "routine", description="How urgent it is to settle what is open", examples=["urgent"]
    )
    order: Id | None = Field(
        None, description="The id of the preparation that settles it", examples=["blood-count"]
    )
    missing: str = Field(
        "",
        description="The message when it is not on record; without it there is none",
        examples=["No INR is on record."],
    )
    exceeded: str = Field(
        "",
        description="The message when the value is beyond its limit",
        examples=["The latest INR is above 1.8."],
    )

    noticed: str = Field(
        "",
        description="The message when the value is in the band of 'notice'",
        examples=["The INR lies between 1.5 and 1.8."],
    )

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        given = [name for name in _LOOKED_UP if getattr(self, name)]
        if len(given) != 1:
            raise ValueError(f"just one of {', '.join(_LOOKED_UP)}, which says what is looked up")
        if bool(self.limit) != bool(self.exceeded) or (self.limit and not self.observation):
            raise ValueError("'limit' and 'exceeded' together, with 'observation'")
        if bool(self.notice) != bool(self.noticed) or (self.notice and not self.limit):
            raise ValueError("'notice' and 'noticed' together, with 'limit'")
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
