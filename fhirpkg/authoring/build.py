"""The spine: procedures to resources. Same input, same bytes: no clock, chance or environment."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from fhirpkg.authoring.building import against
from fhirpkg.authoring.building.activities import activity_definitions, specimen_definitions
from fhirpkg.authoring.building.build_context import BuildContext
from fhirpkg.authoring.building.checklist import questionnaire
from fhirpkg.authoring.building.documents import document_references, translated_documents
from fhirpkg.authoring.building.manifests import implementation_guide, manifest
from fhirpkg.authoring.building.plan import plan_definition
from fhirpkg.authoring.building.value_sets import value_set
from fhirpkg.authoring.carrying import carried, moved
from fhirpkg.authoring.criteria import criteria_value_sets, logic_library, readiness, states
from fhirpkg.authoring.model.beside import Beside
from fhirpkg.authoring.ordering import in_order
from fhirpkg.authoring.translating import said_throughout, with_translations
from fhirpkg.packages.installed import PROFILES_PACKAGE
from fhirpkg.render.narrative import narrative

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from fhirpkg.authoring.model.package_source import PackageSource
    from fhirpkg.authoring.model.procedure import Procedure
    from fhirpkg.issues import Resource

_WITHOUT_COPYRIGHT = ("DocumentReference", "SpecimenDefinition")
"""R4 has no element for it there: the notices are in the document itself."""


def build(
    package: PackageSource,
    procedures: Mapping[str, Procedure],
    profiles: Sequence[Resource] = (),
    *,
    carries_profiles: bool = False,
    listed: frozenset[tuple[str, str]] = frozenset(),
    beside: Mapping[str, Beside] = MappingProxyType({}),
) -> dict[str, list[Resource]]:
    """The resources of each procedure, by the folder it lies in.

    `profiles` are those that the resources claim; a package that carries them is published with
    them, any other depends on `fhirpkg.profiles`. What belongs to the package and not to one
    procedure, the ImplementationGuide, comes with the first folder. `listed` are the codes that
    SNOMED's Global Patient Set or R4 list, whose notice says so; `beside` is what accompanies
    each procedure.
    """
    made = {
        folder: resources_of(
            BuildContext(package, procedure, listed, beside.get(folder, Beside())), profiles
        )
        for folder, procedure in sorted(procedures.items())
    }
    parts = [part_of(resource) for resources in made.values() for resource in resources]
    guide = guide_of(package, parts, profiles, carries_profiles=carries_profiles)
    if made:
        next(iter(made.values())).extend([guide, *carried(profiles, package, guide)])
    return made


class Part(NamedTuple):
    """A resource as the guide lists it: ``Type/id`` and its name."""

    reference: str
    name: str


def part_of(resource: Resource) -> Part:
    """What the guide says of a resource."""
    name = resource.get("title") or resource.get("description") or resource["id"]
    return Part(f"{resource['resourceType']}/{resource['id']}", str(name))


def guide_of(
    package: PackageSource,
    parts: Iterable[Part],
    profiles: Sequence[Resource],
    *,
    carries_profiles: bool,
) -> Resource:
    """The ImplementationGuide of a package with these parts, each by :func:`part_of`."""
    own = profiles if carries_profiles or package.profiles == "carry" else ()
    everything = [*parts, *map(part_of, own)]
    claimed = _claimed(package, profiles, own)
    return _finished(implementation_guide(package, everything, claimed), profiles)


def guide_of_members(
    package: PackageSource, members: Iterable[PackageSource], library: Resource
) -> tuple[Resource, Resource]:
    """The guide of a catalogue of packages, and its index, both as they are published."""
    members = list(members)
    versions = {member.id: member.version for member in members}
    urls = {each.id: f"{each.canonical}/ImplementationGuide/{each.id}" for each in members}
    guide = implementation_guide(package, [part_of(library)], versions, urls)
    return _finished(guide, ()), _finished(library, ())


def _claimed(
    package: PackageSource, profiles: Sequence[Resource], own: Sequence[Resource]
) -> dict[str, str]:
    """The package of the profiles that are claimed and not carried, with its version.

    A dependency of the author's own on content that carries them does as well.
    """
    holds_them = any(name.startswith("fhirpkg.") for name in package.dependencies)
    if own or not profiles or holds_them:
        return {}
    return {PROFILES_PACKAGE: profiles[0]["version"]}


def resources_of(context: BuildContext, profiles: Sequence[Resource]) -> list[Resource]:
    """The resources of one procedure, the plan first."""
    documents = document_references(context)
    further = translated_documents(context)
    checklist = questionnaire(context)
    logic = logic_library(context)
    indications = value_set(context)
    resources = [
        plan_definition(
            context,
            documents,
            readiness(context),
            states(context),
            logic,
            against.actions(context),
            further,
        ),
        *activity_definitions(context, documents),
        *([checklist] if checklist else []),
        *([logic] if logic else []),
        *([indications] if indications else []),
        *specimen_definitions(context),
        *criteria_value_sets(context),
        *against.value_sets(context),
        *documents.values(),
        *further,
    ]
    resources.append(manifest(context, resources))
    with_notices = (_with_notices(context, resource) for resource in resources)
    made = [_finished(_in_languages(context, each), profiles) for each in with_notices]
    return [moved(resource, context.package) for resource in made]


def _in_languages(context: BuildContext, resource: Resource) -> Resource:
    """The resource with translations of its texts, where the package has other languages."""
    package = context.package
    language = resource.get("language", "")
    if language in package.languages:
        return said_throughout(resource, language, context.beside.texts.get(language, {}))
    if not package.languages or language:
        return resource
    return with_translations(resource, context.beside.texts, package.language)


def _with_notices(context: BuildContext, resource: Resource) -> Resource:
    if resource["resourceType"] in _WITHOUT_COPYRIGHT:
        return resource
    purpose = f"{resource['purpose']} {context.review}".strip()
    signed = context.signed_off(resource["resourceType"])
    return {**resource, **signed, "purpose": purpose, "copyright": context.copyright(resource)}


def _finished(resource: Resource, profiles: Sequence[Resource]) -> Resource:
    """The resource with its claims and narrative, in FHIR's order."""
    claims = [profile["url"] for profile in profiles if _is_for(profile, resource)]
    meta = {**resource["meta"], **({"profile": claims} if claims else {})}
    return in_order({**resource, "meta": meta, "text": narrative(resource)})


def _is_for(profile: Resource, resource: Resource) -> bool:
    """Whether a profile is on the type of a resource and, if it fixes one, on its `type` code."""
    if profile.get("type") != resource["resourceType"]:
        return False
    for element in profile["differential"]["element"]:
        pattern = element.get("patternCodeableConcept")
        if pattern and element["path"] == f"{profile['type']}.type":
            found = resource["type"]["coding"]
            return all(any(code.items() <= f.items() for f in found) for code in pattern["coding"])
    return True
