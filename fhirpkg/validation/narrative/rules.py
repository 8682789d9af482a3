"""Rules of narrative: XHTML that is well-formed and can do no harm (R4's txt-1 and txt-2)."""

from fhirpkg.rules import error, information, warning

_NARRATIVE = "http://hl7.org/fhir/R4/narrative.html#xhtml"
_TEXT_LINK = "http://hl7.org/fhir/extensions/StructureDefinition-textLink.html"

NARRATIVE_SYNTAX = error(
    "narrative-syntax",
    "structure",
    title="Narrative is well-formed XHTML without document type declaration",
    text="the narrative is not XHTML: {problem}",
    spec=_NARRATIVE,
)
NARRATIVE_ROOT = error(
    "narrative-root",
    "structure",
    title="Narrative is a div in the XHTML namespace",
    text="the narrative begins with {found}, not with a div in http://www.w3.org/1999/xhtml",
    advice='write <div xmlns="http://www.w3.org/1999/xhtml">',
    spec=_NARRATIVE,
)
NARRATIVE_ELEMENT = error(
    "narrative-element",
    "invariant",
    title="Narrative has only the elements of basic formatting (txt-1)",
    text="<{name}> is not allowed in narrative, at {place}",
    advice="narrative has text, lists, tables, links and images: no scripts, forms or frames",
    spec=_NARRATIVE,
)
NARRATIVE_ATTRIBUTE = error(
    "narrative-attribute",
    "invariant",
    title="Narrative has only the attributes of basic formatting (txt-1)",
    text="the attribute {name} is not allowed in narrative, at {place}",
    advice="event handlers and attributes that HTML 4 deprecates are not allowed",
    spec=_NARRATIVE,
)
NARRATIVE_MARK = information(
    "narrative-mark",
    "invariant",
    title="Narrative has no attributes that HL7's publisher adds (txt-1)",
    text="the attribute {name} is not part of HTML 4.0, at {place}",
    advice="HL7's publisher adds it to each narrative that it generates",
    spec=_NARRATIVE,
    is_strict=True,
)
NARRATIVE_NESTING = error(
    "narrative-nesting",
    "structure",
    title="Elements of narrative are nested as in HTML",
    text="{name} is not allowed in <{parent}>, at {place}",
    advice="lists hold li, rows hold td and th, and text elements such as p hold no blocks",
    spec="https://www.w3.org/TR/html40/sgml/dtd.html",
)
NARRATIVE_LINK = error(
    "narrative-link",
    "security",
    title="Links and styles in narrative run no code",
    text="{name}='{value}' could run code when the narrative is shown, at {place}",
    spec="http://hl7.org/fhir/R4/security.html#narrative",
)
NARRATIVE_URL = warning(
    "narrative-url",
    "value",
    title="Links and images in narrative have valid urls",
    text="{name}='{value}' is not a valid url: {problem}, at {place}",
    advice="encode it (%20 for a space), or remove the link",
    spec=_NARRATIVE,
    is_strict=True,
)
NARRATIVE_DEAD_LINK = warning(
    "narrative-dead-link",
    "not-found",
    title="A link inside narrative leads to a place in it or to a contained resource",
    text="the link '#{name}' leads nowhere, at {place}",
    spec=_NARRATIVE,
    is_strict=True,
)
NARRATIVE_PART = error(
    "narrative-part",
    "not-found",
    title="Parts of narrative that are linked with data exist",
    text="nothing in the narrative has the id '{name}'",
    advice='give the element its id: <span id="...">',
    spec=_TEXT_LINK,
)
NARRATIVE_DATA = error(
    "narrative-data",
    "not-found",
    title="Data that narrative is linked with exists",
    text="the narrative is linked with '{data}', which does not exist",
    advice="name an element of the resource by its id (#id), or an entry of the Bundle by its url",
    spec=_TEXT_LINK,
    is_strict=True,
)
NARRATIVE_EMPTY = error(
    "narrative-empty",
    "invariant",
    title="Narrative has text or an image (txt-2)",
    text="the narrative has neither text nor an image",
    advice="remove the narrative, or write some",
    spec=_NARRATIVE,
)
NARRATIVE_ENTITY = error(
    "narrative-entity",
    "structure",
    title="Narrative has characters, not HTML entities",
    text="the narrative has &{name};, which is not an XML entity",
    advice="write the character itself",
    spec=_NARRATIVE,
)
NARRATIVE_LANGUAGES = error(
    "narrative-languages",
    "structure",
    title="Narrative has the language sections that its profile requires",
    text="the narrative has {found}, but {wanted}",
    advice='a section is <div lang="en" xml:lang="en"> inside the outermost div',
    spec="http://hl7.org/fhir/extensions/StructureDefinition-narrative-language-control.html",
)
NARRATIVE_SOURCE = error(
    "narrative-source",
    "structure",
    title="Texts in narrative state their source where the profile requires it",
    text="the text '{text}' does not state its source",
    advice="give it a class: generated, original, boilerplate, extension or additional",
    spec="http://hl7.org/fhir/extensions/StructureDefinition-narrative-source-control.html",
    is_strict=True,
)
TEXT_HTML = error(
    "text-html",
    "security",
    title="Strings and markdown have no HTML",
    text="the text has an HTML tag: '{found}'",
    advice="write < as &lt; or remove the tag",
    spec="http://hl7.org/fhir/R4/security.html#narrative",
)
