"""The store: what is acknowledged is kept, a transaction is kept whole or not at all."""

import contextlib
import json
import random
import sqlite3
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from fhirpkg.errors import SourceError
from fhirpkg.server.endpoint import open_endpoint
from fhirpkg.server.searching.criteria import read_criteria
from fhirpkg.server.storing.store import Store
from tests.server.client import Client, entry, rules_of
from tests.servers.embedded import running

BASIC = {"resourceType": "Basic", "id": "b"}


def test_a_store_keeps_its_resources_until_it_is_opened_again(tmp_path):
    with Store(tmp_path / "s.db") as store:
        store.write(BASIC, "PUT")
        store.write(BASIC | {"language": "de"}, "PUT")
    with Store(tmp_path / "s.db") as store:
        version = store.current("Basic", "b")
        assert (version.version, version.method) == (2, "PUT")
        assert version.resource()["language"] == "de"


def test_what_is_acknowledged_is_on_the_disk(tmp_path):
    with Store(tmp_path / "s.db") as store:
        assert store.query("PRAGMA journal_mode") == [("wal",)]
        assert store.query("PRAGMA synchronous") == [(2,)], "FULL: each commit waits for the disk"


def write_and_fail(store, resource):
    with store.transaction():
        store.write(resource, "PUT")
        raise ZeroDivisionError


def test_what_is_deleted_while_others_are_read_is_left_out_and_none_comes_twice():
    with Store() as store:
        for number in range(90):
            store.write({"resourceType": "Basic", "id": f"b{number}"}, "PUT")
        keys = [key for (key,) in store.query("SELECT key FROM current ORDER BY key")]
        reading = store.each(keys)
        seen = [next(reading).id]
        for number in (0, 5, 21, 22, 39, 89, *range(40, 60)):
            store.delete("Basic", f"b{number}")
        seen += [version.id for version in reading]
    gone = {21, 22, 39, 89, *range(40, 60)}  # the others were read before
    assert seen == [f"b{number}" for number in range(90) if number not in gone]


def test_an_exception_undoes_the_whole_transaction():
    with Store() as store:
        with pytest.raises(ZeroDivisionError):
            write_and_fail(store, BASIC)
        assert store.current("Basic", "b") is None


def test_an_inner_transaction_can_fail_alone():
    with Store() as store:
        with store.transaction():
            store.write(BASIC, "PUT")
            with pytest.raises(ZeroDivisionError):
                write_and_fail(store, BASIC | {"id": "c"})
        assert store.current("Basic", "b") is not None
        assert store.current("Basic", "c") is None


def test_meta_stands_after_the_id_with_the_servers_parts_first():
    with Store() as store:
        tagged = {"resourceType": "Basic", "language": "de", "meta": {"tag": []}, "id": "b"}
        version, _ = store.write(tagged, "PUT")
        assert list(version.resource()) == ["resourceType", "id", "meta", "language"]
        assert list(version.resource()["meta"]) == ["versionId", "lastUpdated", "tag"]


def test_amending_changes_the_content_of_the_version(tmp_path):
    with Store(tmp_path / "s.db") as store:
        version, _ = store.write(BASIC | {"meta": {"tag": [{"code": "x"}]}}, "PUT")
        store.amend(version, BASIC)
        assert store.current("Basic", "b").resource()["meta"].keys() == {"versionId", "lastUpdated"}
        again, new = store.write(BASIC, "PUT")
        assert (again.version, new) == (1, False)


def test_one_store_is_for_one_process(tmp_path):
    with Store(tmp_path / "s.db"), pytest.raises(SourceError, match="in use by another"):
        Store(tmp_path / "s.db")


def test_a_database_that_is_not_ours_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "theirs.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE t (x)")
    theirs.close()
    before = path.read_bytes()
    with pytest.raises(SourceError, match="a store of fhirpkg"):
        Store(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["theirs.db"]


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("notes " * 1000)
    with pytest.raises(SourceError, match="a store of fhirpkg"):
        Store(path)
    assert path.read_text() == "notes " * 1000


def test_a_store_of_a_later_layout_is_refused(tmp_path):
    Store(tmp_path / "s.db").close()
    with sqlite3.connect(tmp_path / "s.db") as later:
        later.execute("PRAGMA user_version = 99")
    later.close()
    with pytest.raises(SourceError, match="layout 99"):
        Store(tmp_path / "s.db")


def test_a_store_in_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SourceError, match="cannot be opened"):
        Store(tmp_path / "none" / "s.db")


