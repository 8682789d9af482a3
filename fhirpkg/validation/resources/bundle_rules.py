"""Rules of Bundles that no StructureDefinition states; bdl-1 to bdl-12 are invariants of R4."""

from fhirpkg.rules import error, warning

_BUNDLE = "http://hl7.org/fhir/R4/bundle.html"
_DOCUMENTS = "http://hl7.org/fhir/R4/documents.html#content"
_TRANSACTION = "http://hl7.org/fhir/R4/http.html#trules"
_FULL_URL = f"{_BUNDLE}#bundle-unique"

BUNDLE_FULL_URL_ABSOLUTE = error(
    "bundle-full-url-absolute",
    "invalid",
    title="fullUrl is absolute",
    text="the fullUrl '{url}' is not absolute",
    advice="write the address on a server, or urn:uuid: and a UUID",
    spec=_FULL_URL,
)
BUNDLE_FULL_URL_IDENTITY = warning(
    "bundle-full-url-identity",
    "invalid",
    title="A fullUrl on a server ends with the type and id of its resource",
    text="the fullUrl '{url}' {problem}",
    advice="write [base]/[type]/[id], or use urn:uuid: and a UUID",
    spec=_FULL_URL,
    is_strict=True,
)
BUNDLE_FULL_URL_CANONICAL = error(
    "bundle-full-url-canonical",
    "invalid",
    title="A canonical url is a fullUrl only where the resource is served there by its id",
    text="the fullUrl '{url}' is the canonical url of the resource, but does not end with its id",
    advice="use urn:uuid:, or the address on a server",
    spec=_FULL_URL,
)
BUNDLE_FULL_URL_MISSING = error(
    "bundle-full-url-missing",
    "invalid",
    title="Entries with a resource have a fullUrl, except in requests",
    text="the {type} has no fullUrl, so no reference can lead to it",
    spec=_FULL_URL,
    is_strict=True,
)
BUNDLE_LINK_REPEATED = error(
    "bundle-link-repeated",
    "invalid",
    title="Links of a Bundle have different relations",
    text="the Bundle already has a link '{relation}'",
    spec=f"{_BUNDLE}#searchset",
)
BUNDLE_LINK_KIND = error(
    "bundle-link-kind",
    "invalid",
    title="Only search results and histories have pages",
    text="a link '{relation}' makes no sense in a Bundle of type {kind}",
    spec=f"{_BUNDLE}#searchset",
)
BUNDLE_SEARCH = error(
    "bundle-search",
    "invalid",
    title="Search results have an id and a type that was searched for",
    text="this entry {problem}",
    spec="http://hl7.org/fhir/R4/http.html#search",
)
BUNDLE_STYLESHEET = error(
    "bundle-stylesheet",
    "not-found",
    title="The style sheet of a document is in the Bundle",
    text="no entry has the fullUrl '{url}' of this style sheet",
    spec=_DOCUMENTS,
)
BUNDLE_REFERENCE = error(
    "bundle-reference",
    "not-found",
    title="Targets of a document's Composition and a message's header are in the Bundle",
    text="'{reference}' is not in the Bundle{hint}",
    advice="a relative reference is resolved against the fullUrl of its own entry",
    spec=_DOCUMENTS,
    is_strict=True,
)
BUNDLE_REFERENCE_AMBIGUOUS = error(
    "bundle-reference-ambiguous",
    "multiple-matches",
    title="References in a Bundle lead to one entry",
    text="'{reference}' leads to {count} entries",
    advice="name the version with /_history/, or give the entries other fullUrls",
    spec=_FULL_URL,
)
BUNDLE_REFERENCE_BASE = warning(
    "bundle-reference-base",
    "required",
    title="Entries with relative references have a fullUrl",
    text="the entry has no fullUrl to resolve '{reference}' against",
    advice="give the entry a fullUrl; urn:uuid: and a UUID will do",
    spec=f"{_BUNDLE}#references",
    is_strict=True,
)
BUNDLE_UNREACHABLE = error(
    "bundle-unreachable",
    "informational",
    title="Entries of a document or message are linked with its first entry, directly or not",
    text="the entry '{url}' is not linked, in either direction, with the {wanted}",
    advice="remove it, or refer to it",
    spec=_DOCUMENTS,
)
BUNDLE_REQUEST_URL = error(
    "bundle-request-url",
    "invalid",
    title="The url of a request fits its method and resource",
    text="'{url}' does not fit {method}: {problem}",
    spec=_TRANSACTION,
)
BUNDLE_REQUEST_RESOURCE = error(
    "bundle-request-resource",
    "invalid",
    title="POST, PUT and PATCH send a resource; GET, HEAD and DELETE send none",
    text="{method} {problem}",
    spec=_TRANSACTION,
)
BUNDLE_REQUEST_OVERLAP = error(
    "bundle-request-overlap",
    "duplicate",
    title="A transaction changes each resource once",
    text="another entry of this transaction already changes '{url}'",
    spec=_TRANSACTION,
)
