import pytest

from fhirpkg.server.endpoint import open_endpoint
from tests.server.client import Client
from tests.servers.embedded import running
from tests.servers.listener import Listener


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
        for table in ("version", "current", "searchable", "body", "shape", "shape_param"):
            endpoint.store.query(f"DELETE FROM {table}")
    endpoint.learned.forget()
    return Client(_base)


@pytest.fixture
def ehr():
    """The FHIR server of a hook client, which notes what is asked of it."""
    with Listener() as listener:
        yield listener


@pytest.fixture
def elsewhere():
    """Another host, which nothing may be asked of."""
    with Listener("127.0.0.2") as listener:
        yield listener
