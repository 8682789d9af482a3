"""Handshakes as servers make them: whom we trust, what we show, and one line when it fails."""

import ssl

import pytest
from cryptography import x509

from fhirpkg.client.auth import Authorization, Grant
from fhirpkg.client.client import FhirClient
from fhirpkg.client.retry import RetryPolicy
from fhirpkg.client.transport import tls_context
from fhirpkg.errors import ConfigError, ServerError
from tests.servers.certificates import authority, server_context
from tests.servers.scripted import Reply, scripted

PATIENT = {"resourceType": "Patient", "id": "a"}
QUICK = RetryPolicy(1.0, sleep=lambda _: None)
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(autouse=True)
def _no_proxies_nor_bundles(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ours(tmp_path):
    return authority(tmp_path)


@pytest.fixture
def foreign(tmp_path):
    return authority(tmp_path, "foreign")


def serving(issuer, *, certificate=None, **context):
    shown = issuer.issue("server", **(certificate or {}))
    return scripted(lambda *_: Reply(200, PATIENT), tls=server_context(*shown, **context))


def read_from(server, **files):
    tls = tls_context(**files)
    with FhirClient(server.base_url, retry=QUICK, tls=tls) as client:
        return client.read("Patient", "a")


def test_a_server_is_trusted_by_its_authority(ours):
    with serving(ours) as server:
        assert read_from(server, authority=ours.file) == PATIENT


def test_a_server_is_trusted_by_the_bundle_that_the_environment_names(ours, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ours.file))
    with serving(ours, clients=ours) as server:
        certificate, key = ours.issue("client")
        assert read_from(server, certificate=certificate, key=key) == PATIENT


