"""Tokens of CDS clients as an attacker makes them, and keys that change: a table, each refused."""

import base64
import json
import time

import jwt
import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from fhirpkg.server.cds.keys import KeySet
from fhirpkg.server.cds.tokens import HookClients
from fhirpkg.server.hooks import HookAccess
from tests.applying.test_hooks import ITEM, request
from tests.server.conversation import call, filled
from tests.servers.embedded import running

ISSUER = "https://ehr.example.org"
ADDRESS = "https://cds.example.org/cds-services"
KEY, OTHER = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
WEAK = rsa.generate_private_key(65537, 2048)
PUBLIC = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server that one client may call, by the key of a PEM file."""
    file = tmp_path_factory.mktemp("keys") / "ehr.pem"
    file.write_bytes(PUBLIC)
    clients = HookClients({ISSUER: KeySet(str(file))}, ADDRESS)
    with running(hook_access=HookAccess(clients)) as base:
        yield filled(base)


def claims(**changes):
    now = int(time.time())
    made = {"iss": ISSUER, "aud": f"{ADDRESS}/Plan-order-sign", "iat": now, "exp": now + 300}
    made |= {"jti": f"{time.perf_counter_ns()}"} | changes
    return {name: value for name, value in made.items() if value is not None}


def signed(key=KEY, algorithm="ES384", headers=None, **changes):
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def part(value):
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def raw(header, payload, signature=b"x"):
    return f"{part(header)}.{part(payload)}.{part(signature)}"


def by_hand(header=None, **changes):
    """Rightly signed by the client, with a header or claims that the library would not write."""
    head = f"{part(header or {'alg': 'ES384', 'typ': 'JWT'})}.{part(claims() | changes)}"
    signature = jwt.get_algorithm_by_name("ES384").sign(head.encode(), KEY)
    return f"{head}.{part(signature)}"


def now(seconds):
    return int(time.time()) + seconds


TOKENS = {
    "none at all": lambda: "",
    "another scheme": lambda: f"Basic {signed()}",
    "no token": lambda: "Bearer ",
    "garbage": lambda: "Bearer x",
    "three dots": lambda: "Bearer ...",
    "bytes": lambda: "Bearer \xff\xfe.\xff.\xff",
    "not JSON": lambda: f"Bearer {raw(b'no', b'no')}",
    "a list as payload": lambda: f"Bearer {raw({'alg': 'ES384'}, [])}",
    "a list as header": lambda: f"Bearer {raw([], claims())}",
    "nested without end": lambda: f"Bearer {raw({'alg': 'ES384'}, b'[' * 5000)}",
    "very long": lambda: f"Bearer {signed(more='x' * 40_000)}",
    "alg none": lambda: f"Bearer {jwt.encode(claims(), None, algorithm='none')}",
    "alg None": lambda: f"Bearer {raw({'alg': 'None'}, claims(), b'')}",
    "alg a list": lambda: f"Bearer {raw({'alg': ['none']}, claims(), b'')}",
    "HS256 with the public key": lambda: f"Bearer {hmac_signed()}",
    "RS256 with another key": lambda: f"Bearer {signed(WEAK, 'RS256')}",
    "another key": lambda: f"Bearer {signed(OTHER)}",
    "changed after signing": lambda: f"Bearer {changed()}",
    "crit": lambda: f"Bearer {signed(headers={'crit': ['exp']})}",
    "key in the header": lambda: f"Bearer {signed(OTHER, headers={'jwk': own_jwk(OTHER)})}",
    "unknown issuer": lambda: f"Bearer {signed(iss='https://else.example.org')}",
    "issuer a list": lambda: f"Bearer {raw({'alg': 'ES384'}, claims(iss=[ISSUER]))}",
    "issuer an object": lambda: f"Bearer {raw({'alg': 'ES384'}, claims(iss={'a': ISSUER}))}",
    "signed issuer a list": lambda: f"Bearer {by_hand(iss=[ISSUER])}",
    "aud of another service": lambda: f"Bearer {signed(aud=f'{ADDRESS}/Plan-patient-view')}",
    "aud of all services": lambda: f"Bearer {signed(aud=ADDRESS)}",
    "aud of another server": lambda: (
        f"Bearer {signed(aud='https://x.org/cds-services/Plan-order-sign')}"
    ),
    "aud of the feedback": lambda: f"Bearer {signed(aud=f'{ADDRESS}/Plan-order-sign/feedback')}",
    "aud a number": lambda: f"Bearer {by_hand(aud=1)}",
    "expired": lambda: f"Bearer {signed(exp=now(-120))}",
    "not yet valid": lambda: f"Bearer {signed(nbf=now(600))}",
    "issued in the future": lambda: f"Bearer {signed(iat=now(600), exp=now(900))}",
    "good for ten years": lambda: f"Bearer {signed(exp=now(315_360_000))}",
    "good for two hours": lambda: f"Bearer {signed(exp=now(7200))}",
    "good for a day, issued yesterday": lambda: f"Bearer {signed(iat=now(-86_400))}",
    "exp infinite": lambda: f"Bearer {by_hand(exp=float('inf'))}",
    "exp no number": lambda: f"Bearer {by_hand(exp='soon')}",
    "exp a list": lambda: f"Bearer {by_hand(exp=[1])}",
    "iat an object": lambda: f"Bearer {by_hand(iat={})}",
    "jti a list": lambda: f"Bearer {by_hand(jti=[1])}",
    "jti empty": lambda: f"Bearer {signed(jti='')}",
    "jti very long": lambda: f"Bearer {signed(jti='x' * 300)}",
    **{
        f"without {name}": lambda name=name: f"Bearer {signed(**{name: None})}"
        for name in ("iss", "aud", "exp", "iat", "jti")
    },
}


def hmac_signed():
    """The trick with the public key as a shared secret."""
    head = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    return f"{head}.{part(algorithm.sign(head.encode(), PUBLIC))}"


def changed():
    header, _, signature = signed().split(".")
    return f"{header}.{part(claims(exp=now(900)))}.{signature}"


def own_jwk(key):
    return json.loads(jwt.get_algorithm_by_name("ES384").to_jwk(key.public_key()))


@pytest.mark.parametrize("name", TOKENS)
def test_a_hostile_token_is_a_401_that_says_how_to_come_back(guarded, name):
    token = TOKENS[name]()
    answer = call(f"{guarded}/Plan-order-sign", request(), Authorization=token.encode("latin-1"))
    assert answer.status_code == 401, answer.text
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="CDS Hooks"')
    assert "cards" not in answer.text
    sent = token.removeprefix("Bearer ").split(".")[-1]
    assert len(sent) < 4 or sent not in answer.text


def test_discovery_needs_no_token(guarded):
    assert requests.get(guarded, timeout=10).status_code == 200


def test_the_right_token_is_taken_once(guarded):
    token = {"Authorization": f"Bearer {signed()}"}
    assert call(f"{guarded}/Plan-order-sign", request(), **token).status_code == 200
    again = call(f"{guarded}/Plan-order-sign", request(), **token)
    assert (again.status_code, "used before" in again.json()["error"]) == (401, True)


def test_a_jti_may_return_when_the_first_has_expired():
    seconds = [time.time()]
    clients = HookClients({}, ADDRESS, clock=lambda: seconds[0])
    once = {"jti": "a", "exp": int(seconds[0]) + 10}
    clients._remember(ISSUER, once)
    clients._remember("https://other.example.org", once)
    with pytest.raises(Exception, match="used before"):
        clients._remember(ISSUER, once)
    seconds[0] += 60
    clients._remember(ISSUER, once)


@pytest.mark.parametrize("end", ["", "/feedback"])
def test_a_token_for_the_service_or_its_feedback_is_taken_for_feedback(guarded, end):
    token = signed(aud=[f"{ADDRESS}/Plan-order-sign{end}", "https://else.example.org"])
    url, body = f"{guarded}/Plan-order-sign/feedback", {"feedback": [ITEM]}
    assert call(url, body, Authorization=f"Bearer {token}").status_code == 200


# -- keys -------------------------------------------------------------------------------------


def jwks(**keys):
    made = [own_jwk(key) | {"kid": kid, "use": "sig", "alg": "ES384"} for kid, key in keys.items()]
    return json.dumps({"keys": made})


@pytest.fixture(params=["file", "address"])
def rotating(request, tmp_path, ehr):
    """A client with a JWKS, its service, and what replaces the keys."""
    seconds = [0.0]
    place = str(tmp_path / "jwks.json") if request.param == "file" else f"{ehr.base}/jwks"

    def replace(text):
        (tmp_path / "jwks.json").write_text(text)
        ehr.answers["/jwks"] = (200, {}, text)

    replace(jwks(one=KEY))
    keys = KeySet(place, clock=lambda: seconds[0])
    with running(hook_access=HookAccess(HookClients({ISSUER: keys}, ADDRESS))) as base:
        url = f"{filled(base)}/Plan-order-sign"

        def status(key, kid, **more):
            token = signed(key, headers=({"kid": kid} if kid else {}) | more)
            return call(url, globals()["request"](), Authorization=f"Bearer {token}").status_code

        yield status, replace, seconds, ehr


def test_a_key_is_chosen_by_its_name_and_a_new_one_is_learnt(rotating):
    status, replace, seconds, _ = rotating
    assert (status(KEY, "one"), status(KEY, None), status(KEY, "two")) == (200, 401, 401)
    replace(jwks(one=KEY, two=OTHER))
    seconds[0] += 31
    assert (status(OTHER, "two"), status(KEY, "one"), status(OTHER, "one")) == (200, 200, 401)


def test_a_key_that_was_withdrawn_is_forgotten(rotating):
    status, replace, seconds, _ = rotating
    assert status(KEY, "one") == 200
    replace(jwks(two=OTHER))
    seconds[0] += 3601
    assert (status(KEY, "one"), status(OTHER, "two")) == (401, 200)


def test_keys_that_cannot_be_read_for_a_while_are_kept(rotating):
    status, replace, seconds, _ = rotating
    assert status(KEY, "one") == 200
    replace("<html>be right back</html>")
    seconds[0] += 3601
    assert status(KEY, "one") == 200


def test_strangers_cannot_make_us_read_keys_all_the_time(rotating):
    status, _, _, ehr = rotating
    assert [status(KEY, f"k{n}") for n in range(5)] == [401] * 5
    assert len([path for path, _ in ehr.asked if path == "/jwks"]) <= 1


def test_an_address_of_keys_in_a_token_is_never_asked(rotating, elsewhere):
    status, _, _, _ = rotating
    elsewhere.answers["/jwks"] = (200, {}, jwks(evil=OTHER))
    assert status(OTHER, "evil", jku=f"{elsewhere.base}/jwks") == 401
    assert elsewhere.asked == []
