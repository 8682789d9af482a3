"""Rules of Measures and of the MeasureReports on them."""

from fhirpkg.rules import ERROR, INFORMATION, WARNING, Rule

_MEASURE = "http://hl7.org/fhir/R4/measure-definitions.html#Measure.library"
_REPORT = "http://hl7.org/fhir/R4/measurereport.html"

RULES = (
    Rule(
        "measure-library",
        WARNING,
        "invalid",
        "A Measure names the library of the CQL that its criteria name",
        "no library of this Measure is at hand that could define '{named}'",
        "name the Library by its canonical, and load it",
        _MEASURE,
    ),
    Rule(
        "measure-criteria",
        ERROR,
        "invalid",
        "What the criteria of a Measure name is defined in its library",
        "{problem}",
        spec=_MEASURE,
    ),
    Rule(
        "measure-report-part",
        ERROR,
        "business-rule",
        "Each group, population and stratifier of a report is one of its Measure, once",
        "this {part} {problem}",
        spec=_REPORT,
    ),
    Rule(
        "measure-report-missing",
        WARNING,
        "business-rule",
        "A report has the groups, populations and stratifiers of its Measure",
        "there is no {part} for {wanted} of the Measure",
        spec=_REPORT,
        is_strict=True,
    ),
    Rule(
        "measure-report-score",
        ERROR,
        "business-rule",
        "A score is there and of the kind that the scoring of the Measure gives",
        "{problem}",
        spec=f"{_REPORT.removesuffix('.html')}-definitions.html#MeasureReport.group.measureScore",
    ),
    Rule(
        "measure-report-subjects",
        ERROR,
        "business-rule",
        "Only a report of type 'subject-list' lists subjects",
        "the report is of type '{type}', which lists no subjects",
        spec=_REPORT,
    ),
    Rule(
        "measure-report-count",
        ERROR,
        "business-rule",
        "The count of a population is that of the subjects in its List",
        "the count is {count}, but {found} are listed",
        spec=_REPORT,
    ),
    Rule(
        "not-checked-measure",
        INFORMATION,
        "not-found",
        "The Measure that a report is about is at hand",
        "the report was not compared with its Measure: {measure} is not loaded",
        "load the package or file that holds it",
        _REPORT,
    ),
)
