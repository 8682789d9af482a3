from fhirpkg.definitions.errata import correct


def test_examples_among_the_search_parameters_are_left_out():
    url = "http://hl7.org/fhir/SearchParameter/example"
    assert correct({"resourceType": "SearchParameter", "url": url}) is None
    assert correct({"resourceType": "SearchParameter", "url": f"{url}x"}) is not None


def test_ids_of_resources_are_ids_and_those_of_elements_stay_strings(core):
    for path, type_ in (("Patient.id", "id"), ("Patient.contact.id", "string")):
        elements = core.structure("Patient")["snapshot"]["element"]
        [element] = [each for each in elements if each["path"] == path]
        assert element["type"][0]["extension"][0]["valueUrl"] == type_


def test_every_type_in_the_core_is_a_defined_type(core):
    compose = core.find("http://hl7.org/fhir/ValueSet/defined-types")["compose"]
    listed = {c["code"] for part in compose["include"] for c in part.get("concept", ())}
    used = {
        type_["code"]
        for entry in core.entries("StructureDefinition")
        for element in core.structure(entry.url)["snapshot"]["element"]
        for type_ in element.get("type", ())
    }
    assert {code for code in used if "/" in code} <= listed
