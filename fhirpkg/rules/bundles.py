"""Rules of Bundles that no StructureDefinition states; bdl-1 to bdl-12 are invariants of R4."""

from fhirpkg.rules import ERROR, WARNING, Rule

_BUNDLE = "http://hl7.org/fhir/R4/bundle.html"
_FULL_URL = f"{_BUNDLE}#bundle-unique"
_DOCUMENTS = "http://hl7.org/fhir/R4/documents.html#content"
_TRANSACTION = "http://hl7.org/fhir/R4/http.html#trules"

RULES = (
    Rule(
        "bundle-full-url-absolute",
        ERROR,
        "invalid",
        "A fullUrl is an absolute URL",
        "the fullUrl '{url}' is not absolute",
        "write the address on a server, or urn:uuid: and a UUID",
        _FULL_URL,
    ),
    Rule(
        "bundle-full-url-identity",
        WARNING,
        "invalid",
        "A fullUrl that is an address on a server ends with the type and id of the resource",
        "the fullUrl '{url}' does not end with '{identity}', as its resource demands",
        "a fullUrl like [base]/[type]/[id] names the resource; else use urn:uuid:",
        _FULL_URL,
    ),
    Rule(
        "bundle-full-url-canonical",
        ERROR,
        "invalid",
        "A canonical url is a fullUrl only where the resource is served there by its id",
        "the fullUrl '{url}' is the canonical url of the resource, but does not end with its id",
        "use urn:uuid:, or the address on a server",
        _FULL_URL,
    ),
    Rule(
        "bundle-full-url-missing",
        ERROR,
        "invalid",
        "Each resource in a Bundle that is not a request has a fullUrl",
        "the entry has no fullUrl, so no reference can lead to its {type}",
        spec=_FULL_URL,
    ),
    Rule(
        "bundle-link-repeated",
        ERROR,
        "invalid",
        "A Bundle has one link of each relation that pages it",
        "there is already a link '{relation}'",
        spec=f"{_BUNDLE}#searchset",
    ),
    Rule(
        "bundle-link-kind",
        ERROR,
        "invalid",
        "Only search results and histories come in pages",
        "a link '{relation}' makes no sense in a Bundle of type {kind}",
        spec=f"{_BUNDLE}#searchset",
    ),
    Rule(
        "bundle-search",
        ERROR,
        "invalid",
        "Search results have a resource with an id, of a type that was searched for",
        "this entry {problem}",
        spec="http://hl7.org/fhir/R4/http.html#search",
    ),
    Rule(
        "bundle-stylesheet",
        ERROR,
        "not-found",
        "The style sheet of a document is in the Bundle",
        "no entry has the fullUrl '{url}' of this style sheet",
        spec=_DOCUMENTS,
    ),
    Rule(
        "bundle-reference",
        ERROR,
        "not-found",
        "What a document's Composition or a message's header refers to is in the Bundle",
        "'{reference}' is not in the Bundle{hint}",
        "a relative reference is resolved against the fullUrl of its own entry",
        _DOCUMENTS,
    ),
    Rule(
        "bundle-reference-ambiguous",
        ERROR,
        "multiple-matches",
        "A reference in a Bundle leads to one entry",
        "'{reference}' leads to {count} entries",
        "name the version with /_history/, or give the entries other fullUrls",
        _FULL_URL,
    ),
    Rule(
        "bundle-unreachable",
        ERROR,
        "informational",
        "Each entry of a document or message is linked with its first entry, directly or not",
        "the entry '{url}' is not linked, in either direction, with the {wanted}",
        "leave it out, or refer to it",
        _DOCUMENTS,
    ),
    Rule(
        "bundle-request-url",
        ERROR,
        "invalid",
        "A request's url fits its method and its resource",
        "{method} '{url}' does not fit: {problem}",
        spec=_TRANSACTION,
    ),
    Rule(
        "bundle-request-resource",
        ERROR,
        "invalid",
        "POST, PUT and PATCH send a resource; GET, HEAD and DELETE send none",
        "{method} {problem}",
        spec=_TRANSACTION,
    ),
    Rule(
        "bundle-request-overlap",
        ERROR,
        "duplicate",
        "A transaction changes each resource once",
        "another entry of this transaction already changes '{url}'",
        spec=_TRANSACTION,
    ),
)
