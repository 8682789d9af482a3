"""A resource in XML has the findings that it has in JSON: a sample of guides, turned by us."""

import hashlib
from pathlib import Path

import pytest

from fhirpkg import fhirxml
from fhirpkg.packages.package import read_package
from fhirpkg.validation.validator import Validator

EXAMPLES = Path(__file__).parents[2] / ".examples"
GUIDES = ["hl7.fhir.uv.sdc#4.0.0-ballot", "hl7.fhir.r4.examples#4.0.1"]
SAMPLE, LARGEST = 40, 60_000


def sample(package):
    """Some resources of a package, always the same ones, with their text in JSON."""
    names = [name for folder in ("", "example") for name in package.names(folder)]
    names.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
    small = [name for name in names if len(package.files[name]) < LARGEST]
    for name in small[:SAMPLE]:
        resource = package.resource(name)
        if resource is not None:
            yield name, package.files[name], resource


@pytest.mark.parametrize("guide", GUIDES)
def test_the_xml_twin_of_a_resource_has_the_same_findings(guide):
    folder = EXAMPLES / guide
    if not folder.is_dir():
        pytest.skip(f"{guide} was not fetched; scripts/examples does that")
    package = read_package(folder)
    validator = Validator([package] if "examples" not in guide else [])

    def found(data):
        issues = validator.validate(data).issues
        return sorted((i.rule, str(i.severity), i.expression) for i in issues)

    different, checked = [], 0
    for name, text, resource in sample(package):
        checked += 1
        if found(text) != found(fhirxml.dump(resource, validator.definitions.types)):
            different.append(name)
    assert checked > SAMPLE / 2
    assert different == []
