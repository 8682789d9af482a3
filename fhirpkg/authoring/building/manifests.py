"""What lists the parts: the manifest of a procedure, and the package's own resource."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from fhirpkg.authoring.building.build_context import copyright_of
from fhirpkg.authoring.building.elements import PATIENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fhirpkg.authoring.building.build_context import BuildContext
    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.issues import Resource

_COLLECTION = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/library-type",
            "code": "asset-collection",
            "display": "Asset Collection",
        }
    ]
}


def manifest(context: BuildContext, resources: Sequence[Resource]) -> Resource:
    """The manifest Library: each canonical resource of the procedure, pinned to its version.

    The documents have no canonical to pin; they are named by their places.
    """
    procedure = context.procedure
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
        context.artifact(resource)
        for resource in resources
        if resource["resourceType"] == "DocumentReference"
    ]
    return {
        **context.header(
            "Library",
            context.id("manifest"),
            f"{procedure.name.text}: manifest",
            "All definitions that belong to the procedure, each with its version.",
        ),
        "type": _COLLECTION,
        "subjectCodeableConcept": PATIENT,
        "purpose": "To state which definitions belong together, and in which versions.",
        "usage": "Load every definition listed here in the version given.",
        "topic": context.topics(),
        "author": context.authors(),
        "relatedArtifact": [*composed, *documents],
    }


def index(package: PackageSource, plans: Iterable[tuple[Resource, Sequence[str]]]) -> Resource:
    """The Library of a catalogue: the plan of each procedure in its version, by its codes."""
    plans = sorted(plans, key=lambda each: (each[1] or ("~",), each[0]["url"]))
    name = "".join(word.capitalize() for word in package.id.replace("-", ".").split("."))
    made: Resource = {
        "resourceType": "Library",
        "id": f"{name}Index",
        "meta": {"tag": [{"system": f"{package.canonical}/package", "code": package.id}]},
        "url": f"{package.canonical}/Library/{name}Index",
        "version": package.version,
        "name": f"{name}Index",
        "title": f"{package.title}: index",
        "status": package.status,
        "experimental": package.experimental,
        "type": _COLLECTION,
        "date": package.date,
        "publisher": package.publisher,
        "description": "The procedures of the packages that belong to it, each by its codes.",
        "useContext": [
            context
            for plan, _ in plans
            for context in plan.get("useContext", ())
            if context["code"]["code"] == "focus"
        ],
        "jurisdiction": [
            {"coding": [{"system": "urn:iso:std:iso:3166", "code": package.jurisdiction}]}
        ],
        "relatedArtifact": [
            {
                "type": "composed-of",
                **({"label": ", ".join(codes)} if codes else {}),
                "display": plan["title"],
                "resource": f"{plan['url']}|{plan['version']}",
            }
            for plan, codes in plans
        ],
    }
    return {**made, "copyright": copyright_of(package, made)}


def implementation_guide(
    package: PackageSource,
    parts: Iterable[tuple[str, str]],
    claimed: Mapping[str, str],
    urls: Mapping[str, str] = MappingProxyType({}),
) -> Resource:
    """The package as a resource: what is in it, by reference and name.

    `claimed` are the packages and versions that it depends on beside those of package.yaml, such as
    that of the profiles that it does not carry; `urls` those of their guides that are known.
    """
    needed = [
        {
            "uri": urls.get(name, f"http://fhir.org/packages/{name}/ImplementationGuide/{name}"),
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
        "copyright": f"Text (c) {package.publisher}, licensed under {package.license}. The "
        "notices about codes of others are in the resources that use them.",
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
