"""The sections of procedure.yaml but for actions and criteria: one class for each kind of item."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, StrictBool

from fhirpkg.authoring.model.actions import Choice
from fhirpkg.authoring.model.parts import Origin, Part, Said, Titled
from fhirpkg.authoring.model.values import (
    Count,
    Day,
    Id,
    Ids,
    Names,
    Odds,
    Span,
    Text,
    Texts,
    Url,
    Within,
)


class Member(Origin):
    """Another procedure of the family, with a code and a definition of its own."""

    use: Text = Field(
        description="A name under 'codes', whose code it is ordered and reported by",
        examples=["Colonoscopy with biopsy"],
    )
    only_if: str = Field(
        "",
        alias="only-if",
        description="When it is this one instead of, or with, the procedure itself",
        examples=["a biopsy is taken"],
    )


class AddOn(Member):
    """What is reported in addition to the procedure."""

    repeats: StrictBool = Field(
        default=False, description="Whether it may be reported several times", examples=[True]
    )


class ProcedureCode(Origin):
    """The concept that the procedure is found, ordered and reported by."""

    use: Text = Field(
        description="A name under 'codes'; the first code there, of any system, is the key that "
        "everything is found by",
        examples=["Percutaneous cryoablation of bone tumors"],
    )
    sites: Names = Field(
        (),
        description="Body sites: names under 'codes', or words",
        examples=[["Left eye", "Right eye"]],
    )
    choose: Choice | None = Field(
        None,
        description="How many of the sites an order names; the checklist then asks which",
        examples=["exactly-one"],
    )
    also: tuple[Member, ...] = Field(
        (),
        description="Other procedures of the family, each with a different code",
        examples=[[{"use": "Colonoscopy with biopsy", "only-if": "a biopsy is taken"}]],
    )
    add_on: tuple[AddOn, ...] = Field(
        (),
        alias="add-on",
        description="What is reported in addition",
        examples=[[{"use": "Each further vessel", "repeats": True}]],
    )


class Purpose(Said):
    """What the procedure is for."""

    goals: Ids = Field(
        (), description="Ids of the benefits that it aims at", examples=[["symptom-relief"]]
    )


class Duration(Said):
    """How long it takes."""

    takes: Span | None = Field(
        None,
        description="One number or two with a unit of time, or an upper or lower bound",
        examples=["1-2 h", "< 30 min"],
    )


class Setting(Said):
    """Where it is done."""

    places: Names = Field(
        (),
        description="Kinds of places: names under 'codes', or words",
        examples=[["Endoscopy unit"]],
    )
    specialty: str = Field(
        "", description="A name under 'codes', or words", examples=["Gastroenterology"]
    )


class Person(Said):
    """Somebody who takes part; without `only`, in the whole procedure."""

    id: Id = Field(description="Its id", examples=["nurse"])
    code: Names = Field(
        (), description="Names under 'codes' that mean the same", examples=["Registered nurse"]
    )
    one_of: Names = Field(
        (),
        alias="one-of",
        description="Kinds of people, any one of whom is needed: names under 'codes', or words",
        examples=[["Radiologist", "Oncologist"]],
    )
    only: Id | None = Field(
        None,
        description="The id of the one step that they are needed for",
        examples=["general-anesthesia"],
    )


class Risk(Said):
    """What can go wrong; with a `goal` it becomes a goal of safety as well."""

    id: Id = Field(description="Its id", examples=["infection"])
    goal: str = Field(
        "", description="The same as what is to be reached, if wanted", examples=["No infection"]
    )
    how_often: Odds | None = Field(
        None,
        alias="how-often",
        description="How often it happens, in the words and numbers of the source",
        examples=["1 in 1000", "1-2 %", "rare"],
    )
    call: str = Field(
        "",
        description="What a patient at home should call about",
        examples=["Signs that the wound may be infected"],
    )
    code: Names = Field((), description="Names under 'codes'", examples=["Wound infection"])


class Target(Origin):
    """How far a benefit shall go, and by when."""

    measure: Text = Field(
        description="A name under 'codes', or words", examples=["Pain severity from 0 to 10"]
    )
    change: Text = Field(description="What is to be reached", examples=["Half the score before"])
    within: Within = Field(description="By when", examples=["8 wk"])


class Benefit(Said):
    """What the patient gains; it becomes a goal."""

    id: Id = Field(description="Its id", examples=["symptom-relief"])
    goal: str = Field(
        "",
        description="The same as what is to be reached; without it the text is the goal",
        examples=["Less pain from the tumor"],
    )
    code: Names = Field((), description="Names under 'codes'", examples=["Bone pain"])
    target: Target | None = Field(
        None,
        description="The value to reach, and by when",
        examples=[{"measure": "Pain score", "change": "Half", "within": "8 wk", "cite": "trial"}],
    )


class Alternative(Titled):
    """What could be done instead."""

    id: Id = Field(description="Its id", examples=["surgery"])
    code: Names = Field((), description="Names under 'codes'", examples=["Excision of a tumor"])


class Equipment(Said):
    """Equipment: an implant, a device that is used, or material that is used up."""

    id: Id = Field(description="Its id", examples=["mesh"])
    kind: Literal["implant", "device", "material"] | None = Field(
        None,
        description="An implant is ordered as a device, material as a supply; a device that is "
        "only used is named, not ordered",
        examples=["implant"],
    )
    code: Names = Field((), description="Names under 'codes', or words", examples=["Surgical mesh"])
    amount: Count | None = Field(None, description="How many", examples=[1])


class Question(Said):
    """A question of the checklist before the procedure."""

    id: Id = Field(description="Its id", examples=["fasted"])
    answer: Literal["yes-no", "choice", "text", "date", "date-time"] = Field(
        description="What the answer is", examples=["yes-no"]
    )
    choices: Texts = Field(
        (), description="The answers to choose from", examples=[["Left", "Right"]]
    )
    prefill: Literal["allergies"] | None = Field(
        None,
        description="What of the patient's record the answer is filled in with, to be confirmed",
        examples=["allergies"],
    )


class Drawing(Part):
    """A drawing of how the procedure works: the file drawing.svg beside procedure.yaml."""

    shows: Text = Field(
        description="A description for those who cannot see it",
        examples=["A thin needle goes through the skin into a tumor in the bone."],
    )
    labels: Texts = Field(
        (),
        description="The meaning of the numbers in it, from 1 on",
        examples=[["Your skin", "The needle"]],
    )


class Evidence(Part):
    """A publication, and what of it is used here in our own words."""

    label: Text = Field(description="A short name for it", examples=["ASA 2023"])
    citation: Text = Field(
        description="Authors, title, journal, year, pages",
        examples=["Jennings JW, et al. The MOTION Study. Radiol Imaging Cancer 2021;3(2)."],
    )
    url: Url = Field("", description="Where it is found", examples=["https://doi.org/10.1000/1"])
    findings: str = Field(
        "",
        description="What it found, in our own words; its numbers may be used where it is cited",
        examples=["66 patients; pain fell by 2.61 points at week 8."],
    )


class Contact(Part):
    """Whom to ask about the content of the procedure."""

    name: Text = Field(description="A person or a body", examples=["Endoscopy committee"])
    email: str = Field("", description="An e-mail address", examples=["endoscopy@example.org"])
    phone: str = Field("", description="A telephone number", examples=["+1 555 0100"])
    url: Url | None = Field(None, description="A page", examples=["https://example.org/endoscopy"])


class Effective(Part):
    """The time in which the content is to be used."""

    from_: Day | None = Field(
        None, alias="from", description="The first day", examples=["2027-01-01"]
    )
    until: Day | None = Field(None, description="The last day", examples=["2028-12-31"])
