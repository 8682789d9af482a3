"""package.yaml: who publishes what, in which version; the header of every resource."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from fhirpkg.authoring.model.parts import Part
from fhirpkg.authoring.model.values import Day, Language, Text

"""A tag of a language: `es`, `pt-BR`."""


Folder = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class PackageSource(Part):
    """The package that procedures are published in."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$")] = Field(
        description="The name of the package: two or more words joined by dots",
        examples=["our.procedures"],
    )
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[A-Za-z0-9.-]+)?$")] = (
        Field(
            description="Raise it with every change that is published", examples=["0.1.0", "1.0.0"]
        )
    )
    date: Day = Field(description="The day that this version was written", examples=["2026-01-31"])
    canonical: Annotated[
        str, StringConstraints(pattern=r"^https?://[^\s/|#]+(/[^\s|#]*[^\s/|#])?$")
    ] = Field(description="The base of all urls", examples=["https://example.org/fhir"])
    title: Text = Field(description="What the package is called", examples=["Our procedures"])
    description: Text = Field(
        description="Its content and purpose", examples=["Procedures of our endoscopy unit."]
    )
    publisher: Text = Field(description="Who publishes it", examples=["Example Hospital"])
    author: Text = Field(description="Who writes it", examples=["Endoscopy committee"])
    status: Literal["draft", "active", "retired"] = Field(
        description="`active` only when nothing is left to do", examples=["draft"]
    )
    experimental: StrictBool = Field(
        description="Whether it is for trying out, not for care", examples=[True]
    )
    jurisdiction: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = Field(
        description="ISO 3166 code of a country", examples=["US"]
    )
    license: Text = Field(
        description="SPDX id of the licence of our own words", examples=["CC-BY-4.0"]
    )
    fhirVersion: Literal["4.0.1"] = Field(  # noqa: N815 - FHIR's own name
        "4.0.1", description="The version of FHIR", examples=["4.0.1"]
    )
    language: Language = Field("en", description="The language of the texts", examples=["en", "de"])
    languages: dict[Language, Text] = Field(
        {},
        description="Other languages of the texts, each with a line in it that says who "
        "translated and who has reviewed it; documents in the language show it",
        examples=[{"es": "Traducido por los autores de este paquete; nadie lo ha revisado."}],
    )
    pdf: Literal["A4", "Letter"] | None = Field(
        None,
        description="Carry the documents for patients as PDF on this paper too; building then "
        "needs fhirpkg[pdf]",
        examples=["A4"],
    )
    profiles: Literal["depend", "carry"] = Field(
        "depend",
        description="Whether the package depends on fhirpkg.profiles or carries these profiles and "
        "extensions under its own base, so that it needs no package of ours",
        examples=["carry"],
    )
    members: tuple[Folder, ...] = Field(
        (),
        description="Makes it a catalogue of other packages, such as one a specialty: the folders "
        "below it that are packages; it depends on each and lists their procedures by code",
        examples=[["cardiology", "urology"]],
    )
    dependencies: dict[str, Text] = Field(
        description="FHIR packages and their versions",
        examples=[{"hl7.fhir.r4.core": "4.0.1"}],
    )
