"""What FHIRPath must know of FHIR's types; `fhirpkg.definitions.typemodel` is the real one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fhirpkg.issues import Json

_Rest = TypeVarTuple("_Rest")
_Result = TypeVar("_Result")


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
    """The types that expressions walk; the same object gives the same answers forever."""

    derived: dict[object, Json]
    """What `kept_by_model` keeps: it goes when the model goes."""

    def base(self, type_name: str) -> str | None:
        """What a type specializes: `DomainResource` for `Patient`; None for a root or no type."""

    def ancestors(self, type_name: str) -> Iterator[str]:
        """A type and all that it specializes, nearest first."""

    def elements(self, type_name: str) -> Mapping[str, ElementType]:
        """The elements of a type in order, inherited ones included, by name without [x]."""

    def is_type(self, name: str) -> bool:
        """Whether there is a type of that name."""


def kept_by_model(
    most: int,
) -> Callable[[Callable[[TypeModel, *_Rest], _Result]], Callable[[TypeModel, *_Rest], _Result]]:
    """Keep the latest results of a function of a model and more, as long as there is the model.

    A cache beside the function would hold each model it was ever asked about, and its packages.
    """

    def decorate(
        function: Callable[[TypeModel, *_Rest], _Result],
    ) -> Callable[[TypeModel, *_Rest], _Result]:
        def kept(model: TypeModel, /, *rest: *_Rest) -> _Result:
            known: Json = model.derived.get(function)
            if known is None:
                known = functools.lru_cache(most)(lambda *rest: function(model, *rest))
                model.derived[function] = known
            result: _Result = known(*rest)
            return result

        return functools.update_wrapper(kept, function)

    return decorate
