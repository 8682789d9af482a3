"""The language of what is applied: definitions in the one asked for, patients' texts in theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fhirpkg.languages.choosing import best, languages_of, localized, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fhirpkg.issues import Resource
    from fhirpkg.repository import Repository

_FOR_PATIENTS = frozenset({"textEquivalent", "expression"})
"""What an action or the payload of a message says to patients; the rest is for staff."""
_DEFINITIONS = ("ActivityDefinition", "PlanDefinition", "Questionnaire")


def translator(
    definition: Resource, asked: str, patient: Resource | None
) -> Callable[[Resource], Resource] | None:
    """How resources come into the language of a call; None when they stay as they are.

    All texts of a definition follow the language that was asked for. Where none was, those for
    patients follow the languages that the patient speaks.
    """
    own = str(definition.get("language", ""))
    wanted, keys = ([asked], None) if asked else (spoken(patient or {}), _FOR_PATIENTS)
    if not set(wanted) - {own}:
        return None
    offered = languages_of(definition)
    chosen = best(wanted, {*offered, own} - {""}) if offered else ""
    if not chosen or chosen == own:
        return None

    def translate(resource: Resource) -> Resource:
        made: Resource = localized(resource, chosen, keys)
        return made if keys else {**made, "language": chosen}

    return translate


class Translated:
    """A repository whose definitions are translated as they are read."""

    def __init__(self, repository: Repository, translate: Callable[[Resource], Resource]) -> None:
        self._repository = repository
        self._translate = translate

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """The resource of this type and id."""
        return self._in_language(self._repository.read(resource_type, resource_id))

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """The resources of a type by patient and name."""
        return self._repository.search(resource_type, params)

    def resolve(self, canonical: str, resource_type: str | None = None) -> Resource | None:
        """The definition behind a canonical."""
        return self._in_language(self._repository.resolve(canonical, resource_type))

    def _in_language(self, resource: Resource | None) -> Resource | None:
        is_definition = resource is not None and resource["resourceType"] in _DEFINITIONS
        return self._translate(resource) if is_definition and resource else resource
