import pytest

from tests.server.client import Client
from tests.servers.embedded import running


@pytest.fixture
def server():
    with running() as base:
        yield Client(base)
