import pytest

from fhirpkg.server.endpoint import open_endpoint
from tests.server.client import Client
from tests.servers.embedded import running


@pytest.fixture(scope="session")
def endpoint():
    return open_endpoint()


@pytest.fixture(scope="session")
def _base(endpoint):
    with running(endpoint=endpoint) as base:
        yield base


@pytest.fixture
def server(_base, endpoint):
    """A client of a server in memory that holds nothing."""
    with endpoint.store.transaction():
        for table in ("version", "current", "searchable", "body"):
            endpoint.store.query(f"DELETE FROM {table}")
    endpoint.learned.forget()
    return Client(_base)
