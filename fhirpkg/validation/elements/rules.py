"""Rules of structure: which elements a resource has, how many, of what types and values."""

from fhirpkg.rules import error, information, warning

_JSON = "http://hl7.org/fhir/R4/json.html"
_ELEMENT = "http://hl7.org/fhir/R4/elementdefinition.html"
_EXTENSION = "http://hl7.org/fhir/R4/extensibility.html"
_PROFILING = "http://hl7.org/fhir/R4/profiling.html"

STRUCTURE_UNKNOWN_ELEMENT = error(
    "structure-unknown-element",
    "structure",
    title="Objects have only elements of their type",
    text="'{key}' is not an element of {type}{nearest}",
    spec=_JSON,
)
STRUCTURE_CHOICE_TYPE = error(
    "structure-choice-type",
    "structure",
    title="A choice element has one of its types",
    text="'{key}' is not a form of {element}, which may be {allowed}",
    spec="http://hl7.org/fhir/R4/formats.html#choice",
)
STRUCTURE_CHOICE_MANY = error(
    "structure-choice-many",
    "structure",
    title="A choice element has one value",
    text="{element} has more than one value: {found}",
    advice="keep one of them",
    spec="http://hl7.org/fhir/R4/formats.html#choice",
)
STRUCTURE_TYPE = error(
    "structure-type",
    "structure",
    title="Values have a type that the profile allows",
    text="{element} may not be {found} here; allowed: {allowed}",
    spec=f"{_ELEMENT}#type",
)
STRUCTURE_OBJECT = error(
    "structure-object",
    "structure",
    title="Elements with children are objects",
    text="this must be an object, not {found}",
    spec=_JSON,
)
STRUCTURE_LIST = error(
    "structure-list",
    "structure",
    title="Repeating elements are lists, even with one item",
    text="this must be a list, not {found}",
    advice="put it in [ ]",
    spec=f"{_JSON}#repeat",
)
STRUCTURE_NOT_LIST = error(
    "structure-not-list",
    "structure",
    title="Elements that do not repeat are not lists",
    text="this must be a single value, not a list",
    advice="remove the [ ]",
    spec=f"{_JSON}#repeat",
)
STRUCTURE_EMPTY = error(
    "structure-empty",
    "structure",
    title="Objects and lists are not empty",
    text="this {found} is empty",
    advice="remove the element",
    spec=_JSON,
)
STRUCTURE_NULL = error(
    "structure-null",
    "structure",
    title="A null has a counterpart in the other list",
    text="this null has no counterpart: value and extensions are both missing",
    spec=f"{_JSON}#null",
)
STRUCTURE_ALIGNMENT = error(
    "structure-alignment",
    "structure",
    title="A list of primitives and the list of their extensions have the same length",
    text="this list has {found} items, but '{key}' has {wanted}",
    advice="fill the shorter one with null",
    spec=f"{_JSON}#null",
)
STRUCTURE_NO_RESOURCE = error(
    "structure-no-resource",
    "structure",
    title="A resource has a resourceType",
    text="this must be a resource, not {found} without 'resourceType'",
    spec=f"{_JSON}#resources",
)
STRUCTURE_RESOURCE_TYPE = error(
    "structure-resource-type",
    "structure",
    title="Resource types exist in the version of FHIR",
    text="there is no resource type '{name}'{near}",
    spec="http://hl7.org/fhir/R4/resourcelist.html",
)
STRUCTURE_OTHER_VERSION = error(
    "structure-other-version",
    "not-supported",
    title="A resource type belongs to the version of FHIR that is checked",
    text="'{name}' is a resource type of FHIR {versions}, but not of {release}",
    spec="http://hl7.org/fhir/R4/resourcelist.html",
)
ELEMENT_ID_REPEATED = error(
    "element-id-repeated",
    "invalid",
    title="Element ids are unique within a resource",
    text="another element of the resource also has the id '{id}'",
    spec="http://hl7.org/fhir/R4/element.html#id",
)
ELEMENT_ID_SPACE = warning(
    "element-id-space",
    "invalid",
    title="Element ids have no spaces",
    text="the id '{id}' has a space",
    spec="http://hl7.org/fhir/R4/element.html#id",
)
RESOURCE_ID_EXTENSION = error(
    "resource-id-extension",
    "structure",
    title="The id of a resource has no extensions",
    text="the id of this resource has extensions",
    advice="delete them; an unknown id is simply left out",
    spec="http://hl7.org/fhir/R4/resource.html#id",
)
CARDINALITY_MIN = error(
    "cardinality-min",
    "required",
    title="Elements have their minimum cardinality",
    text="{element} needs at least {min}, found {found}",
    spec=f"{_ELEMENT}#cardinality",
)
CARDINALITY_MAX = error(
    "cardinality-max",
    "structure",
    title="Elements keep to their maximum cardinality",
    text="{element} may have at most {max}, found {found}",
    spec=f"{_ELEMENT}#cardinality",
)
VALUE_FIXED = error(
    "value-fixed",
    "value",
    title="Values equal the fixed value",
    text="the value must be {wanted}, but is {found}",
    spec=f"{_ELEMENT}#fixed",
)
VALUE_PATTERN = error(
    "value-pattern",
    "value",
    title="Values match the pattern",
    text="the value must contain {wanted}, but is {found}",
    spec=f"{_ELEMENT}#pattern",
)
VALUE_MISSING = error(
    "value-missing",
    "required",
    title="A missing value is explained by an extension that the profile names",
    text="there is no value and none of the extensions that could replace it: {allowed}",
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
    title="Quantities can be compared with their limits",
    text="the unit '{found}' cannot be converted to that of the limit, '{wanted}'",
    spec=f"{_ELEMENT}#min-max",
)
VALUE_LENGTH = error(
    "value-length",
    "too-long",
    title="Texts keep to their maximum length",
    text="the text has {found} characters; at most {max} are allowed",
    spec=_ELEMENT,
)
VALUE_TOO_SHORT = error(
    "value-too-short",
    "value",
    title="Texts have their minimum length",
    text="the text has {found} characters; at least {min} are needed",
    spec="http://hl7.org/fhir/R4/extension-minlength.html",
)
VALUE_FORM = error(
    "value-form",
    "value",
    title="Texts match the pattern that the profile gives",
    text="'{found}' does not match '{form}'",
    spec="http://hl7.org/fhir/R4/extension-regex.html",
)
EXTENSION_URL = error(
    "extension-url",
    "value",
    title="Extension urls are absolute",
    text="the extension url '{url}' is not absolute",
    spec=_EXTENSION,
)
EXTENSION_UNKNOWN = error(
    "extension-unknown",
    "structure",
    title="Extensions are defined by a loaded package, where that is required",
    text="the extension {url} is unknown: {reason}",
    advice="load the package that defines it",
    spec=_EXTENSION,
)
EXTENSION_CROSS_ELEMENT = error(
    "extension-cross-element",
    "value",
    title="Cross-version extensions name an element of their version that R4 lacks",
    text="'{url}' does not name an element of FHIR {version} that R4 lacks or defines differently",
    spec="http://hl7.org/fhir/R4/versions.html#extensions",
)
EXTENSION_CROSS_VERSION = error(
    "extension-cross-version",
    "value",
    title="Cross-version extensions name a published version of FHIR",
    text="'{url}' names FHIR {version}; it must name a published version other than this one",
    spec="http://hl7.org/fhir/R4/versions.html#extensions",
)
EXTENSION_VERSION = error(
    "extension-version",
    "value",
    title="Extension urls have no version",
    text="the extension url '{url}' has a version",
    advice="remove '|' and what follows",
    spec=_EXTENSION,
)
EXTENSION_FRAGMENT = error(
    "extension-fragment",
    "value",
    title="Extension urls name a whole definition",
    text="the extension url '{url}' names a part of a definition",
    advice=(
        "remove '#' and what follows; a part of a complex extension belongs inside that extension"
    ),
    spec=_EXTENSION,
)
EXTENSION_TYPE = error(
    "extension-type",
    "value",
    title="Extension urls name extensions",
    text="'{url}' defines {type}, not an extension",
    spec=_EXTENSION,
)
EXTENSION_MODIFIER = error(
    "extension-modifier",
    "structure",
    title="Modifier extensions are in modifierExtension, others in extension",
    text="the extension '{url}' belongs in {wanted}",
    spec=f"{_EXTENSION}#modifierExtension",
)
EXTENSION_CONTEXT = error(
    "extension-context",
    "structure",
    title="Extensions are used where their definition allows",
    text="the extension '{url}' may not be used on {place}; allowed: {allowed}",
    spec="http://hl7.org/fhir/R4/defining-extensions.html#context",
)
EXTENSION_INVARIANT = error(
    "extension-invariant",
    "structure",
    title="Extensions meet the invariants of their context",
    text="the extension '{url}' may not be used here, because this is false: {formula}",
    spec=(
        ""
        "http://hl7.org/fhir/R4/structuredefinition-definitions.html#StructureDefinition.contextInvariant"
    ),
)
EXTENSION_PART = error(
    "extension-part",
    "structure",
    title="Complex extensions have only the parts that their definition lists",
    text="'{name}' is not a part of the extension {url}{nearest}",
    spec=_EXTENSION,
)
PROFILE_TYPE = error(
    "profile-type",
    "structure",
    title="Profiles constrain the type of the resource that claims them",
    text="the profile {canonical} is on {type}, but this is {found}",
    spec=_PROFILING,
)
PROFILE_UNKNOWN = information(
    "profile-unknown",
    "not-found",
    title="Profiles that a definition requires are loaded",
    text="the profile {canonical} was not checked: {reason}",
    advice="load the package that defines it",
    spec=_PROFILING,
    is_strict=True,
)
PROFILE_NONE = error(
    "profile-none",
    "structure",
    title="Values meet one of the allowed profiles",
    text="this meets none of the profiles allowed here: {allowed}",
    spec=_PROFILING,
)
NOT_CHECKED_PROFILE = information(
    "not-checked-profile",
    "not-found",
    title="Claimed profiles are loaded",
    text="the profile {canonical} was not checked: {reason}",
    advice="load the package that defines it",
    spec=_PROFILING,
)
NOT_CHECKED_EXTENSION = information(
    "not-checked-extension",
    "not-found",
    title="Definitions of extensions are loaded",
    text="the extension {url} was not checked: {reason}",
    advice="load the package that defines it",
    spec=_EXTENSION,
)
NOT_CHECKED_DEPENDENCY = information(
    "not-checked-dependency",
    "not-found",
    title="Value sets and profiles that invariants use are loaded",
    text="the invariant {key} was not checked: {problem}",
    advice="load the package that defines it",
    spec=f"{_ELEMENT}#constraints",
)
NOT_CHECKED_INVARIANT = warning(
    "not-checked-invariant",
    "not-supported",
    title="Invariants can be evaluated",
    text="the invariant {key} was not checked: {problem}",
    spec=f"{_ELEMENT}#constraints",
    is_strict=True,
)
