"""Parameters of logic: written on a command line, or bound to what the context of a hook holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.errors import ConfigError, FhirpkgError
from fhirpkg.repository import MemoryRepository
from fhirpkg.untrusted import text_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fhirpkg.issues import Json, Resource
    from fhirpkg.repository import Repository

_LIST = re.compile(
    r"""^\s*(?:public\s+|private\s+)?parameter\s+"?([^"\s]+)"?\s+List\s*<\s*(?:FHIR\.)?"?(\w+)"?\s*>"""
    r"(?!\s*default)",
    re.MULTILINE,
)


def of_orders(
    plan: Resource, orders: Iterable[Resource], repository: Repository
) -> dict[str, list[Resource]]:
    """The parameters that a plan's logic takes a list of orders by, with the orders of a hook.

    They are those of the type of an order: ContextPrescriptions, a List<MedicationRequest>. What
    has a default or is of a type that no order of the hook could be of stays as it is.
    """
    given = list(orders)
    found: dict[str, list[Resource]] = {"draftOrders": given}
    for canonical in plan.get("library", ()):
        library = repository.resolve(canonical, "Library") or {}
        for name, type_name in _lists(library):
            if type_name in _ORDERS:
                found[name] = [r for r in given if r.get("resourceType") == type_name]
    return found


_ORDERS = ("DeviceRequest", "MedicationRequest", "NutritionOrder", "ServiceRequest",
           "SupplyRequest", "VisionPrescription", "CommunicationRequest", "Task")  # fmt: skip


def _lists(library: Resource) -> Iterator[tuple[str, str]]:
    """Names and types of the parameters that are lists of resources, declared or in the text."""
    for parameter in library.get("parameter", ()):
        if parameter.get("use") == "in" and parameter.get("max", "1") != "1":
            yield str(parameter.get("name")), str(parameter.get("type"))
    for part in library.get("content", ()):
        if part.get("contentType") == "text/cql":
            yield from _LIST.findall(text_in(part))  # who evaluates it says what is wrong


def of_words(pairs: Iterable[str]) -> dict[str, Json]:
    """Parameters written as `NAME=VALUE`: a literal or interval of CQL, or a resource as JSON.

    Raises ConfigError for what is neither.
    """
    found = {}
    for pair in pairs:
        name, sign, text = pair.partition("=")
        if not sign or not name.strip():
            raise ConfigError(f"--parameter '{pair}' is not NAME=VALUE")
        found[name.strip()] = _value(name, text.strip())
    return found


def _value(name: str, text: str) -> Json:
    from fhirpkg.cql.evaluating.evaluator import open_session  # noqa: PLC0415 - start-up
    from fhirpkg.cql.evaluating.library import Library  # noqa: PLC0415
    from fhirpkg.cql.reading.library import read_expression  # noqa: PLC0415
    from fhirpkg.definitions.definitions import Definitions  # noqa: PLC0415

    if text.startswith("{") and '"resourceType"' in text:
        value, issues = fhirjson.read(text)
        if issues:
            raise ConfigError(f"--parameter {name}: {issues[0].text}")
        return value
    library, types = Library(""), Definitions.core().types
    session = open_session(MemoryRepository([]), "", {}, lambda _name, _version: library, types)
    try:
        return session.evaluate(read_expression(text, library), library)
    except FhirpkgError as error:
        hint = "write text in quotes ('x'), a date as @2026-01-31"
        raise ConfigError(
            f"--parameter {name}: '{text}' is not a value of CQL: {error}; {hint}"
        ) from error