def test_writers_at_the_same_time_share_a_commit_and_each_is_told_of_its_own(tmp_path):
    endpoint = open_endpoint(tmp_path / "s.db")
    commits = []
    with endpoint.store as store:
        store.write(BASIC, "PUT")
        store._writer.connection.set_trace_callback(commits.append)

        def write(number):
            with store.transaction():
                version, _ = store.write({"resourceType": "Basic", "id": f"n{number}"}, "PUT")
                time.sleep(0.01)  # so that the others come meanwhile
                assert number % 5, "this one fails"
            assert store.version("Basic", f"n{number}", 1) == version, "others see what is reported"

        with ThreadPoolExecutor(8) as pool:
            told = [pool.submit(write, number) for number in range(40)]
            failed = [isinstance(one.exception(), AssertionError) for one in told]
        assert failed == [number % 5 == 0 for number in range(40)]
        kept = {version.id for version in store.all_present("current.type = 'Basic'", ())}
        assert kept == {"b"} | {f"n{number}" for number in range(40) if number % 5}
        assert 0 < commits.count("COMMIT") < 30, "fewer than writers"


def test_when_a_commit_fails_all_who_share_it_are_told(tmp_path):
    with Store(tmp_path / "s.db") as store:
        together = threading.Barrier(3)

        def write(number):
            together.wait()
            with store.transaction():
                store.write({"resourceType": "Basic", "id": f"n{number}", "x": "y" * 1000}, "PUT")
                time.sleep(0.1)

        limit(store, 20)
        content = random.Random(1).randbytes(100_000).hex()
        with ThreadPoolExecutor(4) as pool:
            others = [pool.submit(write, number) for number in range(3)]
            time.sleep(0.05)
            large = pool.submit(store.write, BASIC | {"language": content}, "PUT")
            assert isinstance(large.exception(), sqlite3.OperationalError)
            told = {f"n{n}" for n, other in enumerate(others) if other.exception() is None}
        kept = {version.id for version in store.all_present("current.type = 'Basic'", ())}
        assert kept == told


def test_readers_do_not_wait_for_a_writer(tmp_path):
    with Store(tmp_path / "s.db") as store:
        store.write(BASIC, "PUT")
        with store.transaction(), ThreadPoolExecutor(1) as pool:
            store.write(BASIC | {"language": "de"}, "PUT")
            seen = pool.submit(store.current, "Basic", "b").result(timeout=5)
            assert seen.version == 1
            assert store.current("Basic", "b").version == 2
        assert store.current("Basic", "b").version == 2


def test_large_content_is_kept_once_and_compressed(tmp_path):
    path = tmp_path / "s.db"
    codes = [{"code": f"c{n}", "display": f"Display {n}"} for n in range(10_000)]
    content = {"concept": codes}
    size = len(json.dumps(content))
    with Store(path) as store:
        for number in range(20):
            store.write({"resourceType": "CodeSystem", "id": f"n{number}"} | content, "PUT")
        for language in ("de", "en", "de"):
            meta = {"meta": {"tag": [{"code": language}]}}
            store.write({"resourceType": "CodeSystem", "id": "n0"} | meta | content, "PUT")
        assert store.query("SELECT count(*) FROM body") == [(1,)]
        assert store.version("CodeSystem", "n0", 4).resource()["concept"] == codes
        assert store.current("CodeSystem", "n7").resource()["concept"] == codes
    assert path.stat().st_size < size / 2


def test_the_file_is_for_its_user_alone(tmp_path):
    with Store(tmp_path / "s.db") as store:
        store.write(BASIC, "PUT")
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
        assert set(modes.values()) == {0o600}, modes


def test_the_log_is_cut_back_when_it_was_written_into_the_file(tmp_path):
    with Store(tmp_path / "s.db") as store:
        with store.transaction():
            for number in range(20):
                noise = random.Random(number).randbytes(1_000_000).hex()
                store.write(BASIC | {"language": noise}, "PUT")
        store.write(BASIC, "PUT")
        store.write(BASIC | {"language": "de"}, "PUT")
        assert (tmp_path / "s.db-wal").stat().st_size < 20_000_000


def test_a_store_without_a_file_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Store() as store:
        store.write(BASIC, "PUT")
        assert list(tmp_path.iterdir()) == [], "not even while it is open"
        assert store.current("Basic", "b").version == 1


def limit(store, pages):
    with store.transaction():
        store.query(f"PRAGMA max_page_count = {pages}")


def test_a_full_disk_refuses_the_write_and_keeps_what_was_there(tmp_path):
    endpoint = open_endpoint(tmp_path / "s.db")
    with running(endpoint=endpoint) as base:
        client = Client(base)
        client.put(BASIC)
        limit(endpoint.store, 60)
        large = BASIC | {"id": "large", "language": random.Random(1).randbytes(200_000).hex()}
        for refused in (client.put(large), client.bundle(entry("PUT", "Basic/large", large))):
            assert (refused.status_code, rules_of(refused)) == (507, ["server-storage"])
        limit(endpoint.store, 100_000)
        assert client.get("Basic/large").status_code == 404
        assert client.put(BASIC).headers["ETag"] == 'W/"1"'
        assert client.put(large).status_code == 201


