import linecache

from fhirpkg.validation.compiling.codegen import Deferred


def test_a_late_constant_takes_its_place_when_it_is_first_used():
    made = []

    def make():
        made.append(1)
        return len

    late = Deferred(make)
    first, second = {}, {}
    late.put_in(first, "c1")
    late.put_in(second, "c2")
    assert first["c1"] is late
    assert not made
    assert first["c1"]("abc") == 3
    assert first["c1"] is len
    assert second["c2"] is len
    third = {}
    late.put_in(third, "c3")
    assert third["c3"] is len
    assert made == [1]


def test_a_late_collection_is_asked_what_it_holds():
    late = Deferred(lambda: frozenset({"a"}))
    assert "a" in late
    assert "b" not in late


def test_the_source_of_a_check_compiles_and_names_only_its_constants(validator):
    code = validator._checks.code("Patient")
    names = set(compile(code.source, "x", "exec").co_consts[0].co_names)
    assert names - {"type", "dict", "str", "len"} <= set(code.constants)


def test_the_lines_of_generated_source_can_be_seen_by_debuggers(validator):
    validator.validate({"resourceType": "Patient", "active": True})
    name = next(n for n in linecache.cache if n.startswith("<check "))
    assert linecache.getline(name, 1).startswith("def f0(")


def test_equal_constants_share_one_name(validator):
    values = [v for v in validator._checks.code("Patient").constants.values() if type(v) is str]
    assert len(values) == len(set(values))
