"""How to write to a particular server: in what portions, by what key, and what it does not take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fhirpkg.client.capabilities import Capabilities
    from fhirpkg.publishing.members import Member

CHUNK = 200
"""Entries in one transaction: measured best on HAPI (100-200), below every known limit (150 at
Firely Server shows itself by a refusal and is then met by halving)."""
_NEEDED = ("read", "search-type")
_CLINICAL_ONLY = ("PlanDefinition", "ActivityDefinition", "Library", "ImplementationGuide")


class Portions(StrEnum):
    """How many resources go in one request."""

    TRANSACTION = "transaction"
    BATCH = "batch"
    SINGLE = "single"


class Key(StrEnum):
    """What makes a new resource ours to find again."""

    ID = "id"
    """The id of the content, by PUT."""
    CONDITION = "condition"
    """url and version, or identifier, by a conditional create; the server gives the id."""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How to write to one server."""

    portions: Portions
    size: int
    key: Key

    def __str__(self) -> str:
        how = {
            Portions.TRANSACTION: f"transactions of up to {self.size}",
            Portions.BATCH: f"batches of up to {self.size}",
            Portions.SINGLE: "one request per resource",
        }[self.portions]
        key = {Key.ID: "our ids", Key.CONDITION: "ids assigned by the server, conditional creates"}
        return f"{how}, {key[self.key]}"

    def smaller(self) -> Strategy | None:
        """The next lower rung, when the server does not take these portions after all."""
        if self.portions is Portions.TRANSACTION:
            return replace(self, portions=Portions.BATCH)
        if self.portions is Portions.BATCH:
            return replace(self, portions=Portions.SINGLE, size=1)
        return None


def strategy_for(capabilities: Capabilities, members: Iterable[Member]) -> Strategy:
    """The best strategy that the server's claims allow."""
    types = {member.type for member in members}
    if "transaction" in capabilities.system:
        portions, size = Portions.TRANSACTION, CHUNK
    elif "batch" in capabilities.system:
        portions, size = Portions.BATCH, CHUNK
    else:
        portions, size = Portions.SINGLE, 1
    by_id = all(capabilities.takes_client_ids(each) for each in types)
    return Strategy(portions, size, Key.ID if by_id else Key.CONDITION)


def refusals(capabilities: Capabilities, members: Iterable[Member]) -> dict[str, str]:
    """The types that this server does not take, each with the reason."""
    found: dict[str, str] = {}
    for resource_type in sorted({member.type for member in members}):
        if resource_type not in capabilities.types:
            found[resource_type] = "the server does not know this type"
            continue
        missing = [i for i in _NEEDED if not capabilities.offers(resource_type, i)]
        writes = capabilities.offers(resource_type, "update")
        if not writes:
            missing.append("update")
        elif not (
            capabilities.takes_client_ids(resource_type)
            or capabilities.conditional(resource_type, "create")
        ):
            missing.append("neither ids chosen by the client nor conditional creates")
        if missing:
            found[resource_type] = f"the server does not offer: {', '.join(missing)}"
    return found


def alternative(capabilities: Capabilities, refused: Iterable[str]) -> str:
    """What to do instead, for a server of patient records that takes no definitions."""
    if not set(refused) & set(_CLINICAL_ONLY):
        return ""
    software = capabilities.software
    return (
        f"{software} takes no definitional content, as usual for an EHR's own endpoint: publish to "
        "a FHIR server beside it (fhirpkg serve, HAPI FHIR) and reach clinicians through CDS Hooks "
        "(order-select, order-sign) or a SMART app, or hand the EHR's build team the package and "
        "its documents"
    )


def condition(capabilities: Capabilities, member: Member, *, by_identifier: bool = False) -> str:
    """The criteria by which a member is found again where the server gives the id; may be empty.

    By url and version where that can be, as an identifier may be that of other versions too.
    """
    from urllib.parse import urlencode  # noqa: PLC0415 - only where the server gives the ids

    known = capabilities.search_parameters(member.type)
    if by_identifier:
        known &= {"identifier"}
    if member.url and member.version and {"url", "version"} <= known:
        return urlencode({"url": member.url, "version": member.version})
    if member.identifier and "identifier" in known:
        return urlencode({"identifier": member.identifier})
    return urlencode({"url": member.url}) if member.url and "url" in known else ""
