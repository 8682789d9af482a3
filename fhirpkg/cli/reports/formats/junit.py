"""JUnit XML: a file is a suite, an error a failed case, a clean file one passed case."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from fhirpkg.issues import Severity

if TYPE_CHECKING:
    from fhirpkg.corpus.checking import Checked
    from fhirpkg.issues import Issue


def report(checked: list[Checked]) -> str:
    """The `testsuites` document; warnings and information go to `system-out`."""
    failures = sum(len(each.outcome.errors) for each in checked)
    tests = sum(max(len(each.outcome.errors), 1) for each in checked)
    root = ET.Element("testsuites", tests=str(tests), failures=str(failures))
    for each in checked:
        root.append(_suite(each))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(each: Checked) -> ET.Element:
    errors = each.outcome.errors
    suite = ET.Element(
        "testsuite",
        name=_text(each.file),
        tests=str(max(len(errors), 1)),
        failures=str(len(errors)),
    )
    for issue in errors:
        suite.append(_failed(each.file, issue))
    if not errors:
        ET.SubElement(suite, "testcase", classname=_text(each.file), name="valid")
    others = [str(i) for i in each.outcome.issues if i.severity.rank > Severity.ERROR.rank]
    if others:
        ET.SubElement(suite, "system-out").text = _text("\n".join(others))
    return suite


def _failed(file: str, issue: Issue) -> ET.Element:
    name = " ".join(part for part in (issue.rule, issue.expression) if part)
    case = ET.Element("testcase", classname=_text(file), name=_text(name))
    failure = ET.SubElement(case, "failure", message=_text(issue.text), type=issue.rule)
    failure.text = _text(str(issue))
    return case


def _text(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else "\ufffd" for c in text
    )
