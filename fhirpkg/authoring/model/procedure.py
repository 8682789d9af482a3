"""A procedure as a clinician writes it: the model of procedure.yaml, for any procedure.

The same model gives editors their JSON Schema (`fhirpkg schema`). What goes beyond the form of
single values, such as names that must exist elsewhere in the file, is in :mod:`..checks`. Only
what every procedure has is required; a section that the source lacks is left out.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from fhirpkg.authoring.model.actions import Action, Priority
from fhirpkg.authoring.model.criterion import Criterion
from fhirpkg.authoring.model.parts import Part, Said
from fhirpkg.authoring.model.reasons import Contraindication, Indication
from fhirpkg.authoring.model.sections import (
    Alternative,
    Benefit,
    Contact,
    Drawing,
    Duration,
    Effective,
    Equipment,
    Evidence,
    Person,
    ProcedureCode,
    Purpose,
    Question,
    Risk,
    Setting,
)
from fhirpkg.authoring.model.values import (
    Fact,
    FactCount,
    Id,
    Language,
    Names,
    PascalCase,
    Text,
    Texts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Category = Literal["diagnostic", "therapeutic", "preventive"]


def _without_commas(value: object) -> object:
    """`1,000` as the number that it is."""
    return value.replace(",", "") if isinstance(value, str) else value


Number = Annotated[Decimal, BeforeValidator(_without_commas, Decimal | str)]


def _listed(value: object) -> object:
    """One category for a list of one."""
    return [value] if isinstance(value, str) else value


class Origins(Part):
    """The source that the procedure expresses: how many facts and numbers each section has."""

    title: Text = Field(
        description="What the source is", examples=["Procedure monograph, kept elsewhere"]
    )
    facts: dict[Annotated[str, StringConstraints(pattern="^[a-z]+$")], FactCount] = Field(
        description="How many facts each section of the source has",
        examples=[{"name": 1, "code": 1, "steps": 6, "contraindications": 2}],
    )
    numbers: dict[str, tuple[Number, ...]] = Field(
        {},
        description="The numbers that each section of the source gives",
        examples=[{"duration": [1, 2], "risks": ["1,000"]}],
    )

    left_out: dict[Fact, Text] = Field(
        {},
        alias="left-out",
        description="Facts that are left out here, each with the reason",
        examples=[{"experience": "said in other words under 'recovery'"}],
    )

    def labels(self) -> list[str]:
        """The label of each fact, in order: `summary`, `risks-1`, `risks-2`."""
        return [
            section if count == 1 else f"{section}-{number}"
            for section, count in self.facts.items()
            for number in range(1, count + 1)
        ]


class Procedure(Part):
    """One procedure, as procedure.yaml holds it."""

    id: PascalCase = Field(
        description="The beginning of all ids; never changes",
        examples=["BoneTumorCryoablation"],
    )
    source: Origins | None = Field(
        None,
        description="The source it expresses; without one, each item cites or says why",
        examples=[{"title": "Procedure monograph", "facts": {"name": 1, "code": 1, "steps": 6}}],
    )
    name: Said = Field(
        description="What the procedure is called",
        examples=[{"text": "Colonoscopy", "from": "name"}],
    )
    code: ProcedureCode = Field(
        description="The concept by which it is found, ordered and reported",
        examples=[{"use": "Colonoscopy", "from": "code"}],
    )
    category: Annotated[
        tuple[Category, ...], BeforeValidator(_listed, Category | list[Category])
    ] = Field(
        (),
        description="What kind of procedure it is; one or several",
        examples=["diagnostic", ["diagnostic", "therapeutic"]],
    )
    priority: Priority | None = Field(
        None, description="How urgent an order for it is", examples=["routine"]
    )
    summary: Said | None = Field(
        None,
        description="What is done, in a few sentences",
        examples=[{"text": "A flexible tube with a camera is passed.", "from": "summary"}],
    )
    purpose: Purpose | None = Field(
        None,
        description="What it is for",
        examples=[{"text": "To find the cause of bleeding.", "from": "purpose"}],
    )
    indications: tuple[Indication, ...] = Field(
        (),
        description="The reasons for it",
        examples=[[{"id": "bleeding", "text": "Bleeding from the bowel", "from": "indications-1"}]],
    )
    contraindications: tuple[Contraindication, ...] = Field(
        (),
        description="The reasons against it, absolute, relative or calling for caution",
        examples=[[{"id": "perforation", "text": "Suspected perforation", "strength": "absolute"}]],
    )
    preparation: tuple[Action, ...] = Field(
        (),
        description="What to do and explain before it",
        examples=[[{"id": "fasting", "text": "Nothing to eat.", "when": "from 8 h before"}]],
    )
    steps: tuple[Action, ...] = Field(
        min_length=1,
        description="What is done, in its order",
        examples=[[{"id": "insertion", "text": "Pass the endoscope.", "from": "steps-1"}]],
    )
    duration: Duration | None = Field(
        None,
        description="How long it takes",
        examples=[{"text": "About half an hour", "takes": "30 min", "from": "duration"}],
    )
    setting: Setting | None = Field(
        None,
        description="Where it is done",
        examples=[{"text": "An endoscopy unit", "places": ["Endoscopy unit"], "from": "setting"}],
    )
    personnel: tuple[Person, ...] = Field(
        (),
        description="Who takes part",
        examples=[[{"id": "nurse", "text": "Endoscopy nurse", "from": "personnel-2"}]],
    )
    equipment: tuple[Equipment, ...] = Field(
        (),
        description="Implants, devices and material that must be available",
        examples=[[{"id": "mesh", "text": "Mesh", "kind": "implant", "from": "steps-4"}]],
    )
    risks: tuple[Risk, ...] = Field(
        (),
        description="What can go wrong",
        examples=[
            [{"id": "bleeding", "text": "Bleeding", "how-often": "1 in 1000", "from": "risks-1"}]
        ],
    )
    benefits: tuple[Benefit, ...] = Field(
        (),
        description="What the patient gains",
        examples=[[{"id": "diagnosis", "text": "The cause is found.", "from": "benefits-1"}]],
    )
    recovery: tuple[Action, ...] = Field(
        (),
        description="What to do and explain after it",
        examples=[
            [{"id": "driving", "text": "Do not drive.", "for": "24 h", "from": "recovery-2"}]
        ],
    )
    alternatives: tuple[Alternative, ...] = Field(
        (),
        description="What could be done instead",
        examples=[[{"id": "ct", "text": "CT of the bowel", "from": "alternatives-1"}]],
    )
    experience: Said | None = Field(
        None,
        description="What it is like for the patient",
        examples=[{"text": "Bloating may be felt for some hours.", "from": "experience"}],
    )
    criteria: tuple[Criterion, ...] = Field(
        (),
        description="What is looked up in the record of a patient",
        examples=[
            [
                {
                    "id": "inr",
                    "title": "INR",
                    "text": "Clotting is checked first.",
                    "from": "preparation-2",
                    "observation": "INR",
                    "missing": "No INR on record.",
                }
            ]
        ],
    )
    checklist: tuple[Question, ...] = Field(
        (),
        description="What is asked before it starts",
        examples=[[{"id": "fasted", "text": "Has the patient fasted?", "answer": "yes-no"}]],
    )
    drawing: Drawing | None = Field(
        None,
        description="What drawing.svg beside this file shows: how the procedure works",
        examples=[{"shows": "A needle goes through the skin.", "labels": ["Your skin"]}],
    )
    evidence: dict[Id, Evidence] = Field(
        {},
        description="Publications by ids of our own, which 'cite' names",
        examples=[{"asa-2023": {"label": "ASA 2023", "citation": "Joshi GP, et al. 2023."}}],
    )
    effective: Effective | None = Field(
        None,
        description="The time in which the content is to be used",
        examples=[{"from": "2027-01-01", "until": "2028-12-31"}],
    )
    contact: Contact | None = Field(
        None,
        description="Whom to ask about the content",
        examples=[{"name": "Endoscopy committee", "email": "endoscopy@example.org"}],
    )
    todo: Texts = Field(
        (),
        description="What is still open in the whole of it",
        examples=["ask the author which sedation is meant"],
    )
    codes: dict[Text, Annotated[Names, Field(min_length=1)]] = Field(
        {},
        description="Our name for a concept, and its codes: the system's name, or its url and a "
        "bar, then the code; a draft may lack them",
        examples=[{"Bone pain": "SNOMED 12584003", "Local term": "https://example.org/cs|A1"}],
    )
    names: dict[Text, dict[Language, Text]] = Field(
        {},
        exclude=True,  # as of other translations, a sign-off is not on them
        description="The names of concepts in other languages, by their name under 'codes'",
        examples=[{"Bone pain": {"es": "Dolor de hueso"}}],
    )

    @model_validator(mode="after")
    def _says_what_for(self) -> Self:
        if not (self.indications or self.purpose):
            raise ValueError("'indications' or 'purpose', which say what it is for")
        return self

    def actions(self) -> Iterator[Action]:
        """All actions of the three phases, each before its parts."""
        for section in (self.preparation, self.steps, self.recovery):
            yield from _with_parts(section)

    def people_of(self, action: Action) -> tuple[str, ...]:
        """The ids of all who take part in an action; last, those who are needed for it alone."""
        alone = (person.id for person in self.personnel if person.only == action.id)
        return tuple(dict.fromkeys((*action.people, *alone)))


_NO_FACTS = {
    "id", "source", "priority", "drawing", "evidence", "effective", "contact", "todo", "codes",
    "names",
}  # fmt: skip
SECTIONS = tuple(name for name in Procedure.model_fields if name not in _NO_FACTS)
"""What a source can have facts of."""


def _with_parts(actions: tuple[Action, ...]) -> Iterator[Action]:
    for action in actions:
        yield action
        yield from _with_parts(action.parts)
