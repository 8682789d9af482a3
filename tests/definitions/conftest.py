import pathlib

import pytest

from fhirpkg.definitions.definitions import Definitions
from fhirpkg.packages.package import read_package

OFFICIAL = pathlib.Path(__file__).parent.parent.parent / ".examples" / "hl7.fhir.r4.core-4.0.1.tgz"


@pytest.fixture(scope="session")
def core():
    return Definitions.core()


@pytest.fixture(scope="session")
def official_core():
    """The official package, which scripts/definitions fetches."""
    if not OFFICIAL.exists():
        pytest.skip(f"{OFFICIAL.name} is not at hand; scripts/definitions --fetch-only gets it")
    return read_package(OFFICIAL)
