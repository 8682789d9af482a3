from fhirpkg.publishing.reading import Reader, batches, escaped
from tests.publishing.sample import canonical, client
from tests.servers import habits
from tests.servers.habits import server_like
from tests.servers.scripted import scripted


def put(server, *ids):
    with client(server) as other:
        for each in ids:
            assert other.request("PUT", f"Library/{each}", body=canonical("Library", each)).ok


def test_many_values_are_sent_in_lines_that_servers_take():
    portions = list(batches([f"http://example.org/fhir/Library/{n:060}" for n in range(300)]))
    assert sum(map(len, portions)) == 300
    assert all(len("%2C".join(portion)) < 8000 for portion in portions)
    assert len(portions) < 10


def test_a_comma_in_a_value_is_no_separator(server):
    with client(server) as connected:
        odd = canonical("Library", "odd") | {"url": "http://example.org/a,b"}
        connected.request("PUT", "Library/odd", body=odd)
        found = Reader(connected).by_url("Library", ["http://example.org/a,b"])
    assert [hit["id"] for hit in found] == ["odd"]
    assert escaped("a,b\\c") == "a\\,b\\\\c"


def test_a_search_that_brings_what_was_not_asked_for_is_replaced_by_reads(server):
    put(server, "a", "b", "c")
    with scripted(server_like(habits.ignores_parameter("_id")), server) as proxy:
        reader = Reader(client(proxy.base_url))
        assert sorted(reader.by_ids("Library", ["a", "b", "x"])) == ["a", "b"]
        assert reader.distrusted == {"Library?_id"}


def test_what_a_search_misses_is_confirmed_by_a_read(server):
    put(server, "a")
    with scripted(server_like(habits.finds_late(99)), server) as proxy:
        reader = Reader(client(proxy.base_url))
        assert reader.by_ids("Library", ["a"]) == {}
        assert list(reader.by_ids("Library", ["a"], confirm=True)) == ["a"]


def test_nothing_is_taken_for_absent_where_a_server_does_not_count(server):
    with client(server) as connected:
        assert not Reader(connected).exist("Library", "_id", ["a"])
    with scripted(server_like(habits.tells_no_total), server) as proxy:
        assert Reader(client(proxy.base_url)).exist("Library", "_id", ["a"])
