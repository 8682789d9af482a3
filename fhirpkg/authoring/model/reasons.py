"""Reasons for and against a procedure: indications, contraindications, and what shows them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from fhirpkg.authoring.model.parts import Part, Said, Titled
from fhirpkg.authoring.model.values import (
    Id,
    Names,
    Within,
)


class Indication(Said):
    """A reason for the procedure."""

    id: Id = Field(description="Its id", examples=["pain"])
    code: Names = Field((), description="Names under 'codes'", examples=["Bone pain"])
    diagnoses: Names = Field(
        (),
        description="Diagnoses that patients with this reason have: names under 'codes', which "
        "make the value set of indications, or words",
        examples=[["Metastasis in bone"]],
    )


class FoundBy(Part):
    """What shows a contraindication in the record of a patient: one of these."""

    condition: Names = Field(
        (), description="A diagnosis: names under 'codes'", examples=["Perforation of intestine"]
    )
    observation: Names = Field(
        (), description="A measured value, with 'limit': names under 'codes'", examples=["INR"]
    )
    limit: str | None = Field(
        None,
        pattern=r"^(above|below) \d+(\.\d+)?( \S+)?$",
        description="Beyond which value it counts",
        examples=["above 1.8", "below 50 10*9/L"],
    )
    procedure: Names = Field(
        (), description="Something done before: names under 'codes'", examples=["Gastrectomy"]
    )
    medicine: Names = Field(
        (), description="A medicine being taken: names under 'codes'", examples=["Warfarin"]
    )
    allergy: Names = Field(
        (), description="An allergy: names under 'codes'", examples=["Iodinated contrast medium"]
    )
    age: str | None = Field(
        None,
        pattern=r"^(above|below) \d{1,3}$",
        description="An age in years; `above 80` does not hold of somebody of 80",
        examples=["below 18"],
    )

    within: Within | None = Field(
        None,
        description="The maximum age of what is on record; what has no date counts, too",
        examples=["3 mo"],
    )

    @model_validator(mode="after")
    def _is_about_one_thing(self) -> Self:
        if len([name for name in FOUND_BY if getattr(self, name)]) != 1:
            raise ValueError(f"just one of {', '.join(FOUND_BY)}")
        if bool(self.limit) != bool(self.observation):
            raise ValueError("'observation' and 'limit' together")
        if self.within and self.kind not in DATED:
            raise ValueError(f"'within' with one of {', '.join(DATED)}")
        return self

    @property
    def kind(self) -> str:
        """What is looked up."""
        return next(name for name in FOUND_BY if getattr(self, name))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the codes it is found by; none for an age."""
        found: tuple[str, ...] = () if self.age else getattr(self, self.kind)
        return found


DATED = ("condition", "observation", "procedure")
"""What is found at a day, so that it can be long ago; a medicine and an allergy are there now."""
FOUND_BY = ("condition", "observation", "procedure", "medicine", "allergy", "age")


class Contraindication(Titled):
    """A reason against the procedure; it is shown and never removes an order."""

    id: Id = Field(description="Its id", examples=["perforation"])
    strength: Literal["absolute", "relative", "caution"] | None = Field(
        None,
        description="How much it weighs, where the source says so",
        examples=["absolute"],
    )
    code: Names = Field(
        (), description="Names under 'codes'", examples=["Perforation of intestine"]
    )
    found_by: FoundBy | None = Field(
        None,
        alias="found-by",
        description="What shows it in the record: a condition, an observation with a limit, a "
        "procedure, a medicine, an allergy or an age",
        examples=[
            {"condition": "Perforation of intestine"},
            {"condition": "Myocardial infarction", "within": "3 mo"},
        ],
    )
    ask: str = Field(
        "",
        description="The question of the checklist that finds it; yes means that it is there",
        examples=["Is a perforation suspected?"],
    )
    say: str = Field(
        "",
        description="The message when it is found; by default the text",
        examples=["A perforation is on record. Do not go on without the endoscopist."],
    )
