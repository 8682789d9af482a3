"""The profiles of fhirpkg as a package of their own, for content that only claims them.

A package in somebody else's name may not publish profiles under our base; it depends on this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.bundling.content import CompressedResources, Content
from fhirpkg.canonical import PackageId
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.installed import OUR_BASE, PROFILES_PACKAGE, bundled_content, read_profiles
from fhirpkg.render.profiles import published_profile

if TYPE_CHECKING:
    from fhirpkg.issues import Resource


def profiles_content() -> Content:
    """The profiles that are installed with fhirpkg, each with its snapshot, and their guide."""
    profiles = read_profiles(bundled_content())
    guide = _guide(profiles)
    definitions = Definitions.core()
    resources = CompressedResources(
        [guide, *(published_profile(profile, guide, definitions) for profile in profiles)]
    )
    return Content(
        id=PackageId(PROFILES_PACKAGE, guide["version"]),
        canonical=OUR_BASE,
        resources=resources,
        source="the profiles of fhirpkg",
        digest=resources.digest,
    )


def _guide(profiles: list[Resource]) -> Resource:
    first = profiles[0]  # all have one version, date and publisher
    shared = ("version", "status", "experimental", "date", "publisher", "jurisdiction", "copyright")
    return {
        "resourceType": "ImplementationGuide",
        "id": PROFILES_PACKAGE,
        "meta": {"tag": [{"system": f"{OUR_BASE}/package", "code": PROFILES_PACKAGE}]},
        "url": f"{OUR_BASE}/ImplementationGuide/{PROFILES_PACKAGE}",
        "name": "FhirpkgProfiles",
        "title": "Profiles of procedures",
        "description": "What FHIR content of a procedure is, as profiles that others claim.",
        **{key: first[key] for key in shared if key in first},
        "packageId": PROFILES_PACKAGE,
        "license": "CC-BY-4.0",
        "fhirVersion": ["4.0.1"],
        "definition": {
            "resource": [
                {
                    "reference": {"reference": f"{p['resourceType']}/{p['id']}"},
                    "name": p.get("title", p["id"]),
                    "exampleBoolean": False,
                }
                for p in profiles
            ]
        },
    }
