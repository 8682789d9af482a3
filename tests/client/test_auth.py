import base64
import stat

import pytest

from fhirpkg.client.auth import Authorization, Grant, basic, bearer, secret
from fhirpkg.errors import ConfigError


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_secret_comes_from_the_environment_a_file_or_a_command(tmp_path, monkeypatch):
    monkeypatch.setenv("DEMO_TOKEN", "one")
    file = private(tmp_path / "token", "two\n")
    assert secret("env:DEMO_TOKEN") == "one"
    assert secret(f"file:{file}") == "two"
    assert secret("command:echo three") == "three"


@pytest.mark.parametrize(
    "name, problem",
    [
        ("eyJhbGciOi.J9.sesame", "not the secret"),
        ("env:NOT_SET_ANYWHERE", "is not set"),
        ("file:/no/such/file", "cannot be read"),
        ("command:false", r"command:false failed \(status 1\)"),
        ("command:true", "the secret is empty"),
    ],
)
def test_a_secret_that_is_not_there_or_written_out_is_refused(name, problem):
    with pytest.raises(ConfigError, match=problem) as caught:
        secret(name)
    assert "sesame" not in str(caught.value)


def test_a_file_that_everybody_may_read_is_no_secret(tmp_path):
    file = private(tmp_path / "token", "x")
    file.chmod(file.stat().st_mode | stat.S_IROTH)
    with pytest.raises(ConfigError, match="chmod 600"):
        secret(f"file:{file}")


def test_basic_sends_user_and_password(monkeypatch):
    monkeypatch.setenv("DEMO_PASSWORD", "sesame")
    header = basic("ann", "env:DEMO_PASSWORD").header()
    assert base64.b64decode(header.removeprefix("Basic ")) == b"ann:sesame"


def test_a_bearer_token_is_read_anew_when_it_was_refused(monkeypatch):
    monkeypatch.setenv("DEMO_TOKEN", "old")
    auth = bearer("env:DEMO_TOKEN")
    assert auth.header() == "Bearer old"
    assert not auth.renew()
    monkeypatch.setenv("DEMO_TOKEN", "new")
    assert auth.renew()
    assert auth.header() == "Bearer new"


def test_a_grant_is_renewed_shortly_before_it_ends():
    now = [1000.0]
    grants = iter([Grant("Bearer a", 1100.0), Grant("Bearer b", 1200.0)])
    auth = Authorization(lambda: next(grants), clock=lambda: now[0])
    assert (auth.header(), auth.header()) == ("Bearer a", "Bearer a")
    now[0] = 1075.0
    assert auth.header() == "Bearer b"


def test_a_grant_does_not_show_its_header():
    assert "sesame" not in repr(Grant("Bearer sesame", 1.0))
