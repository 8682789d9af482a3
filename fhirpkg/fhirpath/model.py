"""What FHIRPath must know of FHIR's types; `fhirpkg.definitions.typemodel` is the real one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ElementType:
    """One element of a type.

    `types` holds type names; a backbone is its path (`PlanDefinition.action`), a content reference
    is followed, any resource is `Resource`.
    """

    name: str
    types: tuple[str, ...]
    is_list: bool
    is_choice: bool

    def key(self, type_name: str) -> str:
        """The JSON key of a value of one of the types: a choice has the type's name in it."""
        if not self.is_choice:
            return self.name
        return f"{self.name}{type_name[:1].upper()}{type_name[1:]}"


class TypeModel(Protocol):
    """The types that expressions walk; the same object gives the same answers for ever."""

    def __hash__(self) -> int:
        """What is derived from a model is kept by it."""

    def base(self, type_name: str) -> str | None:
        """What a type specializes: `DomainResource` for `Patient`; None for a root or no type."""

    def elements(self, type_name: str) -> Mapping[str, ElementType]:
        """The elements of a type in order, inherited ones included, by name without [x]."""

    def is_type(self, name: str) -> bool:
        """Whether there is a type of that name."""
