"""Rules of Measures and of the MeasureReports on them."""

from fhirpkg.rules import error, information, warning

_MEASURE = "http://hl7.org/fhir/R4/measure-definitions.html#Measure.library"
_REPORT = "http://hl7.org/fhir/R4/measurereport.html"

MEASURE_LIBRARY = warning(
    "measure-library",
    "invalid",
    title="A Measure names the library of the CQL that its criteria name",
    text="no library of this Measure is at hand that could define '{named}'",
    advice="name the Library by its canonical, and load it",
    spec=_MEASURE,
)
MEASURE_CRITERIA = error(
    "measure-criteria",
    "invalid",
    title="What the criteria of a Measure name is defined in its library",
    text="{problem}",
    spec=_MEASURE,
)
MEASURE_REPORT_PART = error(
    "measure-report-part",
    "business-rule",
    title="Each group, population and stratifier of a report is one of its Measure, once",
    text="this {part} {problem}",
    spec=_REPORT,
)
MEASURE_REPORT_MISSING = warning(
    "measure-report-missing",
    "business-rule",
    title="A report has the groups, populations and stratifiers of its Measure",
    text="there is no {part} for {wanted} of the Measure",
    spec=_REPORT,
    is_strict=True,
)
MEASURE_REPORT_SCORE = error(
    "measure-report-score",
    "business-rule",
    title="A score is there and of the kind that the scoring of the Measure gives",
    text="{problem}",
    spec="http://hl7.org/fhir/R4/measurereport-definitions.html#MeasureReport.group.measureScore",
)
MEASURE_REPORT_SUBJECTS = error(
    "measure-report-subjects",
    "business-rule",
    title="Only a report of type 'subject-list' lists subjects",
    text="the report is of type '{type}', which lists no subjects",
    spec=_REPORT,
)
MEASURE_REPORT_COUNT = error(
    "measure-report-count",
    "business-rule",
    title="The count of a population is that of the subjects in its List",
    text="the count is {count}, but {found} are listed",
    spec=_REPORT,
)
NOT_CHECKED_MEASURE = information(
    "not-checked-measure",
    "not-found",
    title="The Measure that a report is about is at hand",
    text="the report was not compared with its Measure: {measure} is not loaded",
    advice="load the package or file that holds it",
    spec=_REPORT,
)