def test_versions_are_dated_when_they_are_written():
    with Store() as store:
        before = time.time_ns() // 1000 - 1000
        version, _ = store.write(BASIC, "PUT")
        assert before <= version.updated <= time.time_ns() // 1000


def test_resources_of_a_type_are_counted_as_they_come_and_go(tmp_path):
    one, two = ({"resourceType": "Basic", "id": name} for name in ("one", "two"))
    with Store(tmp_path / "s.db") as store:
        assert store.number("Basic") == 0
        for resource in (one, two, one | {"language": "en"}, one | {"language": "en"}):
            store.write(resource, "PUT")
        assert store.number("Basic") == 2
        store.delete("Basic", "one")
        store.delete("Basic", "one")
        assert store.number("Basic") == 1
        with contextlib.suppress(KeyError), store.transaction():
            store.write(one, "PUT")
            raise KeyError
        assert store.number("Basic") == 1
        store.write(one, "PUT")
        assert store.number("Basic") == 2


_UNDONE = """
DROP TABLE word_part; DROP TABLE word; DROP TABLE word_indexed;
DROP INDEX current_of_shape; DROP TABLE shape_param; DROP TABLE shape;
ALTER TABLE current DROP COLUMN shape;
PRAGMA user_version = 2
"""


def test_a_file_of_the_layout_before_shapes_is_given_them(tmp_path):
    texts = {"one": "a", "two": "b", "three": None}
    with open_endpoint(tmp_path / "s.db").store as store:
        for name, text in texts.items():
            resource = {"resourceType": "Basic", "id": name, "author": {"reference": text}}
            store.write(resource if text else {"resourceType": "Basic", "id": name}, "PUT")
        store.write({"resourceType": "Basic", "id": "gone"}, "PUT")
        store.delete("Basic", "gone")
        made = store.query("SELECT type, digest, number FROM shape ORDER BY digest")
    with contextlib.closing(sqlite3.connect(tmp_path / "s.db")) as file:
        file.executescript(_UNDONE)
    endpoint = open_endpoint(tmp_path / "s.db")
    with endpoint.store as store:
        assert store.number("Basic") == 3
        assert store.query("SELECT type, digest, number FROM shape ORDER BY digest") == made
        criteria = read_criteria([("author:missing", "true")], "Basic", endpoint.indexing)
        assert [version.id for version in endpoint.matches(criteria)] == ["three"]


def test_a_file_of_the_layout_before_words_is_given_them(tmp_path):
    with open_endpoint(tmp_path / "s.db").store as store:
        for name in ("Miller", "Mühl", "Smith"):
            patient = {"resourceType": "Patient", "id": name[:2], "name": [{"family": name}]}
            store.write(patient | {"id": f"p{len(name)}"}, "PUT")
    with contextlib.closing(sqlite3.connect(tmp_path / "s.db")) as file:
        for name in ("word_part", "word", "word_indexed"):
            file.execute(f"DROP TABLE {name}")
        file.execute("PRAGMA user_version = 3")
    endpoint = open_endpoint(tmp_path / "s.db")
    with endpoint.store:
        for part, ids in (("MUH", ["p4"]), ("mil", ["p6"]), ("ller", ["p6"]), ("llers", [])):
            criteria = read_criteria([("name:contains", part)], "Patient", endpoint.indexing)
            assert [version.id for version in endpoint.matches(criteria)] == ids


def test_a_shape_counts_the_resources_that_have_it(tmp_path):
    def numbers():
        found = store.query("SELECT number FROM shape WHERE type = 'Basic' AND number > 0")
        return sorted(number for (number,) in found)

    plain = {"resourceType": "Basic", "id": "one"}
    by = {"author": {"reference": "Patient/p"}}
    with open_endpoint(tmp_path / "s.db").store as store:
        store.write(plain, "PUT")
        store.write(plain | {"id": "two"}, "PUT")
        assert numbers() == [2]
        version, _ = store.write(plain | by, "PUT")
        assert numbers() == [1, 1]
        store.amend(version, plain)
        assert numbers() == [2]
        with contextlib.suppress(KeyError), store.transaction():
            store.write(plain | by | {"id": "three"}, "PUT")
            raise KeyError
        store.write(plain | by, "PUT")
        store.write(plain | by | {"id": "three"}, "PUT")
        assert numbers() == [1, 2]
        store.delete("Basic", "one")
        assert numbers() == [1, 1]
        store.write(plain | by, "PUT")
        assert numbers() == [1, 2]
