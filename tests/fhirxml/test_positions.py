"""Paths of the Resource are found again in the XML text."""

import pytest

from fhirpkg import fhirxml

TEXT = b"""<?xml version="1.0"?>
<Bundle xmlns="http://hl7.org/fhir">
  <entry>
    <fullUrl value="a"/>
    <resource>
      <Patient>
        <name><given value="A"/><given id="g" value="B"/></name>
        <name><family value="C"/></name>
        <birthDate value="2020"/>
      </Patient>
    </resource>
  </entry>
  <entry>
    <resource><Group><active value="x"/></Group></resource>
  </entry>
</Bundle>
"""


@pytest.mark.parametrize(
    "path, place",
    [
        ((), (2, 1)),
        (("entry",), (3, 3)),
        (("entry", 0), (3, 3)),
        (("entry", 1), (13, 3)),
        (("entry", 0, "fullUrl"), (4, 5)),
        (("entry", 0, "resource", "name", 0, "given", 1), (7, 33)),
        (("entry", 0, "resource", "name", 0, "_given", 1, "id"), (7, 33)),
        (("entry", 0, "resource", "name", 1, "family"), (8, 15)),
        (("entry", 0, "resource", "birthDate"), (9, 9)),
        (("entry", 0, "resource", "_birthDate", "extension", 0), (9, 9)),
        (("entry", 0, "resource", "gender"), (5, 5)),
        (("entry", 1, "resource", "active"), (14, 22)),
        (("entry", 7), (3, 3)),
        (("type",), (2, 1)),
    ],
)
def test_a_path_leads_to_its_element_or_the_nearest_one_around_it(path, place):
    assert fhirxml.locate(TEXT, [path]) == {path: place}


def test_many_paths_are_found_in_one_pass():
    paths = [("entry", n, "resource") for n in (0, 1)]
    assert list(fhirxml.locate(TEXT, paths).values()) == [(5, 5), (14, 5)]


def test_text_that_breaks_off_gives_what_was_found_before():
    assert fhirxml.locate(TEXT[:120], [("entry", 0)]) == {("entry", 0): (3, 3)}