def test_a_bundle_that_is_not_there_is_named_as_the_reason(ours, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with serving(ours) as server, pytest.raises(ServerError, match="REQUESTS_CA_BUNDLE"):
        read_from(server)


UNTRUSTED = {
    "expired": ({"days": (-3, -1)}, "has expired; its operator must renew it"),
    "of tomorrow": ({"days": (3, 4)}, "not yet valid; is this machine's clock right"),
    "of another host": ({"host": x509.DNSName("elsewhere.example")}, "for another host; is the"),
}


@pytest.mark.parametrize("certificate, words", UNTRUSTED.values(), ids=UNTRUSTED)
def test_a_certificate_that_cannot_be_trusted_is_told_with_what_to_do(ours, certificate, words):
    with (
        serving(ours, certificate=certificate) as server,
        pytest.raises(ServerError, match=words),
    ):
        read_from(server, authority=ours.file)
    assert server.seen == []


@pytest.mark.parametrize("files", [{}, {"authority": "foreign"}], ids=["no --ca", "another --ca"])
def test_a_server_of_an_unknown_authority_is_not_trusted(ours, foreign, files):
    given = dict.fromkeys(files, foreign.file)
    with serving(ours) as server, pytest.raises(ServerError, match="authority with --ca"):
        read_from(server, **given)
    assert server.seen == []


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize("password", [None, "sesame"], ids=["plain key", "encrypted key"])
def test_our_certificate_is_shown_to_a_server_that_asks(ours, newest, password):
    certificate, key = ours.issue("client", password=password.encode() if password else None)
    with serving(ours, clients=ours, newest=newest) as server:
        files = {"certificate": certificate, "key": key, "password": password}
        assert read_from(server, authority=ours.file, **files) == PATIENT


def test_certificate_and_key_may_be_in_one_file(ours, tmp_path):
    certificate, key = ours.issue("client")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    with serving(ours, clients=ours) as server:
        assert read_from(server, authority=ours.file, certificate=both) == PATIENT


@pytest.mark.parametrize("newest", VERSIONS)
def test_a_server_that_asks_in_vain_is_told_with_what_to_do(ours, newest):
    with (
        serving(ours, clients=ours, newest=newest) as server,
        pytest.raises(ServerError, match=r"asks for a client certificate.* --cert and --key"),
    ):
        read_from(server, authority=ours.file)
    assert server.seen == []


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize("kind", ["foreign", "expired"])
def test_a_certificate_of_ours_that_is_refused_is_told_in_one_line(ours, foreign, newest, kind):
    issuer, days = {"foreign": (foreign, (-1, 1)), "expired": (ours, (-3, -1))}[kind]
    certificate, key = issuer.issue("client", days=days)
    with serving(ours, clients=ours, newest=newest) as server, pytest.raises(ServerError) as raised:
        read_from(server, authority=ours.file, certificate=certificate, key=key)
    assert server.seen == []
    assert "--cert and --key" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_https_to_a_port_without_tls_is_told():
    with scripted(lambda *_: Reply(200, PATIENT)) as server:
        url = server.base_url.replace("http:", "https:")
        with pytest.raises(ServerError, match="does not speak TLS there"):
            FhirClient(url, retry=QUICK).read("Patient", "a")


FILES = {
    "no password": ({"key": "locked"}, "locked.key: is encrypted; give its password"),
    "wrong password": ({"key": "locked", "password": "x"}, "not with this --password"),
    "another's key": ({"key": "other"}, r"other\.key: is not the private key of .*client\.pem"),
    "no key": ({}, r"client\.pem: is not a PEM file with certificate and private key"),
    "a key that is none": ({"key": "junk"}, r"junk\.key: is not a certificate and its key"),
    "a missing key": ({"key": "nowhere"}, r"nowhere\.key: cannot be read \(No such file"),
}


@pytest.mark.parametrize("given, words", FILES.values(), ids=FILES)
def test_files_that_do_not_fit_are_named_with_what_to_do(ours, tmp_path, given, words):
    certificate, _ = ours.issue("client")
    ours.issue("locked", password=b"sesame")
    ours.issue("other")
    (tmp_path / "junk.key").write_text("junk")
    key = tmp_path / f"{given['key']}.key" if "key" in given else None
    with pytest.raises(ConfigError, match=words) as caught:
        tls_context(None, certificate, key, given.get("password"))
    assert "sesame" not in str(caught.value)


def test_an_authority_that_is_no_certificate_is_named(tmp_path):
    (tmp_path / "junk.pem").write_text("junk")
    with pytest.raises(ConfigError, match=r"junk\.pem: is not a PEM file of certificates"):
        tls_context(authority=tmp_path / "junk.pem")
    with pytest.raises(ConfigError, match=r"nowhere\.pem: cannot be read"):
        tls_context(authority=tmp_path / "nowhere.pem")


def test_a_redirect_to_another_host_is_shown_neither_certificate_nor_token(ours):
    certificate, key = ours.issue("client")
    shown = ours.issue("server")
    other_tls = server_context(*shown, clients=ours)
    auth = Authorization(lambda: Grant("Bearer sesame"))
    with scripted(lambda *_: Reply(200, PATIENT), tls=other_tls) as other:
        moved = Reply(307, headers={"location": f"{other.base_url}/Patient/a"})
        with scripted(lambda *_: moved, tls=server_context(*shown, clients=ours)) as server:
            tls = tls_context(ours.file, certificate, key)
            client = FhirClient(server.base_url, retry=QUICK, auth=auth, tls=tls)
            with pytest.raises(ServerError):  # it asks for the certificate and gets none
                client.read("Patient", "a")
        assert server.seen[0].headers["authorization"] == "Bearer sesame"
        assert other.seen == []


def test_a_host_whose_name_only_begins_like_ours_is_shown_no_certificate(ours):
    certificate, key = ours.issue("client")
    client = FhirClient("https://fhir.example", tls=tls_context(ours.file, certificate, key))
    mounted = client._session.get_adapter("https://fhir.example/Patient")
    for url in ("https://fhir.example.evil.test/Patient", "https://fhir.example:444/Patient"):
        assert client._session.get_adapter(url) is not mounted
