"""What holds for every test process."""

import signal

import pytest
from hypothesis import HealthCheck, settings

# A shell starts its background jobs with SIGINT ignored, and what they start inherits that: under
# such a CI no program could be interrupted. With a handler here, programs start with the default.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A slow machine is not a failure; each test has a timeout.
settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")


@pytest.fixture
def unmeasured(monkeypatch):
    """What a test starts is started as users do: under --coverage it would import that and warn."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
