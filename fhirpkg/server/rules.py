"""What the embedded server refuses or remarks, each in an OperationOutcome."""

from fhirpkg.rules import error, warning

_HTTP = "http://hl7.org/fhir/R4/http.html"
_SEARCH = "http://hl7.org/fhir/R4/search.html"

SERVER_UNKNOWN_PATH = error(
    "server-unknown-path",
    "not-found",
    title="The path exists on this server",
    text="nothing is served at {path}",
    advice="the FHIR base is {base}; {base}/metadata lists what is offered",
    spec=_HTTP,
)
SERVER_UNKNOWN_TYPE = error(
    "server-unknown-type",
    "not-supported",
    title="The type is an R4 resource type",
    text="'{type}' is not a resource type of FHIR R4{near}",
    spec="http://hl7.org/fhir/R4/resourcelist.html",
)
SERVER_UNKNOWN_RESOURCE = error(
    "server-unknown-resource",
    "not-found",
    title="The resource exists",
    text="{type}/{id} does not exist",
    spec=_HTTP,
)
SERVER_UNKNOWN_VERSION = error(
    "server-unknown-version",
    "not-found",
    title="The version exists",
    text="{type}/{id} has no version {version}; the newest is {newest}",
    spec=_HTTP,
)
SERVER_DELETED = error(
    "server-deleted",
    "deleted",
    title="The resource is not deleted",
    text="{type}/{id} was deleted (version {version})",
    advice="its history is still at {type}/{id}/_history",
    spec=_HTTP,
)
SERVER_METHOD = error(
    "server-method",
    "not-supported",
    title="The interaction is offered here",
    text="{method} is not offered at {path}; {allowed}",
    spec=_HTTP,
)
SERVER_NO_BODY = error(
    "server-no-body",
    "required",
    title="The request carries a resource",
    text="{method} {path} needs a resource in its body",
    spec=_HTTP,
)
SERVER_BODY_TYPE = error(
    "server-body-type",
    "invalid",
    title="The resource in the body has the type in the path",
    text="the body is a {found}, but the path is for {wanted}",
    spec=_HTTP,
)
SERVER_BODY_ID = error(
    "server-body-id",
    "invalid",
    title="The id in the body is the id in the path",
    text="the body has {found}, but the path has the id '{wanted}'",
    spec=_HTTP,
)
SERVER_ID = error(
    "server-id",
    "value",
    title="An id has 1 to 64 letters, digits, '-' and '.'",
    text="'{id}' is not a valid id: 1 to 64 letters, digits, '-' and '.'",
    spec="http://hl7.org/fhir/R4/datatypes.html#id",
)
SERVER_VERSION_CONFLICT = error(
    "server-version-conflict",
    "conflict",
    title="If-Match names the current version",
    text="If-Match asks for {wanted}, but {type}/{id} {found}",
    advice="read it again, then decide",
    spec=f"{_HTTP}#concurrency",
)
SERVER_EXISTS = error(
    "server-exists",
    "conflict",
    title="If-None-Match: * holds only for what does not exist",
    text="{type}/{id} already exists, at version {version}",
    spec=f"{_HTTP}#ops",
)
SERVER_HEADER = error(
    "server-header",
    "value",
    title="A header has a value that HTTP and FHIR allow",
    text="{header}: '{found}' is not understood; {allowed}",
    spec=_HTTP,
)
SERVER_MULTIPLE_MATCHES = error(
    "server-multiple-matches",
    "multiple-matches",
    title="The criteria of a conditional interaction match one resource",
    text="{count} resources of type {type} match '{criteria}'",
    spec=f"{_HTTP}#ccreate",
)
SERVER_NO_CRITERIA = error(
    "server-no-criteria",
    "required",
    title="A conditional interaction has criteria",
    text="a conditional interaction on {type} needs search criteria that narrow the result",
    spec=_HTTP,
)
SERVER_MATCH_ID = error(
    "server-match-id",
    "invalid",
    title="The id in the body is the id of the match",
    text="'{criteria}' matches {type}/{found}, but the body has the id '{wanted}'",
    spec=f"{_HTTP}#cond-update",
)
SERVER_ID_TAKEN = error(
    "server-id-taken",
    "conflict",
    title="The id of the body is free when nothing matches",
    text=(
        "nothing matches '{criteria}', but {type}/{id} is a different resource that already exists"
    ),
    spec=f"{_HTTP}#cond-update",
)
SERVER_VALUE = error(
    "server-value",
    "value",
    title="Elements that searches use have valid values",
    text="searches by '{parameter}' could not find this resource: {problem}",
    spec=_SEARCH,
)
SERVER_SUBSETTED = error(
    "server-subsetted",
    "business-rule",
    title="A part of a resource does not replace the whole",
    text="the resource is tagged SUBSETTED: it was read with _summary or _elements",
    advice="read the whole resource and change that",
    spec=f"{_SEARCH}#summary",
)
SERVER_SEARCH_PARAMETER = error(
    "server-search-parameter",
    "not-supported",
    title="The search parameter exists",
    text="{type} has no search parameter '{parameter}'{near}",
    spec=_SEARCH,
)
SERVER_SEARCH_MODIFIER = error(
    "server-search-modifier",
    "not-supported",
    title="The search modifier is offered",
    text="'{parameter}' has no modifier ':{modifier}'; {allowed}",
    spec=f"{_SEARCH}#modifiers",
)
SERVER_SEARCH_VALUE = error(
    "server-search-value",
    "value",
    title="A search value is valid for its parameter",
    text="{parameter}: {problem}",
    spec=_SEARCH,
)
SERVER_SEARCH_IGNORED = warning(
    "server-search-ignored",
    "not-supported",
    title="A lenient search ignores what it does not support",
    text="ignored: {problem}",
    advice=(
        "the self link shows what was used; without 'Prefer: handling=lenient' the search is "
        "refused"
    ),
    spec=f"{_SEARCH}#errors",
)
SERVER_SEARCH_LIMIT = error(
    "server-search-limit",
    "too-costly",
    title="A search stays within the limits of the server",
    text="more than {most} {what} in one search",
    advice="ask in several smaller searches",
    spec=_SEARCH,
)
SERVER_SCOPE = error(
    "server-scope",
    "forbidden",
    title="The token has the scope that the request needs",
    text="the token does not allow this: it needs the scope {scope}",
    spec=f"{_HTTP}#security",
)
SERVER_UNKNOWN_CODE = error(
    "server-unknown-code",
    "not-found",
    title="The server knows the code and what is asked about it",
    text="'{code}' of '{system}': {reason}",
    spec="http://hl7.org/fhir/R4/terminology-service.html",
)
SERVER_PATCH = error(
    "server-patch",
    "invalid",
    title="A patch can be carried out",
    text="the patch is refused: {problem}",
    advice="send a JSON Patch (RFC 6902) as application/json-patch+json",
    spec=f"{_HTTP}#patch",
)
SERVER_CONDITIONS = error(
    "server-conditions",
    "invalid",
    title="The conditions of a request do not contradict each other",
    text="the conditions contradict each other: {problem}",
    advice="send one of them, or conditions that the resource meets",
    spec=_HTTP,
)
SERVER_UNREADABLE = warning(
    "server-unreadable",
    "exception",
    title="A stored resource can be returned in the requested format",
    text="{url} cannot be returned as {format}: {problem}",
    advice="ask for it as JSON",
    spec=_HTTP,
)
SERVER_INCLUDED = warning(
    "server-included",
    "incomplete",
    title="Every resource to be included fits into the answer",
    text="the resources to be included exceed {most} or 32 MB; the rest is left out",
    advice="ask for smaller pages (_count)",
    spec=f"{_SEARCH}#include",
)
SERVER_BUNDLE = error(
    "server-bundle",
    "invalid",
    title="A Bundle posted to the base is a transaction or batch that can be processed",
    text="the Bundle cannot be processed: {problem}",
    spec=f"{_HTTP}#transaction",
)
SERVER_OVERLAP = error(
    "server-overlap",
    "duplicate",
    title="A transaction writes each resource once",
    text="Bundle.entry[{other}] also writes {type}/{id}",
    spec=f"{_HTTP}#trules",
)
SERVER_CONDITIONAL_REFERENCE = error(
    "server-conditional-reference",
    "not-found",
    title="A conditional reference leads to one resource",
    text="the conditional reference '{reference}' matches {count} resources",
    spec=f"{_HTTP}#trules",
)
SERVER_OPERATION = error(
    "server-operation",
    "not-supported",
    title="The operation is offered here",
    text="the operation ${name} is not available at {path}; {allowed}",
    spec="http://hl7.org/fhir/R4/operations.html",
)
SERVER_OPERATION_INPUT = error(
    "server-operation-input",
    "invalid",
    title="An operation gets the input that it needs",
    text="${name}: {problem}",
    spec="http://hl7.org/fhir/R4/operations.html",
)
SERVER_DEPTH = error(
    "server-depth",
    "too-long",
    title="A resource is nested within the limit",
    text="the resource is nested more than {most} deep",
    spec=_HTTP,
)
SERVER_TEXT = error(
    "server-text",
    "value",
    title="Text and names hold the characters that FHIR allows",
    text="the request holds {what}",
    advice="the only control characters allowed are tab, carriage return and line feed",
    spec="http://hl7.org/fhir/R4/datatypes.html#string",
)
