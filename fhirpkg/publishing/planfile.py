"""A plan as a file: what was decided and what it rests on, so that only that is carried out."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fhirpkg.bundling.reading import Selection
from fhirpkg.canonical import PackageId
from fhirpkg.errors import SourceError
from fhirpkg.publishing.bookkeeping.head import ConflictError
from fhirpkg.publishing.survey import Change

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from fhirpkg.publishing.planning import Plan

_FORMAT = 2


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan that was read from a file."""

    source: str | None
    selection: Selection
    overwrite: tuple[Change, ...]
    versions: str
    facts: dict[str, Any]


def write(
    file: Path,
    plan: Plan,
    server: str,
    source: str | None,
    selection: Selection,
    overwrite: Collection[Change],
) -> None:
    """Write a plan beside the file, then in its place; it holds no secret.

    Raises SourceError when it cannot be written; what was there stays then.
    """
    facts = _facts(plan, server) | {
        "source": source,
        "selection": {
            "types": selection.types,
            "exclude": selection.exclude,
            "examples": selection.examples,
            "identity": str(selection.identity or ""),
        },
        "overwrite": list(overwrite),
    }
    text = json.dumps(facts, indent=2, ensure_ascii=False) + "\n"
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(file)
    except OSError as error:
        raise SourceError(str(file), f"the plan cannot be written ({error.strerror})") from error
    finally:
        beside.unlink(missing_ok=True)


def read(file: Path) -> SavedPlan:
    """Read a plan; SourceError when the file is something else."""
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        selection = _selection(facts["selection"])
        overwrite = tuple(map(Change, facts["overwrite"]))
        versions = str(facts["versions"])
        source = None if facts["source"] is None else str(facts["source"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(str(file), "it is not a plan", "make one with 'plan --out'") from error
    if facts.get("format") != _FORMAT:
        raise SourceError(str(file), "another version of fhirpkg wrote it", "make a new one")
    return SavedPlan(source, selection, overwrite, versions, facts)


def is_plan(file: Path) -> bool:
    """Whether a JSON file is, or once was, a plan rather than a resource."""
    with file.open("rb") as stream:
        return b'"resourceType"' not in stream.read(1 << 16)


def _selection(facts: dict[str, Any]) -> Selection:
    identity = facts["identity"]
    return Selection(
        tuple(facts["types"]),
        tuple(facts["exclude"]),
        examples=bool(facts["examples"]),
        identity=PackageId.parse(identity) if identity else None,
    )


def check(saved: SavedPlan, plan: Plan, server: str) -> None:
    """Raise ConflictError when anything that the saved plan rests on is different now."""
    now = _facts(plan, server)
    for name, words in _CHECKED.items():
        if saved.facts.get(name) != now[name]:
            raise ConflictError(f"the plan is stale: {words} changed; run plan again")
    before = {line["local"]: line for line in saved.facts["items"]}
    for line in now["items"]:
        if before.pop(line["local"], None) != line:
            raise ConflictError(f"the plan is stale: {line['local']} changed; run plan again")
    if before:
        raise ConflictError(f"the plan is stale: {min(before)} is gone; run plan again")


_CHECKED = {
    "server": "the server",
    "package": "the package",
    "content": "the content",
    "capabilities": "what the server offers",
    "head": "the state that the server keeps of the package",
}


def _facts(plan: Plan, server: str) -> dict[str, Any]:
    head = plan.head
    return {
        "format": _FORMAT,
        "server": server,
        "package": f"{plan.release.name}#{plan.release.version}",
        "content": plan.release.digest,
        "capabilities": plan.capabilities,
        "strategy": str(plan.strategy),
        "versions": str(plan.versions),
        "head": f"{head.type}/{head.id}/_history/{head.etag}" if head else "",
        "items": [
            {
                "local": item.local,
                "action": str(item.change),
                "place": item.place,
                "precondition": _precondition(item.version),
                "digest": item.member.digest if item.member else "",
                "differences": list(item.differences),
            }
            for item in plan.items
        ],
    }


def _precondition(version: str) -> str:
    return f'If-Match: W/"{version}"' if version else "absent"
