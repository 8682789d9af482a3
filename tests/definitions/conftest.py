import pathlib

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.package import read_package

EXAMPLES = pathlib.Path(__file__).parent.parent.parent / ".examples"


def package_at_hand(name, script):
    path = EXAMPLES / name
    if not path.exists():
        pytest.skip(f"{name} is not available; {script} fetches it")
    return read_package(path)


@pytest.fixture(scope="session")
def core():
    return Definitions.core()


@pytest.fixture(scope="session")
def official_core():
    """The official package, which scripts/definitions fetches."""
    return package_at_hand("hl7.fhir.r4.core-4.0.1.tgz", "scripts/definitions --fetch-only")


@pytest.fixture(scope="session")
def sdc():
    """A guide of today with 86 published snapshots, which scripts/examples fetches."""
    return package_at_hand("hl7.fhir.uv.sdc-4.0.0-ballot.tgz", "scripts/examples")
