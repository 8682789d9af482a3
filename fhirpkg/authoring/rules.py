"""Rules of the authored files, procedure.yaml and package.yaml."""

from fhirpkg.rules import error, information, warning

_YAML = "https://yaml.org/spec/1.2.2/"

SOURCE_YAML = error(
    "source-yaml",
    "structure",
    title="The file is YAML",
    text="this is not YAML: {problem}",
    spec=_YAML,
)
SOURCE_TAB = error(
    "source-tab",
    "structure",
    title="Lines are indented with spaces",
    text="this line is indented with a tab",
    advice="indent with spaces, two a level",
    spec=f"{_YAML}#61-indentation-spaces",
)
SOURCE_DUPLICATE_KEY = error(
    "source-duplicate-key",
    "duplicate",
    title="A key appears once",
    text="'{key_}' appears a second time here; the first is on line {first}",
    advice="delete or rename one of the two",
    spec=f"{_YAML}#3213-node-comparison",
)
SOURCE_MERGE_KEY = error(
    "source-merge-key",
    "not-supported",
    title="Merge keys are not used",
    text="'<<' merges another mapping, which is not supported",
    advice="write the keys out",
    spec="https://yaml.org/type/merge.html",
)
SOURCE_KEY = error(
    "source-key",
    "structure",
    title="A key is a plain word",
    text="found a list or mapping where a key belongs",
)
SOURCE_ALIASES = error(
    "source-aliases",
    "too-costly",
    title="Aliases and nesting stay within bounds",
    text="nesting or aliases expand the file beyond the size that can be read",
    advice="write the parts out instead of using '&' and '*'",
    spec="https://yaml.org/spec/1.2.2/#3222-anchors-and-aliases",
)
SOURCE_UNKNOWN_KEY = error(
    "source-unknown-key",
    "structure",
    title="Each key is part of the model",
    text="'{key_}' is not a key here{nearest}",
    advice="keys here: {allowed}",
)
SOURCE_MISSING = error(
    "source-missing",
    "required",
    title="Required keys are present",
    text="'{missing}' is missing",
)
SOURCE_VALUE = error(
    "source-value",
    "value",
    title="Each value has the form that its key asks for",
    text="found {found}; expected {expected}{nearest}",
)
SOURCE_UNKNOWN_CODE = error(
    "source-unknown-code",
    "code-invalid",
    title="Each concept is one of the names under 'codes'",
    text="'{name}' is not a name under 'codes'{nearest}",
    advice="add it there with its system and code",
)
SOURCE_CODE_SYSTEM = error(
    "source-code-system",
    "code-invalid",
    title="Each code begins with the name of its system",
    text="'{text}' does not begin with a code system{nearest}",
    advice="known systems: {allowed}",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
SOURCE_CODE = error(
    "source-code",
    "code-invalid",
    title="Each code is valid in its system",
    text="this is not a valid code: {problem}{nearest}",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
SOURCE_PROCEDURE_CODE = error(
    "source-procedure-code",
    "code-invalid",
    title="A procedure is ordered by one concept",
    text="'{name}' has several codes of one system ({codes}), which are not one concept",
    advice="keep one code of each system; put the others under 'also' or 'add-on'",
    spec="http://hl7.org/fhir/R4/datatypes.html#CodeableConcept",
)
SOURCE_NO_CODE = information(
    "source-no-code",
    "informational",
    title="Each name has a code",
    text="'{name}' has no code, only words, so systems cannot find it by a code",
    advice="add it under 'codes' if a code exists",
    spec="http://hl7.org/fhir/R4/datatypes.html#CodeableConcept",
)
SOURCE_TODO = warning(
    "source-todo",
    "incomplete",
    title="Nothing is left to do",
    text="left to do: {todo}",
    advice="the content stays a draft until this is done and 'todo' is removed",
    spec="http://hl7.org/fhir/R4/valueset-publication-status.html",
)
SOURCE_TODO_ACTIVE = error(
    "source-todo-active",
    "incomplete",
    title="Active content has nothing left to do",
    text="the status is '{status}', but {count} things are left to do in {name}",
    advice="do them, or leave the status at 'draft'",
    spec="http://hl7.org/fhir/R4/valueset-publication-status.html",
)
SOURCE_STALE = warning(
    "source-stale",
    "incomplete",
    title="Built resources match their sources",
    text="the built resources are out of date: {problem}",
    advice="run 'fhirpkg build'; otherwise the old content is published",
)
SOURCE_UNUSED_CODE = warning(
    "source-unused-code",
    "informational",
    title="Each name under 'codes' is used",
    text="'{name}' is not used anywhere",
    advice="delete it, or use it",
)
SOURCE_UNKNOWN_REFERENCE = error(
    "source-unknown-reference",
    "not-found",
    title="Names refer to items of the file",
    text="no {kind} is called '{name}'{nearest}",
    advice="the file has: {allowed}",
)
SOURCE_DUPLICATE_ID = error(
    "source-duplicate-id",
    "duplicate",
    title="An id is unique",
    text="the id '{id}' is already used on line {first}",
)
SOURCE_SAME_PROCEDURE = error(
    "source-same-procedure",
    "duplicate",
    title="Procedures of a package have different ids",
    text="the procedure in '{other}' also has the id '{id}'",
)
SOURCE_UNKNOWN_FACT = error(
    "source-unknown-fact",
    "not-found",
    title="Each fact that is named exists in the source",
    text="the source has no fact '{fact}'{nearest}",
    advice="facts are named like '{example}', with the section and its number under 'source'",
)
SOURCE_LOST_FACT = error(
    "source-lost-fact",
    "incomplete",
    title="Each fact of the source is expressed",
    text="no item expresses the fact '{fact}' of the source",
    advice="name it in the 'from' of the item that says it",
)
SOURCE_FACTS_DIFFER = warning(
    "source-facts-differ",
    "incomplete",
    title="The counts of facts match the source",
    text="source.lock has {has} facts of {section}, but 'source.facts' counts {counted}",
    advice="use the counts of source.lock; a fact that is left out on purpose needs a reason",
)
SOURCE_COPIED = warning(
    "source-copied",
    "business-rule",
    title="The wording of a source is copied only with the rights to it",
    text="{most} consecutive words match the source, whose wording may not be copied",
    advice="use your own words, or draft with --rights if you have the rights",
)
SOURCE_NO_ORIGIN = error(
    "source-no-origin",
    "incomplete",
    title="Each item says where it comes from",
    text="this item does not say where it comes from",
    advice="add 'from' with a fact of the source, 'cite' with evidence, or 'added' with the reason",
)
SOURCE_NUMBER = error(
    "source-number",
    "business-rule",
    title="A number comes from the source or from cited evidence",
    text="no source gives the number {number}",
    advice=(
        "use a number from the facts in 'from' (see source.numbers) or from the findings of cited "
        "evidence"
    ),
)
CODE_DISPLAY_DIFFERS = warning(
    "code-display-differs",
    "code-invalid",
    title="A code means what its name says",
    text="{code} is '{display}', which has no word in common with '{name}'",
    advice="use the code for that name, or correct the name",
    spec="http://hl7.org/fhir/R4/datatypes.html#Coding",
)
CODE_KIND = warning(
    "code-kind",
    "code-invalid",
    title="A code is of the kind that its place asks for",
    text="{code} is {found}; its name is used as {wanted}",
    advice="use a code of that kind",
)
CODE_UNKNOWN = warning(
    "code-unknown",
    "code-invalid",
    title="A code exists in its system",
    text="{code} is not known to {source}",
    advice="look the code up: fhirpkg codes search",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CODE_INACTIVE = warning(
    "code-inactive",
    "business-rule",
    title="A code is active",
    text="{code} is inactive according to {source}",
    advice="use the code that replaces it",
    spec="http://hl7.org/fhir/R4/codesystem.html#defined-props",
)
CODE_NOT_VERIFIED = information(
    "code-not-verified",
    "not-supported",
    title="Each code has been verified",
    text="{count} could not be verified with the code systems available: {codes}",
    advice="'fhirpkg codes check' with --codes FILE or --tx URL verifies them",
    spec="http://hl7.org/fhir/R4/terminologies-systems.html",
)
CODE_LANGUAGE = information(
    "code-language",
    "not-supported",
    title="Names can be compared with the displays of their codes",
    text="{count} have no display in '{language}', the language of their names: {codes}",
    advice=(
        "compare them yourself, or ask a server that has displays in '{language}': "
        "fhirpkg codes check --tx URL"
    ),
)
SOURCE_REVIEW = information(
    "source-review",
    "informational",
    title="A reader has compared each fact with its source",
    text=(
        "{without} of {total} facts have no reader's verdict; the verdict on {stale} is about an "
        "earlier wording"
    ),
    advice="compare them with the source and record the verdicts in review.yaml beside this file",
)
SOURCE_SIGN_OFF = error(
    "source-sign-off",
    "business-rule",
    title="Active content has been approved as it is",
    text="the status is 'active', but {name} is not approved: {problem}",
    advice=(
        "have a sheet made by 'fhirpkg review --output FILE' filled in and read it with --read, "
        "or leave the status at 'draft'"
    ),
    spec="http://hl7.org/fhir/R4/valueset-publication-status.html",
)
SOURCE_DRAWING = error(
    "source-drawing",
    "invalid",
    title="A drawing is a self-contained SVG",
    text="the drawing cannot be used: {problem}",
    advice="put an SVG beside this file that has shapes and numbers only: no script, style or link",
    spec="https://www.w3.org/TR/SVG2/",
)
SOURCE_PDF = error(
    "source-pdf",
    "not-supported",
    title="The PDF documents that a package asks for can be made",
    text="the package asks for PDF documents, but the libraries that make them are not installed",
    advice="pip install 'fhirpkg[pdf]', or remove 'pdf'",
)
SOURCE_LANGUAGE = error(
    "source-language",
    "value",
    title="Texts are in the languages of their package",
    text="the text does not fit the package: {problem}",
    advice="the package has {allowed}; see 'language' and 'languages' in package.yaml",
    spec="http://hl7.org/fhir/R4/resource-definitions.html#Resource.language",
)
SOURCE_UNTRANSLATED = information(
    "source-untranslated",
    "informational",
    title="Missing translations are listed",
    text="{count} texts have no translation into '{language}': {places}",
    advice="a document in that language is made only when each of its texts has one",
    spec="http://hl7.org/fhir/R4/extension-translation.html",
)
SOURCE_UNNAMED = information(
    "source-unnamed",
    "informational",
    title="Names of concepts without a translation are listed",
    text="{count} names of concepts have no translation into '{language}': {first}",
    advice="add them under 'names': pages, cards and orders in that language show them",
    spec="http://hl7.org/fhir/R4/extension-translation.html",
)
SOURCE_NO_CATALOGUE = information(
    "source-no-catalogue",
    "not-supported",
    title="Headings and fixed words exist in each language",
    text="fhirpkg has no headings and fixed words in '{language}'; they stay English",
    advice="add a catalogue, fhirpkg/languages/catalogues/{language}.po",
    spec="http://hl7.org/fhir/R4/extension-translation.html",
)
