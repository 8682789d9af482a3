import pytest

from fhirpkg.client.capabilities import Capabilities
from fhirpkg.errors import ServerError

STATEMENT = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "date": "2026-01-01",
    "software": {"name": "Demo", "version": "1.2"},
    "rest": [
        {"mode": "client"},
        {
            "mode": "server",
            "interaction": [{"code": "transaction"}],
            "resource": [
                {
                    "type": "List",
                    "interaction": [{"code": "read"}, {"code": "update"}],
                    "updateCreate": False,
                    "conditionalCreate": True,
                    "searchParam": [{"name": "identifier"}],
                }
            ],
        },
    ],
}


def test_a_statement_is_asked_in_our_words():
    found = Capabilities.of(STATEMENT, "http://x")
    assert found.software == "Demo 1.2"
    assert found.system == {"transaction"}
    assert found.offers("List", "read", "update")
    assert not found.offers("List", "delete")
    assert not found.offers("Basic", "read")
    assert found.search_parameters("List") == {"identifier"}
    assert not found.takes_client_ids("List")
    assert found.takes_client_ids("Basic")  # not denied
    assert found.conditional("List", "create")
    assert not found.conditional("List", "update")


def test_the_digest_does_not_change_with_the_day_but_with_what_is_offered():
    today = Capabilities.of(STATEMENT, "http://x").digest
    assert Capabilities.of(STATEMENT | {"date": "2026-02-02"}, "http://x").digest == today
    assert Capabilities.of(STATEMENT | {"rest": []}, "http://x").digest != today


@pytest.mark.parametrize("version, told", [("5.0.0", "FHIR 5.0.0"), ("", "no FHIR version")])
def test_another_version_of_fhir_is_refused(version, told):
    with pytest.raises(ServerError, match=told):
        Capabilities.of(STATEMENT | {"fhirVersion": version}, "http://x")
