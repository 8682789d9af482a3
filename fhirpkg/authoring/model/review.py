"""review.yaml: a reader's verdicts on the facts of one procedure, and who signed the whole."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from fhirpkg.authoring.model.parts import Part
from fhirpkg.authoring.model.values import Day, Fact, Text

DIGITS = 12
"""How many digits of a digest are kept."""
Judged = Literal["same", "weaker", "stronger", "added words"]
Signed = Literal["reviewed", "approved", "endorsed"]
Digest = Annotated[str, StringConstraints(pattern=rf"^[0-9a-f]{{{DIGITS}}}$")]
Place = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z0-9-]+)*$")]
"""Where an item without a fact is: its section and the ids down to it."""


class Verdict(Part):
    """What a reader found for one fact."""

    verdict: Judged = Field(
        description="Whether the content says the same as the source, less, more, or more besides"
    )
    digest: Digest = Field(
        description="The digest of the words that were read; `coverage` prints it"
    )
    by: Text | None = Field(None, description="Who read it, where it is somebody else")
    on: Day | None = Field(None, description="The day it was read, where it is another one")
    note: str = Field("", description="In which way it differs")


class SignOff(Part):
    """What somebody answers for: the whole of a procedure as it stood on a day."""

    verdict: Signed = Field(
        description="'reviewed' by a reader, 'approved' for use by the publisher, or 'endorsed' "
        "by another body"
    )
    by: Text = Field(description="Who signs")
    on: Day = Field(description="The day of it")
    digest: Digest = Field(description="The digest of all that was signed; `review` writes it")
    note: str = Field("", description="What they add")


class Review(Part):
    """The verdicts of one procedure."""

    by: Text = Field(description="Who read it")
    on: Day | None = Field(None, description="The day it was read")
    facts: dict[Fact, Verdict] = Field(description="The verdict on each fact")
    additions: dict[Place, Verdict] = Field(
        {}, description="The verdict on each item that expresses no fact, against its evidence"
    )
    sign_off: tuple[SignOff, ...] = Field(
        (), alias="sign-off", description="Who signed the whole of it"
    )
