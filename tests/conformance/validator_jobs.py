"""Run validation jobs: a JSON list on standard input, a list of outcomes on standard output.

A job names a file and what to load beside it; each is checked with definitions of its own. The
protocol is that of the corpus' scorer: ``{"id", "outcome"}`` or ``{"id", "error"}``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fhirpkg import fhirjson, fhirxml
from fhirpkg.definitions.definitions import Definitions
from fhirpkg.errors import FhirpkgError
from fhirpkg.issues import Severity
from fhirpkg.packages.cache import PackageCache, resolve_package
from fhirpkg.packages.package import read_package
from fhirpkg.validation.run import Settings
from fhirpkg.validation.validator import Validator

if TYPE_CHECKING:
    from collections.abc import Callable

    from fhirpkg.issues import Resource

_PACKAGES = Path(__file__).parents[2] / ".examples"
"""What scripts/examples fetches, laid out as a package cache."""
_COMMENT = re.compile(rb'"(?:\\.|[^"\\])*"|(?P<comment>//[^\n]*|/\*.*?\*/)', re.DOTALL)
"""A comment, as some write it into JSON, or a string, in which there is none."""
_TARGETS: dict[str, Literal["ignore", "", "exist", "valid"]] = {
    "CHECK_EXISTS": "exist",
    "CHECK_EXISTS_AND_TYPE": "exist",
    "CHECK_TYPE_IF_EXISTS": "",
    "CHECK_VALID": "valid",
}


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """The outcome of one job, or why there is none."""
    try:
        return {"id": job["id"], "outcome": check(job)}
    except (FhirpkgError, OSError) as error:
        return {"id": job["id"], "error": str(error)}


def check(job: dict[str, Any]) -> Resource:
    """Check the file of a job against its profile, with what the job loads."""
    definitions = _definitions(job)
    validator = Validator(
        definitions=definitions,
        settings=_settings(job.get("settings", {})),
        retrieve=_retrieve(job.get("references", {}), definitions),
    )
    profiles = [job["profile"]] if job.get("profile") else []
    data = Path(job["file"]).read_bytes()
    if job.get("settings", {}).get("allow-comments"):
        data = _COMMENT.sub(_blanked, data)
    return validator.validate(data, profiles, file=job["file"]).as_operation_outcome()


def _blanked(found: re.Match[bytes]) -> bytes:
    """Blanks for a comment, so that all else stays in its place; a string as it is."""
    return re.sub(rb"[^\n]", b" ", found[0]) if found["comment"] else found[0]


def _definitions(job: dict[str, Any]) -> Definitions:
    definitions = Definitions.core()
    cache = PackageCache(_PACKAGES)
    needed = [read_package(Path(file)) for file in job.get("packageMap", {}).values()]
    asked = [resolve_package(name, cache, offline=True) for name in job.get("packages", ())]
    for package in (*needed, *asked):
        definitions = definitions.with_package(package)
    loaded = [_read(Path(file), definitions) for file in job.get("load", ())]
    return definitions.with_resources([resource for resource in loaded if resource])


def _read(path: Path, definitions: Definitions) -> Resource | None:
    data = path.read_bytes()
    if path.suffix == ".xml":
        return fhirxml.read(data, definitions.types)[0]
    value, _ = fhirjson.read(data)
    return value if isinstance(value, dict) else None


def _retrieve(
    references: dict[str, str], definitions: Definitions
) -> Callable[[str], Resource | None]:
    def retrieve(reference: str) -> Resource | None:
        if reference == "Patient/test":  # the corpus' own stand-in for any patient
            return {"resourceType": "Patient", "id": "test"}
        file = references.get(reference)
        return _read(Path(file), definitions) if file else None

    return retrieve


def _settings(given: dict[str, Any]) -> Settings:
    severity = given.get("best-practice")
    entry = given.get("bundle-param")
    return Settings(
        best_practice=Severity(severity.lower()) if severity else None,
        wrong_display=Severity(given.get("wrong-displays", "error")),
        html_in_text=not (given.get("security-checks") or given.get("noHtmlInMarkdown")),
        strict="allowed-extension-domain" not in given,
        experimental=not given.get("no-experimental-content"),
        inner=given.get("validateContains", "CHECK_VALID") == "CHECK_VALID",
        entry_profiles=((entry["rule"], entry["profile"]),) if entry else (),
        targets=_TARGETS.get(
            given.get("validateReference", ""),
            "" if given.get("assumeValidRestReferences") else "ignore",
        ),
    )


if __name__ == "__main__":
    json.dump([answer(job) for job in json.load(sys.stdin)], sys.stdout)
