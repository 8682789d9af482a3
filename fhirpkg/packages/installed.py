"""The content that comes with fhirpkg, and the content that is meant when none is named."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from fhirpkg import fhirjson
from fhirpkg.errors import ConfigError, PackageError

if TYPE_CHECKING:
    from fhirpkg.issues import Resource

OUR_BASE = "https://w3id.org/fhirpkg"
"""The base of the urls of what is fhirpkg's own."""
PROFILES_PACKAGE = "fhirpkg.profiles"
"""The package that holds the profiles which content of others claims."""


def content_root() -> Path:
    """The folder that holds `resources/` and `profiles/`: in the wheel, or beside the checkout.

    Raises PackageError when neither is there.
    """
    package = Path(__file__).parent.parent
    for root in (package / "content", package.parent):
        if (root / "resources" / "package.yaml").is_file():
            return root
    raise PackageError("fhirpkg", "its own content is not installed", "install it again with pip")


def folder_in_use() -> Path:
    """The package that is meant when none is named: the current folder, else its `resources`.

    Raises ConfigError when neither holds a package.yaml: what is installed with fhirpkg is
    somebody else's content, which is taken only by name.
    """
    for folder in (Path(), Path("resources")):
        if (folder / "package.yaml").is_file():
            return folder
    raise ConfigError(
        "neither this folder nor its 'resources' holds a package.yaml; name the content, or use "
        "--bundled for what is installed with fhirpkg"
    )


def bundled_content() -> Path:
    """The content that is installed with fhirpkg."""
    return content_root() / "resources"


def installed_resource(resource_type: str, identifier: str) -> Resource | None:
    """A resource of the content that is installed with this program; its file is named by both."""
    path = _installed_files().get(f"{resource_type}-{identifier}.json")
    if path is None or not path.is_file():
        return None
    value = fhirjson.read(path.read_bytes())[0]
    return value if isinstance(value, dict) else None


@functools.cache
def _installed_files() -> dict[str, Path]:
    """The files of that content by name: every url that no package holds is sought there."""
    try:
        root = content_root()
    except PackageError:
        return {}
    files = [*root.glob("profiles/*.json"), *sorted(root.glob("resources/*/fhir/*.json"))[::-1]]
    return {file.name: file for file in files}


def read_profiles(resources: Path) -> list[Resource]:
    """The profiles that content in a folder claims: those of `profiles/` beside it, else ours.

    Raises PackageError for a file that is not a resource.
    """
    folder = resources.absolute().parent / "profiles"
    if not folder.is_dir():
        folder = content_root() / "profiles"
    found = []
    for path in sorted(folder.glob("*.json")):
        value, issues = fhirjson.read(path.read_bytes())
        if not isinstance(value, dict) or "resourceType" not in value:
            problem = issues[0].text if issues else "it has no resourceType"
            raise PackageError(str(path), f"it is not a FHIR resource: {problem}")
        found.append(value)
    return found
