"""Rules of structure: which elements a resource has, how many, of what types and values."""

from fhirpkg.rules import error, information, warning

_JSON = "http://hl7.org/fhir/R4/json.html"
_ELEMENT = "http://hl7.org/fhir/R4/elementdefinition.html"
_EXTENSION = "http://hl7.org/fhir/R4/extensibility.html"
_PROFILING = "http://hl7.org/fhir/R4/profiling.html"

STRUCTURE_UNKNOWN_ELEMENT = error(
    "structure-unknown-element",
    "structure",
    title="An object has only elements of its type",
    text="'{key}' is not an element of {type}{nearest}",
    spec=_JSON,
)
STRUCTURE_CHOICE_TYPE = error(
    "structure-choice-type",
    "structure",
    title="A choice element has one of its allowed types",
    text="'{key}' is no form of {element}, which may be {allowed}",
    spec="http://hl7.org/fhir/R4/formats.html#choice",
)
STRUCTURE_CHOICE_MANY = error(
    "structure-choice-many",
    "structure",
    title="A choice element is there in one form only",
    text="{element} is there more than once: {found}",
    advice="keep one of them",
    spec="http://hl7.org/fhir/R4/formats.html#choice",
)
STRUCTURE_TYPE = error(
    "structure-type",
    "structure",
    title="A value is of a type that the profile allows",
    text="{found} is not allowed for {element} here; allowed: {allowed}",
    spec=f"{_ELEMENT}#type",
)
STRUCTURE_OBJECT = error(
    "structure-object",
    "structure",
    title="An element with parts is an object",
    text="an object belongs here, not {found}",
    spec=_JSON,
)
STRUCTURE_LIST = error(
    "structure-list",
    "structure",
    title="An element that may repeat is a list, also when it is there once",
    text="a list belongs here, not {found}",
    advice="put it in [ ]",
    spec=f"{_JSON}#repeat",
)
STRUCTURE_NOT_LIST = error(
    "structure-not-list",
    "structure",
    title="An element that may not repeat is no list",
    text="one value belongs here, not a list",
    advice="take it out of [ ]",
    spec=f"{_JSON}#repeat",
)
STRUCTURE_EMPTY = error(
    "structure-empty",
    "structure",
    title="Objects and lists are not empty",
    text="this {found} is empty",
    advice="leave the element out",
    spec=_JSON,
)
STRUCTURE_NULL = error(
    "structure-null",
    "structure",
    title="null stands only where the list beside it has a value",
    text="null has nothing beside it",
    spec=f"{_JSON}#null",
)
STRUCTURE_ALIGNMENT = error(
    "structure-alignment",
    "structure",
    title="A list of primitives and the list of their extensions are of one length",
    text="this list has {found} items and '{key}' has {wanted}",
    advice="fill the shorter one with null",
    spec=f"{_JSON}#null",
)
STRUCTURE_NO_RESOURCE = error(
    "structure-no-resource",
    "structure",
    title="A resource has a resourceType",
    text="a resource belongs here, not {found} without 'resourceType'",
    spec=f"{_JSON}#resources",
)
STRUCTURE_RESOURCE_TYPE = error(
    "structure-resource-type",
    "structure",
    title="A resource is of a type of R4",
    text="R4 has no resource type '{name}'{near}",
    spec="http://hl7.org/fhir/R4/resourcelist.html",
)
STRUCTURE_OTHER_VERSION = error(
    "structure-other-version",
    "not-supported",
    title="A resource is of a type of R4, not of another version",
    text="'{name}' is a resource type of FHIR {versions}, not of R4 (4.0.1)",
    spec="http://hl7.org/fhir/R4/resourcelist.html",
)
ELEMENT_ID_REPEATED = error(
    "element-id-repeated",
    "invalid",
    title="An element id is that of one element of its resource",
    text="another element of the resource has the id '{id}' as well",
    spec="http://hl7.org/fhir/R4/element.html#id",
)
RESOURCE_ID_EXTENSION = error(
    "resource-id-extension",
    "structure",
    title="The id of a resource has no extensions",
    text="extensions stand beside the id of this resource",
    advice="delete them: an id that is not known is left out",
    spec="http://hl7.org/fhir/R4/resource.html#id",
)
CARDINALITY_MIN = error(
    "cardinality-min",
    "required",
    title="An element is there as often as it must be",
    text="{element} must be there at least {min} time(s), found {found}",
    spec=f"{_ELEMENT}#cardinality",
)
CARDINALITY_MAX = error(
    "cardinality-max",
    "structure",
    title="An element is not there more often than it may be",
    text="{element} may be there at most {max} time(s), found {found}",
    spec=f"{_ELEMENT}#cardinality",
)
VALUE_FIXED = error(
    "value-fixed",
    "value",
    title="A value is the fixed one",
    text="the value must be {wanted}, found {found}",
    spec=f"{_ELEMENT}#fixed",
)
VALUE_PATTERN = error(
    "value-pattern",
    "value",
    title="A value holds the pattern",
    text="the value must hold {wanted}, found {found}",
    spec=f"{_ELEMENT}#pattern",
)
VALUE_MISSING = error(
    "value-missing",
    "required",
    title="Where there is no value, an extension that the profile names says why",
    text="there is no value, and none of the extensions that may stand for it: {allowed}",
    spec=_ELEMENT,
)
VALUE_MIN = error(
    "value-min",
    "value",
    title="A value is not less than allowed",
    text="{found} is less than {min}",
    spec=f"{_ELEMENT}#min-max",
)
VALUE_MAX = error(
    "value-max",
    "value",
    title="A value is not greater than allowed",
    text="{found} is greater than {max}",
    spec=f"{_ELEMENT}#min-max",
)
VALUE_UNIT = error(
    "value-unit",
    "value",
    title="A quantity is in a unit that can be compared with its limits",
    text="the unit '{found}' is of another kind than that of the limit, '{wanted}'",
    spec=f"{_ELEMENT}#min-max",
)
VALUE_LENGTH = error(
    "value-length",
    "too-long",
    title="A text is not longer than allowed",
    text="the text has {found} characters; at most {max} are allowed",
    spec=_ELEMENT,
)
VALUE_TOO_SHORT = error(
    "value-too-short",
    "value",
    title="A text is not shorter than allowed",
    text="the text has {found} characters; at least {min} are needed",
    spec="http://hl7.org/fhir/R4/extension-minlength.html",
)
VALUE_FORM = error(
    "value-form",
    "value",
    title="A text has the form that the profile states",
    text="{found} does not have the form '{form}'",
    spec="http://hl7.org/fhir/R4/extension-regex.html",
)
EXTENSION_URL = error(
    "extension-url",
    "value",
    title="An extension's url is absolute",
    text="the extension's url '{url}' is not absolute",
    spec=_EXTENSION,
)
EXTENSION_UNKNOWN = error(
    "extension-unknown",
    "structure",
    title="An extension is defined by a loaded package, where that is demanded",
    text="the extension {url} is not known: {reason}",
    advice="load the package that defines it",
    spec=_EXTENSION,
)
EXTENSION_CROSS_VERSION = error(
    "extension-cross-version",
    "value",
    title="An extension for an element of FHIR is of another version of FHIR",
    text="'{url}' is for an element of FHIR {version}, which is no other version",
    spec="http://hl7.org/fhir/R4/versions.html#extensions",
)
EXTENSION_VERSION = error(
    "extension-version",
    "value",
    title="An extension's url has no version",
    text="the extension's url '{url}' has a version",
    advice="leave out '|' and what follows",
    spec=_EXTENSION,
)
EXTENSION_TYPE = error(
    "extension-type",
    "value",
    title="An extension's url is that of an extension",
    text="'{url}' is a definition of {type}, not of an extension",
    spec=_EXTENSION,
)
EXTENSION_MODIFIER = error(
    "extension-modifier",
    "structure",
    title="Modifier extensions stand in modifierExtension, others in extension",
    text="the extension '{url}' belongs in '{wanted}'",
    spec=f"{_EXTENSION}#modifierExtension",
)
EXTENSION_CONTEXT = error(
    "extension-context",
    "structure",
    title="An extension stands where its definition allows it",
    text="the extension '{url}' may not stand on {place}; allowed: {allowed}",
    spec="http://hl7.org/fhir/R4/defining-extensions.html#context",
)
EXTENSION_INVARIANT = error(
    "extension-invariant",
    "structure",
    title="An extension is used where the invariants of its context are true",
    text="the extension '{url}' may not be used here, since this is not true: {formula}",
    spec=(
        ""
        "http://hl7.org/fhir/R4/structuredefinition-definitions.html#StructureDefinition.contextInvariant"
    ),
)
EXTENSION_PART = error(
    "extension-part",
    "structure",
    title="The parts of a complex extension are those of its definition",
    text="'{name}' is no part of the extension {url}{nearest}",
    spec=_EXTENSION,
)
PROFILE_TYPE = error(
    "profile-type",
    "structure",
    title="A profile is on the type of the resource that claims it",
    text="the profile {canonical} is on {type}, this is {found}",
    spec=_PROFILING,
)
PROFILE_UNKNOWN = information(
    "profile-unknown",
    "not-found",
    title="A profile that a definition demands of a value is at hand",
    text="the profile {canonical} was not checked: {reason}",
    advice="load the package that defines it",
    spec=_PROFILING,
    is_strict=True,
)
PROFILE_NONE = error(
    "profile-none",
    "structure",
    title="A value meets one of the profiles allowed for it",
    text="this meets none of the profiles allowed here: {allowed}",
    spec=_PROFILING,
)
NOT_CHECKED_PROFILE = information(
    "not-checked-profile",
    "not-found",
    title="A profile that is claimed is at hand",
    text="the profile {canonical} was not checked: {reason}",
    advice="load the package that defines it",
    spec=_PROFILING,
)
NOT_CHECKED_EXTENSION = information(
    "not-checked-extension",
    "not-found",
    title="The definition of an extension is at hand",
    text="the extension {url} was not checked: {reason}",
    advice="load the package that defines it",
    spec=_EXTENSION,
)
NOT_CHECKED_DEPENDENCY = information(
    "not-checked-dependency",
    "not-found",
    title="The value sets and profiles that an invariant asks for are at hand",
    text="the invariant {key} was not checked: {problem}",
    advice="load the package that defines it",
    spec=f"{_ELEMENT}#constraints",
)
NOT_CHECKED_INVARIANT = warning(
    "not-checked-invariant",
    "not-supported",
    title="Every invariant can be evaluated",
    text="the invariant {key} was not checked: {problem}",
    spec=f"{_ELEMENT}#constraints",
    is_strict=True,
)
