"""package.yaml: who publishes what, in which version; the header of every resource."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool, StringConstraints

from fhirpkg.authoring.procedure import Part, Text


class PackageSource(Part):
    """The package that procedures are published in."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9-]+)+$")] = Field(
        description="Two or more words joined by dots"
    )
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+(-[A-Za-z0-9.-]+)?$")]
    date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] = Field(
        description="The day that this version was written"
    )
    canonical: Annotated[
        str, StringConstraints(pattern=r"^https?://[^\s/|#]+(/[^\s|#]*[^\s/|#])?$")
    ]
    title: Text
    description: Text
    publisher: Text
    author: Text
    status: Literal["draft", "active", "retired"]
    experimental: StrictBool
    jurisdiction: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = Field(
        description="ISO 3166 code of a country"
    )
    license: Text = Field(description="SPDX id of the licence of our own words")
    fhirVersion: Literal["4.0.1"] = "4.0.1"  # noqa: N815 - FHIR's own name
    dependencies: dict[str, Text] = Field(description="FHIR packages and their versions")
