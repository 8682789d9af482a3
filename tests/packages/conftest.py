import pytest

from tests.packages.loopback import running


@pytest.fixture
def registry(monkeypatch, tmp_path):
    """A registry on loopback that the environment names; the cache is an empty folder."""
    monkeypatch.delenv("FPL_REGISTRY_TOKEN", raising=False)
    monkeypatch.delenv("FHIRPKG_REGISTRIES", raising=False)
    monkeypatch.setenv("FHIRPKG_CACHE", str(tmp_path / "cache"))
    with running() as server:
        monkeypatch.setenv("FPL_REGISTRY", server.base)
        yield server
