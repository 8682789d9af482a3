"""What the HTTP side of the server refuses or remarks, each in an OperationOutcome."""

from fhirpkg.rules import error, information

_HTTP = "http://hl7.org/fhir/R4/http.html"
_SEARCH = "http://hl7.org/fhir/R4/search.html"

SERVER_TOO_LARGE = error(
    "server-too-large",
    "too-long",
    title="The body is within the limit",
    text="the body is larger than {limit} bytes",
    advice="send it in smaller parts",
    spec=_HTTP,
)
SERVER_MEDIA_TYPE = error(
    "server-media-type",
    "not-supported",
    title="The format of the body is offered",
    text="bodies of type '{found}' are not supported",
    advice="send application/fhir+json or application/fhir+xml",
    spec=_HTTP,
)
SERVER_NOT_ACCEPTABLE = error(
    "server-not-acceptable",
    "not-supported",
    title="A format that the client accepts is offered",
    text="'{found}' lists no supported format",
    advice="ask for application/fhir+json or application/fhir+xml",
    spec=_HTTP,
)
SERVER_TOO_COSTLY = error(
    "server-too-costly",
    "too-costly",
    title="A request is answered within the time limit",
    text="the search was stopped after {seconds} s",
    advice="narrow it by more criteria, or sort by one key",
    spec=_SEARCH,
)
SERVER_BUSY = error(
    "server-busy",
    "throttled",
    title="The server has room for the request",
    text="the server is busy: {what}",
    advice="try again later",
    spec=_HTTP,
)
SERVER_HOST = error(
    "server-host",
    "security",
    title="The name in Host is one of the server's",
    text="this server does not answer to the name '{host}'",
    advice="call it by its address or as localhost, or name the origin with serve --origin",
    spec=_HTTP,
)
SERVER_ORIGIN = error(
    "server-origin",
    "security",
    title="Browser pages that call the server come from an allowed origin",
    text="pages of {origin} may not call this server",
    advice="allow an origin with 'serve --origin URL'",
    spec=_HTTP,
)
SERVER_LOGIN = error(
    "server-login",
    "login",
    title="A request carries a token that is accepted",
    text="the login failed: {problem}",
    advice="send the header 'Authorization: Bearer TOKEN' with a token that this server accepts",
    spec=f"{_HTTP}#security",
)
SERVER_SLOW = error(
    "server-slow",
    "timeout",
    title="The body of a request arrives without long pauses",
    text="the body did not arrive within {seconds} s",
    spec=_HTTP,
)
SERVER_PATCH_TYPE = error(
    "server-patch-type",
    "not-supported",
    title="The kind of patch is offered",
    text="patches of type '{found}' are not supported",
    advice="send {wanted}",
    spec=f"{_HTTP}#patch",
)
SERVER_STORAGE = error(
    "server-storage",
    "no-store",
    title="The store can be written",
    text="the store could not be written: {problem}",
    advice="nothing of this request was stored",
    spec=_HTTP,
)
SERVER_FAULT = error(
    "server-fault",
    "exception",
    title="Internal server error",
    text="internal error ({kind}); the server's log has the details",
    advice="please report it with the log",
    spec=_HTTP,
)
SERVER_DONE = information(
    "server-done",
    "informational",
    title="Result of the request",
    text="the request was carried out: {done}",
    spec=_HTTP,
)
