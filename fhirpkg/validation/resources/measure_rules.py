"""Rules of Measures and of the MeasureReports on them."""

from fhirpkg.rules import error, information, warning

_MEASURE = "http://hl7.org/fhir/R4/measure-definitions.html#Measure.library"
_REPORT = "http://hl7.org/fhir/R4/measurereport.html"

MEASURE_LIBRARY = warning(
    "measure-library",
    "invalid",
    title="A Measure names the library that its criteria use",
    text="no loaded library of this Measure could define '{named}'",
    advice="name the Library by its canonical, and load it",
    spec=_MEASURE,
)
MEASURE_CRITERIA = error(
    "measure-criteria",
    "invalid",
    title="Criteria of a Measure name definitions of its library",
    text="these criteria cannot be evaluated: {problem}",
    spec=_MEASURE,
)
MEASURE_REPORT_PART = error(
    "measure-report-part",
    "business-rule",
    title="Groups, populations and stratifiers of a report belong to its Measure, each once",
    text="this {part} {problem}",
    spec=_REPORT,
)
MEASURE_REPORT_MISSING = warning(
    "measure-report-missing",
    "business-rule",
    title="A report has the groups, populations and stratifiers of its Measure",
    text="the Measure has a {part} {wanted}, which is missing here",
    spec=_REPORT,
    is_strict=True,
)
MEASURE_REPORT_SCORE = error(
    "measure-report-score",
    "business-rule",
    title="A score is present and of the kind that the Measure's scoring gives",
    text="the score does not fit the Measure: {problem}",
    spec="http://hl7.org/fhir/R4/measurereport-definitions.html#MeasureReport.group.measureScore",
)
MEASURE_REPORT_SUBJECTS = error(
    "measure-report-subjects",
    "business-rule",
    title="Only reports of type 'subject-list' list subjects",
    text="the report is of type '{type}', which lists no subjects",
    spec=_REPORT,
)
MEASURE_REPORT_COUNT = error(
    "measure-report-count",
    "business-rule",
    title="The count of a population is the number of subjects in its List",
    text="the count is {count}, but {found} are listed",
    spec=_REPORT,
)
NOT_CHECKED_MEASURE = information(
    "not-checked-measure",
    "not-found",
    title="The Measure of a report is loaded",
    text="the report was not compared with its Measure: {measure} is not loaded",
    advice="load the package or file that holds it",
    spec=_REPORT,
)
