"""What every part of procedure.yaml has: no unknown keys, an origin, words, and open work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fhirpkg.authoring.model.values import Facts, Ids, Text, Texts

if TYPE_CHECKING:
    from pydantic.config import JsonDict

_LONGEST_HEADING = 80


class Part(BaseModel):
    """A part of an authored file: frozen, and without keys that the model does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(Part):
    """Where an item comes from: facts of the source, evidence, or a reason of its own."""

    from_: Facts = Field(
        (),
        alias="from",
        description="Labels of the facts of the source that this expresses",
        examples=["risks-2", ["preparation-1", "preparation-3"]],
    )
    cite: Ids = Field(
        (), description="Ids under 'evidence' that support it", examples=[["asa-2023"]]
    )
    added: str = Field(
        "",
        description="Why it is here although the source does not have it",
        examples=["Confirming the site is part of a safety check before any procedure."],
    )
    todo: Texts = Field(
        (),
        description="What is still open here. The content stays a draft until no 'todo' is left",
        examples=["say it in your own words", ["medicine: which one", "dose"]],
    )


def _text_or_todo(schema: JsonDict) -> None:
    """An item may leave its text to be written when it says so under `todo`."""
    required = schema.get("required")
    if isinstance(required, list) and "text" in required:
        schema["required"] = [name for name in required if name != "text"]
        schema["anyOf"] = [{"required": ["text"]}, {"required": ["todo"]}]


class Said(Origin):
    """Something said, in a clinician's words and, if wanted, in words for patients."""

    model_config = ConfigDict(json_schema_extra=_text_or_todo)

    text: Text = Field(
        description="What is said, in a clinician's words; it may be left to 'todo' in a draft",
        examples=["Tell the patient to take no solid food for the time the care team sets."],
    )
    patient: str = Field(
        "",
        description="The same in words for patients; without it they read the clinician's",
        examples=["Do not eat for as long as your care team tells you."],
    )

    @model_validator(mode="before")
    @classmethod
    def _leaves_text_to_be_written(cls, data: Any) -> Any:
        """The open work stands for a text that is not yet written."""
        if isinstance(data, dict) and not data.get("text") and (open_ := data.get("todo")):
            first = open_ if isinstance(open_, str) else open_[0]
            return {**data, "text": f"[To do: {first}]"}
        return data

    @property
    def plain(self) -> str:
        """The words for patients; the clinician's where there are no others."""
        return self.patient or self.text


class Titled(Said):
    """Something said that has a heading."""

    title: str = Field(
        "",
        description="A short heading; without it the text is the heading",
        examples=["Fasting"],
    )

    @property
    def heading(self) -> str:
        """The title, or as much of the text as a heading holds."""
        text = self.title or self.text.rstrip(".")
        if len(text) <= _LONGEST_HEADING:
            return text
        return text[: _LONGEST_HEADING - 1].rsplit(" ", 1)[0] + "…"
