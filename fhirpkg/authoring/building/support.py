"""What stands around the plan: value set, checklist, manifest, and the package's own resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.authoring.building.elements import PATIENT, filled
from fhirpkg.authoring.codes import codings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fhirpkg.authoring.building.edition import Edition
    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.sections import Question
    from fhirpkg.issues import Resource


def value_set(edition: Edition) -> Resource | None:
    """The ValueSet of indications: every code listed, so that it expands without a server.

    None when no indication names a diagnosis that has a code.
    """
    procedure = edition.procedure
    names = edition.diagnoses()
    if not names:
        return None
    text = (
        f"Conditions for which the procedure '{procedure.name.text}' is considered: "
        f"{', '.join(names).lower()}."
    )
    made = listed_value_set(
        edition, "indications", f"{procedure.name.text}: indications", text, names
    )
    return {**made, "purpose": "To find patients who may have a reason for the procedure."}


def listed_value_set(
    edition: Edition, part: str, title: str, text: str, names: Iterable[str]
) -> Resource:
    """A ValueSet of the codes behind names, with its expansion: no server has to expand it."""
    codes: dict[str, list[str]] = {}
    for name in names:
        for line in edition.procedure.codes[name]:
            for coding in codings(line):
                codes.setdefault(coding.system, []).append(coding.code)
    unique = [(system, code) for system, found in codes.items() for code in dict.fromkeys(found)]
    return {
        **edition.header("ValueSet", edition.id(part), title, text),
        "compose": {
            "include": [
                {"system": system, "concept": [{"code": code} for code in dict.fromkeys(found)]}
                for system, found in codes.items()
            ]
        },
        "expansion": {
            "timestamp": edition.package.date,
            "total": len(unique),
            "contains": [{"system": system, "code": code} for system, code in unique],
        },
    }


def questionnaire(edition: Edition) -> Resource | None:
    """The Questionnaire that is gone through before the procedure, if there is one."""
    procedure = edition.procedure
    questions = edition.questions()
    if not questions:
        return None
    return {
        **edition.header(
            "Questionnaire",
            edition.id("checklist"),
            f"{procedure.name.text}: checklist",
            "Questions to be answered before the procedure begins.",
        ),
        "purpose": "To be sure, before the procedure begins, that everything is prepared.",
        "subjectType": ["Patient"],
        "item": [_item(question) for question in questions],
    }


_ITEM_TYPES = {
    "yes-no": "boolean",
    "choice": "choice",
    "text": "text",
    "date": "date",
    "date-time": "dateTime",
}


def _item(question: Question) -> Resource:
    return filled(
        {
            "linkId": question.id,
            "text": question.text,
            "type": _ITEM_TYPES[question.answer],
            "required": True,
            "answerOption": [{"valueString": choice} for choice in question.choices],
        }
    )


def manifest(edition: Edition, resources: Sequence[Resource]) -> Resource:
    """The manifest Library: each canonical resource of the procedure, pinned to its version.

    The documents have no canonical to pin; they are told by their urls.
    """
    procedure = edition.procedure
    composed = [
        {
            "type": "composed-of",
            "display": resource["title"],
            "resource": f"{resource['url']}|{resource['version']}",
        }
        for resource in resources
        if "url" in resource
    ]
    documents = [
        edition.artifact(resource)
        for resource in resources
        if resource["resourceType"] == "DocumentReference"
    ]
    return {
        **edition.header(
            "Library",
            edition.id("manifest"),
            f"{procedure.name.text}: manifest",
            "All definitions that belong to the procedure, each with its version.",
        ),
        "type": {
            "coding": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/library-type",
                    "code": "asset-collection",
                    "display": "Asset Collection",
                }
            ]
        },
        "subjectCodeableConcept": PATIENT,
        "purpose": "To say which definitions belong together, and in which versions.",
        "usage": "Load every definition listed here in the version given.",
        "topic": edition.topics(),
        "author": edition.authors(),
        "relatedArtifact": [*composed, *documents],
    }


def implementation_guide(
    package: PackageSource, parts: Iterable[tuple[str, str]], claimed: Mapping[str, str]
) -> Resource:
    """The package as a resource: what is in it, by reference and name.

    `claimed` are the package and version of the profiles that it does not carry.
    """
    needed = [
        {
            "uri": f"http://fhir.org/packages/{name}/ImplementationGuide/{name}",
            "packageId": name,
            "version": version,
        }
        for name, version in {**package.dependencies, **claimed}.items()
        if name != "hl7.fhir.r4.core"  # told by fhirVersion
    ]
    return {
        "resourceType": "ImplementationGuide",
        "id": package.id,
        "meta": {"tag": [{"system": f"{package.canonical}/package", "code": package.id}]},
        "url": f"{package.canonical}/ImplementationGuide/{package.id}",
        "version": package.version,
        "name": "".join(word.capitalize() for word in package.id.replace("-", ".").split(".")),
        "title": package.title,
        "status": package.status,
        "experimental": package.experimental,
        "date": package.date,
        "publisher": package.publisher,
        "description": package.description,
        "jurisdiction": [
            {"coding": [{"system": "urn:iso:std:iso:3166", "code": package.jurisdiction}]}
        ],
        "copyright": f"Words (c) {package.publisher}, licensed under {package.license}. Codes of "
        "others stand under the notices of the resources that use them.",
        "packageId": package.id,
        "license": package.license,
        "fhirVersion": [package.fhirVersion],
        **({"dependsOn": needed} if needed else {}),
        "definition": {
            "resource": [
                {
                    "reference": {"reference": reference},
                    "name": name,
                    "exampleBoolean": False,
                }
                for reference, name in parts
            ]
        },
    }
