"""Who may read and write: anybody, whoever has one token, or whom a SMART token allows it.

http://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html. Of SMART scopes those of
`system/` and `user/` count, in both forms (`Patient.read`, `Patient.rs`); `patient/` ones do not,
since the compartment of a patient is not kept apart here, nor do those that hold a query.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fhirpkg.server.cds.keys import UnauthorizedError
from fhirpkg.server.cds.tokens import ALGORITHMS
from fhirpkg.server.exchange import Rights

if TYPE_CHECKING:
    from fhirpkg.issues import Resource
    from fhirpkg.server.cds.keys import KeySet

_SCOPE = re.compile(r"(?:system|user)/(?P<type>\*|[A-Z]\w+)\.(?P<rights>read|write|\*|c?r?u?d?s?)")
_VERSION_1 = {"read": "rs", "write": "cud", "*": "cruds"}
_SERVICE = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_SKEW = 30
_LARGEST_TOKEN = 16 * 1024


class Unauthorized(Exception):  # noqa: N818 - reported as a refusal
    """A request without a token that can be accepted."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A SMART authorization server: its keys, its name (`iss`), and what its tokens are for."""

    keys: KeySet
    name: str
    audience: str
    token_url: str = ""
    """Where clients get tokens."""

    def configuration(self) -> Resource:
        """The content of `.well-known/smart-configuration` (SMART conformance.html).

        Only that which this server knows: how clients show who they are, the issuer decides.
        """
        known = {
            "issuer": self.name,
            "token_endpoint": self.token_url,
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": ["system/*.cruds", "user/*.cruds"],
            "capabilities": ["permission-v1", "permission-v2", "permission-user"],
            "code_challenge_methods_supported": ["S256"],
        }
        place = self.keys.place
        return known | ({"jwks_uri": place} if place.startswith("https://") else {})

    def rights(self, token: str) -> Rights:
        """What a token allows. Raises Unauthorized with a reason that repeats nothing of it."""
        import jwt  # noqa: PLC0415 - only where tokens are asked for

        try:
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(
                token,
                self.keys.key(header),
                algorithms=list(ALGORITHMS),
                audience=self.audience,
                issuer=self.name,
                leeway=_SKEW,
                options={"require": ["exp", "iss", "aud"]},
            )
        except UnauthorizedError as error:
            raise Unauthorized(str(error)) from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthorized(f"the token is not accepted ({type(error).__name__})") from error
        scope = claims.get("scope", "")
        return rights_of(scope if isinstance(scope, str) else "")


def rights_of(scope: str) -> Rights:
    """What SMART scopes allow: letters of `cruds` by resource type, `*` for all types.

    >>> rights_of("system/Patient.rs user/*.write openid").letters
    {'Patient': 'rs', '*': 'cud'}
    """
    letters: dict[str, str] = {}
    for one in scope.split():
        if match := _SCOPE.fullmatch(one):
            rights = _VERSION_1.get(match["rights"], match["rights"])
            letters[match["type"]] = letters.get(match["type"], "") + rights
    return Rights(letters)


@dataclass(frozen=True, slots=True)
class Access:
    """What a request needs: the one token that allows all, or one of the issuer."""

    token: str = ""
    issuer: Issuer | None = None

    def security(self) -> Resource:
        """What the CapabilityStatement says of access (R4, `rest.security`)."""
        if self.issuer is None:
            words = (
                "A request needs a bearer token." if self.token else "Anybody may read and write."
            )
            return {"description": words}
        service = {"system": _SERVICE, "code": "SMART-on-FHIR", "display": "SMART-on-FHIR"}
        found: Resource = {
            "service": [{"coding": [service]}],
            "description": "A request needs a bearer token; its SMART scopes say what it allows.",
        }
        if self.issuer.token_url:
            token = {"url": "token", "valueUri": self.issuer.token_url}
            found["extension"] = [{"url": _OAUTH_URIS, "extension": [token]}]
        return found

    def rights(self, authorization: str) -> Rights | None:
        """What the header `Authorization` allows; None: all. Raises Unauthorized."""
        if not self.token and self.issuer is None:
            return None
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > _LARGEST_TOKEN:
            raise Unauthorized("a request needs a bearer token")
        if self.token and hmac.compare_digest(token.encode(), self.token.encode()):
            return None
        if self.issuer is None:
            raise Unauthorized("the token is not accepted")
        return self.issuer.rights(token)
