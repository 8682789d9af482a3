"""Applying definitions to a patient: `$apply`, its expressions, CDS Hooks.

`apply` and `from_path` are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fhirpkg.applying.application import Applied, apply
    from fhirpkg.applying.repository import MemoryRepository, Repository, from_path

_HOMES = {
    "Applied": "application",
    "MemoryRepository": "repository",
    "Repository": "repository",
    "apply": "application",
    "from_path": "repository",
}
__all__ = ["Applied", "MemoryRepository", "Repository", "apply", "from_path"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib  # noqa: PLC0415 - only when something is asked for

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
