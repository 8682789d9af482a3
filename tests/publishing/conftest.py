import pytest

from tests.servers.embedded import running


@pytest.fixture
def server():
    with running() as base_url:
        yield base_url
