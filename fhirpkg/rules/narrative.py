"""Rules of narrative: XHTML that is well-formed and can do no harm (R4's txt-1 and txt-2)."""

from fhirpkg.rules import ERROR, WARNING, Rule

_NARRATIVE = "http://hl7.org/fhir/R4/narrative.html#xhtml"

RULES = (
    Rule(
        "narrative-syntax",
        ERROR,
        "structure",
        "Narrative is well-formed XHTML without document type declaration",
        "the narrative is not XHTML: {problem}",
        spec=_NARRATIVE,
    ),
    Rule(
        "narrative-root",
        ERROR,
        "structure",
        "Narrative is a div in the namespace of XHTML",
        "the narrative begins with {found}, not with a div in http://www.w3.org/1999/xhtml",
        'write <div xmlns="http://www.w3.org/1999/xhtml">',
        _NARRATIVE,
    ),
    Rule(
        "narrative-element",
        ERROR,
        "invariant",
        "Narrative has only the elements of basic formatting (txt-1)",
        "<{name}> is not allowed in narrative, at {place}",
        "narrative has text, lists, tables, links and images: no scripts, forms or frames",
        _NARRATIVE,
    ),
    Rule(
        "narrative-attribute",
        ERROR,
        "invariant",
        "Narrative has only the attributes of basic formatting (txt-1)",
        "the attribute {name} is not allowed in narrative, at {place}",
        "event handlers and attributes that HTML 4 deprecates are left out",
        _NARRATIVE,
    ),
    Rule(
        "narrative-link",
        ERROR,
        "security",
        "Links and styles in narrative run nothing",
        "{name}='{value}' could run a program when the narrative is shown, at {place}",
        spec="http://hl7.org/fhir/R4/security.html#narrative",
    ),
    Rule(
        "narrative-dead-link",
        WARNING,
        "not-found",
        "A link inside narrative leads to a place in it or to a contained resource",
        "the link '#{name}' leads nowhere, at {place}",
        spec=_NARRATIVE,
    ),
    Rule(
        "narrative-empty",
        ERROR,
        "invariant",
        "Narrative has some text or an image (txt-2)",
        "the narrative has neither text nor an image",
        "leave the narrative out, or say something in it",
        _NARRATIVE,
    ),
    Rule(
        "narrative-entity",
        WARNING,
        "structure",
        "Narrative has characters instead of the entities of HTML",
        "the narrative has &{name};, which XML does not know",
        "write the character itself",
        _NARRATIVE,
    ),
    Rule(
        "text-html",
        ERROR,
        "security",
        "Strings and markdown hold no HTML",
        "the text has what looks like an HTML tag: '{found}'",
        "write < as &lt; or leave the tag out",
        "http://hl7.org/fhir/R4/security.html#narrative",
    ),
)
